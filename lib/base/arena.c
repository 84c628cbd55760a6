/* SPDX-License-Identifier: MIT */
/* Blocks grow by doubling up to 256 KiB, which malloc maps by itself and gives back to the system
 * when freed; a larger request gets a block of its own. */
#include "base/arena.h"

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_FIRST 256 /* with its header, as of those that follow: sizes that malloc has at hand */
#define ARENA_LARGEST ((size_t)256 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t size; /* bytes in data */
	_Alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena)
{
	memset(arena, 0, sizeof(*arena));
}

bool arena_clear_some(struct arena *arena, unsigned blocks)
{
	struct arena_kept *kept = arena->kept;

	for (; arena->blocks && blocks; blocks--) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	if (arena->blocks)
		return false;
	arena_init(arena);
	if (kept)
		arena_kept_free(kept);
	return true;
}

void arena_clear(struct arena *arena)
{
	(void)arena_clear_some(arena, UINT_MAX);
}

void arena_reset(struct arena *arena)
{
	struct arena_block *kept = arena->blocks, *block = kept ? kept->next : NULL;

	/* The newest is the largest, unless one request was larger than all. */
	if (!kept || kept->size > ARENA_LARGEST) {
		bool failed = arena->failed;

		arena_clear(arena);
		arena->failed = failed;
		return;
	}
	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	kept->next = NULL;
	arena->used = 0;
	arena->total = sizeof(*kept) + kept->size;
}

static bool arena_grow(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	size_t want = (block ? (sizeof(*block) + block->size) * 2 : ARENA_FIRST) - sizeof(*block);

	if (want > ARENA_LARGEST)
		want = ARENA_LARGEST;
	if (want < size)
		want = size;
	/* What is large is fresh from the system and empty: nobody waits while it is cleared. */
	block = want > ARENA_LARGEST ? calloc(1, sizeof(*block) + want)
				     : malloc(sizeof(*block) + want);
	if (!block)
		return false;
	block->size = want;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->used = 0;
	arena->total += sizeof(*block) + want;
	return true;
}

/* Not cleared, unless it is large. */
static void *arena_take(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	char *where;

	if (size > SIZE_MAX / 2) {
		arena->failed = true;
		return NULL;
	}
	size = (size + align - 1) & ~(align - 1);
	if (!arena->blocks || arena->blocks->size - arena->used < size)
		if (!arena_grow(arena, size)) {
			arena->failed = true;
			return NULL;
		}
	where = arena->blocks->data + arena->used;
	arena->used += size;
	return where;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *where = arena_take(arena, size);

	return !where || size > ARENA_LARGEST ? where : memset(where, 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = length < SIZE_MAX ? arena_take(arena, length + 1) : NULL;

	if (!copy)
		return NULL;
	if (length > 0)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	char small[128]; /* mostly once is enough */
	va_list ap;
	char *text;
	int length;

	va_start(ap, format);
	length = vsnprintf(small, sizeof(small), format, ap);
	va_end(ap);
	if (length < 0)
		return NULL;
	if ((size_t)length < sizeof(small))
		return arena_strndup(arena, small, (size_t)length);
	text = arena_alloc(arena, (size_t)length + 1);
	if (!text)
		return NULL;
	va_start(ap, format);
	vsnprintf(text, (size_t)length + 1, format, ap);
	va_end(ap);
	return text;
}

bool arena_failed(const struct arena *arena)
{
	return arena->failed;
}

void arena_join(struct arena *arena, struct arena *other)
{
	struct arena_block **last = &arena->blocks;

	/* Behind the block that is being filled. */
	while (*last)
		last = &(*last)->next;
	*last = other->blocks;
	if (last == &arena->blocks)
		arena->used = other->used;
	arena->total += other->total;
	arena->failed |= other->failed;
	if (other->kept)
		arena->kept = other->kept;
	arena_init(other);
}

/* ---- Lending ---- */

struct arena_kept *arena_kept_new(void)
{
	struct arena_kept *kept = calloc(1, sizeof(*kept));

	if (kept)
		kept->keepers = 1;
	return kept;
}

void arena_kept_free(struct arena_kept *kept)
{
	if (--kept->keepers > 0)
		return;
	arena_clear(&kept->arena);
	free(kept);
}

void arena_lend(struct arena *arena, struct arena_kept *kept)
{
	kept->keepers++;
	arena->kept = kept;
}
