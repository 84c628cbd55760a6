/* SPDX-License-Identifier: MIT */
/*
 * Stores know jobs, not accounts: so the rows of all accounts are counted, newest
 * first, page by page, and it is noted whose job each is of. An account that has
 * too many gives up the oldest in each store by that store's share: job by job, what
 * is kept is told to store_retain(). It is done again once an account has added
 * as many rows as it had room for.
 */
#include "core/keep/account_history.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "core/jobs/accounts.h"
#include "core/keep/output_sweep.h"
#include "model/job.h"

/* Rows of one page. */
#define HISTORY_PAGE 1000
/* Between pages: others come through. */
#define HISTORY_PAUSE (2 * 1000)
/* It rests so many times as long as it took. */
#define HISTORY_REST 20
/* A full account may add this share of its limit before it is counted again. */
#define HISTORY_SLACK 64
/* Rows deleted at once. */
#define HISTORY_BUDGET 1000

/* One job's rows in one store. */
struct history_share {
	char *id;
	struct history_tally *tally;
	uint32_t store; /* its place in the scheduler's list when it was counted */
	const struct store_slot *slot;
	uint32_t kept;  /* of its rows, newest first */
	uint32_t rows;
};

struct history_tally {
	char *name;
	int64_t limit;
	uint64_t rows;                              /* in all stores */
	uint64_t in_store[SCHEDULER_STORES_MAX];    /* of these */
	uint64_t taken[SCHEDULER_STORES_MAX];       /* of these: kept so far */
};

struct account_history {
	struct schedd_scheduler *scheduler;
	struct timer timer;
	bool counting, again;
	bool deleted;
	struct schedd_mono begun, ended;
	struct arena arena; /* tallies, shares, names */
	struct strmap tallies;
	struct strmap shares; /* of the store at hand */
	struct history_share **rows; /* one a row, newest first, store by store */
	size_t count, capacity;
	struct history_share **all; /* every share once */
	size_t share_count, share_capacity;
	uint32_t store;
	size_t at; /* the share that is being cut */
	char cursor[STORE_CURSOR_MAX];
};

static const char *history_tally_key(const void *item)
{
	return ((const struct history_tally *)item)->name;
}

static const char *history_share_key(const void *item)
{
	return ((const struct history_share *)item)->id;
}

static void history_ask(struct timer *timer);
static void history_cut(struct timer *timer);

struct account_history *account_history_new(struct schedd_scheduler *scheduler)
{
	struct account_history *history = calloc(1, sizeof(*history));

	if (!history)
		return NULL;
	history->scheduler = scheduler;
	timer_init(&history->timer, history_ask);
	arena_init(&history->arena);
	strmap_init(&history->tallies, history_tally_key);
	strmap_init(&history->shares, history_share_key);
	return history;
}

static void history_clear(struct account_history *history)
{
	strmap_clear(&history->tallies);
	strmap_clear(&history->shares);
	strmap_init(&history->tallies, history_tally_key);
	strmap_init(&history->shares, history_share_key);
	arena_clear(&history->arena);
	arena_init(&history->arena);
	free(history->rows);
	free(history->all);
	history->rows = history->all = NULL;
	history->count = history->capacity = history->share_count = history->share_capacity = 0;
}

void account_history_free(struct account_history *history)
{
	if (history)
		history_clear(history);
	free(history);
}

static void history_then(
    struct account_history *history, void (*step)(struct timer *timer), schedd_span delay)
{
	struct schedd_scheduler *scheduler = history->scheduler;

	if (timers_turn(&scheduler->timers, &history->timer, step,
		(struct schedd_mono){scheduler_mono(scheduler).us + delay})) {
		log_warn(scheduler->log, "no memory to count the accounts' history");
		history_clear(history);
		history->counting = false;
	}
}

