/* SPDX-License-Identifier: MIT */
/*
 * An indexed 4-ary min-heap on an int64 key (equal keys leave in any order).
 * Elements are embedded in their owners and know their place, so any of them
 * can be moved or removed in O(log n).
 */
#ifndef SCHEDD_BASE_HEAP_H
#define SCHEDD_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_NOT_QUEUED UINT32_MAX

struct heap_node {
	uint32_t index; /* place in the heap, or HEAP_NOT_QUEUED */
};

struct heap_entry {
	int64_t key;
	struct heap_node *node;
};

struct heap {
	struct heap_entry *entries;
	uint32_t count;
	uint32_t capacity;
};

void heap_init(struct heap *heap);
void heap_clear(struct heap *heap);
void heap_node_init(struct heap_node *node);
bool heap_queued(const struct heap_node *node);
/* Adds a node or moves it to a new key. 0 or SCHEDD_ENOMEM (then nothing changed). */
int heap_set(struct heap *heap, struct heap_node *node, int64_t key)
    __attribute__((warn_unused_result));
/* No-op for a node that is not queued. */
void heap_remove(struct heap *heap, struct heap_node *node);
/* The smallest, or NULL; *key gets its key. */
struct heap_node *heap_peek(const struct heap *heap, int64_t *key);
struct heap_node *heap_pop(struct heap *heap, int64_t *key);
/* Walks the invariants; for tests. */
bool heap_check(const struct heap *heap);

#endif
