/* SPDX-License-Identifier: MIT */
/* Removal shifts the cluster back instead of leaving tombstones, so the table never silts up. */
#include "base/strmap.h"

#include <stdlib.h>
#include <string.h>
#include <schedd/error.h>

void strmap_init(struct strmap *map, strmap_key_fn key)
{
	memset(map, 0, sizeof(*map));
	map->key = key;
}

void strmap_clear(struct strmap *map)
{
	free(map->items);
	free(map->hashes);
	strmap_init(map, map->key);
}

/* FNV-1a with a final mix: short keys that differ in their last digit spread well. Never 0. */
uint32_t strmap_hash(const char *key)
{
	uint32_t hash = 2166136261u;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	hash ^= hash >> 16;
	hash *= 0x7feb352du;
	hash ^= hash >> 15;
	return hash ? hash : 1;
}

/* The slot of key, or the free slot where it would go. */
static uint32_t strmap_slot(const struct strmap *map, const char *key, uint32_t hash)
{
	uint32_t mask = map->capacity - 1;
	uint32_t slot = hash & mask;

	while (map->hashes[slot] &&
	       (map->hashes[slot] != hash || strcmp(map->key(map->items[slot]), key) != 0))
		slot = (slot + 1) & mask;
	return slot;
}

static int strmap_resize(struct strmap *map, uint32_t capacity)
{
	struct strmap old = *map;

	map->items = calloc(capacity, sizeof(map->items[0]));
	map->hashes = calloc(capacity, sizeof(map->hashes[0]));
	if (!map->items || !map->hashes) {
		free(map->items);
		free(map->hashes);
		*map = old;
		return SCHEDD_ENOMEM;
	}
	map->capacity = capacity;
	for (uint32_t i = 0; i < old.capacity; i++) {
		uint32_t slot;

		if (!old.hashes[i])
			continue;
		for (slot = old.hashes[i] & (capacity - 1); map->hashes[slot];)
			slot = (slot + 1) & (capacity - 1);
		map->items[slot] = old.items[i];
		map->hashes[slot] = old.hashes[i];
	}
	free(old.items);
	free(old.hashes);
	return 0;
}

void *strmap_get(const struct strmap *map, const char *key)
{
	return map->count ? map->items[strmap_slot(map, key, strmap_hash(key))] : NULL;
}

int strmap_put(struct strmap *map, void *item)
{
	const char *key = map->key(item);
	uint32_t hash = strmap_hash(key);
	uint32_t slot;

	if (map->count >= map->capacity / 8 * 7) {
		int rc = strmap_resize(map, map->capacity ? map->capacity * 2 : 16);

		if (rc)
			return rc;
	}
	slot = strmap_slot(map, key, hash);
	if (map->hashes[slot])
		return SCHEDD_ECONFLICT;
	map->items[slot] = item;
	map->hashes[slot] = hash;
	map->count++;
	return 0;
}

void *strmap_remove(struct strmap *map, const char *key)
{
	uint32_t mask = map->capacity - 1;
	uint32_t hole, next;
	void *item;

	if (!map->count)
		return NULL;
	hole = strmap_slot(map, key, strmap_hash(key));
	if (!map->hashes[hole])
		return NULL;
	item = map->items[hole];
	for (next = (hole + 1) & mask; map->hashes[next]; next = (next + 1) & mask) {
		uint32_t home = map->hashes[next] & mask;

		/* May this item move back to the hole without passing its home? */
		if (((next - home) & mask) >= ((next - hole) & mask)) {
			map->items[hole] = map->items[next];
			map->hashes[hole] = map->hashes[next];
			hole = next;
		}
	}
	map->items[hole] = NULL;
	map->hashes[hole] = 0;
	map->count--;
	return item;
}

void *strmap_next(const struct strmap *map, uint32_t *position)
{
	while (*position < map->capacity) {
		void *item = map->items[(*position)++];

		if (item)
			return item;
	}
	return NULL;
}

bool strmap_check(const struct strmap *map)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < map->capacity; i++) {
		const char *key;

		if (!map->items[i] != !map->hashes[i])
			return false;
		if (!map->items[i])
			continue;
		key = map->key(map->items[i]);
		if (map->hashes[i] != strmap_hash(key) || strmap_get(map, key) != map->items[i])
			return false;
		count++;
	}
	return count == map->count;
}