static void history_finish(struct account_history *history)
{
	struct schedd_scheduler *scheduler = history->scheduler;

	history_clear(history);
	history->ended = scheduler_mono(scheduler);
	history->counting = false;
	if (history->deleted && scheduler->keep.sweep)
		output_sweep_begin(scheduler->keep.sweep);
	history->deleted = false;
	if (history->again)
		account_history_begin(history);
}

/* ---- Counting ---- */

static struct history_tally *history_tally_of(struct account_history *history, const char *job)
{
	struct schedd_scheduler *scheduler = history->scheduler;
	char *name = arena_strndup(&history->arena, job, job_id_account(job));
	struct history_tally *tally = name ? strmap_get(&history->tallies, name) : NULL;

	if (tally || !name)
		return tally;
	tally = arena_alloc(&history->arena, sizeof(*tally));
	if (!tally)
		return NULL;
	tally->name = name;
	tally->limit = accounts_may(scheduler, name).history;
	return strmap_put(&history->tallies, tally) == 0 ? tally : NULL;
}

/* Room for one more pointer: it doubles. */
static bool history_room(struct history_share ***items, size_t count, size_t *capacity)
{
	size_t size = *capacity ? *capacity * 2 : 1024;
	struct history_share **grown;

	if (count < *capacity)
		return true;
	grown = realloc(*items, size * sizeof(grown[0]));
	if (!grown)
		return false;
	*items = grown;
	*capacity = size;
	return true;
}

static struct history_share *history_share_of(struct account_history *history, const char *job)
{
	struct history_share *share = strmap_get(&history->shares, job);

	if (share)
		return share;
	share = arena_alloc(&history->arena, sizeof(*share));
	if (!share || !history_room(&history->all, history->share_count, &history->share_capacity))
		return NULL;
	share->id = arena_strdup(&history->arena, job);
	share->tally = history_tally_of(history, job);
	share->store = history->store;
	share->slot = history->scheduler->stores[history->store];
	if (!share->id || !share->tally || strmap_put(&history->shares, share))
		return NULL;
	return history->all[history->share_count++] = share;
}

static bool history_count_row(struct account_history *history, const char *job)
{
	struct history_share *share;

	if (job_id_account(job) == 0)
		return true;
	share = history_share_of(history, job);
	if (!share || !history_room(&history->rows, history->count, &history->capacity))
		return false;
	history->rows[history->count++] = share;
	share->rows++;
	share->tally->rows++;
	share->tally->in_store[share->store]++;
	return true;
}

static void history_page(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct account_history *history = context;
	struct schedd_scheduler *scheduler = history->scheduler;
	bool whole = rc == 0;

	(void)err;
	scheduler_enter(scheduler);
	for (size_t i = 0; whole && i < count; i++)
		whole = history_count_row(history, runs[i].job);
	/* Half a count would cut too much or too little: the next one will do. */
	if (!whole || scheduler->phase == SCHEDULER_STOPPED) {
		history_finish(history);
	} else {
		history->cursor[0] = '\0';
		if (cursor)
			strcpy(history->cursor, cursor);
		else
			history->store++;
		history_then(history, history_ask, HISTORY_PAUSE);
	}
	scheduler_leave(scheduler);
}

/* ---- Cutting ---- */

/* What each store keeps of an account with too many rows: its share of the limit. */
static uint64_t history_quota(const struct history_tally *tally, uint32_t store)
{
	return (uint64_t)((double)tally->limit * (double)tally->in_store[store] /
			  (double)tally->rows);
}

