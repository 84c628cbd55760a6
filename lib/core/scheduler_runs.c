/* SPDX-License-Identifier: MIT */
/* Looking at runs and ending them: those going on first, then the stores' history. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/change.h"
#include "core/history.h"
#include "core/output_place.h"
#include "core/run_live.h"

/* A question to all stores, whose answers are joined. */
struct scheduler_runs_question {
	struct schedd_scheduler *scheduler;
	struct scheduler_reply reply;
	struct arena arena;
	struct value runs; /* list */
	uint64_t limit;
	bool single;        /* one run is asked for: with its attempts */
	uint32_t waiting;   /* stores that have not answered */
	uint32_t asked;     /* stores that were asked */
	const char *cursor; /* of the store, if it was one alone; in arena */
	int rc;
	struct schedd_error err;
};

static struct value scheduler_runs_value(
    struct scheduler_runs_question *question, const struct run *run)
{
	struct value value = run_to_value(run, &question->arena);

	if (question->single)
		value_put(
		    &question->arena, &value, "attempts", run_attempts(run, &question->arena));
	return value;
}

static bool scheduler_runs_in(const char *const *jobs, const char *id)
{
	if (!jobs || !jobs[0])
		return true;
	for (; *jobs; jobs++)
		if (strcmp(*jobs, id) == 0 || fnmatch(*jobs, id, 0) == 0)
			return true;
	return false;
}

static bool scheduler_runs_match(const struct run_live *live, const struct store_run_query *query)
{
	const struct run *run = &live->run;

	if (live->stage == RUN_LIVE_CLAIMING || live->stage == RUN_LIVE_ENDED || live->held_by_dead)
		return false;
	if (query->states && !(query->states & (1u << run->state)))
		return false;
	if (query->number && run->number != query->number)
		return false;
	if (query->until != SCHEDD_TIME_NONE && run->scheduled_at > query->until)
		return false;
	return scheduler_runs_in(query->jobs, live->job->id);
}

static struct value scheduler_runs_live_value(
    struct scheduler_runs_question *question, const struct run_live *live)
{
	struct arena *arena = &question->arena;
	struct value value = scheduler_runs_value(question, &live->run);
	char text[256];

	if (live->output) {
		/* As much as there is by now. */
		for (uint32_t i = 0; i < value.map.count; i++)
			if (strcmp(value.map.members[i].key, "output_bytes") == 0)
				value.map.members[i].value =
				    value_int((int64_t)output_written(live->output));
	}
	if (run_live_waits_for(live, text, sizeof(text)))
		value_put(arena, &value, "waits_for", value_string(arena, text));
	return value;
}

/* The newest are at the head of the list. */
static void scheduler_runs_live(
    struct scheduler_runs_question *question, const struct store_run_query *query)
{
	for (const struct run_live *live = question->scheduler->live; live; live = live->next) {
		if (question->runs.array.count >= question->limit)
			return;
		if (scheduler_runs_match(live, query))
			value_append(&question->arena, &question->runs,
			    scheduler_runs_live_value(question, live));
	}
}

static bool scheduler_runs_known(
    const struct scheduler_runs_question *question, const struct run *run)
{
	const struct run_live *live = run_live_find(question->scheduler, run->job, run->number);

	return live && !live->held_by_dead;
}

static void scheduler_runs_finish(struct scheduler_runs_question *question)
{
	struct scheduler_reply reply = question->reply;
	struct value result = value_map();

	value_put(&question->arena, &result, "runs", question->runs);
	value_put(&question->arena, &result, "next",
	    question->cursor ? value_string_ref(question->cursor) : value_nil());
	if (!question->rc && arena_failed(&question->arena))
		question->rc = schedd_error_nomem(&question->err);
	scheduler_answer(reply, question->rc, &question->err, &result);
	arena_clear(&question->arena);
	free(question);
}

static void scheduler_runs_answered(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct scheduler_runs_question *question = context;

	if (rc) {
		question->rc = rc;
		question->err = *err;
	}
	for (size_t i = 0; i < count && question->runs.array.count < question->limit; i++)
		/* Rows of runs that go on are older than what we know of them. */
		if (!scheduler_runs_known(question, &runs[i]))
			value_append(&question->arena, &question->runs,
			    scheduler_runs_value(question, &runs[i]));
	if (cursor && question->asked == 1)
		question->cursor = arena_strdup(&question->arena, cursor);
	if (--question->waiting == 0)
		scheduler_runs_finish(question);
}

/* The only store a question about one existing job needs; NULL: all are asked. */
static struct store_slot *scheduler_runs_store(
    struct schedd_scheduler *scheduler, const struct store_run_query *query)
{
	const struct entry *entry;

	if (scheduler->store_count == 1)
		return scheduler->stores[0];
	if (!query->jobs || !query->jobs[0] || query->jobs[1])
		return NULL;
	entry = entry_get(scheduler, query->jobs[0]);
	return entry ? entry->store : NULL;
}

void scheduler_query_runs(struct schedd_scheduler *scheduler, const struct store_run_query *query,
    struct scheduler_reply reply)
{
	struct scheduler_runs_question *question = calloc(1, sizeof(*question));
	struct store_slot *one = scheduler_runs_store(scheduler, query);
	struct schedd_error err;

