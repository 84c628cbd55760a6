/* SPDX-License-Identifier: MIT */
/*
 * A pass begins when enough rows were written since the last one, or a while
 * after the first of them. It walks the
 * jobs in the order of their ids, asks the store to delete a bounded number of
 * rows, and goes on when that is answered, so that neither the loop nor the
 * store is held up.
 */
#include "core/keep/retention.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/frame/store_origin.h"
#include "core/jobs/accounts.h"
#include "core/keep/account_history.h"
#include "core/keep/output_sweep.h"
#include "core/runs/output_tidy.h"

/* Rows written between two passes. */
#define RETENTION_EVERY 1000
/* A pass follows a row within that time, however few there are. */
#define RETENTION_LATEST (5 * SCHEDD_MINUTE)
/* Rows asked for at once: of a store that deletes on the loop's thread, and of one that has a
 * thread for it and lets commits through by itself. */
#define RETENTION_HERE 200
#define RETENTION_THERE 2000
/* Between pieces, so that other commits come through. */
#define RETENTION_PAUSE (5 * 1000)
/* Before a pass begins, so that a busy second has one at most. */
#define RETENTION_DELAY SCHEDD_SECOND

struct retention {
	struct schedd_scheduler *scheduler;
	struct timer timer;       /* starts the next piece */
	uint64_t written;         /* rows since the last pass began */
	bool passing;             /* a pass is under way */
	bool deleted;             /* the pass deleted something */
	bool again;               /* another one is wanted after it */
	uint32_t store;           /* which one the pass is at */
	int budget;               /* what it was asked for */
	bool job_known;           /* job is set; otherwise the store as a whole */
	bool same_job;            /* that job has more to delete */
	char job[JOB_ID_MAX + 1]; /* the pass has come so far */
};

static void retention_next(struct timer *timer);

int retention_init(struct schedd_scheduler *scheduler)
{
	struct retention *retention = calloc(1, sizeof(*retention));

	if (!retention)
		return SCHEDD_ENOMEM;
	retention->scheduler = scheduler;
	timer_init(&retention->timer, retention_next);
	scheduler->keep.retention = retention;
	scheduler->keep.sweep = output_sweep_new(scheduler);
	scheduler->keep.account_history = account_history_new(scheduler);
	return scheduler->keep.sweep && scheduler->keep.account_history ? 0 : SCHEDD_ENOMEM;
}

void retention_free(struct schedd_scheduler *scheduler)
{
	account_history_free(scheduler->keep.account_history);
	scheduler->keep.account_history = NULL;
	output_sweep_free(scheduler->keep.sweep);
	scheduler->keep.sweep = NULL;
	free(scheduler->keep.retention);
	scheduler->keep.retention = NULL;
}

static void retention_later(struct retention *retention, schedd_span delay)
{
	struct schedd_scheduler *scheduler = retention->scheduler;

	if (timers_set(&scheduler->timers, &retention->timer,
		(struct schedd_mono){scheduler_mono(scheduler).us + delay}))
		log_warn(scheduler->log, "no memory to tidy up the history");
}

void retention_soon(struct schedd_scheduler *scheduler)
{
	struct retention *retention = scheduler->keep.retention;

	retention->written = 0;
	if (retention->passing) {
		retention->again = true;
		return;
	}
	retention->passing = true;
	retention->store = 0;
	retention->job_known = false;
	retention->job[0] = '\0';
	retention_later(retention, RETENTION_DELAY);
}

void retention_note(struct schedd_scheduler *scheduler, struct entry *entry, uint64_t output)
{
	struct retention *retention = scheduler->keep.retention;
	struct account_slot *account = accounts_of_entry(entry);
	bool over = account && accounts_note_row(account, output);

	if (++retention->written >= RETENTION_EVERY || (over && !retention->passing))
		retention_soon(scheduler);
	else if (!retention->passing && !timer_is_set(&retention->timer))
		retention_later(retention, RETENTION_LATEST);
}

static bool retention_limited(const struct store_retention *limits)
{
	return limits->keep_runs >= 0 || limits->keep_for != SCHEDD_SPAN_NONE ||
	       limits->max_runs >= 0 || limits->max_bytes > 0 || limits->max_changes > 0;
}

