/* SPDX-License-Identifier: MIT */
/*
 * Questions go to the history when that was given what was answered before them.
 * Rows on hand are put before, or among, the history's: by number in one job's
 * list, else as the newest.
 */
#include <stdlib.h>
#include <string.h>
#include "store/store_split_parts.h"

static struct split_question *ask_new(struct store *store, void (*go)(struct split_question *))
{
	struct split_question *question;

	/* Told by hand: it counts in pending until then, and its letter may never travel. */
	question = store_letter_new(store, sizeof(*question), NULL);
	if (!question)
		return NULL;
	question->split = (struct split *)store;
	question->after_batches = question->split->given;
	question->after_items = UINT64_MAX;
	question->go = go;
	return question;
}

static void ask_free(struct split_question *question)
{
	store_answered(&question->split->base);
	store_query_clear(&question->own);
	arena_clear(&question->base.arena);
	free(question);
}

static void ask_queue(struct split_question *question)
{
	struct split *split = question->split;

	*split->questions_last = question;
	split->questions_last = &question->next;
	split_questions(split);
}

/* May it be asked: is all that was answered before it on its way to the history? */
static bool ask_ready(struct split_question *question)
{
	const struct split *split = question->split;

	if (split->taken < question->after_batches && !split->closing)
		return false;
	if (question->after_items == UINT64_MAX)
		question->after_items = split->item_place;
	return split->sent_place >= question->after_items || !split->items || split->failing ||
	       store_state(split->history) != STORE_OK || split->closing;
}

void split_questions(struct split *split)
{
	while (split->questions && ask_ready(split->questions)) {
		struct split_question *question = split->questions;

		split->questions = question->next;
		if (!split->questions)
			split->questions_last = &split->questions;
		question->go(question);
	}
}

/* ---- Told by letter, as nothing is answered inside the call ---- */

static void ask_opened(struct store_letter *letter)
{
	struct split_question *question = (struct split_question *)letter;

	question->tell(question);
	store_query_clear(&question->own);
}

static void ask_put(struct split_question *question, void (*tell)(struct split_question *))
{
	question->tell = tell;
	question->base.open = ask_opened;
	store_letter_put(&question->base);
}

/* ---- Runs ---- */

static int ask_by_number(const void *a, const void *b)
{
	uint32_t x = ((const struct run *)a)->number, y = ((const struct run *)b)->number;

	return (x < y) - (x > y);
}

static int ask_by_serial(const void *a, const void *b)
{
	uint64_t x = ((const struct run *)a)->serial, y = ((const struct run *)b)->serial;

	return (x < y) - (x > y);
}

static void ask_copy(struct arena *arena, struct run *to, const struct run *from)
{
	*to = *from;
	to->job = arena_strdup(arena, from->job);
	to->reason = from->reason ? arena_strdup(arena, from->reason) : NULL;
	to->attempts = from->attempts ? arena_strdup(arena, from->attempts) : NULL;
	to->actor = from->actor ? arena_strdup(arena, from->actor) : NULL;
	to->node = from->node ? arena_strdup(arena, from->node) : NULL;
	to->result = from->result ? arena_strdup(arena, from->result) : NULL;
}

/* Is the history to tell it, which has it or was given it before it is asked? */
static bool ask_is_theirs(const struct split *split, const struct split_row *row)
{
	return row->purged ||
	       (row->waiting && row->place <= split->sent_place && !split->failing &&
		   store_query_done_at(&row->run) != SCHEDD_TIME_NONE);
}

/* The rows on hand that the answer may hold, as they are now. */
static int ask_on_hand(struct split_question *question)
{
	const struct store_query *own = &question->own;
	struct arena *arena = &question->base.arena;
	const struct split_row *row;
	uint32_t position = 0;

	question->rows = arena_alloc(
	    arena, (question->split->rows.count + 1) * sizeof(question->rows[0]));
	while (question->rows && (row = strmap_next(&question->split->rows, &position))) {
		struct run *run = &question->rows[question->row_count];

		if (ask_is_theirs(question->split, row) ||
		    !store_query_matches(own, &row->run) ||
		    (own->job ? row->run.number : row->serial) >= own->before)
			continue;
		ask_copy(arena, run, &row->run);
		run->serial = row->serial;
		question->row_count++;
	}
	if (question->row_count > 1)
		qsort(question->rows, question->row_count, sizeof(question->rows[0]),
		    own->job ? ask_by_number : ask_by_serial);
	return arena_failed(arena) ? SCHEDD_ENOMEM : 0;
}

