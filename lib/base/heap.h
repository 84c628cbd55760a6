/* SPDX-License-Identifier: MIT */
/*
 * A queue of nodes by an int64 key (equal keys leave in any order). Nodes are
 * embedded in their owners and know their place, so any of them can be moved
 * or removed.
 *
 * What is put in by rising keys, as jobs of one interval and runs of one turn
 * are, goes into lanes: rings that are in order by themselves, where adding and
 * taking out cost the same however many there are. The rest is in an indexed
 * 4-ary min-heap, in O(log n).
 */
#ifndef SCHEDD_BASE_HEAP_H
#define SCHEDD_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_NOT_QUEUED UINT32_MAX
#define HEAP_LANES 4

struct heap_node {
	uint32_t index; /* place in the heap or in a lane, or HEAP_NOT_QUEUED */
};

struct heap_entry {
	int64_t key;
	struct heap_node *node; /* in a lane NULL: it was taken out */
};

/* A ring by rising keys. The first and the last of its places are taken. */
struct heap_lane {
	struct heap_entry *ring;
	uint32_t capacity; /* a power of two, or 0 */
	uint32_t head;     /* the first place */
	uint32_t span;     /* places in use, from head on */
	uint32_t count;    /* nodes in them */
	int64_t last;      /* key of the last place */
};

struct heap {
	struct heap_entry *entries;
	uint32_t count; /* nodes, in the lanes as well */
	uint32_t size;  /* of these: in the heap */
	uint32_t capacity;
	uint32_t refused; /* that no lane took since one was given up for them */
	uint32_t first;   /* where the smallest is: lane + 1, or 0: the heap; if there is one */
	uint32_t recent;  /* the lane that took the latest */
	struct heap_lane lanes[HEAP_LANES];
};

void heap_init(struct heap *heap);
void heap_clear(struct heap *heap);
void heap_node_init(struct heap_node *node);
bool heap_queued(const struct heap_node *node);
/*
 * Adds a node or moves it to a new key. 0 or SCHEDD_ENOMEM (then nothing changed); a node that
 * is queued can always be moved.
 */
int heap_set(struct heap *heap, struct heap_node *node, int64_t key)
    __attribute__((warn_unused_result));
/* No-op for a node that is not queued. */
void heap_remove(struct heap *heap, struct heap_node *node);
/* The key of a node that is queued. */
int64_t heap_key(const struct heap *heap, const struct heap_node *node);
/* The smallest, or NULL; *key gets its key. */
struct heap_node *heap_peek(const struct heap *heap, int64_t *key);
struct heap_node *heap_pop(struct heap *heap, int64_t *key);
/* One that will come about so many behind the smallest, as a guess; NULL: none is at hand. */
static inline struct heap_node *heap_ahead(const struct heap *heap, uint32_t by)
{
	const struct heap_lane *lane;

	if (!heap->first)
		return by < heap->size ? heap->entries[by].node : NULL;
	lane = &heap->lanes[heap->first - 1];
	return by < lane->span ? lane->ring[(lane->head + by) & (lane->capacity - 1)].node : NULL;
}
/* Walks the invariants; for tests. */
bool heap_check(const struct heap *heap);

#endif