static void retention_done(int rc, const struct schedd_error *err, void *context)
{
	struct retention *retention = context;
	struct schedd_scheduler *scheduler = retention->scheduler;

	scheduler_enter(scheduler);
	if (rc < 0)
		log_warn(scheduler->log, "history cannot be tidied up: %s",
		    err ? err->message : "out of memory");
	if (rc > 0)
		retention->deleted = true;
	/* A full piece: there is more of the same. */
	retention->same_job = rc >= retention->budget && retention->job_known;
	if (rc >= retention->budget) {
		retention_later(retention, RETENTION_PAUSE);
	} else {
		retention->job_known = true;
		retention_later(retention, 0);
	}
	scheduler_leave(scheduler);
}

static void retention_finish(struct retention *retention)
{
	struct schedd_scheduler *scheduler = retention->scheduler;

	retention->passing = false;
	if (retention->deleted && scheduler->keep.sweep)
		output_sweep_begin(scheduler->keep.sweep);
	retention->deleted = false;
	output_tidy_begin(scheduler);
	account_history_begin(scheduler->keep.account_history);
	if (retention->again) {
		retention->again = false;
		retention_soon(scheduler);
	}
}

/* Has the job limits of its own, and may the store have runs of it? */
static bool retention_keeps(const struct store_slot *store, const struct entry *entry)
{
	return entry_own_retention(entry) &&
	       (entry->store == store || store_origin_is(entry->store, store));
}

/* The job that has more to delete, or the next one behind it that has limits of its own. */
static struct entry *retention_job(struct retention *retention, const struct store_slot *store)
{
	struct schedd_scheduler *scheduler = retention->scheduler;
	struct entry *entry = retention->same_job ? entry_find(scheduler, retention->job) : NULL;

	if (entry && retention_keeps(store, entry))
		return entry;
	entry = NULL;
	if (entry_own_retention_count(scheduler))
		entry = entry_first(scheduler, retention->job[0] ? retention->job : NULL);
	while (entry && !retention_keeps(store, entry))
		entry = entry_next(scheduler, entry);
	return entry;
}

/* A piece of the store as a whole; jobs with limits of their own are not touched by the general
 * ones. */
static void retention_general(struct retention *retention, const struct store_slot *store)
{
	struct schedd_scheduler *scheduler = retention->scheduler;
	struct store_retention limits = scheduler->settings.retention;
	const char **except;
	uint32_t count = 0;

	if (!retention_limited(&limits)) {
		retention_done(0, NULL, retention);
		return;
	}
	except = calloc(entry_own_retention_count(scheduler) + 1, sizeof(except[0]));
	if (!except) {
		retention_done(SCHEDD_ENOMEM, NULL, retention);
		return;
	}
	for (struct entry *entry = entry_own_retention_count(scheduler) ? entry_first(scheduler, NULL) : NULL;
	     entry; entry = entry_next(scheduler, entry))
		if (entry_own_retention(entry))
			except[count++] = entry->job->id;
	limits.except = count ? except : NULL;
	store_retain(
	    store->store, NULL, &limits, (uint32_t)retention->budget, retention_done, retention);
	free(except);
}

static void retention_next(struct timer *timer)
{
	struct retention *retention =
	    (struct retention *)(void *)((char *)timer - offsetof(struct retention, timer));
	struct schedd_scheduler *scheduler = retention->scheduler;
	struct store_retention limits = {.max_runs = -1,
	    .keep_runs = scheduler->settings.retention.keep_runs,
	    .keep_for = scheduler->settings.retention.keep_for};
	struct store_slot *store;
	struct entry *entry;

	if (!retention->passing) {
		retention_soon(scheduler);
		return;
	}
	if (retention->store >= scheduler->store_count) {
		retention_finish(retention);
		return;
	}
	store = scheduler->stores[retention->store];
	retention->budget = store_durable(store->store) ? RETENTION_THERE : RETENTION_HERE;
	if (!retention->job_known) {
		retention_general(retention, store);
		return;
	}
	entry = retention_job(retention, store);
	if (!entry) {
		retention->store++;
		retention->job_known = false;
		retention->job[0] = '\0';
		retention_later(retention, 0);
		return;
	}
	snprintf(retention->job, sizeof(retention->job), "%s", entry->job->id);
	if (job_details(entry->job)->keep_runs >= 0)
		limits.keep_runs = job_details(entry->job)->keep_runs;
	if (job_details(entry->job)->keep_for != SCHEDD_SPAN_NONE)
		limits.keep_for = job_details(entry->job)->keep_for;
	store_retain(store->store, entry->job->id, &limits, (uint32_t)retention->budget,
	    retention_done, retention);
}
