/* SPDX-License-Identifier: MIT */
/* Ending runs, their output, and deleting what is kept of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/purge.h"
#include "core/frame/store_slot.h"
#include "core/runs/output_place.h"
#include "core/runs/run_live.h"
#include "core/runs/run_stop.h"

/* ---- Ending ---- */

static int scheduler_kill_one(struct run_live *live, int signal,
    const struct scheduler_actor *actor, struct schedd_error *err)
{
	char who[64], reason[128];

	scheduler_actor_text(actor, who, sizeof(who));
	snprintf(reason, sizeof(reason), "killed by %s", who);
	return run_stop(live, RUN_LIVE_KILLED, signal, reason, err);
}

/* The runs of that job that are going on, by number, before any of them is ended. */
static struct value scheduler_kill_numbers(
    struct schedd_scheduler *scheduler, const char *job, uint32_t number, struct arena *arena)
{
	struct value numbers = value_array();

	for (const struct run_live *live = run_live_first(scheduler); live; live = run_live_next(live))
		if (run_live_stage(live) != RUN_LIVE_CLAIMING && run_live_stage(live) != RUN_LIVE_ENDED &&
		    (!number || run_live_run(live)->number == number) && strcmp(run_live_job(live)->id, job) == 0)
			value_append(arena, &numbers, value_int(run_live_run(live)->number));
	return numbers;
}

/* A run that does not go on: the history tells whether it is over or never was. */
struct kill_question {
	struct scheduler_reply reply;
	char run[RUN_LIVE_ID_MAX];
};

static void scheduler_kill_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct kill_question *question = context;
	const struct value *runs = rc ? NULL : value_get(result, "runs");
	struct schedd_error why;

	if (rc)
		why = *err;
	else if (runs && runs->array.count)
		rc = schedd_error_set(
		    &why, SCHEDD_ECONFLICT, "run %s is not going on", question->run);
	else
		rc = schedd_error_set(&why, SCHEDD_ENOTFOUND, "run %s: no such run", question->run);
	scheduler_answer(question->reply, rc, &why, NULL);
	free(question);
}

static void scheduler_kill_nothing(struct schedd_scheduler *scheduler, const char *job,
    uint32_t number, struct scheduler_reply reply)
{
	struct kill_question *question = calloc(1, sizeof(*question));
	const char *jobs[] = {job, NULL};
	struct store_run_query query = {.jobs = jobs,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .number = number,
	    .limit = 1};
	struct schedd_error err;

	if (!question) {
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	question->reply = reply;
	snprintf(question->run, sizeof(question->run), "%s/%u", job, number);
	scheduler_query_runs(
	    scheduler, &query, (struct scheduler_reply){scheduler_kill_answered, question});
}

void scheduler_kill(struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    int signal, const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	static const struct scheduler_actor nobody = {.uid = -1, .pid = -1};
	struct value result = value_map(), runs = value_array(), numbers;
	struct schedd_error err = {0};
	struct arena arena;
	int rc = 0;

	arena_init(&arena);
	numbers = scheduler_kill_numbers(scheduler, job, number, &arena);
	/* Some of them would be left out: none is killed. */
	if (arena_failed(&arena)) {
		arena_clear(&arena);
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	if (number && !numbers.array.count) {
		arena_clear(&arena);
		scheduler_kill_nothing(scheduler, job, number, reply);
		return;
	}
	scheduler_enter(scheduler);
	for (uint32_t i = 0; i < numbers.array.count; i++) {
		struct run_live *live =
		    run_live_find(scheduler, job, (uint32_t)numbers.array.items[i].integer);
		int failed;

		if (!live)
			continue;
		value_append(&arena, &runs, run_id_value(run_live_job(live)->id, run_live_run(live)->number, &arena));
		failed = scheduler_kill_one(live, signal, actor ? actor : &nobody, &err);
		rc = failed ? failed : rc;
	}
	if (!numbers.array.count && !entry_get(scheduler, job))
		rc = schedd_error_set(&err, SCHEDD_ENOTFOUND, "job %s: no such job", job);
	else if (!numbers.array.count)
		rc = schedd_error_set(&err, SCHEDD_ECONFLICT, "job %s has no run going on", job);
	value_put(&arena, &result, "runs", runs);
	scheduler_answer_done(reply, rc, &err, &result, &arena);
	scheduler_leave(scheduler);
	arena_clear(&arena);
}

struct output *scheduler_run_output(
    struct schedd_scheduler *scheduler, const char *job, uint32_t number)
{
	struct run_live *live = run_live_find(scheduler, job, number);

	return live ? run_live_output(live) : NULL;
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
	scheduler_answer_done(request->reply, request->rc, &request->err, &result, &arena);
	arena_clear(&arena);
	free(request->job);
	free(request);
}

void scheduler_purge(struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct scheduler_purge_request *request = calloc(1, sizeof(*request));
	struct schedd_error err;
	struct arena arena;
	struct value parts;

	(void)actor;
	arena_init(&arena);
	parts = job && !number ? scheduler_job_parts_ever(scheduler, job, &arena) : value_array();
	if (!request || arena_failed(&arena) || (job && !(request->job = strdup(job)))) {
		arena_clear(&arena);
		free(request);
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	if (job && number && run_live_find(scheduler, job, number)) {
		arena_clear(&arena);
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
	request->waiting = scheduler->store_count * (1 + parts.array.count);
	scheduler_enter(scheduler);
	store_slot_flush_all(scheduler);
	for (uint32_t i = 0, count = scheduler->store_count; i < count; i++) {
		struct store *store = scheduler->stores[i]->store;
		struct store_batch *batch;

		for (uint32_t k = 0; k < parts.array.count; k++)
			purge_runs(scheduler->stores[i], parts.array.items[k].string.text, 0, scheduler_purged, request);
		if (!number) {
			purge_runs(scheduler->stores[i], job, 0, scheduler_purged, request);
			continue;
		}
		batch = store_batch_new(store);
		store_batch_purge_runs(batch, job, number);
		store_commit(store, batch, scheduler_purged, request);
	}
	scheduler_leave(scheduler);
	arena_clear(&arena);
}
