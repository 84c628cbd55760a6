/* SPDX-License-Identifier: MIT */
#include "loop/scrap.h"

#include <criterion/criterion.h>

/* Pieces in which the mailbox frees what the arena held. */
static int pieces_of(struct mailbox *box, size_t bytes)
{
	struct arena arena;
	int pieces = 0;

	arena_init(&arena);
	for (size_t i = 0; i < bytes; i += 1000)
		cr_assert_not_null(arena_alloc(&arena, 1000));
	scrap_arena(box, &arena);
	cr_expect_null(arena.blocks);
	cr_expect_eq(arena.total, 0);
	while (mailbox_deliver(box) > 0)
		pieces++;
	return pieces;
}

Test(scrap, frees_what_is_much_in_pieces)
{
	struct mailbox *box = mailbox_new(NULL, NULL);

	cr_expect_eq(pieces_of(box, 1000), 0, "it is freed at once");
	cr_expect_geq(pieces_of(box, 64 << 20), 8);
	mailbox_free(box);
}

Test(scrap, ends_with_the_mailbox)
{
	struct mailbox *box = mailbox_new(NULL, NULL);
	struct arena_kept *kept = arena_kept_new();
	struct arena arena;

	arena_init(&arena);
	arena_lend(&arena, kept);
	arena_kept_free(kept);
	cr_assert_not_null(arena_alloc(&arena, 32 << 20));
	cr_assert_not_null(arena_alloc(&arena, 1000));
	scrap_arena(box, &arena);
	mailbox_free(box); /* a leak is the sanitizer's to see */
}