static bool ask_same(const struct run *a, const struct run *b)
{
	return a->number == b->number && strcmp(a->job, b->job) == 0;
}

static bool ask_is_on_hand(const struct split_question *question, const struct run *run)
{
	for (size_t i = 0; i < question->row_count; i++)
		if (ask_same(&question->rows[i], run))
			return true;
	return false;
}

/* Merges, counts, tells. runs of the history; cursor NULL: it has no more. */
static void ask_answer_runs(struct split_question *question, const struct run *runs, size_t count,
    const char *cursor)
{
	const struct store_query *own = &question->own;
	struct run *all =
	    arena_alloc(&question->base.arena, (own->limit + 1) * sizeof(all[0]));
	size_t mine = 0, theirs = 0, taken = 0;
	char next[STORE_CURSOR_MAX];
	struct schedd_error err;
	bool more;

	while (all && taken < own->limit) {
		const struct run *left =
		    mine < question->row_count ? &question->rows[mine] : NULL;
		const struct run *right = theirs < count ? &runs[theirs] : NULL;

		if (right && ask_is_on_hand(question, right)) {
			theirs++;
			continue;
		}
		if (!left && !right)
			break;
		if (left && (!right || !own->job || left->number > right->number))
			all[taken++] = *left, mine++;
		else
			all[taken++] = *right, theirs++;
	}
	if (!all) {
		question->runs_call(
		    schedd_error_nomem(&err), &err, NULL, 0, NULL, question->context);
		return;
	}
	more = taken && (mine < question->row_count || theirs < count || cursor);
	if (more)
		store_query_cursor(own, &all[taken - 1], next);
	question->runs_call(0, NULL, all, taken, more ? next : NULL, question->context);
}

static void ask_tell_here(struct split_question *question)
{
	if (question->rc)
		question->runs_call(
		    question->rc, &question->err, NULL, 0, NULL, question->context);
	else
		ask_answer_runs(question, NULL, 0, NULL);
}

static void ask_came_runs(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct split_question *question = context;

	if (rc)
		question->runs_call(rc, err, NULL, 0, NULL, question->context);
	else
		ask_answer_runs(question, runs, count, cursor);
	ask_free(question);
}

static void ask_go_runs(struct split_question *question)
{
	struct store_run_query query = question->query;

	if (!question->rc && ask_on_hand(question))
		question->rc = schedd_error_nomem(&question->err);
	if (question->rc || query.here) {
		ask_put(question, ask_tell_here);
		return;
	}
	/* Behind a row on hand the history begins with its newest. */
	if (!question->own.job && question->own.before >= SPLIT_SERIAL)
		query.after = NULL;
	store_query_runs(question->split->history, &query, ask_came_runs, question);
}

static const char *const *ask_jobs(struct arena *arena, const char *const *jobs)
{
	const char **copy;
	size_t count = 0;

	while (jobs && jobs[count])
		count++;
	copy = jobs ? arena_alloc(arena, (count + 1) * sizeof(copy[0])) : NULL;
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = arena_strdup(arena, jobs[i]);
	return copy;
}

void split_runs(struct store *store, const struct store_run_query *query, store_runs_fn call,
    void *context)
{
	struct split_question *question = ask_new(store, ask_go_runs);
	struct schedd_error err;

	if (!question) {
		call(schedd_error_nomem(&err), &err, NULL, 0, NULL, context);
		return;
	}
	question->runs_call = call;
	question->context = context;
	question->query = *query;
	question->query.jobs = ask_jobs(&question->base.arena, query->jobs);
	question->query.after =
	    query->after ? arena_strdup(&question->base.arena, query->after) : NULL;
	question->rc = store_query_init(&question->own, query, &question->err);
	if (!question->rc && arena_failed(&question->base.arena))
		question->rc = schedd_error_nomem(&question->err);
	ask_queue(question);
}

/* ---- Changes, counts ---- */

static void ask_came_value(
    int rc, const struct schedd_error *err, const struct value *value, void *context)
{
	struct split_question *question = context;

	question->value_call(rc, err, value, question->context);
	ask_free(question);
}

static void ask_go_changes(struct split_question *question)
{
	store_query_changes(question->split->history, question->job, question->since,
	    question->limit, ask_came_value, question);
}

static void ask_go_stats(struct split_question *question)
{
	store_query_stats(question->split->history, question->job, question->since,
	    ask_came_value, question);
}

