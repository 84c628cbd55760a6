/* SPDX-License-Identifier: MIT */
/*
 * Lists of runs. As those of jobs, a long one is put together in pieces, between
 * which others have their turn, and packed run by run.
 */
#include "server/rpc/rpc_rows.h"

#include <stdlib.h>
#include <string.h>
#include "base/message.h"
#include "model/job_choice.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_call_turn.h"
#include "server/rpc/rpc_view.h"

#define RPC_RUN_LIMIT 100 /* runs in an answer where nobody says */
#define RPC_RUN_LIMIT_MAX 10000

struct rpc_run_list {
	struct scheduler_run_walk *walk; /* NULL: the stores have not answered yet */
	struct rpc_turn turn;            /* waits between two pieces */
	const char *view;                /* whose ids stand alone */
	struct strbuf packed;
	uint32_t count; /* of runs in it */
};

/* ---- What is asked ---- */

static bool rpc_run_states(struct rpc_call *call, uint32_t *out)
{
	const char *const *name = rpc_call_texts(call, "states");
	struct schedd_error err;
	enum run_state state;

	*out = 0;
	for (; name && *name; name++) {
		if (!run_state_parse(*name, &state)) {
			schedd_error_set(&err, SCHEDD_EINVAL,
			    "no state of a run is called '%.32s': queued, running, retrying, "
			    "success, "
			    "failed, timeout, killed, cancelled, missed, skipped, lost",
			    *name);
			rpc_call_fail(call, &err);
			return false;
		}
		*out |= 1u << state;
	}
	return true;
}

/* A run among jobs, JOB/N, is asked for alone. False: it is not, and the call was ended. */
static bool rpc_run_alone(struct rpc_call *call, struct store_run_query *query)
{
	const char *const *job = query->jobs;
	const char **one = arena_alloc(&call->arena, 2 * sizeof(*one));
	char *id = arena_alloc(&call->arena, JOB_ID_MAX + 1);
	struct schedd_error err;

	while (job && *job && !strchr(*job, '/'))
		job++;
	if (!job || !*job)
		return true;
	if (!one || !id)
		schedd_error_nomem(&err);
	else if (query->jobs[1])
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "run.list: jobs: '%.140s' is a run: ask for it alone", *job);
	else if (!run_parse_id(*job, id, &query->number))
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "run.list: jobs: '%.140s' is no run: write JOB/N, as backup/42", *job);
	if (!query->number) {
		rpc_call_fail(call, &err);
		return false;
	}
	one[0] = id;
	one[1] = NULL;
	query->jobs = one;
	return true;
}

/* ---- The answer ---- */

static void rpc_run_list_release(struct rpc_call *call)
{
	struct rpc_run_list *list = call->state;

	rpc_turn_leave(connection_rpc(call->connection), &list->turn);
	scheduler_run_walk_free(list->walk);
	strbuf_clear(&list->packed);
	free(list);
}

static void rpc_run_list_one(const struct value *run, struct arena *arena, void *context)
{
	struct rpc_run_list *list = context;
	struct value named = *run;

	rpc_names_out(list->view, &named, arena);
	message_pack_value(&list->packed, &named);
	list->count++;
}

/* One piece, and what comes of it. */
static void rpc_run_list_go(void *context)
{
	struct rpc_call *call = context;
	struct rpc_run_list *list = call->state;
	struct schedd_error err;
	struct value rest;
	int rc = scheduler_run_walk_more(list->walk, RPC_TURN_PIECE, rpc_run_list_one, list, &err);

	if (rc > 0) {
		rpc_call_turn_wait(call, &list->turn);
	} else if (rc < 0) {
		rpc_call_fail(call, &err);
	} else {
		rest = scheduler_run_walk_rest(list->walk);
		call->arena.failed |= rest.type == VALUE_NIL;
		rpc_call_answer_list(call, "runs", &list->packed, list->count, &rest);
	}
}

static void rpc_run_list_ready(
    int rc, const struct schedd_error *err, struct scheduler_run_walk *walk, void *context)
{
	struct rpc_call *call = context;
	struct rpc_run_list *list = call->state;

	list->walk = walk;
	if (rc)
		rpc_call_fail(call, err);
	else if (!connection_is_open(call->connection))
		rpc_call_turn_cancel(call);
	else if (rpc_turn_is_late(connection_rpc(call->connection)))
		rpc_call_turn_wait(call, &list->turn);
	else
		rpc_run_list_go(call);
}

/* A list that ends with NULL and grows. */
struct rpc_run_jobs {
	const char **list;
	uint32_t count, room;
};

/* No memory: the list is NULL. */
static void rpc_run_jobs_add(struct rpc_run_jobs *jobs, const char *job, struct arena *arena)
{
	if (jobs->count + 2 > jobs->room) {
		const char **grown;

		jobs->room = jobs->room ? jobs->room * 2 : 64;
		grown = arena_alloc(arena, jobs->room * sizeof(*grown));
		if (grown && jobs->list)
			memcpy(grown, jobs->list, jobs->count * sizeof(*grown));
		jobs->list = grown;
	}
	if (jobs->list)
		jobs->list[jobs->count++] = job;
}

/* Beyond so many names only jobs that are there are looked at for parts. */
#define RPC_RUN_GUESSED 1000

/* Runs of a job on all nodes are those of its parts, also when it is gone. False: that cannot be, and the call was ended. */
static bool rpc_run_parts(struct rpc_call *call, struct store_run_query *query)
{
	struct rpc_run_jobs jobs = {NULL, 0, 0};
	struct schedd_error err;

	if (job_choice_check(query->jobs, &err)) {
		schedd_error_prefix(&err, "run.list");
		rpc_call_fail(call, &err);
		return false;
	}
	for (const char *const *job = query->number ? NULL : query->jobs; job && *job; job++) {
		struct value parts = jobs.count < RPC_RUN_GUESSED
					 ? scheduler_job_parts_ever(call->scheduler, *job, &call->arena)
					 : scheduler_job_parts(call->scheduler, *job, false, &call->arena);

		rpc_run_jobs_add(&jobs, *job, &call->arena);
		for (uint32_t i = 0; parts.type == VALUE_ARRAY && i < parts.array.count; i++)
			rpc_run_jobs_add(&jobs, parts.array.items[i].string.text, &call->arena);
	}
	if (arena_failed(&call->arena)) {
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
		return false;
	}
	query->jobs = jobs.list ? jobs.list : query->jobs;
	return true;
}

void rpc_run_list(struct rpc_call *call)
{
	struct store_run_query query = {
	    .jobs = rpc_call_texts(call, "jobs"), .after = rpc_call_text(call, "after")};
	struct rpc_run_list *list;
	struct schedd_error err;

	if (!rpc_run_alone(call, &query) || !rpc_run_parts(call, &query) || !rpc_run_states(call, &query.states) ||
	    !rpc_call_time(call, "since", SCHEDD_TIME_NONE, &query.since) ||
	    !rpc_call_time(call, "until", SCHEDD_TIME_NONE, &query.until) ||
	    !rpc_call_limit(call, "limit", RPC_RUN_LIMIT, RPC_RUN_LIMIT_MAX, &query.limit))
		return;
	list = calloc(1, sizeof(*list));
	if (!list) {
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
		return;
	}
	list->view = rpc_view(call);
	list->turn.go = rpc_run_list_go;
	list->turn.context = call;
	call->state = list;
	call->release = rpc_run_list_release;
	scheduler_walk_runs(call->scheduler, &query, rpc_run_list_ready, call);
}
