/* SPDX-License-Identifier: MIT */
/*
 * A bump allocator: many small allocations of one lifetime, freed together.
 *
 * Failure is sticky: after one allocation failed, arena_failed() stays true,
 * so builders may check once at the end instead of at every step.
 *
 * What one arena holds may be lent to another: that goes on living with it.
 */
#ifndef SCHEDD_BASE_ARENA_H
#define SCHEDD_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;
struct arena_kept;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;                /* bytes taken of the newest block */
	size_t total;               /* bytes asked of malloc so far */
	bool failed;                /* an allocation has failed */
	struct arena_kept *kept;    /* what it was lent; NULL: nothing */
};

/* An empty arena needs no arena_clear. */
void arena_init(struct arena *arena);
/* Frees everything; the arena is empty and usable again. */
void arena_clear(struct arena *arena);
/* The same in pieces, of so many blocks: true when all is freed. Nothing in it may be used any more. */
bool arena_clear_some(struct arena *arena, unsigned blocks);
/* Forgets everything, keeps some memory for the next round. Not after a failure: that stays. */
void arena_reset(struct arena *arena);
/* size bytes, zeroed, aligned for any type; NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t size);
/* A NUL-terminated copy of length bytes; NULL when out of memory. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_strdup(struct arena *arena, const char *text);
/* printf into the arena; NULL when out of memory. */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool arena_failed(const struct arena *arena);
/* All that other holds goes over; other is empty. A failure goes over too, and what was lent to other; to
 * arena nothing was. */
void arena_join(struct arena *arena, struct arena *other);

/* An arena that goes with the last who keeps it; all of them on one thread. */
struct arena_kept {
	struct arena arena;
	unsigned keepers;
};

/* Kept by the caller, with an empty arena; NULL: no memory. */
struct arena_kept *arena_kept_new(void);
/* The caller keeps it no more. */
void arena_kept_free(struct arena_kept *kept);
/* Until it is cleared, arena keeps it too. An arena is lent one. */
void arena_lend(struct arena *arena, struct arena_kept *kept);

#endif
