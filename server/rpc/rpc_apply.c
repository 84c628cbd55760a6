/* SPDX-License-Identifier: MIT */
/*
 * A job file or an import larger than one message comes in parts; they are
 * gathered with the connection and handed to the scheduler together.
 */
#include "server/rpc/rpc_rows.h"

#include <stdlib.h>
#include <string.h>
#include "server/config_defaults.h"
#include "server/daemon.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_table.h"

#define RPC_APPLY_TOKENS 8 /* files begun at one time on one connection */
#define RPC_APPLY_MEMORY 8 /* bytes of memory that a byte of parts may take */

/* The parts of one file so far. */
struct rpc_apply {
	struct connection_hook hook; /* first */
	const struct method *method; /* job.apply or job.import: their tokens are apart */
	struct arena arena;          /* of jobs */
	char *token;                 /* in the arena */
	struct value jobs;
	size_t bytes;          /* of the messages they came in */
	struct rpc_call *call; /* the last part, once it is committed */
};

static void rpc_apply_free(struct rpc_apply *apply)
{
	connection_detach(&apply->hook);
	arena_clear(&apply->arena);
	free(apply);
}

static void rpc_apply_closed(struct connection_hook *hook)
{
	rpc_apply_free((struct rpc_apply *)hook);
}

/* The call's file of that token on its connection; *count: files begun. */
static struct rpc_apply *rpc_apply_find(
    const struct rpc_call *call, const char *token, unsigned *count)
{
	struct connection *connection = call->connection;
	struct connection_hook *hook;
	struct rpc_apply *found = NULL;

	*count = 0;
	for (hook = connection_hooks(connection); hook; hook = hook->next) {
		struct rpc_apply *apply = (struct rpc_apply *)hook;

		if (hook->closed != rpc_apply_closed)
			continue;
		(*count)++;
		if (apply->method == call->method->method && strcmp(apply->token, token) == 0)
			found = apply;
	}
	return found;
}

static int rpc_apply_begin(const struct rpc_call *call, const char *token, unsigned count,
    struct rpc_apply **out, struct schedd_error *err)
{
	struct rpc_apply *apply;

	if (count >= RPC_APPLY_TOKENS)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "%s: %u files are begun on this connection already", call->method->method->name,
		    count);
	apply = calloc(1, sizeof(*apply));
	if (!apply)
		return schedd_error_nomem(err);
	apply->method = call->method->method;
	arena_init(&apply->arena);
	apply->token = arena_strdup(&apply->arena, token);
	apply->jobs = value_array();
	if (!apply->token) {
		rpc_apply_free(apply);
		return schedd_error_nomem(err);
	}
	apply->hook.closed = rpc_apply_closed;
	connection_attach(call->connection, &apply->hook);
	*out = apply;
	return 0;
}

/* Before anything is made of them: of a list of numbers no file can come. */
static int rpc_apply_are_maps(const struct rpc_call *call, const struct value *jobs,
    uint32_t before, struct schedd_error *err)
{
	for (uint32_t i = 0; i < jobs->array.count; i++)
		if (jobs->array.items[i].type != VALUE_MAP)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "%s: job %u is %s, not a map of its fields", call->method->method->name,
			    before + i + 1, value_type_name(jobs->array.items[i].type));
	return 0;
}

/* Adds the part's jobs. */
static int rpc_apply_gather(
    struct rpc_apply *apply, const struct rpc_call *call, struct schedd_error *err)
{
	const struct value *jobs = value_get(&call->params, "jobs");
	size_t limit = rpc_limits(connection_rpc(call->connection))->apply;
	int rc = rpc_apply_are_maps(call, jobs, apply->jobs.array.count, err);

	apply->bytes += call->bytes;
	if (apply->bytes > limit)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s: the parts are larger than the limit of %zu bytes (limits.apply)",
		    call->method->method->name, limit);
	for (uint32_t i = 0; i < jobs->array.count && !rc; i++) {
		value_append(
		    &apply->arena, &apply->jobs, value_copy(&apply->arena, &jobs->array.items[i]));
		if (apply->arena.total / RPC_APPLY_MEMORY > limit)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "%s: the parts take more than %zu bytes of memory, %d times the limit "
			    "for a file (limits.apply)",
			    call->method->method->name, limit * RPC_APPLY_MEMORY, RPC_APPLY_MEMORY);
	}
	return rc || !arena_failed(&apply->arena) ? rc : schedd_error_nomem(err);
}

/* What a call does with each job of its file. */
struct rpc_apply_each {
	struct rpc_call *call;
	struct arena *arena; /* of the jobs */
	bool import, replace, if_absent;
};

/* One that exists is a conflict for job.import; with if_absent it is left out (1). */
static int rpc_apply_select(
    const struct rpc_apply_each *each, const struct value *job, struct schedd_error *err)
{
	const char *id = value_get_string(job, "id");

	if (!each->import || !id || each->replace ||
	    !scheduler_job_peek(each->call->scheduler, id))
		return 0;
	if (each->if_absent)
		return 1;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    "job '%.128s' exists already; nothing was imported", id);
}