	if (!question) {
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	scheduler_enter(scheduler);
	history_flush(scheduler);
	question->scheduler = scheduler;
	question->reply = reply;
	question->runs = value_array();
	question->single = query->number != 0;
	question->limit = query->limit ? query->limit : 100;
	arena_init(&question->arena);
	if (!query->after)
		scheduler_runs_live(question, query);
	question->asked = one ? 1 : scheduler->store_count;
	question->waiting = question->asked;
	if (one)
		store_query_runs(one->store, query, scheduler_runs_answered, question);
	for (uint32_t i = 0; !one && i < scheduler->store_count; i++)
		store_query_runs(
		    scheduler->stores[i]->store, query, scheduler_runs_answered, question);
	scheduler_leave(scheduler);
}

/* ---- Ending ---- */

static int scheduler_kill_one(struct run_live *live, int signal,
    const struct scheduler_actor *actor, struct schedd_error *err)
{
	char who[64], reason[128];

	change_actor_text(actor, who, sizeof(who));
	snprintf(reason, sizeof(reason), "killed by %s", who);
	return run_live_stop(live, RUN_LIVE_KILLED, signal, reason, err);
}

/* The runs of that job that are going on, by number, before any of them is ended. */
static struct value scheduler_kill_numbers(
    struct schedd_scheduler *scheduler, const char *job, uint32_t number, struct arena *arena)
{
	struct value numbers = value_array();

	for (const struct run_live *live = scheduler->live; live; live = live->next)
		if (live->stage != RUN_LIVE_CLAIMING && live->stage != RUN_LIVE_ENDED &&
		    (!number || live->run.number == number) && strcmp(live->job->id, job) == 0)
			value_append(arena, &numbers, value_int(live->run.number));
	return numbers;
}

void scheduler_kill(struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    int signal, const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	static const struct scheduler_actor nobody = {-1, -1, NULL};
	struct value result = value_map(), runs = value_array(), numbers;
	struct schedd_error err = {0};
	struct arena arena;
	int rc = 0;

	arena_init(&arena);
	numbers = scheduler_kill_numbers(scheduler, job, number, &arena);
	scheduler_enter(scheduler);
	for (uint32_t i = 0; i < numbers.array.count; i++) {
		struct run_live *live =
		    run_live_find(scheduler, job, (uint32_t)numbers.array.items[i].integer);
		int failed;

		if (!live)
			continue;
		value_append(&arena, &runs, value_string(&arena, live->id));
		failed = scheduler_kill_one(live, signal, actor ? actor : &nobody, &err);
		rc = failed ? failed : rc;
	}
	if (!numbers.array.count && number)
		rc = schedd_error_set(
		    &err, SCHEDD_ECONFLICT, "run %s/%u is not going on", job, number);
	else if (!numbers.array.count && !entry_get(scheduler, job))
		rc = schedd_error_set(&err, SCHEDD_ENOTFOUND, "job %s: no such job", job);
	else if (!numbers.array.count)
		rc = schedd_error_set(&err, SCHEDD_ECONFLICT, "job %s has no run going on", job);
	value_put(&arena, &result, "runs", runs);
	scheduler_answer(reply, rc, &err, &result);
	scheduler_leave(scheduler);
	arena_clear(&arena);
}

struct output *scheduler_run_output(
    struct schedd_scheduler *scheduler, const char *job, uint32_t number)
{
	struct run_live *live = run_live_find(scheduler, job, number);

	return live ? live->output : NULL;
}

bool scheduler_output_path(
    struct schedd_scheduler *scheduler, const char *job, uint32_t number, char *path, size_t size)
{
	return output_place_path(scheduler, job, number, path, size);
}

/* ---- Purging ---- */

struct scheduler_purge_request {
	struct schedd_scheduler *scheduler;
	struct scheduler_reply reply;
	uint32_t waiting; /* stores that have not answered */
	uint32_t number;
	char *job; /* NULL: all */
	int rc;
	struct schedd_error err;
};

static void scheduler_purged(int rc, const struct schedd_error *err, void *context)
{
	struct scheduler_purge_request *request = context;
	struct value result = value_map();
	struct arena arena;

	if (rc) {
		request->rc = rc;
		request->err = *err;
	}
	if (--request->waiting)
		return;
	arena_init(&arena);
	if (!request->rc)
		output_place_remove(request->scheduler, request->job, request->number);
	value_put(&arena, &result, "purged", value_bool(true));
	scheduler_answer(request->reply, request->rc, &request->err, &result);
	arena_clear(&arena);
	free(request->job);
	free(request);
}

void scheduler_purge(struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct scheduler_purge_request *request = calloc(1, sizeof(*request));
	struct schedd_error err;

	(void)actor;
	if (!request || (job && !(request->job = strdup(job)))) {
		free(request);
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	if (job && number && run_live_find(scheduler, job, number)) {
		free(request->job);
		free(request);
		schedd_error_set(
		    &err, SCHEDD_ECONFLICT, "run %s/%u is going on: kill it first", job, number);
		scheduler_answer(reply, SCHEDD_ECONFLICT, &err, NULL);
		return;
	}
	request->scheduler = scheduler;
	request->reply = reply;
	request->number = number;
	request->waiting = scheduler->store_count;
	scheduler_enter(scheduler);
	history_flush(scheduler);
	for (uint32_t i = 0, count = scheduler->store_count; i < count; i++) {
		struct store *store = scheduler->stores[i]->store;
		struct store_batch *batch = store_batch_new(store);

		store_batch_purge_runs(batch, job, number);
		store_commit(store, batch, scheduler_purged, request);
	}
	scheduler_leave(scheduler);
}
