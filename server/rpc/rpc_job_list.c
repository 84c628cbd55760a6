/* SPDX-License-Identifier: MIT */
/*
 * Lists of jobs. A long one is put together in pieces, between which others have
 * their turn; the client's further requests wait for its end, so that it shows
 * nothing that came behind it.
 */
#include "server/rpc/rpc_rows.h"

#include <stdlib.h>
#include <string.h>
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_call_turn.h"
#include "server/rpc/rpc_view.h"

#define RPC_JOB_LIMIT 1000 /* jobs in an answer where nobody says */
#define RPC_JOB_LIMIT_MAX 10000
#define RPC_JOB_FIELDS_MAX 256 /* each is looked for in each job */
#define RPC_JOB_MANY 32768 /* bytes of an answer from which it is seen what others take */

/* Jobs are packed one by one, so that a long list is never a tree in memory. */
struct rpc_job_list {
	struct scheduler_job_walk *walk;
	scheduler_job_fn one;  /* packs one job */
	struct rpc_turn turn;  /* waits between two pieces */
	const char *view; /* whose ids stand alone */
	struct scheduler_job_packer packer;
	const char *const *fields; /* members wanted; NULL: all */
	uint64_t most;             /* jobs that may come */
	bool roomy;                /* there is room for all of them */
};

/* Room for as many as may come, if they take what those do that are there. */
static void rpc_job_list_room(struct rpc_job_list *list)
{
	struct scheduler_job_packer *packer = &list->packer;

	if (list->roomy || packer->packed.length < RPC_JOB_MANY)
		return;
	list->roomy = true;
	if (list->most > packer->count)
		strbuf_expect(&packer->packed,
		    packer->packed.length / packer->count * (size_t)(list->most - packer->count));
}

/* Nothing of one that is gone. */
static void rpc_job_list_value(struct rpc_job_list *list, struct value job)
{
	if (job.type == VALUE_NIL)
		return;
	rpc_names_out(list->view, &job, &list->packer.arena);
	scheduler_job_pack_value(&list->packer, &job);
}

static void rpc_job_list_one(const char *id, void *context)
{
	struct rpc_job_list *list = context;
	struct scheduler_job_packer *packer = &list->packer;

	if (list->fields)
		rpc_job_list_value(list, scheduler_job_some(packer->scheduler, id, list->fields, &packer->arena));
	else if (list->view[0])
		rpc_job_list_value(list, scheduler_job_value(packer->scheduler, id, &packer->arena));
	else
		scheduler_job_pack(packer, id);
	rpc_job_list_room(list);
}

static void rpc_job_export_one(const char *id, void *context)
{
	struct rpc_job_list *list = context;
	struct scheduler_job_packer *packer = &list->packer;

	rpc_job_list_value(list, scheduler_job_export(packer->scheduler, id, &packer->arena));
	rpc_job_list_room(list);
}

static bool rpc_job_is_state(const char *name)
{
	static const char *const states[] = {
	    "waiting", "running", "queued", "paused", "finished", "invalid"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i], name) == 0)
			return true;
	}
	return false;
}

static bool rpc_job_order(struct rpc_call *call, bool *by_next)
{
	const char *order = rpc_call_text(call, "order");
	struct schedd_error err;

	*by_next = order && strcmp(order, "next") == 0;
	if (!order || *by_next || strcmp(order, "id") == 0)
		return true;
	schedd_error_set(&err, SCHEDD_EINVAL, "order '%.32s' is neither id nor next", order);
	rpc_call_fail(call, &err);
	return false;
}

/* False: more members are named than any job has, and the call was ended. */
static bool rpc_job_fields_are_few(struct rpc_call *call)
{
	const struct value *fields = rpc_call_param(call, "fields");
	struct schedd_error err;

	if (!fields || fields->type != VALUE_ARRAY || fields->array.count <= RPC_JOB_FIELDS_MAX)
		return true;
	schedd_error_set(&err, SCHEDD_EINVAL, "%s: fields: %u names are more than %d",
	    call->method->method->name, fields->array.count, RPC_JOB_FIELDS_MAX);
	rpc_call_fail(call, &err);
	return false;
}

