/* SPDX-License-Identifier: MIT */
/*
 * What happened gathers in an outbox per store and goes out as one commit. What
 * a durable store refused is kept and tried again before anything newer, so that
 * a full disk leaves no run without its end, and none of what belongs to that:
 * who is to follow, and the record of changes.
 */
#include "core/frame/store_slot.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/frame/store_await.h"
#include "core/frame/store_origin.h"
#include "core/frame/store_parcel.h"
#include "store/store_share.h"

/* Runs that ended and wait for a store, where it says nothing else. */
#define STORE_SLOT_OUTBOX 100000
/* Rows in one commit. */
#define STORE_SLOT_OUTBOX_MAX 1024
/* All kept while a store cannot be written: those, texts, changes. */
#define STORE_SLOT_KEPT_MAX 400000
/* Runs whose output goes with ends that are written late; what a commit may hold of it is 16 MiB. */
#define STORE_SLOT_LATE_OUTPUT 256
/* While a server is away. */
#define STORE_SLOT_LOOK (SCHEDD_SECOND / 2)
/* From the first failure to the next attempt. */
#define STORE_SLOT_BACKOFF_FIRST (SCHEDD_SECOND / 4)

static void store_slot_lost(struct store_slot *store, const char *what)
{
	log_error(store->scheduler->log, "store %s: %s is lost", store->name, what);
}

static struct store_batch *store_slot_outbox(struct store_slot *store)
{
	if (!store->outbox)
		store->outbox = store_batch_new(store->store);
	return store->outbox;
}

/* Of a durable store a copy is kept. False: there is no outbox. */
static bool store_slot_open(struct store_slot *store)
{
	if (!store_slot_outbox(store))
		return false;
	if (store->durable && !store->parcel)
		store->parcel = store_parcel_new(store);
	return true;
}

uint32_t store_slot_put_known_run(struct store_slot *store, const struct run *run, uint32_t known)
{
	if (!store_slot_open(store)) {
		store_slot_lost(store, "a row of history");
		return known;
	}
	known = store_batch_put_known_run(store->outbox, run, known);
	if (store->parcel && store_parcel_put_run(store->parcel, run))
		store_slot_lost(store, "a row of history");
	store->outbox_count++;
	if (store->outbox_count >= STORE_SLOT_OUTBOX_MAX)
		store_slot_flush_all(store->scheduler);
	return known;
}

void store_slot_put_run(struct store_slot *store, const struct run *run)
{
	(void)store_slot_put_known_run(store, run, 0);
}

static void store_slot_add_output(struct store_slot *store, struct store_batch *batch, const char *job,
    uint32_t number, const struct output *output)
{
	const struct schedd_scheduler *scheduler = store->scheduler;
	struct strbuf bytes = STRBUF_EMPTY;

	if (!scheduler->output_last)
		return;
	scheduler->output_last(scheduler, job, number, output, &bytes);
	if (!strbuf_failed(&bytes))
		store_batch_put_output(batch, job, number, strbuf_peek(&bytes), bytes.length);
	strbuf_clear(&bytes);
}

void store_slot_put_output(
    struct store_slot *store, const struct run *run, const struct output *output)
{
	/* While it fails it waits where it is, and is put when the run's row is. */
	if (store->shared && run->output_bytes > run->output_dropped && !store->unwritten &&
	    store_slot_open(store))
		store_slot_add_output(store, store->outbox, run->job, run->number, output);
}

/* Of the runs whose ends are written late: what is still there, and as much as one commit takes. */
static void store_slot_late_output(
    struct store_slot *store, const struct store_parcel *parcel, struct store_batch *batch)
{
	uint32_t count = 0, position = 0;
	const struct run *run;

	while (store->shared && count < STORE_SLOT_LATE_OUTPUT &&
	       (run = store_parcel_walk(parcel, &position))) {
		if (run->output_bytes <= run->output_dropped)
			continue;
		store_slot_add_output(store, batch, run->job, run->number, NULL);
		count++;
	}
}

void store_slot_put_change(
    struct store_slot *store, schedd_time when, const char *job, const char *json)
{
	if (!store_slot_open(store)) {
		store_slot_lost(store, "a change");
		return;
	}
	store_batch_put_change(store->outbox, when, job, json);
	if (store->parcel && store_parcel_put_change(store->parcel, when, job, json))
		store_slot_lost(store, "a change");
}

void store_slot_put_text(struct store_slot *store, const char *key, const char *text)
{
	if (!store_slot_open(store)) {
		store_slot_lost(store, key);
		return;
	}
	store_batch_put_text(store->outbox, key, text);
	if (store->parcel && store_parcel_put_text(store->parcel, key, text))
		store_slot_lost(store, key);
}

