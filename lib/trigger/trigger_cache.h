/* SPDX-License-Identifier: MIT */
/*
 * Triggers that many jobs share: expressions in a zone, without bounds and
 * without anything drawn or hashed for one job. The cache holds a reference to
 * each; those that nobody else holds are dropped whenever it is to grow. Used
 * by one thread at a time; the triggers may be used by any.
 */
#ifndef SCHEDD_TRIGGER_TRIGGER_CACHE_H
#define SCHEDD_TRIGGER_TRIGGER_CACHE_H

#include "trigger/cron.h"
#include "trigger/trigger.h"

struct trigger_cache;

/* NULL: no memory. */
struct trigger_cache *trigger_cache_new(void);
/* Gives its references back. NULL is fine. */
void trigger_cache_free(struct trigger_cache *cache);
/* A new reference to the trigger of this expression (see cron_text), or NULL. */
struct schedd_trigger *trigger_cache_get(struct trigger_cache *cache, enum cron_dialect dialect,
    const char *text, const struct zone *zone);
/* Keeps a cron trigger that is not there yet. Without memory it is just not kept. */
void trigger_cache_put(struct trigger_cache *cache, struct schedd_trigger *trigger);
/* How many it keeps. */
uint32_t trigger_cache_count(const struct trigger_cache *cache);

#endif
