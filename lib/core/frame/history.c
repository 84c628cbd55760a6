/* SPDX-License-Identifier: MIT */
/*
 * Rows gather in an outbox per store and go out as one commit. Rows of a
 * durable store whose commit failed are kept and tried again with the next
 * ones, so that a full disk leaves no run without its end.
 */
#include "core/frame/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/civil.h"
#include "core/keep/notify.h"
#include "core/keep/retention.h"

/* Rows in one commit. */
#define HISTORY_OUTBOX_MAX 1024
/* Rows kept while a store cannot be written. */
#define HISTORY_KEPT_MAX 100000

/* Rows of one commit, kept until it is known to be durable. */
struct history_parcel {
	struct store_slot *store;
	struct run *runs;
	uint32_t count;
	uint32_t capacity;
};

static void history_parcel_free(struct history_parcel *parcel)
{
	if (!parcel)
		return;
	for (uint32_t i = 0; i < parcel->count; i++)
		run_clear(&parcel->runs[i]);
	free(parcel->runs);
	free(parcel);
}

static int history_parcel_add(struct history_parcel *parcel, const struct run *run)
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

static void history_lost(struct store_slot *store)
{
	log_error(store->scheduler->log, "store %s: a row of history is lost", store->name);
}

static struct store_batch *history_outbox(struct store_slot *store)
{
	if (!store->outbox)
		store->outbox = store_batch_new(store->store);
	return store->outbox;
}

void history_put(struct store_slot *store, const struct run *run)
{
	if (!history_outbox(store)) {
		history_lost(store);
		return;
	}
	if (store->durable && !store->parcel) {
		store->parcel = calloc(1, sizeof(*store->parcel));
		if (store->parcel)
			store->parcel->store = store;
	}
	store_batch_put_run(store->outbox, run);
	if (store->parcel && history_parcel_add(store->parcel, run))
		history_lost(store);
	store->outbox_count++;
	if (store->outbox_count >= HISTORY_OUTBOX_MAX)
		history_flush(store->scheduler);
}

void history_put_change(
    struct store_slot *store, schedd_time when, const char *job, const char *json)
{
	if (history_outbox(store))
		store_batch_put_change(store->outbox, when, job, json);
	else
		log_error(store->scheduler->log, "store %s: a change is not recorded", store->name);
}

void history_put_text(struct store_slot *store, const char *key, const char *text)
{
	if (history_outbox(store))
		store_batch_put_text(store->outbox, key, text);
	else
		log_error(store->scheduler->log, "store %s: %s is not recorded", store->name, key);
}

/* Ends alone are kept: they are final, so writing them late overwrites nothing newer. */
static void history_keep(struct store_slot *store, const struct history_parcel *failed)
{
	struct history_parcel *kept = store->unwritten;

	if (!kept) {
		kept = store->unwritten = calloc(1, sizeof(*kept));
		if (kept)
			kept->store = store;
	}
	for (uint32_t i = 0; i < failed->count; i++)
		if (run_ended(failed->runs[i].state) &&
		    (!kept || kept->count >= HISTORY_KEPT_MAX ||
			history_parcel_add(kept, &failed->runs[i])))
			history_lost(store);
}

static void history_written(int rc, const struct schedd_error *err, void *context)
{
	struct history_parcel *parcel = context;
	struct store_slot *store = parcel->store;

	scheduler_enter(store->scheduler);
	if (rc) {
		scheduler_store_failed(store, err);
		history_keep(store, parcel);
	} else {
		scheduler_store_worked(store);
	}
	history_parcel_free(parcel);
	scheduler_leave(store->scheduler);
}

static void history_written_plain(int rc, const struct schedd_error *err, void *context)
{
	if (rc)
		scheduler_store_failed(context, err);
}

static void history_flush_store(struct store_slot *store)
{
	struct store_batch *batch = store->outbox;
	struct history_parcel *parcel = store->parcel;

	if (!batch)
		return;
	store->outbox = NULL;
	store->outbox_count = 0;
	store->parcel = NULL;
	if (parcel)
		store_commit(store->store, batch, history_written, parcel);
	else
		store_commit(store->store, batch, history_written_plain, store);
}

/* The store can be written again: what it refused is put before it once more. */
void history_store_worked(struct store_slot *store)
{
	struct history_parcel *kept = store->unwritten;
	struct store_batch *batch;

	if (!kept)
		return;
	batch = store_batch_new(store->store);
	if (!batch)
		return;
	store->unwritten = NULL;
	for (uint32_t i = 0; i < kept->count; i++)
		store_batch_put_run(batch, &kept->runs[i]);
	store_commit(store->store, batch, history_written, kept);
}

void history_flush(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		history_flush_store(scheduler->stores[i]);
}

void history_free_store(struct store_slot *store)
{
	store_batch_free(store->outbox);
	history_parcel_free(store->parcel);
	history_parcel_free(store->unwritten);
	store->outbox = NULL;
	store->parcel = store->unwritten = NULL;
}

void history_ended(struct schedd_scheduler *scheduler, struct entry *entry)
{
	retention_note(scheduler, entry);
}

void history_missed(
    struct schedd_scheduler *scheduler, struct entry *entry, const struct run *run, uint64_t added)
{
	(void)added;
	notify_missed(scheduler, entry, run);
	retention_note(scheduler, entry);
}

static void history_clock_date(
    const struct schedd_scheduler *scheduler, schedd_time when, bool date, struct strbuf *out)
{
	int64_t second = when / SCHEDD_SECOND;
	struct civil civil;

	civil_from_seconds(second + zone_offset(scheduler->zone.zone, second), &civil);
	if (date)
		strbuf_printf(out, "%04d-%02d-%02d ", civil.year, civil.month, civil.day);
	strbuf_printf(out, "%02d:%02d", civil.hour, civil.minute);
}

void history_clock(const struct schedd_scheduler *scheduler, schedd_time when, struct strbuf *out)
{
	schedd_span away = scheduler_now(scheduler) - when;

	history_clock_date(
	    scheduler, when, away > 20 * SCHEDD_HOUR || away < -20 * SCHEDD_HOUR, out);
}

void history_down_reason(const struct schedd_scheduler *scheduler, schedd_time since,
    schedd_time until, char *text, size_t size)
{
	struct strbuf reason = STRBUF_EMPTY;
	bool long_ago = until - since > 20 * SCHEDD_HOUR;

	strbuf_add(&reason, "daemon down ");
	history_clock_date(scheduler, since, long_ago, &reason);
	strbuf_add(&reason, "–");
	history_clock_date(scheduler, until, long_ago, &reason);
	snprintf(text, size, "%s", strbuf_peek(&reason));
	strbuf_clear(&reason);
}