/* Tables of cron keep their jobs to themselves, and their owners; what is not said is the config's. */
static int rpc_apply_each_job(struct value *job, void *context, struct schedd_error *err)
{
	const struct rpc_apply_each *each = context;
	int rc = rpc_table_check_fields(each->call, job, err);

	if (!rc)
		rc = rpc_apply_select(each, job, err);
	if (!rc)
		config_defaults_fill(daemon_config(each->call->daemon), job, each->arena);
	return !rc && arena_failed(each->arena) ? schedd_error_nomem(err) : rc;
}

static int rpc_apply_check(struct rpc_call *call, const struct value *jobs,
    const struct rpc_apply_each *each, struct schedd_error *err)
{
	struct value owner = value_map();
	int rc = rpc_apply_are_maps(call, jobs, 0, err);

	if (rc)
		return rc;
	if (!each || arena_failed(&call->arena))
		return schedd_error_nomem(err);
	if (each->replace && each->if_absent)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "job.import: replace and if_absent exclude each other");
	value_put(&call->arena, &owner, "owner", value_string_ref(rpc_call_text(call, "owner")));
	return rpc_table_check_fields(call, &owner, err);
}

/* Hands all jobs to the scheduler. reply is called in any case. */
static void rpc_apply_commit(struct rpc_call *call, const struct value *jobs, struct arena *arena,
    bool import, struct scheduler_reply reply)
{
	struct rpc_apply_each *each = arena_alloc(&call->arena, sizeof(*each));
	struct scheduler_apply apply = {
	    .jobs = jobs,
	    .lent = true, /* they are the call's, or in parts that are kept until the answer */
	    .owner = rpc_call_text(call, "owner"),
	    .prune = rpc_call_bool(call, "prune"),
	    .skip = rpc_call_bool(call, "skip"),
	    .elsewhere = import,
	    .paused = rpc_call_bool(call, "paused"),
	    .dry_run = rpc_call_bool(call, "dry_run"),
	    .each = rpc_apply_each_job,
	    .each_context = each,
	};
	struct schedd_error err;
	int rc;

	if (each)
		*each = (struct rpc_apply_each){.call = call,
		    .arena = arena,
		    .import = import,
		    .replace = import && rpc_call_bool(call, "replace"),
		    .if_absent = import && rpc_call_bool(call, "if_absent")};
	rc = rpc_apply_check(call, jobs, each, &err);
	if (rc)
		reply.call(rc, &err, NULL, reply.context);
	else
		scheduler_apply(call->scheduler, &apply, &call->actor, reply);
}

static void rpc_apply_replied(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_apply *apply = context;

	if (rc)
		rpc_call_fail(apply->call, err);
	else
		rpc_call_answer(apply->call, result);
	rpc_apply_free(apply);
}

static void rpc_apply_received(
    struct rpc_call *call, const char *key, const struct rpc_apply *apply)
{
	struct value answer = value_map();

	value_put(&call->arena, &answer, key, value_string_ref(apply->token));
	value_put(&call->arena, &answer, "received", value_int(apply->jobs.array.count));
	rpc_call_answer_built(call, &answer);
}

/* key: the parameter with the token that parts have in common. */
static void rpc_apply_take(struct rpc_call *call, const char *key, bool import)
{
	const char *token = rpc_call_text(call, key);
	struct rpc_apply *apply = NULL;
	struct schedd_error err;
	unsigned count;
	int rc = 0;

	if (!token && rpc_call_param(call, "last")) {
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "job.apply: last is for a file in parts, which apply gives a name");
		rpc_call_fail(call, &err);
		return;
	}
	if (!token) {
		rpc_apply_commit(call, value_get(&call->params, "jobs"), &call->arena, import,
		    rpc_call_reply(call));
		return;
	}
	apply = rpc_apply_find(call, token, &count);
	if (!apply)
		rc = rpc_apply_begin(call, token, count, &apply, &err);
	if (!rc)
		rc = rpc_apply_gather(apply, call, &err);
	if (rc) {
		rpc_call_fail(call, &err);
		if (apply)
			rpc_apply_free(apply);
		return;
	}
	if (!rpc_call_bool(call, "last")) {
		rpc_apply_received(call, key, apply);
		return;
	}
	/* From here on the parts belong to the call, whatever becomes of the connection. */
	connection_detach(&apply->hook);
	apply->call = call;
	rpc_apply_commit(call, &apply->jobs, &apply->arena, import,
	    (struct scheduler_reply){.call = rpc_apply_replied, .context = apply});
}

void rpc_apply_jobs(struct rpc_call *call)
{
	rpc_apply_take(call, "apply", false);
}

void rpc_apply_import(struct rpc_call *call)
{
	rpc_apply_take(call, "import", true);
}
