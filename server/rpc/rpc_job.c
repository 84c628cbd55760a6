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
#include "server/rpc/rpc_forward.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_table.h"
#include "server/rpc/rpc_view.h"

/* Ids that are looked at for one that was meant. */
#define RPC_JOB_OFFERED 10000

static void rpc_job_offer(const char *id, void *context)
{
	suggest_offer(context, id);
}

void rpc_job_missing(struct rpc_call *call, const char *id)
{
	const char *patterns[2] = {arena_printf(&call->arena, "%s:*", rpc_view(call)), NULL};
	struct scheduler_job_query all = {.patterns = rpc_view(call)[0] ? patterns : NULL,
	    .due_before = SCHEDD_TIME_NONE,
	    .limit = RPC_JOB_OFFERED};
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

/* ---- Changes ---- */

static void rpc_job_change(struct rpc_call *call, const struct value *changes)
{
	const char *id = rpc_job_whole(call) ? rpc_job_id(call) : NULL;
	struct schedd_error err;
	int64_t revision;

	if (!id)
		return; /* and the call is gone */
	if (rpc_table_check(call, id, &err) || rpc_table_check_fields(call, changes, &err)) {
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
		    call->scheduler, id, &options, &call->actor, rpc_forward_reply(call));
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
