/* SPDX-License-Identifier: MIT */
/* Four children a node: one cache line of keys each, half the depth of a binary heap. */
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>
#include <schedd/error.h>

#define HEAP_ARITY 4

void heap_init(struct heap *heap)
{
	memset(heap, 0, sizeof(*heap));
}

void heap_clear(struct heap *heap)
{
	for (uint32_t i = 0; i < heap->count; i++)
		heap->entries[i].node->index = HEAP_NOT_QUEUED;
	free(heap->entries);
	heap_init(heap);
}

void heap_node_init(struct heap_node *node)
{
	node->index = HEAP_NOT_QUEUED;
}

bool heap_queued(const struct heap_node *node)
{
	return node->index != HEAP_NOT_QUEUED;
}

static void heap_place(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	heap->entries[index] = entry;
	entry.node->index = index;
}

static void heap_up(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	while (index > 0) {
		uint32_t parent = (index - 1) / HEAP_ARITY;

		if (heap->entries[parent].key <= entry.key)
			break;
		heap_place(heap, index, heap->entries[parent]);
		index = parent;
	}
	heap_place(heap, index, entry);
}

static void heap_down(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	for (;;) {
		uint32_t first = index * HEAP_ARITY + 1;
		uint32_t last = first + HEAP_ARITY;
		uint32_t least = first;

		if (first >= heap->count)
			break;
		if (last > heap->count)
			last = heap->count;
		for (uint32_t child = first + 1; child < last; child++)
			if (heap->entries[child].key < heap->entries[least].key)
				least = child;
		if (entry.key <= heap->entries[least].key)
			break;
		heap_place(heap, index, heap->entries[least]);
		index = least;
	}
	heap_place(heap, index, entry);
}

static void heap_settle(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	if (index > 0 && heap->entries[(index - 1) / HEAP_ARITY].key > entry.key)
		heap_up(heap, index, entry);
	else
		heap_down(heap, index, entry);
}

int heap_set(struct heap *heap, struct heap_node *node, int64_t key)
{
	struct heap_entry entry = {key, node};

	if (node->index != HEAP_NOT_QUEUED) {
		heap_settle(heap, node->index, entry);
		return 0;
	}
	if (heap->count == heap->capacity) {
		uint32_t capacity = heap->capacity ? heap->capacity * 2 : 16;
		struct heap_entry *entries =
		    realloc(heap->entries, capacity * sizeof(heap->entries[0]));

		if (!entries)
			return SCHEDD_ENOMEM;
		heap->entries = entries;
		heap->capacity = capacity;
	}
	heap_up(heap, heap->count++, entry);
	return 0;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
	uint32_t index = node->index;
	struct heap_entry last;

	if (index == HEAP_NOT_QUEUED)
		return;
	node->index = HEAP_NOT_QUEUED;
	last = heap->entries[--heap->count];
	if (index < heap->count)
		heap_settle(heap, index, last);
}

struct heap_node *heap_peek(const struct heap *heap, int64_t *key)
{
	if (heap->count == 0)
		return NULL;
	if (key)
		*key = heap->entries[0].key;
	return heap->entries[0].node;
}

struct heap_node *heap_pop(struct heap *heap, int64_t *key)
{
	struct heap_node *node = heap_peek(heap, key);

	if (node)
		heap_remove(heap, node);
	return node;
}

bool heap_check(const struct heap *heap)
{
	for (uint32_t i = 0; i < heap->count; i++) {
		if (heap->entries[i].node->index != i)
			return false;
		if (i > 0 && heap->entries[(i - 1) / HEAP_ARITY].key > heap->entries[i].key)
			return false;
	}
	return heap->count <= heap->capacity;
}
