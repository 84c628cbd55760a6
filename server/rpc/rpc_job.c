/* SPDX-License-Identifier: MIT */
/* Each handler sorts its parameters and makes one call of the scheduler. */
#include "server/rpc/rpc_job.h"

#include <string.h>
#include "base/strbuf.h"
#include "base/suggest.h"
#include "model/job_fields.h"
#include "base/message.h"
#include "proto/methods.h"
#include "server/config_defaults.h"
#include "server/daemon.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_table.h"
#include "server/rpc/rpc_view.h"

#define RPC_JOB_LIMIT 1000 /* jobs in an answer where nobody says */
#define RPC_JOB_LIMIT_MAX 10000

static void rpc_job_offer(const char *id, void *context)
{
	suggest_offer(context, id);
}

void rpc_job_missing(struct rpc_call *call, const char *id)
{
	const char *patterns[2] = {arena_printf(&call->arena, "%s:*", rpc_view(call)), NULL};
	struct scheduler_job_query all = {.patterns = rpc_view(call)[0] ? patterns : NULL,
	    .due_before = SCHEDD_TIME_NONE,
	    .limit = RPC_JOB_LIMIT_MAX};
	struct schedd_error err;
	struct suggest suggest;
	struct strbuf next = STRBUF_EMPTY;
	const char *closest = NULL;

	suggest_init(&suggest, id);
	if (scheduler_job_find(call->scheduler, &all, rpc_job_offer, &suggest, &next, NULL) == 0)
		closest = suggest_result(&suggest);
	strbuf_clear(&next);
	if (closest)
		schedd_error_set(
		    &err, SCHEDD_ENOTFOUND, "no job '%.128s', did you mean '%s'?", id, closest);
	else
		schedd_error_set(&err, SCHEDD_ENOTFOUND, "no job '%.128s'", id);
	rpc_call_fail(call, &err);
}

/* The id if there is such a job; otherwise NULL, and the call was ended. */
static const char *rpc_job_id(struct rpc_call *call)
{
	const char *id = rpc_call_text(call, "id");

	if (scheduler_job_peek(call->scheduler, id))
		return id;
	rpc_job_missing(call, id);
	return NULL;
}

/* The parameters that are fields of a job: what no row of the method names. */
static struct value rpc_job_fields(struct rpc_call *call)
{
	const struct method_param *params = call->method->method->params, *row;
	struct value fields = value_map();

	for (uint32_t i = 0; call->params.type == VALUE_MAP && i < call->params.map.count; i++) {
		const struct value_member *member = &call->params.map.members[i];

		for (row = params; row->name && strcmp(row->name, member->key) != 0; row++)
			;
		if (!row->name)
			value_put(&call->arena, &fields, member->key, member->value);
	}
	return fields;
}

/* What was put together for a change is whole; false: it is not, and the call was ended. */
static bool rpc_job_whole(struct rpc_call *call)
{
	struct schedd_error err;

	if (!arena_failed(&call->arena))
		return true;
	schedd_error_nomem(&err);
	rpc_call_fail(call, &err);
	return false;
}

void rpc_job_add(struct rpc_call *call)
{
	static const struct {
		const char *name;
		unsigned flag;
	} flags[] = {
	    {"replace", SCHEDULER_ADD_REPLACE},
	    {"if_absent", SCHEDULER_ADD_IF_ABSENT},
	    {"allow_past", SCHEDULER_ADD_ALLOW_PAST},
	    {"dry_run", SCHEDULER_ADD_DRY_RUN},
	};
	struct value fields = rpc_job_fields(call);
	struct schedd_error err;
	unsigned set = 0;

	config_defaults_fill(daemon_config(call->daemon), &fields, &call->arena);
	if (!rpc_job_whole(call))
		return;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (rpc_call_bool(call, flags[i].name))
			set |= flags[i].flag;
	}
	if ((set & SCHEDULER_ADD_REPLACE) && (set & SCHEDULER_ADD_IF_ABSENT)) {
		schedd_error_set(
		    &err, SCHEDD_EINVAL, "job.add: replace and if_absent exclude each other");
		rpc_call_fail(call, &err);
		return;
	}
	if (rpc_table_check_fields(call, &fields, &err) &&
	    !(err.code == SCHEDD_ECONFLICT && !(set & SCHEDULER_ADD_REPLACE))) {
		rpc_call_fail(call, &err);
		return;
	}
	scheduler_add(call->scheduler, &fields, set, &call->actor, rpc_call_reply(call));
}