/* The first of an outage is said, and how many there were when it is over. */
static void store_slot_strip(struct store_slot *store, struct run *run)
{
	struct schedd_scheduler *scheduler = store->scheduler;
	char text[160];

	if (store->dropping++ == 0) {
		snprintf(text, sizeof(text),
		    "more than %u runs that ended wait for it (outbox): the oldest lose their output",
		    store->outbox_most);
		log_warn(scheduler->log, "store %s: %s", store->name, text);
		event_ring_say(scheduler, SCHEDD_EVENT_STORE_ERROR, store->name, text, NULL);
	}
	store->dropped++;
	run->output_dropped = run->output_bytes;
	free(run->result);
	run->result = NULL;
	if (scheduler->output_drop)
		scheduler->output_drop(scheduler, run->job, run->number);
}

static void store_slot_keep(struct store_slot *store, struct store_parcel *parcel)
{
	const struct store_parcel_limits limits = {STORE_SLOT_KEPT_MAX, store->outbox_most,
	    store_slot_strip, store->scheduler->run_refused};
	uint32_t lost = store_parcel_move(&store->unwritten, parcel, &limits);

	if (!store->behind_since)
		store->behind_since = scheduler_mono(store->scheduler).us;
	if (lost)
		log_error(store->scheduler->log, "store %s: %u rows of history are lost",
		    store->name, lost);
}

static void store_slot_written(int rc, const struct schedd_error *err, void *context)
{
	struct store_parcel *parcel = context;
	struct store_slot *store = store_parcel_slot(parcel);
	uint64_t number = store_parcel_numbered(parcel);

	scheduler_enter(store->scheduler);
	store->in_flight--;
	if (rc) {
		struct store_parcel *newer = store->unwritten;

		store_slot_failed(store, err);
		store->unwritten = NULL;
		store_slot_keep(store, parcel);
		if (newer)
			store_slot_keep(store, newer);
	} else {
		/* It overtook one that failed. */
		store_parcel_outdated(store->unwritten, parcel);
		store_parcel_free(parcel);
		if (!store->unwritten)
			store->behind_since = 0;
		store_slot_worked(store);
	}
	store_await_answered(store, number, rc == 0);
	scheduler_leave(store->scheduler);
}

bool store_slot_takes_ends(const struct store_slot *slot)
{
	return !slot->failing || store_on_reserve(slot->store) ||
	       store_slot_ready(slot, scheduler_mono(slot->scheduler));
}

static void store_slot_written_plain(int rc, const struct schedd_error *err, void *context)
{
	if (rc)
		store_slot_failed(context, err);
}

static void store_slot_commit(
    struct store_slot *store, struct store_batch *batch, struct store_parcel *parcel)
{
	store_parcel_number(parcel, ++store->sent);
	store->in_flight++;
	store_commit(store->store, batch, store_slot_written, parcel);
}

static void store_slot_send(struct store_slot *store, bool late)
{
	struct store_batch *batch = store->outbox;
	struct store_parcel *parcel = store->parcel;

	if (!batch)
		return;
	store->outbox = NULL;
	store->outbox_count = 0;
	store->parcel = NULL;
	store_batch_ends(batch);
	if (late)
		store_batch_late(batch);
	if (parcel && (store->unwritten || !store_slot_takes_ends(store))) {
		/* Behind what waits already: the order stays. */
		store_batch_free(batch);
		store_slot_keep(store, parcel);
	} else if (parcel) {
		store_slot_commit(store, batch, parcel);
	} else {
		store_commit(store->store, batch, store_slot_written_plain, store);
	}
}

void store_slot_flush(struct store_slot *store)
{
	store_slot_send(store, false);
}

void store_slot_await(struct store_slot *store, struct store_await *await,
    void (*call)(struct store_await *await, bool stored))
{
	store_slot_flush(store);
	store_await(await, store, call);
}

void store_slot_again(struct store_slot *store)
{
	struct store_parcel *kept = store->unwritten;
	struct store_batch *batch =
	    kept && store_state(store->store) == STORE_OK ? store_batch_new(store->store) : NULL;

	if (!batch)
		return;
	store->unwritten = NULL;
	store_batch_ends(batch);
	store_parcel_write(kept, batch);
	store_slot_late_output(store, kept, batch);
	store_slot_commit(store, batch, kept);
}

schedd_span store_slot_lag(const struct store_slot *slot)
{
	schedd_span lag = store_lag(slot->store), behind = 0;

	if (slot->behind_since)
		behind = scheduler_mono(slot->scheduler).us - slot->behind_since;
	return lag > behind ? lag : behind;
}

const struct run *store_slot_refused(
    const struct store_slot *slot, const char *job, uint32_t number)
{
	const struct run *run = NULL;
	uint32_t position = 0;

	while (slot->unwritten && (run = store_parcel_walk(slot->unwritten, &position)))
		if (run->number == number && strcmp(run->job, job) == 0)
			break;
	return run;
}

