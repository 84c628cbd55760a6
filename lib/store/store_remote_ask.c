/* SPDX-License-Identifier: MIT */
/* Questions and chores: a driver's rows are judged and copied on its thread, told on the loop's. */
#include <stdlib.h>
#include <string.h>
#include "store/store_changes.h"
#include "store/store_remote_parts.h"

static void remote_task_open(struct store_letter *letter)
{
	struct remote_task *task = (struct remote_task *)letter;

	task->tell(task);
}

void *store_remote_task(struct store *store, size_t size,
    int (*step)(struct remote_task *, struct store_link *, struct schedd_error *),
    void (*tell)(struct remote_task *))
{
	struct remote_store *remote = (struct remote_store *)store;
	struct remote_task *task = store_letter_new(store, size, remote_task_open);

	if (!task)
		return NULL;
	task->remote = remote;
	task->step = step;
	task->tell = tell;
	task->mark = remote->given;
	task->deadline = store_remote_mono() + remote->config.timeout;
	return task;
}

/* ---- Runs, changes, counts ---- */

struct store_asked {
	struct remote_task task; /* first */
	struct store_query query;
	const char *job; /* of changes and counts; NULL: all */
	schedd_time since;
	uint64_t limit;
	struct run *runs;
	size_t count, capacity;
	bool more;
	struct store_stats stats;
	struct value answer;
	store_runs_fn runs_call;
	store_value_fn value_call;
	void *context;
};

static void asked_copy(struct arena *arena, struct run *to, const struct run *from)
{
	*to = *from;
	to->job = arena_strdup(arena, from->job);
	to->reason = from->reason ? arena_strdup(arena, from->reason) : NULL;
	to->attempts = from->attempts ? arena_strdup(arena, from->attempts) : NULL;
	to->actor = from->actor ? arena_strdup(arena, from->actor) : NULL;
	to->node = from->node ? arena_strdup(arena, from->node) : NULL;
	to->result = from->result ? arena_strdup(arena, from->result) : NULL;
}

bool store_asked_run(struct store_asked *asked, const struct run *run)
{
	struct arena *arena = &asked->task.base.arena;

	if (!store_query_matches(&asked->query, run))
		return true;
	asked->more = asked->count == asked->query.limit;
	if (asked->more)
		return false;
	if (asked->count == asked->capacity) {
		size_t capacity = asked->capacity ? asked->capacity * 2 : 64;
		struct run *larger = arena_alloc(arena, capacity * sizeof(*larger));

		if (!larger)
			return false;
		if (asked->count)
			memcpy(larger, asked->runs, asked->count * sizeof(*larger));
		asked->runs = larger;
		asked->capacity = capacity;
	}
	asked_copy(arena, &asked->runs[asked->count++], run);
	return true;
}

void store_asked_change(
    struct store_asked *asked, schedd_time when, const char *job, const char *json)
{
	store_changes_add(&asked->task.base.arena, &asked->answer, when, job, json);
}

void store_asked_count(struct store_asked *asked, const struct run *run)
{
	store_stats_add(&asked->stats, run);
}

/* What an earlier attempt brought is forgotten. */
static int runs_step(struct remote_task *task, struct store_link *link, struct schedd_error *err)
{
	struct store_asked *asked = (struct store_asked *)task;

	asked->count = 0;
	asked->more = false;
	return task->remote->driver->runs(link, &asked->query, asked, err);
}

static void runs_tell(struct remote_task *task)
{
	struct store_asked *asked = (struct store_asked *)task;
	char cursor[STORE_CURSOR_MAX];

	if (task->rc == 0 && arena_failed(&task->base.arena))
		task->rc = schedd_error_nomem(&task->err);
	if (task->rc) {
		asked->runs_call(task->rc, &task->err, NULL, 0, NULL, asked->context);
	} else {
		if (asked->more)
			store_query_cursor(
			    &asked->query, &asked->runs[asked->count - 1], cursor);
		asked->runs_call(0, NULL, asked->runs, asked->count, asked->more ? cursor : NULL,
		    asked->context);
	}
	store_query_clear(&asked->query);
}

static void remote_runs(
    struct store *store, const struct store_run_query *query, store_runs_fn call, void *context)
{
	struct store_asked *asked = store_remote_task(store, sizeof(*asked), runs_step, runs_tell);
	struct schedd_error err;

	if (!asked) {
		call(schedd_error_nomem(&err), &err, NULL, 0, NULL, context);
		return;
	}
	asked->runs_call = call;
	asked->context = context;
	asked->task.rc = store_query_init(&asked->query, query, &asked->task.err);
	if (asked->task.rc)
		store_letter_put(&asked->task.base);
	else
		store_remote_ask(&asked->task.remote->asker, &asked->task);
}

static int changes_step(struct remote_task *task, struct store_link *link, struct schedd_error *err)
{
	struct store_asked *asked = (struct store_asked *)task;

	asked->answer = value_array();
	return task->remote->driver->changes(
	    link, asked->job, asked->since, asked->limit, asked, err);
}

static int stats_step(struct remote_task *task, struct store_link *link, struct schedd_error *err)
{
	struct store_asked *asked = (struct store_asked *)task;
	int rc;

	store_stats_init(&asked->stats);
	rc = task->remote->driver->stats(link, asked->job, asked->since, asked, err);
	if (rc == 0)
		rc = store_stats_answer(&asked->stats, &task->base.arena, &asked->answer, err);
	store_stats_clear(&asked->stats);
	return rc;
}