void rpc_job_get(struct rpc_call *call)
{
	const char *id = rpc_call_text(call, "id");
	struct value job = scheduler_job_value(call->scheduler, id, &call->arena);

	if (job.type == VALUE_NIL && !arena_failed(&call->arena))
		rpc_job_missing(call, id);
	else
		rpc_call_answer_built(call, &job);
}

/* ---- Lists ---- */

/*
 * Jobs are packed one by one, so that a long list is never a tree in memory. The
 * many members of a job that are kept in its details, which it mostly shares
 * with the job before it, are packed once and copied.
 */
struct rpc_job_list {
	struct schedd_scheduler *scheduler;
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
	return rpc_job_order(call, &query->by_next) &&
	       rpc_call_time(call, "due_before", SCHEDD_TIME_NONE, &query->due_before) &&
	       rpc_call_limit(call, "limit", RPC_JOB_LIMIT, RPC_JOB_LIMIT_MAX, &query->limit);
}

static void rpc_job_answer_list(struct rpc_call *call, scheduler_job_fn one)
{
	struct rpc_job_list list = {.scheduler = call->scheduler, .view = rpc_view(call)};
	struct scheduler_job_query query;
	struct strbuf next = STRBUF_EMPTY;
	struct schedd_error err;

	if (!rpc_job_query(call, &query))
		return;
	list.fields = rpc_call_texts(call, "fields");
	arena_init(&list.arena);
	if (scheduler_job_find(call->scheduler, &query, one, &list, &next, &err)) {
		rpc_call_fail(call, &err);
	} else {
		list.packed.failed |= list.failed;
		rpc_call_answer_list(call, "jobs", &list.packed, list.count,
		    next.length ? strbuf_peek(&next) : NULL);
	}
	arena_clear(&list.arena);
	strbuf_clear(&list.packed);
	strbuf_clear(&list.members);
	strbuf_clear(&next);
}

void rpc_job_list(struct rpc_call *call)
{
	rpc_job_answer_list(call, rpc_job_list_one);
}

void rpc_job_export(struct rpc_call *call)
{
	rpc_job_answer_list(call, rpc_job_export_one);
}

/* ---- Changes ---- */

