/* SPDX-License-Identifier: MIT */
/* Four children a node: one cache line of keys each, half the depth of a binary heap. */
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>
#include <schedd/error.h>

#define HEAP_ARITY 4
/* An index has the lane in its upper bits, from 1 on; 0: the heap. */
#define HEAP_LANE_SHIFT 29
#define HEAP_PLACE ((1u << HEAP_LANE_SHIFT) - 1)
#define HEAP_LANE_FIRST 16
/* An empty lane gives a ring of more places back. */
#define HEAP_LANE_KEPT 4096
/*
 * A lane of a few nodes far ahead would be of no use to anybody else: after so many nodes that no
 * lane took they go into the heap.
 */
#define HEAP_LANE_FEW 8
#define HEAP_REFUSED_MAX 64

void heap_init(struct heap *heap)
{
	memset(heap, 0, sizeof(*heap));
}

void heap_clear(struct heap *heap)
{
	for (uint32_t i = 0; i < heap->size; i++)
		heap->entries[i].node->index = HEAP_NOT_QUEUED;
	free(heap->entries);
	for (struct heap_lane *lane = heap->lanes; lane < heap->lanes + HEAP_LANES; lane++) {
		for (uint32_t i = 0; i < lane->span; i++) {
			struct heap_node *node =
			    lane->ring[(lane->head + i) & (lane->capacity - 1)].node;

			if (node)
				node->index = HEAP_NOT_QUEUED;
		}
		free(lane->ring);
	}
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

/* ---- The heap ---- */

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

		if (first >= heap->size)
			break;
		if (last > heap->size)
			last = heap->size;
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

/* False: no memory for so many more. */
static bool heap_room(struct heap *heap, uint32_t more)
{
	uint32_t capacity = heap->capacity ? heap->capacity : 16;
	struct heap_entry *entries;

	if (heap->size + more <= heap->capacity)
		return true;
	while (capacity < heap->size + more)
		capacity *= 2;
	entries = capacity > HEAP_PLACE ? NULL
					: realloc(heap->entries, capacity * sizeof(entries[0]));
	if (!entries)
		return false;
	heap->entries = entries;
	heap->capacity = capacity;
	return true;
}

static void heap_take_out(struct heap *heap, uint32_t index)
{
	struct heap_entry last = heap->entries[--heap->size];

	if (index < heap->size)
		heap_settle(heap, index, last);
}

/* ---- Lanes ---- */

static struct heap_lane *heap_lane_of(const struct heap *heap, const struct heap_node *node)
{
	uint32_t lane = node->index >> HEAP_LANE_SHIFT;

	return lane ? (struct heap_lane *)&heap->lanes[lane - 1] : NULL;
}

static void heap_lane_place(
    struct heap *heap, struct heap_lane *lane, uint32_t place, struct heap_entry entry)
{
	lane->ring[place] = entry;
	if (entry.node)
		entry.node->index =
		    ((uint32_t)(lane - heap->lanes) + 1) << HEAP_LANE_SHIFT | place;
}

static void heap_lane_drop(struct heap_lane *lane)
{
	lane->head = lane->span = lane->count = 0;
	if (lane->capacity <= HEAP_LANE_KEPT)
		return;
	free(lane->ring);
	lane->ring = NULL;
	lane->capacity = 0;
}

/* A larger ring, or one without the places of what was taken out. */
static bool heap_lane_grow(struct heap *heap, struct heap_lane *lane)
{
	uint32_t capacity = HEAP_LANE_FIRST, count = 0;
	struct heap_entry *old = lane->ring, *ring;

	while (capacity < lane->count * 2)
		capacity *= 2;
	ring = capacity > HEAP_PLACE ? NULL : malloc(capacity * sizeof(ring[0]));
	if (!ring)
		return false;
	lane->ring = ring;
	for (uint32_t i = 0; i < lane->span; i++) {
		struct heap_entry entry = old[(lane->head + i) & (lane->capacity - 1)];

		if (entry.node)
			heap_lane_place(heap, lane, count++, entry);
	}
	free(old);
	lane->capacity = capacity;
	lane->head = 0;
	lane->span = count;
	return true;
}

static bool heap_lane_add(struct heap *heap, struct heap_lane *lane, struct heap_entry entry)
{
	if (lane->span == lane->capacity && !heap_lane_grow(heap, lane))
		return false;
	heap_lane_place(heap, lane, (lane->head + lane->span++) & (lane->capacity - 1), entry);
	lane->count++;
	lane->last = entry.key;
	return true;
}

/* The places of what was taken out go with the first, and with the last. */
static void heap_lane_trim_head(struct heap_lane *lane)
{
	for (; !lane->ring[lane->head].node; lane->span--)
		lane->head = (lane->head + 1) & (lane->capacity - 1);
}

static void heap_lane_trim_tail(struct heap_lane *lane)
{
	uint32_t mask = lane->capacity - 1;

	while (!lane->ring[(lane->head + lane->span - 1) & mask].node)
		lane->span--;
	lane->last = lane->ring[(lane->head + lane->span - 1) & mask].key;
}

static void heap_lane_trim(struct heap_lane *lane)
{
	if (!lane->count) {
		heap_lane_drop(lane);
		return;
	}
	heap_lane_trim_head(lane);
	heap_lane_trim_tail(lane);
}

static void heap_lane_take_out(struct heap_lane *lane, uint32_t place)
{
	lane->ring[place].node = NULL;
	if (--lane->count == 0)
		heap_lane_drop(lane);
	else if (place == lane->head)
		heap_lane_trim_head(lane);
	else
		heap_lane_trim_tail(lane); /* if it was the last */
}

/* Needs no memory: what stands between the old place and the new one moves up. */
static void heap_lane_move(
    struct heap *heap, struct heap_lane *lane, uint32_t place, struct heap_entry entry)
{
	uint32_t mask = lane->capacity - 1, at = (place - lane->head) & mask;

	for (; at > 0; at--) {
		struct heap_entry before = lane->ring[(lane->head + at - 1) & mask];

		if (before.key <= entry.key)
			break;
		heap_lane_place(heap, lane, (lane->head + at) & mask, before);
	}
	for (; at + 1 < lane->span; at++) {
		struct heap_entry behind = lane->ring[(lane->head + at + 1) & mask];

		if (behind.key >= entry.key)
			break;
		heap_lane_place(heap, lane, (lane->head + at) & mask, behind);
	}
	heap_lane_place(heap, lane, (lane->head + at) & mask, entry);
	heap_lane_trim(lane);
}

/* The lane that ends the least before the key; an empty one if there is none; NULL: neither. */
static struct heap_lane *heap_lane_for(struct heap *heap, int64_t key)
{
	struct heap_lane *best = &heap->lanes[heap->recent], *empty = NULL;

	/* None can end nearer: what comes in a row stays in one lane. */
	if (best->span && (uint64_t)key - (uint64_t)best->last <= 1)
		return best;
	best = NULL;
	for (struct heap_lane *lane = heap->lanes; lane < heap->lanes + HEAP_LANES; lane++)
		if (!lane->span)
			empty = empty ? empty : lane;
		else if (lane->last <= key && (!best || lane->last > best->last))
			best = lane;
	best = best ? best : empty;
	if (best)
		heap->recent = (uint32_t)(best - heap->lanes);
	return best;
}

/*
 * The lane of the fewest nodes, which are in the heap now, where there is room for another one;
 * NULL: all have many, or there is no memory.
 */
static struct heap_lane *heap_lane_give_up(struct heap *heap)
{
	struct heap_lane *least = heap->lanes;

	if (heap->refused++ < HEAP_REFUSED_MAX)
		return NULL;
	heap->refused = 0;
	for (struct heap_lane *lane = heap->lanes; lane < heap->lanes + HEAP_LANES; lane++)
		if (lane->count < least->count)
			least = lane;
	if (least->count > HEAP_LANE_FEW || !heap_room(heap, least->count + 1))
		return NULL;
	for (uint32_t i = 0; i < least->span; i++) {
		struct heap_entry entry = least->ring[(least->head + i) & (least->capacity - 1)];

		if (entry.node)
			heap_up(heap, heap->size++, entry);
	}
	heap_lane_drop(least);
	return least;
}

/* ---- Both ---- */

/* The smallest of those that are there. */
static const struct heap_entry *heap_first(const struct heap *heap)
{
	const struct heap_lane *lane;

	if (!heap->first)
		return heap->entries;
	lane = &heap->lanes[heap->first - 1];
	return &lane->ring[lane->head];
}

/* Looks where the smallest is. */
static void heap_look(struct heap *heap)
{
	int64_t least = heap->size ? heap->entries[0].key : INT64_MAX;

	heap->first = 0;
	for (uint32_t i = 0; i < HEAP_LANES; i++) {
		const struct heap_lane *lane = &heap->lanes[i];

		if (lane->span && (lane->ring[lane->head].key < least ||
				      (!heap->first && !heap->size))) {
			least = lane->ring[lane->head].key;
			heap->first = i + 1;
		}
	}
}

/*
 * Right behind the latest of its lane, where nearly all go that come in a row. False: it does not
 * go there, or there is no place.
 */
static bool heap_add_behind(struct heap *heap, struct heap_entry entry)
{
	struct heap_lane *lane = &heap->lanes[heap->recent];
	uint32_t place;

	if (!lane->span || lane->span == lane->capacity ||
	    (uint64_t)entry.key - (uint64_t)lane->last > 1)
		return false;
	place = (lane->head + lane->span++) & (lane->capacity - 1);
	lane->ring[place] = entry;
	lane->last = entry.key;
	lane->count++;
	heap->count++;
	entry.node->index = (heap->recent + 1) << HEAP_LANE_SHIFT | place;
	return true;
}

/* Adds it to a lane or to the heap. False: no memory. */
static bool heap_add(struct heap *heap, struct heap_entry entry)
{
	struct heap_lane *lane = heap_lane_for(heap, entry.key);

	if (!lane)
		lane = heap_lane_give_up(heap);
	if (lane && heap_lane_add(heap, lane, entry)) {
		/* Behind another one it is not the smallest. */
		if (lane->count == 1)
			heap_look(heap);
		return true;
	}
	if (!heap_room(heap, 1))
		return false;
	heap_up(heap, heap->size++, entry);
	heap_look(heap);
	return true;
}

/* It goes where its new key fits; without memory it stays in its lane. */
static void heap_lane_set(struct heap *heap, struct heap_lane *lane, struct heap_entry entry)
{
	uint32_t place = entry.node->index & HEAP_PLACE;

	lane->ring[place].node = NULL;
	lane->count--;
	if (heap_add(heap, entry)) {
		heap_lane_trim(lane);
	} else {
		lane->count++;
		heap_lane_move(heap, lane, place, entry);
	}
}

/* Whatever stands in the way of heap_add_behind(). */
__attribute__((noinline)) static int heap_set_any(struct heap *heap, struct heap_entry entry)
{
	struct heap_node *node = entry.node;
	uint32_t index = node->index;

	if (index == HEAP_NOT_QUEUED) {
		if (!heap_add(heap, entry))
			return SCHEDD_ENOMEM;
		heap->count++;
		return 0;
	}
	if (index <= HEAP_PLACE)
		heap_settle(heap, index, entry);
	else
		heap_lane_set(heap, heap_lane_of(heap, node), entry);
	heap_look(heap);
	return 0;
}

int heap_set(struct heap *heap, struct heap_node *node, int64_t key)
{
	struct heap_entry entry = {key, node};

	return node->index == HEAP_NOT_QUEUED && heap_add_behind(heap, entry)
		   ? 0
		   : heap_set_any(heap, entry);
}

/* The first of the lane where the smallest is, with another one right behind it: false: it is not. */
static bool heap_remove_first(struct heap *heap, struct heap_node *node)
{
	struct heap_lane *lane = &heap->lanes[heap->first - 1];
	const struct heap_entry *first = &lane->ring[lane->head];
	uint32_t behind = (lane->head + 1) & (lane->capacity - 1);
	const struct heap_entry *next = &lane->ring[behind];

	if (node != first->node || lane->span == 1 || !next->node)
		return false;
	lane->head = behind;
	lane->span--;
	lane->count--;
	heap->count--;
	node->index = HEAP_NOT_QUEUED;
	if (next->key != first->key && heap->count != lane->count)
		heap_look(heap);
	return true;
}

__attribute__((noinline)) static void heap_remove_any(struct heap *heap, struct heap_node *node)
{
	uint32_t index = node->index;
	int64_t least = heap_first(heap)->key;

	if (index <= HEAP_PLACE)
		heap_take_out(heap, index);
	else
		heap_lane_take_out(heap_lane_of(heap, node), index & HEAP_PLACE);
	node->index = HEAP_NOT_QUEUED;
	if (--heap->count == 0)
		return;
	/* Another of the same key is as small. */
	if (heap->first != index >> HEAP_LANE_SHIFT)
		return;
	if (!heap->first ? !heap->size || heap->entries[0].key != least
			 : !heap->lanes[heap->first - 1].span || heap_first(heap)->key != least)
		heap_look(heap);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
	if (node->index != HEAP_NOT_QUEUED && !(heap->first && heap_remove_first(heap, node)))
		heap_remove_any(heap, node);
}

int64_t heap_key(const struct heap *heap, const struct heap_node *node)
{
	const struct heap_lane *lane = heap_lane_of(heap, node);

	return lane ? lane->ring[node->index & HEAP_PLACE].key : heap->entries[node->index].key;
}

struct heap_node *heap_peek(const struct heap *heap, int64_t *key)
{
	const struct heap_entry *first;

	if (!heap->count)
		return NULL;
	first = heap_first(heap);
	if (key)
		*key = first->key;
	return first->node;
}

struct heap_node *heap_pop(struct heap *heap, int64_t *key)
{
	struct heap_node *node = heap_peek(heap, key);

	if (node)
		heap_remove(heap, node);
	return node;
}

static bool heap_check_lane(const struct heap *heap, const struct heap_lane *lane)
{
	uint32_t mask = lane->capacity - 1, count = 0;
	int64_t before = INT64_MIN;

	for (uint32_t i = 0; i < lane->span; i++) {
		const struct heap_entry *entry = &lane->ring[(lane->head + i) & mask];

		if (entry->key < before)
			return false;
		before = entry->key;
		if (!entry->node && (i == 0 || i + 1 == lane->span))
			return false;
		if (entry->node && (heap_lane_of(heap, entry->node) != lane ||
				       &lane->ring[entry->node->index & HEAP_PLACE] != entry))
			return false;
		count += entry->node != NULL;
	}
	return count == lane->count && lane->span <= lane->capacity &&
	       (!lane->span || lane->last == before);
}

bool heap_check(const struct heap *heap)
{
	uint32_t count = heap->size;

	for (uint32_t i = 0; i < heap->size; i++) {
		if (heap->entries[i].node->index != i)
			return false;
		if (i > 0 && heap->entries[(i - 1) / HEAP_ARITY].key > heap->entries[i].key)
			return false;
	}
	for (int i = 0; i < HEAP_LANES; i++) {
		if (!heap_check_lane(heap, &heap->lanes[i]))
			return false;
		count += heap->lanes[i].count;
	}
	if (count != heap->count || heap->size > heap->capacity)
		return false;
	if (!count)
		return true;
	for (uint32_t i = 0; i < HEAP_LANES; i++)
		if (heap->lanes[i].span &&
		    heap->lanes[i].ring[heap->lanes[i].head].key < heap_first(heap)->key)
			return false;
	return !heap->size || heap_first(heap)->key <= heap->entries[0].key;
}