bool store_slot_pending(const struct store_slot *slot)
{
	return slot->parcel || slot->in_flight;
}

bool store_slot_settled(const struct store_slot *slot)
{
	return !slot->unwritten;
}

static void store_slot_probed(int rc, const struct schedd_error *err, void *context)
{
	struct store_slot *slot = context;

	scheduler_enter(slot->scheduler);
	if (rc)
		store_slot_failed(slot, err);
	else
		store_slot_worked(slot);
	scheduler_leave(slot->scheduler);
}

/* Nothing may want to be written for a long time: is it possible again? */
static void store_slot_probe(struct store_slot *slot)
{
	struct store_batch *batch = store_batch_new(slot->store);

	if (!batch)
		return;
	store_batch_put_number(batch, STORE_SLOT_ALIVE_KEY, scheduler_now(slot->scheduler));
	store_commit(slot->store, batch, store_slot_probed, slot);
}

static void store_slot_retry(struct timer *timer)
{
	struct store_slot *slot =
	    (struct store_slot *)(void *)((char *)timer - offsetof(struct store_slot, retry));

	if (slot->unwritten)
		store_slot_again(slot);
	else
		store_slot_probe(slot);
}

void store_slot_flush_all(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		store_slot_flush(scheduler->stores[i]);
}

void store_slot_rest(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		store_slot_send(scheduler->stores[i], true);
}

void store_slot_close(struct store_slot *store)
{
	/* What is answered may leave something in the outbox, which goes before its store. */
	if (!store->durable)
		(void)store_flush(store->store, SCHEDD_SPAN_NONE);
	store_batch_free(store->outbox);
	store->outbox = NULL;
	store_close(store->store);
	store_await_give_up(store);
}

void store_slot_clear(struct store_slot *store)
{
	store_batch_free(store->outbox);
	store_parcel_free(store->parcel);
	store_parcel_free(store->unwritten);
	store_origin_clear(store);
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

struct store_slot *store_slot_common(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		if (scheduler->stores[i]->shared)
			return scheduler->stores[i];
	return store_slot_find(scheduler, "default");
}

void store_slot_init(struct store_slot *slot, struct schedd_scheduler *scheduler)
{
	slot->scheduler = scheduler;
	slot->outbox_most = STORE_SLOT_OUTBOX;
	timer_init(&slot->retry, store_slot_retry);
	timer_init(&slot->again, NULL);
}

bool store_slot_ready(const struct store_slot *slot, struct schedd_mono now)
{
	return store_state(slot->store) == STORE_OK &&
	       (!slot->failing || now.us >= slot->retry_at.us) &&
	       store_leased(slot->store, slot->epoch);
}

schedd_time store_slot_retry_time(const struct store_slot *slot)
{
	const struct schedd_scheduler *scheduler = slot->scheduler;
	schedd_span left = slot->failing ? slot->retry_at.us - scheduler_mono(scheduler).us : 0;

	/* It tells when it is back, and what waits is looked at not much later. */
	if ((store_state(slot->store) != STORE_OK || !store_leased(slot->store, slot->epoch)) &&
	    left < STORE_SLOT_LOOK)
		left = STORE_SLOT_LOOK;
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

/* What a store on a server says begins with its name, as the line does. */
static const char *store_slot_words(const struct store_slot *slot, const char *message)
{
	size_t length = strlen(slot->name);

	if (strncmp(message, "store '", 7) == 0 && strncmp(message + 7, slot->name, length) == 0 &&
	    strncmp(message + 7 + length, "': ", 3) == 0)
		return message + 7 + length + 3;
	return message;
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
		log_error(scheduler->log, "store %s: %s", slot->name, store_slot_words(slot, slot->last_error));
	event_ring_say(scheduler, SCHEDD_EVENT_STORE_ERROR, slot->name, slot->last_error, NULL);
}

void store_slot_worked(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	if (store_on_reserve(slot->store)) {
		struct schedd_error full;

		schedd_error_set(&full, SCHEDD_EFAILED,
		    "database or disk is full, what is left is for ends of runs");
		if (!slot->failing)
			store_slot_failed(slot, &full);
		store_slot_again(slot);
		return;
	}
	if (!slot->failing) {
		store_slot_again(slot);
		return;
	}
	slot->failing = false;
	slot->backoff = 0;
	timers_unset(&scheduler->timers, &slot->retry);
	log_info(scheduler->log, "store %s: it can be written again", slot->name);
	if (slot->dropping)
		log_warn(scheduler->log, "store %s: %u runs that ended meanwhile have lost their output",
		    slot->name, slot->dropping);
	slot->dropping = 0;
	store_slot_again(slot);
	event_ring_say(scheduler, SCHEDD_EVENT_STORE_RECOVERED, slot->name, NULL, NULL);
}