static void value_tell(struct remote_task *task)
{
	struct store_asked *asked = (struct store_asked *)task;

	if (task->rc == 0 && arena_failed(&task->base.arena))
		task->rc = schedd_error_nomem(&task->err);
	asked->value_call(task->rc, task->rc ? &task->err : NULL,
	    task->rc ? NULL : &asked->answer, asked->context);
}

static void remote_ask_value(struct store *store, const struct store_asked *question,
    int (*step)(struct remote_task *, struct store_link *, struct schedd_error *))
{
	struct store_asked *asked = store_remote_task(store, sizeof(*asked), step, value_tell);
	struct schedd_error err;

	if (!asked) {
		question->value_call(schedd_error_nomem(&err), &err, NULL, question->context);
		return;
	}
	asked->job = question->job ? arena_strdup(&asked->task.base.arena, question->job) : NULL;
	asked->since = question->since;
	asked->limit = question->limit;
	asked->value_call = question->value_call;
	asked->context = question->context;
	store_remote_ask(&asked->task.remote->asker, &asked->task);
}

static void remote_changes(struct store *store, const char *job, schedd_time since,
    uint64_t limit, store_value_fn call, void *context)
{
	const struct store_asked question = {
	    .job = job, .since = since, .limit = limit, .value_call = call, .context = context};

	remote_ask_value(store, &question, changes_step);
}

static void remote_stats(
    struct store *store, const char *job, schedd_time since, store_value_fn call, void *context)
{
	const struct store_asked question = {
	    .job = job, .since = since, .value_call = call, .context = context};

	remote_ask_value(store, &question, stats_step);
}

/* ---- The last run of an id ---- */

struct remote_number {
	struct remote_task task; /* first */
	const char *id;
	int64_t number;
	store_number_fn call;
	void *context;
};

static int number_step(struct remote_task *task, struct store_link *link, struct schedd_error *err)
{
	struct remote_number *ask = (struct remote_number *)task;

	return task->remote->driver->last_run(link, ask->id, &ask->number, err);
}

static void number_tell(struct remote_task *task)
{
	const struct remote_number *ask = (struct remote_number *)task;

	ask->call(task->rc, task->rc ? &task->err : NULL, ask->number, ask->context);
}

void store_remote_last_run(
    struct store *store, const char *id, store_number_fn call, void *context)
{
	struct remote_number *ask = store_remote_task(store, sizeof(*ask), number_step, number_tell);
	struct schedd_error err;

	if (ask)
		ask->id = arena_strdup(&ask->task.base.arena, id);
	if (!ask) {
		call(schedd_error_nomem(&err), &err, 0, context);
		return;
	}
	ask->call = call;
	ask->context = context;
	if (ask->id) {
		store_remote_ask(&ask->task.remote->asker, &ask->task);
		return;
	}
	ask->task.rc = schedd_error_nomem(&ask->task.err);
	store_letter_put(&ask->task.base);
}

/* ---- Chores ---- */

struct remote_chore {
	struct remote_task task; /* first */
	struct store_rules rules;
	uint32_t budget;
	uint32_t deleted;
	schedd_time now;
	int64_t runs, bytes;
	store_done_fn done;
	void *context;
};

static int retain_step(struct remote_task *task, struct store_link *link, struct schedd_error *err)
{
	struct remote_chore *chore = (struct remote_chore *)task;
	const struct store_driver *driver = task->remote->driver;
	int rc = driver->retain(
	    link, &chore->rules, chore->budget, chore->now, &chore->deleted, err);

	if (rc == 0 && driver->sizes)
		rc = driver->sizes(link, &chore->runs, &chore->bytes, err);
	return rc;
}

static void chore_tell(struct remote_task *task)
{
	struct remote_chore *chore = (struct remote_chore *)task;

	if (task->rc == 0 && chore->runs >= 0) {
		task->remote->runs = chore->runs;
		task->remote->bytes = chore->bytes;
	}
	if (chore->done)
		chore->done(task->rc ? task->rc : (int)chore->deleted,
		    task->rc ? &task->err : NULL, chore->context);
	store_rules_clear(&chore->rules);
}

static struct remote_chore *remote_chore(struct store *store, store_done_fn done, void *context)
{
	struct remote_chore *chore =
	    store_remote_task(store, sizeof(*chore), retain_step, chore_tell);
	struct schedd_error err;

	if (!chore) {
		if (done)
			done(schedd_error_nomem(&err), &err, context);
		return NULL;
	}
	chore->runs = chore->bytes = -1;
	chore->done = done;
	chore->context = context;
	return chore;
}

static void remote_retain(struct store *store, const char *job,
    const struct store_retention *retention, uint32_t budget, store_done_fn done, void *context)
{
	struct remote_chore *chore = remote_chore(store, done, context);

	if (!chore)
		return;
	chore->budget = budget;
	chore->now = store->clock->wall(store->clock->context);
	if (store_rules_init(&chore->rules, job, retention)) {
		chore->task.rc = schedd_error_nomem(&chore->task.err);
		store_letter_put(&chore->task.base);
		return;
	}
	store_remote_ask(&chore->task.remote->asker, &chore->task);
}

static void remote_backup(
    struct store *store, const char *path, store_done_fn done, void *context)
{
	struct remote_chore *chore = remote_chore(store, done, context);

	(void)path;
	if (!chore)
		return;
	chore->task.rc = schedd_error_set(&chore->task.err, SCHEDD_EINVAL,
	    "store '%s': it is on a server, make its backup there", store->name);
	store_letter_put(&chore->task.base);
}

const struct history_ops store_remote_history = {
    .runs = remote_runs,
    .cursor = store_query_cursor_behind,
    .changes = remote_changes,
    .stats = remote_stats,
    .retain = remote_retain,
    .backup = remote_backup,
};
