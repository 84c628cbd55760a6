/* SPDX-License-Identifier: MIT */
/*
 * Lists of jobs. A long one is put together in pieces, between which others have
 * their turn; the client's further requests wait for its end, so that it shows
 * nothing that came behind it.
 */
#include "server/rpc/rpc_rows.h"

#include <stdlib.h>
#include <string.h>
#include "base/message.h"
#include "model/job_fields.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_call_turn.h"
#include "server/rpc/rpc_view.h"

#define RPC_JOB_LIMIT 1000 /* jobs in an answer where nobody says */
#define RPC_JOB_LIMIT_MAX 10000
#define RPC_JOB_FIELDS_MAX 256 /* each is looked for in each job */

/*
 * Jobs are packed one by one, so that a long list is never a tree in memory. The
 * many members of a job that are kept in its details, which it mostly shares
 * with the job before it, are packed once and copied.
 */
struct rpc_job_list {
	struct schedd_scheduler *scheduler;
	struct scheduler_job_walk *walk;
	scheduler_job_fn one;  /* packs one job */
	struct rpc_turn turn;  /* waits between two pieces */
	const char *view; /* whose ids stand alone */
	struct strbuf packed;
	uint32_t count;                    /* of jobs in it */
	struct arena arena;                /* of one job at a time */
	bool failed;                       /* no memory for one of them */
	const char *const *fields;         /* members wanted; NULL: all */
	const struct job_details *details; /* of the job before */
	struct strbuf members;             /* their members, packed; "": of none yet */
	uint32_t member_count;
};

static void rpc_job_list_added(struct rpc_job_list *list)
{
	list->count++;
	list->failed |= arena_failed(&list->arena);
	arena_reset(&list->arena);
}

static void rpc_job_list_details(struct rpc_job_list *list, const struct schedd_job *job)
{
	struct value map;

	if (list->members.length && job->details == list->details)
		return;
	map = job_fields_write_from(job, NULL, 1 << JOB_IN_DETAILS, &list->arena);
	strbuf_reset(&list->members);
	message_pack_members(&list->members, &map);
	list->member_count = map.map.count;
	list->details = job->details;
}

static void rpc_job_list_whole(struct rpc_job_list *list, const char *id)
{
	const struct schedd_job *job = scheduler_job_peek(list->scheduler, id);
	struct value own;

	if (!job)
		return;
	/* Of one that cannot be read nothing lies in its details. */
	if (strcmp(scheduler_job_state(list->scheduler, id), "invalid") == 0) {
		own = scheduler_job_value(list->scheduler, id, &list->arena);
		message_pack_value(&list->packed, &own);
		rpc_job_list_added(list);
		return;
	}
	rpc_job_list_details(list, job);
	own = scheduler_job_own(list->scheduler, id, &list->arena);
	message_pack_map(&list->packed, own.map.count + list->member_count);
	message_pack_members(&list->packed, &own);
	strbuf_add_n(&list->packed, strbuf_peek(&list->members), list->members.length);
	list->packed.failed |= strbuf_failed(&list->members);
	rpc_job_list_added(list);
}

static void rpc_job_list_one(const char *id, void *context)
{
	struct rpc_job_list *list = context;
	struct value job;

	if (!list->fields && !list->view[0]) {
		rpc_job_list_whole(list, id);
		return;
	}
	job = list->fields
		  ? scheduler_job_some(list->scheduler, id, list->fields, &list->arena)
		  : scheduler_job_value(list->scheduler, id, &list->arena);
	rpc_names_out(list->view, &job, &list->arena);
	message_pack_value(&list->packed, &job);
	rpc_job_list_added(list);
}

static void rpc_job_export_one(const char *id, void *context)
{
	struct rpc_job_list *list = context;
	const struct schedd_job *job = scheduler_job_peek(list->scheduler, id);
	struct value fields;

	if (!job)
		return;
	fields = scheduler_job_export(list->scheduler, id, &list->arena);
	rpc_names_out(list->view, &fields, &list->arena);
	message_pack_value(&list->packed, &fields);
	rpc_job_list_added(list);
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
	arena_clear(&list->arena);
	strbuf_clear(&list->packed);
	strbuf_clear(&list->members);
	free(list);
}

/* One piece, and what comes of it. */
static void rpc_job_list_go(void *context)
{
	struct rpc_call *call = context;
	struct rpc_job_list *list = call->state;
	struct schedd_error err;
	int rc;

	/* The job whose members they are may be gone. */
	strbuf_reset(&list->members);
	rc = scheduler_job_walk_more(list->walk, RPC_TURN_PIECE, list->one, list, &err);
	if (rc > 0) {
		rpc_call_turn_wait(call, &list->turn);
	} else if (rc < 0) {
		rpc_call_fail(call, &err);
	} else {
		struct value rest = value_map();

		value_put(&call->arena, &rest, "next",
		    value_string_ref(scheduler_job_walk_next(list->walk)));
		list->packed.failed |= list->failed;
		rpc_call_answer_list(call, "jobs", &list->packed, list->count, &rest);
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
	arena_init(&list->arena);
	call->state = list;
	call->release = rpc_job_list_release;
	list->scheduler = call->scheduler;
	list->one = one;
	list->view = rpc_view(call);
	list->fields = rpc_call_texts(call, "fields");
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
