/* SPDX-License-Identifier: MIT */
/*
 * A hash table of items that carry their own string key.
 *
 * Open addressing, linear probing over the hashes, at most 7 of 8 slots in use,
 * 12 bytes a slot. It owns neither items nor keys; a key must not change while its item is in the map.
 */
#ifndef SCHEDD_BASE_STRMAP_H
#define SCHEDD_BASE_STRMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef const char *(*strmap_key_fn)(const void *item);

struct strmap {
	void **items;	   /* NULL: free slot */
	uint32_t *hashes;  /* of the item in the same slot; 0: free */
	uint32_t capacity; /* a power of two, or 0 */
	uint32_t count;
	strmap_key_fn key; /* reads an item's key */
};

void strmap_init(struct strmap *map, strmap_key_fn key);
void strmap_clear(struct strmap *map);
void *strmap_get(const struct strmap *map, const char *key);
/* 0, SCHEDD_ECONFLICT if the key is there already, or SCHEDD_ENOMEM. */
int strmap_put(struct strmap *map, void *item) __attribute__((warn_unused_result));
/* Removes and returns the item; NULL if there is none. */
void *strmap_remove(struct strmap *map, const char *key);
/* Walks all items in no order: start with *position = 0, ends with NULL. No changes meanwhile. */
void *strmap_next(const struct strmap *map, uint32_t *position);
uint32_t strmap_hash(const char *key);
/* Walks the invariants; for tests. */
bool strmap_check(const struct strmap *map);

#endif