static void history_judge(struct account_history *history)
{
	struct schedd_scheduler *scheduler = history->scheduler;
	uint32_t position = 0;
	struct account_slot *slot;

	for (size_t i = 0; i < history->count; i++) {
		struct history_share *share = history->rows[i];
		struct history_tally *tally = share->tally;

		if (tally->rows <= (uint64_t)tally->limit ||
		    tally->taken[share->store] < history_quota(tally, share->store)) {
			tally->taken[share->store]++;
			share->kept++;
		}
	}
	while ((slot = accounts_walk(scheduler, &position))) {
		const struct history_tally *tally = strmap_get(&history->tallies, slot->name);
		uint64_t limit = (uint64_t)slot->may.history, rows = tally ? tally->rows : 0;

		slot->rows_room = limit > rows ? limit - rows : 0;
		slot->rows_counted = true;
		if (slot->rows_room < limit / HISTORY_SLACK)
			slot->rows_room = limit / HISTORY_SLACK;
	}
	history->at = 0;
}

static void history_cut_done(int rc, const struct schedd_error *err, void *context)
{
	struct account_history *history = context;
	struct schedd_scheduler *scheduler = history->scheduler;

	scheduler_enter(scheduler);
	if (rc < 0)
		log_warn(scheduler->log, "the history of account %s cannot be cut: %s",
		    history->all[history->at]->tally->name, err ? err->message : "out of memory");
	history->deleted |= rc > 0;
	if (rc < HISTORY_BUDGET)
		history->at++;
	history_then(history, history_cut, HISTORY_PAUSE);
	scheduler_leave(scheduler);
}

/* Is there something to cut, in a store that is still there? */
static bool history_is_over(const struct account_history *history, const struct history_share *share)
{
	const struct schedd_scheduler *scheduler = history->scheduler;
	uint32_t i = 0;

	while (i < scheduler->store_count && scheduler->stores[i] != share->slot)
		i++;
	return share->kept < share->rows && i < scheduler->store_count;
}

static void history_cut(struct timer *timer)
{
	struct account_history *history =
	    (struct account_history *)(void *)((char *)timer - offsetof(struct account_history, timer));
	struct store_retention limits = {.max_runs = -1, .keep_for = SCHEDD_SPAN_NONE};
	const struct history_share *share;

	while (history->at < history->share_count && !history_is_over(history, history->all[history->at]))
		history->at++;
	if (history->at == history->share_count) {
		history_finish(history);
		return;
	}
	share = history->all[history->at];
	limits.keep_runs = share->kept;
	store_retain(share->slot->store, share->id, &limits, HISTORY_BUDGET, history_cut_done, history);
}

static void history_ask(struct timer *timer)
{
	static const char *const accounts[] = {"*:*", NULL};
	struct account_history *history =
	    (struct account_history *)(void *)((char *)timer - offsetof(struct account_history, timer));
	struct schedd_scheduler *scheduler = history->scheduler;
	struct store_run_query query = {.jobs = accounts,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .limit = HISTORY_PAGE,
	    .after = history->cursor[0] ? history->cursor : NULL};

	if (history->store >= scheduler->store_count) {
		history_judge(history);
		history_cut(timer);
		return;
	}
	if (!history->cursor[0]) {
		strmap_clear(&history->shares);
		strmap_init(&history->shares, history_share_key);
	}
	store_query_runs(
	    scheduler->stores[history->store]->store, &query, history_page, history);
}

void account_history_begin(struct account_history *history)
{
	struct schedd_scheduler *scheduler = history->scheduler;
	schedd_span took = history->ended.us - history->begun.us, rest;
	struct schedd_mono now = scheduler_mono(scheduler);
	struct account_slot *slot;
	uint32_t position = 0;
	bool due = false;

	history->again = history->counting;
	while (!history->counting && (slot = accounts_walk(scheduler, &position)))
		due |= !slot->rows_counted || slot->rows_new > slot->rows_room;
	if (!due)
		return;
	position = 0;
	while ((slot = accounts_walk(scheduler, &position)))
		slot->rows_new = 0;
	rest = history->ended.us + HISTORY_REST * took - now.us;
	history->counting = true;
	history->begun = now;
	history->store = 0;
	history->cursor[0] = '\0';
	if (rest > 0)
		history->begun.us += rest;
	history_then(history, history_ask, rest > 0 ? rest : 0);
}
