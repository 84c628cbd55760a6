/* SPDX-License-Identifier: MIT */
/*
 * A hash table with open addressing of triggers that are their own keys: the
 * text is compared where it is kept anyway. Nothing is ever removed but by
 * building the table anew.
 */
#include "trigger/trigger_cache.h"

#include <stdlib.h>
#include <string.h>
#include "base/strmap.h"
#include "trigger/trigger_ops.h"

#define CACHE_CAPACITY_MIN 16

struct trigger_cache {
	struct schedd_trigger **slots; /* held; NULL: free */
	uint32_t *hashes;              /* of the trigger in the same slot */
	uint32_t capacity;             /* a power of two, or 0 */
	uint32_t count;                /* slots in use */
};

struct trigger_cache *trigger_cache_new(void)
{
	return calloc(1, sizeof(struct trigger_cache));
}

void trigger_cache_free(struct trigger_cache *cache)
{
	if (!cache)
		return;
	for (uint32_t i = 0; i < cache->capacity; i++)
		trigger_unref(cache->slots[i]);
	free(cache->slots);
	free(cache->hashes);
	free(cache);
}

static uint32_t cache_hash(enum cron_dialect dialect, const char *text, const struct zone *zone)
{
	return strmap_hash(text) + (uint32_t)dialect * 0x9e3779b9u +
	       (uint32_t)((uintptr_t)zone >> 4) * 0x85ebca6bu;
}

static bool cache_matches(const struct schedd_trigger *trigger, enum cron_dialect dialect,
    const char *text, const struct zone *zone)
{
	const struct cron *cron;
	uint64_t seed;

	return trigger->zone == zone && trigger_cron_get(trigger, &cron, &seed) &&
	       cron_dialect(cron) == dialect && strcmp(cron_text(cron), text) == 0;
}

struct schedd_trigger *trigger_cache_get(struct trigger_cache *cache, enum cron_dialect dialect,
    const char *text, const struct zone *zone)
{
	uint32_t hash = cache_hash(dialect, text, zone), mask = cache->capacity - 1;

	if (cache->count == 0)
		return NULL;
	for (uint32_t slot = hash & mask; cache->slots[slot]; slot = (slot + 1) & mask)
		if (cache->hashes[slot] == hash &&
		    cache_matches(cache->slots[slot], dialect, text, zone))
			return trigger_ref(cache->slots[slot]);
	return NULL;
}

static void cache_place(struct trigger_cache *cache, struct schedd_trigger *trigger, uint32_t hash)
{
	uint32_t mask = cache->capacity - 1, slot = hash & mask;

	while (cache->slots[slot])
		slot = (slot + 1) & mask;
	cache->slots[slot] = trigger;
	cache->hashes[slot] = hash;
	cache->count++;
}

/* Drops what only the cache holds and makes room for twice the rest. */
static int cache_rebuild(struct trigger_cache *cache)
{
	struct trigger_cache old = *cache;
	uint32_t used = 0;

	for (uint32_t i = 0; i < old.capacity; i++) {
		if (!old.slots[i])
			continue;
		/* One reference, and none can be added while we are in here: it is ours. */
		if (atomic_load_explicit(&old.slots[i]->refs, memory_order_acquire) > 1)
			used++;
	}
	cache->count = 0;
	cache->capacity = CACHE_CAPACITY_MIN;
	while (cache->capacity / 2 <= used)
		cache->capacity *= 2;
	cache->slots = calloc(cache->capacity, sizeof(cache->slots[0]));
	cache->hashes = calloc(cache->capacity, sizeof(cache->hashes[0]));
	if (!cache->slots || !cache->hashes) {
		free(cache->slots);
		free(cache->hashes);
		*cache = old;
		return SCHEDD_ENOMEM;
	}
	for (uint32_t i = 0; i < old.capacity; i++) {
		if (!old.slots[i])
			continue;
		/* used may have shrunk meanwhile, never grown. */
		if (atomic_load_explicit(&old.slots[i]->refs, memory_order_acquire) > 1)
			cache_place(cache, old.slots[i], old.hashes[i]);
		else
			trigger_unref(old.slots[i]);
	}
	free(old.slots);
	free(old.hashes);
	return 0;
}

void trigger_cache_put(struct trigger_cache *cache, struct schedd_trigger *trigger)
{
	const struct cron *cron;
	uint64_t seed;

	if (!trigger_cron_get(trigger, &cron, &seed))
		return;
	if (cache->count >= cache->capacity / 4 * 3 && cache_rebuild(cache))
		return;
	cache_place(cache, trigger_ref(trigger),
	    cache_hash(cron_dialect(cron), cron_text(cron), trigger->zone));
}

uint32_t trigger_cache_count(const struct trigger_cache *cache)
{
	return cache->count;
}
