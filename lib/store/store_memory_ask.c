/* SPDX-License-Identifier: MIT */
/* Questions to type "memory": each is a letter that is looked into when it is opened. */
#include <stdlib.h>
#include <string.h>
#include "store/store_changes.h"
#include "store/store_letter.h"
#include "store/store_memory.h"
#include "store/store_retention.h"
#include "store/store_snapshot.h"
#include "store/store_stats.h"

static struct memory_store *memory_of(struct store *store)
{
	return (struct memory_store *)store;
}

/* ---- Reading back ---- */

struct memory_loading {
	struct store_letter base;
	store_loaded_fn loaded;
	void *context;
};

struct memory_number {
	struct store_letter base;
	int64_t number;
	store_number_fn call;
	void *context;
};

static void memory_load_open(struct store_letter *base)
{
	struct memory_loading *loading = (struct memory_loading *)base;
	const struct memory_store *memory = memory_of(base->store);
	struct store_snapshot *snapshot = store_snapshot_new();
	const struct memory_entry *entry;
	struct schedd_error err;
	uint32_t position = 0;
	int rc = snapshot ? 0 : schedd_error_nomem(&err);

	while (snapshot && (entry = strmap_next(&memory->entries, &position)) != NULL) {
		if (entry->set && entry->text)
			store_snapshot_add_text(snapshot, entry->key, entry->text);
		else if (entry->set)
			store_snapshot_add_number(snapshot, entry->key, entry->number);
	}
	if (rc == 0)
		rc = store_snapshot_finish(snapshot, &err);
	if (rc < 0) {
		store_snapshot_free(snapshot);
		snapshot = NULL;
	}
	loading->loaded(rc, rc < 0 ? &err : NULL, snapshot, loading->context);
}

void store_memory_load(
    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context)
{
	struct memory_loading *loading =
	    store_letter_new(store, sizeof(*loading), memory_load_open);
	struct schedd_error err;

	(void)call;
	if (!loading) {
		loaded(schedd_error_nomem(&err), &err, NULL, context);
		return;
	}
	loading->loaded = loaded;
	loading->context = context;
	store_letter_put(&loading->base);
}

/* The number is read when it is asked for: what was committed before is in. */
static void memory_last_run_open(struct store_letter *base)
{
	struct memory_number *number = (struct memory_number *)base;

	number->call(0, NULL, number->number, number->context);
}

void store_memory_last_run(
    struct store *store, const char *id, store_number_fn call, void *context)
{
	struct memory_number *number =
	    store_letter_new(store, sizeof(*number), memory_last_run_open);
	struct schedd_error err;

	if (!number) {
		call(schedd_error_nomem(&err), &err, 0, context);
		return;
	}
	number->number = store_history_last_run(&memory_of(store)->history, id);
	number->call = call;
	number->context = context;
	store_letter_put(&number->base);
}

/* ---- Runs ---- */

struct memory_runs {
	struct store_letter base;
	struct store_query query;
	struct schedd_error err;
	int rc; /* of reading the question */
	store_runs_fn call;
	void *context;
};

/* Fills runs with at most limit that match, with their serials. */
static int memory_collect(const struct store_history *history, const struct store_query *query,
    struct arena *found, size_t *count, const struct run **first, bool *more)
{
	const struct history_job *job = query->job ? store_history_find(history, query->job) : NULL;
	uint32_t place = query->job && !job ? HISTORY_NONE : store_history_newest(history, job);
	size_t capacity = 0;
	struct run *runs = NULL, run;

	for (; place != HISTORY_NONE; place = store_history_older(history, job, place)) {
		uint64_t here = store_history_serial(history, place);

		store_history_view(history, place, &run);
		if ((job ? run.number : here) >= query->before || !store_query_matches(query, &run))
			continue;
		if (*count == query->limit) {
			*more = true;
			break;
		}
		if (*count == capacity) {
			struct run *larger;

			capacity = capacity ? capacity * 2 : 64;
			larger = arena_alloc(found, capacity * sizeof(*larger));
			if (!larger)
				return SCHEDD_ENOMEM;
			if (*count)
				memcpy(larger, runs, *count * sizeof(*larger));
			runs = larger;
		}
		run.serial = here;
		runs[(*count)++] = run;
	}
	*first = runs;
	return 0;
}

static void memory_runs_open(struct store_letter *base)
{
	struct memory_runs *ask = (struct memory_runs *)base;
	char cursor[STORE_CURSOR_MAX];
	const struct run *runs = NULL;
	size_t count = 0;
	bool more = false;

	if (ask->rc == 0 && memory_collect(&memory_of(base->store)->history, &ask->query,
				&base->arena, &count, &runs, &more) < 0)
		ask->rc = schedd_error_nomem(&ask->err);
	if (ask->rc < 0) {
		ask->call(ask->rc, &ask->err, NULL, 0, NULL, ask->context);
	} else {
		if (more)
			store_query_cursor(&ask->query, &runs[count - 1], cursor);
		ask->call(0, NULL, runs, count, more ? cursor : NULL, ask->context);
	}
	store_query_clear(&ask->query);
}

void store_memory_query_runs(
    struct store *store, const struct store_run_query *query, store_runs_fn call, void *context)
{
	struct memory_runs *ask = store_letter_new(store, sizeof(*ask), memory_runs_open);
	struct schedd_error err;

	if (!ask) {
		call(schedd_error_nomem(&err), &err, NULL, 0, NULL, context);
		return;
	}
	ask->rc = store_query_init(&ask->query, query, &ask->err);
	ask->call = call;
	ask->context = context;
	store_letter_put(&ask->base);
}