static void rpc_job_change(struct rpc_call *call, const struct value *changes)
{
	const char *id = rpc_job_whole(call) ? rpc_job_id(call) : NULL;
	struct schedd_error err;
	int64_t revision;

	if (!id)
		return; /* and the call is gone */
	if (rpc_table_check(call, id, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	revision = rpc_call_int(call, "revision", 0);
	if (revision > UINT32_MAX || (revision == 0 && rpc_call_param(call, "revision"))) {
		schedd_error_set(
		    &err, SCHEDD_EINVAL, "revision %lld was never given out", (long long)revision);
		rpc_call_fail(call, &err);
		return;
	}
	scheduler_modify(
	    call->scheduler, id, changes, (uint32_t)revision, &call->actor, rpc_call_reply(call));
}

void rpc_job_modify(struct rpc_call *call)
{
	struct value changes = rpc_job_fields(call);
	struct schedd_error err;

	if (changes.map.count || arena_failed(&call->arena)) {
		rpc_job_change(call, &changes);
		return;
	}
	schedd_error_set(&err, SCHEDD_EINVAL, "job.modify: no field to change was given");
	rpc_call_fail(call, &err);
}

void rpc_job_reschedule(struct rpc_call *call)
{
	struct value changes = value_map();

	value_put(&call->arena, &changes, "trigger", *value_get(&call->params, "trigger"));
	rpc_job_change(call, &changes);
}

void rpc_job_rename(struct rpc_call *call)
{
	const char *id = rpc_job_id(call);
	struct schedd_error err;

	if (id && rpc_table_check(call, id, &err))
		rpc_call_fail(call, &err);
	else if (id)
		scheduler_rename(call->scheduler, id, rpc_call_text(call, "to"), &call->actor,
		    rpc_call_reply(call));
}

/* The job as it was, but for the runs that go on without it. */
static void rpc_job_removed(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_call *call = context;
	struct scheduler_reply reply = rpc_call_reply_with(call, call->answer);
	const struct value *running = rc ? NULL : value_get(result, "running");

	for (uint32_t i = 0; running && i < call->answer.map.count; i++)
		if (strcmp(call->answer.map.members[i].key, "running") == 0)
			call->answer.map.members[i].value = *running;
	reply.call(rc, err, result, reply.context);
}

void rpc_job_remove(struct rpc_call *call)
{
	const char *id = rpc_job_id(call);
	struct schedd_error err;

	if (!id)
		return;
	if (rpc_table_check(call, id, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	call->answer = scheduler_job_value(call->scheduler, id, &call->arena);
	scheduler_remove(call->scheduler, id, rpc_call_bool(call, "purge"),
	    rpc_call_bool(call, "kill"), &call->actor,
	    (struct scheduler_reply){rpc_job_removed, call});
}

void rpc_job_pause(struct rpc_call *call)
{
	const struct schedd_clock *clock = schedd_clock_system();
	const char *id = rpc_job_id(call);
	struct schedd_error err;
	schedd_time until;
	schedd_span length;

	if (!id || !rpc_call_span(call, "for", SCHEDD_SPAN_NONE, &length) ||
	    !rpc_call_time(call, "until", SCHEDD_TIME_NONE, &until))
		return;
	if (length != SCHEDD_SPAN_NONE && until != SCHEDD_TIME_NONE) {
		schedd_error_set(
		    &err, SCHEDD_EINVAL, "job.pause: for and until exclude each other");
		rpc_call_fail(call, &err);
		return;
	}
	if (length != SCHEDD_SPAN_NONE)
		until = clock->wall(clock->context) + length;
	if (until != SCHEDD_TIME_NONE && until <= clock->wall(clock->context)) {
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "job.pause: the pause would be over before it begins: give a later time");
		rpc_call_fail(call, &err);
		return;
	}
	scheduler_pause_job(call->scheduler, id, until, rpc_call_text(call, "reason"), &call->actor,
	    rpc_call_reply(call));
}

void rpc_job_resume(struct rpc_call *call)
{
	const char *id = rpc_job_id(call);

	if (id)
		scheduler_resume_job(call->scheduler, id, rpc_call_bool(call, "run_missed"),
		    &call->actor, rpc_call_reply(call));
}

void rpc_job_run(struct rpc_call *call)
{
	struct scheduler_run_options options = {
	    .force = rpc_call_bool(call, "force"), .trigger = RUN_BY_HAND};
	const char *id = rpc_job_id(call);
	struct schedd_error err;

	if (!id)
		return;
	if (rpc_view_check_env(call, id, &err))
		rpc_call_fail(call, &err);
	else if (rpc_call_run_env(call, &options.env))
		scheduler_run_job(
		    call->scheduler, id, &options, &call->actor, rpc_call_reply(call));
}

static bool rpc_job_is_empty(const struct value *map, const char *key)
{
	const struct value *list = value_get(map, key);

	return !list || list->type != VALUE_ARRAY || list->array.count == 0;
}

/* A job that is gone still has a history; one of which nothing is known never was. */
static void rpc_job_why_came(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_call *call = context;

	if (rc)
		rpc_call_fail(call, err);
	else if (value_is_text(value_get(result, "state"), "removed") &&
		 rpc_job_is_empty(result, "changes") && rpc_job_is_empty(result, "runs"))
		rpc_job_missing(call, rpc_call_text(call, "id"));
	else
		rpc_call_answer(call, result);
}

void rpc_job_why(struct rpc_call *call)
{
	const char *id = rpc_call_text(call, "id");
	schedd_time at;

	if (rpc_call_time(call, "at", SCHEDD_TIME_NONE, &at))
		scheduler_why(call->scheduler, id, at,
		    (struct scheduler_reply){.call = rpc_job_why_came, .context = call});
}
