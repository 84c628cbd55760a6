/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>
#include "base/arena.h"

static struct arena arena, other;

static void setup(void)
{
	arena_init(&arena);
	arena_init(&other);
}

static void teardown(void)
{
	arena_clear(&arena);
	arena_clear(&other);
}

TestSuite(arena, .init = setup, .fini = teardown);

Test(arena, joins_what_another_holds)
{
	const char *own = arena_strdup(&arena, "own"), *first = arena_strdup(&other, "first");
	char *large = arena_alloc(&other, 1 << 20);

	memset(large, 'x', 1 << 20);
	arena_join(&arena, &other);
	arena_clear(&other);
	/* What comes afterwards lies upon nothing that came over. */
	for (int i = 0; i < 1000; i++)
		memset(arena_alloc(&arena, 100), 'y', 100);
	cr_assert_str_eq(own, "own");
	cr_assert_str_eq(first, "first");
	cr_assert_eq(large[0], 'x');
	cr_assert_eq(large[(1 << 20) - 1], 'x');
	cr_assert_geq(arena.total, 1 << 20);
}

Test(arena, joins_into_an_empty_one)
{
	const char *text = arena_strdup(&other, "text");

	arena_join(&arena, &other);
	cr_assert_null(other.blocks);
	memset(arena_alloc(&arena, 32), 'y', 32);
	cr_assert_str_eq(text, "text");
	arena_join(&arena, &other);
	cr_assert_not(arena_failed(&arena));
}

Test(arena, joins_a_failure_too)
{
	other.failed = true;
	arena_join(&arena, &other);
	cr_assert(arena_failed(&arena));
	cr_assert_not(arena_failed(&other));
}

Test(arena, keeps_what_it_was_lent)
{
	struct arena_kept *kept = arena_kept_new();
	const char *text = arena_strdup(&kept->arena, "text");

	arena_lend(&arena, kept);
	arena_lend(&other, kept);
	arena_kept_free(kept);
	cr_assert_str_eq(text, "text");
	arena_clear(&arena);
	cr_assert_null(arena.kept);
	cr_assert_str_eq(text, "text");
	arena_strdup(&other, "own");
	arena_clear(&other); /* a leak or a second free is the sanitizer's to see */
	cr_assert_null(other.kept);
}
