/* SPDX-License-Identifier: MIT */
/*
 * Rows gather in an outbox per store and go out as one commit. Rows of a
 * durable store whose commit failed are kept and tried again with the next
 * ones, so that a full disk leaves no run without its end.
 */
#include "core/frame/store_slot.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows in one commit. */
#define STORE_SLOT_OUTBOX_MAX 1024
/* Rows kept while a store cannot be written. */
#define STORE_SLOT_KEPT_MAX 100000
/* From the first failure to the next attempt. */
#define STORE_SLOT_BACKOFF_FIRST (SCHEDD_SECOND / 4)

/* Rows of one commit, kept until it is known to be durable. */
struct store_parcel {
	struct store_slot *store;
	struct run *runs;
	uint32_t count;
	uint32_t capacity;
};

static void store_parcel_free(struct store_parcel *parcel)
{
	if (!parcel)
		return;
	for (uint32_t i = 0; i < parcel->count; i++)
		run_clear(&parcel->runs[i]);
	free(parcel->runs);
	free(parcel);
}

static int store_parcel_add(struct store_parcel *parcel, const struct run *run)
{
	if (parcel->count == parcel->capacity) {
		uint32_t capacity = parcel->capacity ? parcel->capacity * 2 : 8;
		struct run *runs = realloc(parcel->runs, capacity * sizeof(runs[0]));

		if (!runs)
			return SCHEDD_ENOMEM;
		parcel->runs = runs;
		parcel->capacity = capacity;
	}
	if (run_copy(&parcel->runs[parcel->count], run))
		return SCHEDD_ENOMEM;
	parcel->count++;
	return 0;
}

static void store_slot_lost(struct store_slot *store)
{
	log_error(store->scheduler->log, "store %s: a row of history is lost", store->name);
}

static struct store_batch *store_slot_outbox(struct store_slot *store)
{
	if (!store->outbox)
		store->outbox = store_batch_new(store->store);
	return store->outbox;
}

void store_slot_put_run(struct store_slot *store, const struct run *run)
{
	if (!store_slot_outbox(store)) {
		store_slot_lost(store);
		return;
	}
	if (store->durable && !store->parcel) {
		store->parcel = calloc(1, sizeof(*store->parcel));
		if (store->parcel)
			store->parcel->store = store;
	}
	store_batch_put_run(store->outbox, run);
	if (store->parcel && store_parcel_add(store->parcel, run))
		store_slot_lost(store);
	store->outbox_count++;
	if (store->outbox_count >= STORE_SLOT_OUTBOX_MAX)
		store_slot_flush_all(store->scheduler);
}

void store_slot_put_change(
    struct store_slot *store, schedd_time when, const char *job, const char *json)
{
	if (store_slot_outbox(store))
		store_batch_put_change(store->outbox, when, job, json);
	else
		log_error(store->scheduler->log, "store %s: a change is not recorded", store->name);
}

void store_slot_put_text(struct store_slot *store, const char *key, const char *text)
{
	if (store_slot_outbox(store))
		store_batch_put_text(store->outbox, key, text);
	else
		log_error(store->scheduler->log, "store %s: %s is not recorded", store->name, key);
}

/* Ends alone are kept: they are final, so writing them late overwrites nothing newer. */
static void store_slot_keep(struct store_slot *store, const struct store_parcel *failed)
{
	struct store_parcel *kept = store->unwritten;

	if (!kept) {
		kept = store->unwritten = calloc(1, sizeof(*kept));
		if (kept)
			kept->store = store;
	}
	for (uint32_t i = 0; i < failed->count; i++)
		if (run_ended(failed->runs[i].state) &&
		    (!kept || kept->count >= STORE_SLOT_KEPT_MAX ||
			store_parcel_add(kept, &failed->runs[i])))
			store_slot_lost(store);
}

static void store_slot_written(int rc, const struct schedd_error *err, void *context)
{
	struct store_parcel *parcel = context;
	struct store_slot *store = parcel->store;

	scheduler_enter(store->scheduler);
	if (rc) {
		store_slot_failed(store, err);
		store_slot_keep(store, parcel);
	} else {
		store_slot_worked(store);
	}
	store_parcel_free(parcel);
	scheduler_leave(store->scheduler);
}

static void store_slot_written_plain(int rc, const struct schedd_error *err, void *context)
{
	if (rc)
		store_slot_failed(context, err);
}

