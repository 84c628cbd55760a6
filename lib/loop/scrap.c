/* SPDX-License-Identifier: MIT */
#include "loop/scrap.h"

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

#define SCRAP_LITTLE ((size_t)4 << 20) /* bytes that are freed at once, about a millisecond's worth */
#define SCRAP_BLOCKS 32		       /* of the arena, in a piece */

struct scrap {
	struct mailbox_letter letter;
	struct mailbox *mailbox;
	struct arena arena;
};

static void scrap_open(struct mailbox_letter *letter)
{
	struct scrap *scrap = (struct scrap *)(void *)((char *)letter - offsetof(struct scrap, letter));

	if (!arena_clear_some(&scrap->arena, SCRAP_BLOCKS)) {
		mailbox_post(scrap->mailbox, &scrap->letter);
		return;
	}
	free(scrap);
	/* What went with it, in small pieces, the allocator would keep. */
	malloc_trim(0);
}

void scrap_arena(struct mailbox *mailbox, struct arena *arena)
{
	struct scrap *scrap = arena->total > SCRAP_LITTLE ? malloc(sizeof(*scrap)) : NULL;

	if (!scrap) {
		arena_clear(arena);
		return;
	}
	scrap->mailbox = mailbox;
	scrap->letter.open = scrap_open;
	scrap->arena = *arena;
	arena_init(arena);
	mailbox_post(mailbox, &scrap->letter);
}