/* The filters of PROTOCOL.md. False: they make no sense, and the call was ended. */
static bool rpc_job_query(struct rpc_call *call, struct scheduler_job_query *query)
{
	struct schedd_error err;

	*query = (struct scheduler_job_query){
	    .patterns = rpc_call_texts(call, "patterns"),
	    .tags = rpc_call_texts(call, "tags"),
	    .states = rpc_call_texts(call, "states"),
	    .group = rpc_call_text(call, "group"),
	    .store = rpc_call_text(call, "store"),
	    .owner = rpc_call_text(call, "owner"),
	    .node = rpc_call_text(call, "node"),
	    .failed = rpc_call_bool(call, "failed"),
	    .after = rpc_call_text(call, "after"),
	};
	for (const char *const *state = query->states; state && *state; state++) {
		if (rpc_job_is_state(*state))
			continue;
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "no state of a job is called '%.32s': waiting, running, queued, paused, "
		    "finished, invalid",
		    *state);
		rpc_call_fail(call, &err);
		return false;
	}
	if (query->node && scheduler_node_check(call->scheduler, query->node, &err)) {
		rpc_call_fail(call, &err);
		return false;
	}
	return rpc_job_order(call, &query->by_next) &&
	       rpc_call_time(call, "due_before", SCHEDD_TIME_NONE, &query->due_before) &&
	       rpc_call_limit(call, "limit", RPC_JOB_LIMIT, RPC_JOB_LIMIT_MAX, &query->limit);
}

/* ---- The answer ---- */

static void rpc_job_list_release(struct rpc_call *call)
{
	struct rpc_job_list *list = call->state;

	rpc_turn_leave(connection_rpc(call->connection), &list->turn);
	scheduler_job_walk_free(list->walk);
	scheduler_job_pack_clear(&list->packer);
	free(list);
}

/* One piece, and what comes of it. */
static void rpc_job_list_go(void *context)
{
	struct rpc_call *call = context;
	struct rpc_job_list *list = call->state;
	struct schedd_error err;
	int rc;

	scheduler_job_pack_pause(&list->packer);
	rc = scheduler_job_walk_more(list->walk, RPC_TURN_PIECE, list->one, list, &err);
	if (rc > 0) {
		rpc_call_turn_wait(call, &list->turn);
	} else if (rc < 0) {
		rpc_call_fail(call, &err);
	} else {
		struct value rest = value_map();

		value_put(&call->arena, &rest, "next",
		    value_string_ref(scheduler_job_walk_next(list->walk)));
		rpc_call_answer_list(call, "jobs", &list->packer.packed, list->packer.count, &rest);
	}
}

static void rpc_job_answer_list(struct rpc_call *call, scheduler_job_fn one)
{
	struct rpc_job_list *list;
	struct scheduler_job_query query;
	struct schedd_error err;

	if (!rpc_job_fields_are_few(call) || !rpc_job_query(call, &query))
		return;
	list = calloc(1, sizeof(*list));
	if (!list) {
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
		return;
	}
	call->state = list;
	call->release = rpc_job_list_release;
	list->packer.scheduler = call->scheduler;
	list->one = one;
	list->view = rpc_view(call);
	list->fields = rpc_call_texts(call, "fields");
	list->most = scheduler_job_count(call->scheduler);
	if (list->most > query.limit)
		list->most = query.limit;
	list->turn.go = rpc_job_list_go;
	list->turn.context = call;
	list->walk = scheduler_job_walk_new(call->scheduler, &query, &err);
	if (!list->walk)
		rpc_call_fail(call, &err);
	else if (rpc_turn_is_late(connection_rpc(call->connection)))
		rpc_call_turn_wait(call, &list->turn);
	else
		rpc_job_list_go(call);
}

void rpc_job_list(struct rpc_call *call)
{
	rpc_job_answer_list(call, rpc_job_list_one);
}

void rpc_job_export(struct rpc_call *call)
{
	rpc_job_answer_list(call, rpc_job_export_one);
}
