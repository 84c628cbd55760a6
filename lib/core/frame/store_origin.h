/* SPDX-License-Identifier: MIT */
/*
 * Stores that jobs of a store came from, which have runs of theirs: a text
 * "origin.NAME" in it. And jobs in it that are not used, because another store
 * has one of the same id.
 */
#ifndef SCHEDD_CORE_FRAME_STORE_ORIGIN_H
#define SCHEDD_CORE_FRAME_STORE_ORIGIN_H

#include "core/frame/scheduler_state.h"

/* From the snapshot of the store, anew. */
void store_origin_load(struct store_slot *slot);
/* No-op for one that is known, or for its own name. */
void store_origin_add(struct store_slot *slot, const char *name);
/* All that are known of from. */
void store_origin_inherit(struct store_slot *slot, const struct store_slot *from);
/* What the store is to know of it, if it does not. */
void store_origin_put(struct store_batch *batch, const struct store_slot *slot, const char *name);
void store_origin_put_all(
    struct store_batch *batch, const struct store_slot *slot, const struct store_slot *from);
/* May runs of the slot's jobs be in the other one? */
bool store_origin_is(const struct store_slot *slot, const struct store_slot *other);
/* Asks for one run of a job: the slot, then those that may have it. One of them answers. */
void store_origin_ask(struct store_slot *slot, const struct store_run_query *query,
    store_runs_fn call, void *context);

void store_origin_shadow(struct store_slot *slot, const char *id);
bool store_origin_shadowed(const struct store_slot *slot, const char *id);
/* The store is read anew. */
void store_origin_forget_shadows(struct store_slot *slot);
void store_origin_clear(struct store_slot *slot);

#endif