static void ask_value(struct store *store, const struct split_question *from)
{
	struct split_question *question = ask_new(store, from->go);
	struct schedd_error err;

	if (!question) {
		from->value_call(schedd_error_nomem(&err), &err, NULL, from->context);
		return;
	}
	question->job = from->job ? arena_strdup(&question->base.arena, from->job) : NULL;
	question->since = from->since;
	question->limit = from->limit;
	question->value_call = from->value_call;
	question->context = from->context;
	ask_queue(question);
}

void split_changes(struct store *store, const char *job, schedd_time since, uint64_t limit,
    store_value_fn call, void *context)
{
	const struct split_question from = {.go = ask_go_changes,
	    .job = job,
	    .since = since,
	    .limit = limit,
	    .value_call = call,
	    .context = context};

	ask_value(store, &from);
}

void split_stats(struct store *store, const char *job, schedd_time since, store_value_fn call,
    void *context)
{
	const struct split_question from = {.go = ask_go_stats,
	    .job = job,
	    .since = since,
	    .value_call = call,
	    .context = context};

	ask_value(store, &from);
}

/* ---- The last run of an id: what both say ---- */

static void ask_came_number(
    int rc, const struct schedd_error *err, int64_t number, void *context)
{
	struct split_question *question = context;

	if (number < question->number)
		number = question->number;
	question->number_call(rc, err, number, question->context);
	ask_free(question);
}

static void ask_own_number(
    int rc, const struct schedd_error *err, int64_t number, void *context)
{
	struct split_question *question = context;

	if (rc) {
		question->number_call(rc, err, 0, question->context);
		ask_free(question);
		return;
	}
	question->number = number;
	store_last_run(
	    question->split->history, question->job, ask_came_number, question);
}

static void ask_go_number(struct split_question *question)
{
	store_last_run(question->split->jobs, question->job, ask_own_number, question);
}

void split_last_run(struct store *store, const char *id, store_number_fn call, void *context)
{
	struct split_question *question = ask_new(store, ask_go_number);
	struct schedd_error err;

	if (question)
		question->job = arena_strdup(&question->base.arena, id);
	if (!question || !question->job) {
		if (question)
			ask_free(question);
		call(schedd_error_nomem(&err), &err, 0, context);
		return;
	}
	question->number_call = call;
	question->context = context;
	ask_queue(question);
}

/* ---- Housekeeping ---- */

static void ask_came_done(int rc, const struct schedd_error *err, void *context)
{
	struct split_question *question = context;

	if (question->done_call)
		question->done_call(rc, err, question->context);
	ask_free(question);
}

static void ask_go_retain(struct split_question *question)
{
	store_retain(question->split->history, question->job, &question->retention,
	    question->budget, ask_came_done, question);
}

static struct split_question *ask_chore(struct store *store,
    void (*go)(struct split_question *), store_done_fn done, void *context)
{
	struct split_question *question = ask_new(store, go);
	struct schedd_error err;

	if (!question) {
		if (done)
			done(schedd_error_nomem(&err), &err, context);
		return NULL;
	}
	question->done_call = done;
	question->context = context;
	return question;
}

void split_retain(struct store *store, const char *job, const struct store_retention *retention,
    uint32_t budget, store_done_fn done, void *context)
{
	struct split_question *question = ask_chore(store, ask_go_retain, done, context);

	if (!question)
		return;
	question->job = job ? arena_strdup(&question->base.arena, job) : NULL;
	question->retention = *retention;
	question->retention.except = ask_jobs(&question->base.arena, retention->except);
	question->budget = budget;
	ask_queue(question);
}

static void ask_go_backup(struct split_question *question)
{
	store_backup(question->split->jobs, question->job, ask_came_done, question);
}

static void ask_tell_done(struct split_question *question)
{
	if (question->done_call)
		question->done_call(question->rc, &question->err, question->context);
}

void split_backup(struct store *store, const char *path, store_done_fn done, void *context)
{
	struct split_question *question = ask_chore(store, ask_go_backup, done, context);

	if (!question)
		return;
	if (question->split->jobs->ops->history) {
		question->job = arena_strdup(&question->base.arena, path);
		ask_queue(question);
		return;
	}
	question->rc = schedd_error_set(&question->err, SCHEDD_EINVAL,
	    "store '%s': it is on a server, make its backup there", store->name);
	ask_put(question, ask_tell_done);
}