void store_slot_flush(struct store_slot *store)
{
	struct store_batch *batch = store->outbox;
	struct store_parcel *parcel = store->parcel;

	if (!batch)
		return;
	store->outbox = NULL;
	store->outbox_count = 0;
	store->parcel = NULL;
	if (parcel)
		store_commit(store->store, batch, store_slot_written, parcel);
	else
		store_commit(store->store, batch, store_slot_written_plain, store);
}

/* What the store refused is put before it once more. */
static void store_slot_again(struct store_slot *store)
{
	struct store_parcel *kept = store->unwritten;
	struct store_batch *batch;

	if (!kept)
		return;
	batch = store_batch_new(store->store);
	if (!batch)
		return;
	store->unwritten = NULL;
	for (uint32_t i = 0; i < kept->count; i++)
		store_batch_put_run(batch, &kept->runs[i]);
	store_commit(store->store, batch, store_slot_written, kept);
}

static void store_slot_retry(struct timer *timer)
{
	struct store_slot *slot =
	    (struct store_slot *)(void *)((char *)timer - offsetof(struct store_slot, retry));

	store_slot_again(slot);
}

void store_slot_flush_all(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		store_slot_flush(scheduler->stores[i]);
}

void store_slot_clear(struct store_slot *store)
{
	store_batch_free(store->outbox);
	store_parcel_free(store->parcel);
	store_parcel_free(store->unwritten);
	store_snapshot_free(store->snapshot);
	store->snapshot = NULL;
	store->outbox = NULL;
	store->parcel = store->unwritten = NULL;
}

struct store_slot *store_slot_find(struct schedd_scheduler *scheduler, const char *name)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		if (strcmp(scheduler->stores[i]->name, name) == 0)
			return scheduler->stores[i];
	return NULL;
}

struct store *scheduler_store(struct schedd_scheduler *scheduler, const char *name)
{
	struct store_slot *slot = store_slot_find(scheduler, name);

	return slot ? slot->store : NULL;
}

void store_slot_init(struct store_slot *slot, struct schedd_scheduler *scheduler)
{
	slot->scheduler = scheduler;
	timer_init(&slot->retry, store_slot_retry);
}

bool store_slot_ready(const struct store_slot *slot, struct schedd_mono now)
{
	return !slot->failing || now.us >= slot->retry_at.us;
}

schedd_time store_slot_retry_time(const struct store_slot *slot)
{
	const struct schedd_scheduler *scheduler = slot->scheduler;
	schedd_span left = slot->failing ? slot->retry_at.us - scheduler_mono(scheduler).us : 0;

	return scheduler_now(scheduler) + (left > 0 ? left : 0);
}

/* Longer from failure to failure; what was under way with the one before counts as the same. */
static void store_slot_back_off(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct schedd_mono now = scheduler_mono(scheduler);
	schedd_span most = scheduler->settings.claim_backoff_max;

	if (slot->failing && now.us < slot->retry_at.us)
		return;
	slot->backoff = slot->backoff ? slot->backoff * 2 : STORE_SLOT_BACKOFF_FIRST;
	if (slot->backoff > most)
		slot->backoff = most;
	slot->retry_at.us = now.us + slot->backoff;
	if (timers_set(&scheduler->timers, &slot->retry, slot->retry_at))
		log_error(scheduler->log, "store %s: no memory to try it again", slot->name);
}

void store_slot_failed(struct store_slot *slot, const struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	const char *message = err ? err->message : "it failed";
	bool known = slot->failing && strncmp(message, slot->last_error,
					  sizeof(slot->last_error) - 1) == 0;

	slot->failures++;
	store_slot_back_off(slot);
	slot->failing = true;
	snprintf(slot->last_error, sizeof(slot->last_error), "%.*s",
	    (int)sizeof(slot->last_error) - 1, message);
	if (!known)
		log_error(scheduler->log, "store %s: %s", slot->name, slot->last_error);
	event_ring_say(scheduler, SCHEDD_EVENT_STORE_ERROR, slot->name, slot->last_error, NULL);
}

void store_slot_worked(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	if (!slot->failing)
		return;
	slot->failing = false;
	slot->backoff = 0;
	timers_unset(&scheduler->timers, &slot->retry);
	log_info(scheduler->log, "store %s: it can be written again", slot->name);
	store_slot_again(slot);
	event_ring_say(scheduler, SCHEDD_EVENT_STORE_RECOVERED, slot->name, NULL, NULL);
}