/* ---- Changes and statistics ---- */

struct memory_value {
	struct store_letter base;
	const char *job; /* NULL: all */
	schedd_time since;
	uint64_t limit;
	store_value_fn call;
	void *context;
};

static void memory_changes_open(struct store_letter *base)
{
	const struct memory_value *ask = (struct memory_value *)base;
	const struct memory_store *memory = memory_of(base->store);
	struct value list = value_array();
	struct schedd_error err;

	for (uint64_t i = 0; i < memory->changes_kept && list.array.count < ask->limit; i++) {
		const struct memory_change *change = store_memory_change(memory, i);

		if (ask->since != SCHEDD_TIME_NONE && change->when < ask->since)
			continue;
		if (!ask->job || (change->job && strcmp(ask->job, change->job) == 0))
			store_changes_add(
			    &base->arena, &list, change->when, change->job, change->json);
	}
	if (arena_failed(&base->arena))
		ask->call(schedd_error_nomem(&err), &err, NULL, ask->context);
	else
		ask->call(0, NULL, &list, ask->context);
}

static void memory_stats_open(struct store_letter *base)
{
	const struct memory_value *ask = (struct memory_value *)base;
	const struct store_history *history = &memory_of(base->store)->history;
	const struct history_job *one = ask->job ? store_history_find(history, ask->job) : NULL;
	uint32_t place = ask->job && !one ? HISTORY_NONE : store_history_newest(history, one);
	struct store_stats stats;
	struct schedd_error err;
	struct value list;
	int rc;

	store_stats_init(&stats);
	for (; place != HISTORY_NONE; place = store_history_older(history, one, place)) {
		schedd_time done_at;
		struct run run;

		store_history_view(history, place, &run);
		done_at = store_query_done_at(&run);
		if (done_at != SCHEDD_TIME_NONE && done_at >= ask->since)
			store_stats_add(&stats, &run);
	}
	rc = store_stats_answer(&stats, &base->arena, &list, &err);
	ask->call(rc, rc < 0 ? &err : NULL, rc < 0 ? NULL : &list, ask->context);
	store_stats_clear(&stats);
}

static void memory_ask_value(struct store *store, const struct memory_value *question,
    void (*open)(struct store_letter *))
{
	struct memory_value *ask = store_letter_new(store, sizeof(*ask), open);
	struct schedd_error err;

	if (!ask) {
		question->call(schedd_error_nomem(&err), &err, NULL, question->context);
		return;
	}
	ask->job = question->job ? arena_strdup(&ask->base.arena, question->job) : NULL;
	ask->since = question->since;
	ask->limit = question->limit;
	ask->call = question->call;
	ask->context = question->context;
	store_letter_put(&ask->base);
}

void store_memory_query_changes(struct store *store, const char *job, schedd_time since,
    uint64_t limit, store_value_fn call, void *context)
{
	const struct memory_value question = {
	    .job = job, .since = since, .limit = limit, .call = call, .context = context};

	memory_ask_value(store, &question, memory_changes_open);
}

void store_memory_query_stats(
    struct store *store, const char *job, schedd_time since, store_value_fn call, void *context)
{
	const struct memory_value question = {
	    .job = job, .since = since, .call = call, .context = context};

	memory_ask_value(store, &question, memory_stats_open);
}

/* ---- Housekeeping ---- */

/* A chore and how it went; done, but told by letter. */
struct memory_chore {
	struct store_letter base;
	int rc;
	struct schedd_error err;
	store_done_fn done;
	void *context;
};

static void memory_chore_open(struct store_letter *base)
{
	const struct memory_chore *chore = (struct memory_chore *)base;

	chore->done(chore->rc, chore->rc < 0 ? &chore->err : NULL, chore->context);
}

static void memory_tell(struct store *store, int rc, const struct schedd_error *err,
    store_done_fn done, void *context)
{
	struct memory_chore *chore;

	if (!done)
		return;
	chore = store_letter_new(store, sizeof(*chore), memory_chore_open);
	if (!chore) {
		done(rc, rc < 0 ? err : NULL, context);
		return;
	}
	chore->rc = rc;
	if (rc < 0)
		chore->err = *err;
	chore->done = done;
	chore->context = context;
	store_letter_put(&chore->base);
}

void store_memory_retain(struct store *store, const char *job,
    const struct store_retention *retention, uint32_t budget, store_done_fn done, void *context)
{
	struct memory_store *memory = memory_of(store);
	schedd_time now = store->clock->wall(store->clock->context);
	struct store_rules rules;
	struct schedd_error err;
	int rc;

	if (store_rules_init(&rules, job, retention) < 0) {
		rc = schedd_error_nomem(&err);
	} else {
		rc = (int)store_rules_apply(&rules, &memory->history, budget, now);
		if (!job && retention->max_changes > 0)
			store_memory_keep_changes(memory, (uint64_t)retention->max_changes);
		if (!job && retention->keep_for != SCHEDD_SPAN_NONE)
			while (memory->changes_kept > 0 &&
			       store_memory_change(memory, memory->changes_kept - 1)->when <
				   now - retention->keep_for)
				store_memory_keep_changes(memory, memory->changes_kept - 1);
	}
	store_rules_clear(&rules);
	memory_tell(store, rc, &err, done, context);
}

void store_memory_backup(
    struct store *store, const char *path, store_done_fn done, void *context)
{
	struct schedd_error err;

	(void)path;
	memory_tell(store,
	    schedd_error_set(&err, SCHEDD_EINVAL,
		"store '%s': type 'memory' keeps nothing that could be copied", store->name),
	    &err, done, context);
}
