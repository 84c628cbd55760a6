/* SPDX-License-Identifier: MIT */
#include "server/rpc/rpc_parts.h"

#include <stdlib.h>
#include <string.h>
#include "model/job.h"
#include "server/rpc/connection.h"
#include "server/rpc/rpc_forward.h"

/* Which parameter names the job. */
static const struct parts_row {
	const char *method;
	const char *param;
	bool live; /* on nodes that live alone */
} parts_rows[] = {
    {"job.run", "id", true},
    {"run.kill", "run", false},
};

/* Changes of the whole, which a part has to follow. */
static const char *const parts_changes[] = {"job.modify", "job.remove", "job.pause", "job.resume",
    "job.rename", "job.reschedule"};

/* Answers of all of them are waited for. */
struct parts_gather {
	struct rpc_call *call;
	uint32_t waiting;
	struct value runs;   /* that were made, or ended */
	struct value failed; /* what nodes said instead */
	struct schedd_error err;
};

static void parts_done(struct parts_gather *gather)
{
	struct rpc_call *call = gather->call;
	struct value map = value_map();

	if (--gather->waiting)
		return;
	if (gather->runs.array.count == 0 && gather->failed.array.count) {
		rpc_call_fail(call, &gather->err);
		free(gather);
		return;
	}
	if (strcmp(call->method->method->name, "job.run") == 0 && gather->runs.array.count)
		value_put(&call->arena, &map, "run", gather->runs.array.items[0]);
	value_put(&call->arena, &map, "runs", gather->runs);
	if (gather->failed.array.count)
		value_put(&call->arena, &map, "failed", gather->failed);
	free(gather);
	rpc_call_answer(call, &map);
}

static void parts_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct parts_gather *gather = context;
	struct arena *arena = &gather->call->arena;
	const struct value *runs = rc || !result ? NULL : value_get(result, "runs");
	const char *run = rc || !result ? NULL : value_get_string(result, "run");

	if (rc) {
		gather->err = *err;
		value_append(arena, &gather->failed, value_string(arena, err->message));
	}
	if (run)
		value_append(arena, &gather->runs, value_string(arena, run));
	for (uint32_t i = 0; runs && runs->type == VALUE_ARRAY && i < runs->array.count; i++)
		value_append(arena, &gather->runs, value_copy(arena, &runs->array.items[i]));
	parts_done(gather);
}

/* The same parameters, about a part. */
static struct value parts_params(struct rpc_call *call, const struct parts_row *row, const char *part)
{
	struct value params = value_map();

	for (uint32_t i = 0; i < call->params.map.count; i++) {
		const struct value_member *member = &call->params.map.members[i];

		value_put(&call->arena, &params, member->key,
		    strcmp(member->key, row->param) == 0 ? value_string_ref(part) : member->value);
	}
	return params;
}

/* The same call about the part, on its node; also if that is this one. */
static void parts_ask(struct parts_gather *gather, const struct parts_row *row, const char *part)
{
	struct rpc_call *call = gather->call;
	struct value whole = call->params;

	call->params = parts_params(call, row, part);
	gather->waiting++;
	rpc_forward_to(call, job_id_node(part),
	    (struct scheduler_reply){.call = parts_answered, .context = gather});
	call->params = whole;
}

static bool parts_all(struct rpc_call *call, const struct parts_row *row, const char *id)
{
	struct value parts = scheduler_job_parts(call->scheduler, id, row->live, &call->arena);
	struct parts_gather *gather;
	struct schedd_error err;

	if (parts.type != VALUE_ARRAY)
		return false;
	gather = parts.array.count ? calloc(1, sizeof(*gather)) : NULL;
	if (!gather) {
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "job %s runs on all nodes, and none has its part yet: try again", id);
		rpc_call_fail(call, &err);
		return true;
	}
	*gather = (struct parts_gather){.call = call, .waiting = 1, .runs = value_array(), .failed = value_array()};
	for (uint32_t i = 0; i < parts.array.count; i++)
		parts_ask(gather, row, parts.array.items[i].string.text);
	parts_done(gather);
	return true;
}

/* That of one node alone. True: the call was ended; else it is about that part from now on. */
static bool parts_one(struct rpc_call *call, const struct parts_row *row, const char *id)
{
	const char *node = rpc_call_text(call, "node"), *part = arena_printf(&call->arena, "%s@%s", id, node);
	struct value parts = scheduler_job_parts(call->scheduler, id, false, &call->arena);
	struct schedd_error err;
	const char *owner;

	for (uint32_t i = 0; part && parts.type == VALUE_ARRAY && i < parts.array.count; i++)
		if (strcmp(parts.array.items[i].string.text, part) == 0) {
			call->params = parts_params(call, row, part);
			return false;
		}
	if (parts.type == VALUE_ARRAY)
		schedd_error_set(&err, SCHEDD_ENOTFOUND, "job %s has no part on a node %s", id, node);
	else if (!scheduler_is_shared(call->scheduler))
		schedd_error_set(&err, SCHEDD_ENOTFOUND, "node %s: no store is shared, there are no nodes", node);
	else if (!scheduler_job_elsewhere(call->scheduler, id, &owner) &&
		 (owner = scheduler_node_name(call->scheduler)) && strcmp(owner, node) == 0)
		return false;
	else if (owner && strcmp(owner, node) == 0)
		return false;
	else
		schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "job %s is not on node %s but on %s: only a job with nodes: all runs on a node of choice",
		    id, node, owner ? owner : "none for now");
	rpc_call_fail(call, &err);
	return true;
}

/* A part is as its whole: changes of it alone would not last. */
static bool parts_refuse(struct rpc_call *call)
{
	const char *id = rpc_call_text(call, "id");
	char whole[JOB_ID_MAX + 1];
	struct schedd_error err;

	if (!id || !job_id_node(id) || !job_id_known(id))
		return false;
	for (size_t i = 0; i < sizeof(parts_changes) / sizeof(parts_changes[0]); i++) {
		if (strcmp(parts_changes[i], call->method->method->name) != 0)
			continue;
		job_id_whole(id, whole);
		schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "job %s is what node %s has of job %s: change that", id, job_id_node(id), whole);
		rpc_call_fail(call, &err);
		return true;
	}
	return false;
}

bool rpc_parts(struct rpc_call *call)
{
	const char *method = call->method->method->name;

	if (call->params.type != VALUE_MAP || connection_peer(call->connection)->forwarded)
		return false;
	for (size_t i = 0; i < sizeof(parts_rows) / sizeof(parts_rows[0]); i++) {
		const struct parts_row *row = &parts_rows[i];
		const char *id = rpc_call_text(call, row->param);

		if (strcmp(row->method, method) != 0 || !id || strchr(id, '/'))
			continue;
		if (rpc_call_text(call, "node"))
			return parts_one(call, row, id);
		return parts_all(call, row, id);
	}
	return parts_refuse(call);
}
