/* SPDX-License-Identifier: MIT */
/*
 * A job file or an import larger than one message comes in parts; they are
 * gathered with the connection and handed to the scheduler together.
 */
#include "server/rpc/rpc_rows.h"

#include <stdlib.h>
#include <string.h>
#include "base/message.h"
#include "loop/scrap.h"
#include "server/config_defaults.h"
#include "server/daemon.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_table.h"
#include "server/rpc/rpc_view.h"

#define RPC_APPLY_TOKENS 8 /* files begun at one time on one connection */
#define RPC_APPLY_MEMORY 8 /* bytes of memory that a byte of parts may take */
#define RPC_APPLY_TOGETHER 2 /* files of the largest size that may be begun on all connections */

/* What came in one message. */
struct rpc_apply_part {
	struct rpc_apply_part *next;
	struct arena arena; /* of jobs, and what they are given; of the last part only the latter */
	struct value jobs;
};

/* A file: its parts so far, and what comes of it. */
struct rpc_apply {
	struct connection_hook hook; /* first */
	struct mailbox *mailbox;     /* the scheduler's */
	const struct method *method; /* job.apply or job.import: their tokens are apart */
	char *token;                 /* NULL: it comes whole */
	struct rpc_apply_part *parts, **end;
	uint32_t count; /* of parts */
	uint32_t jobs;  /* in all of them */
	uint32_t seen;  /* of the first part's, by the scheduler */
	size_t bytes;   /* of the messages they came in */
	size_t memory;  /* of the parts */
	size_t *together; /* that of all files of its kind of caller, this one included */
	struct rpc_call *call; /* the last part, once it is handed over */
	bool replace, if_absent;
	struct strbuf rows; /* of the answer, packed */
	uint32_t row_count;
	struct arena names; /* of one row, as the caller sees it */
};

/* Takes the first part away. */
static void rpc_apply_drop(struct rpc_apply *apply)
{
	struct rpc_apply_part *part = apply->parts;

	apply->parts = part->next;
	apply->seen = 0;
	scrap_arena(apply->mailbox, &part->arena);
	free(part);
}

static void rpc_apply_free(struct rpc_apply *apply)
{
	connection_detach(&apply->hook);
	*apply->together -= apply->memory;
	while (apply->parts)
		rpc_apply_drop(apply);
	arena_clear(&apply->names);
	strbuf_clear(&apply->rows);
	free(apply->token);
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

/* NULL: no memory. */
static struct rpc_apply *rpc_apply_new(const struct rpc_call *call, const char *token)
{
	struct rpc_apply *apply = calloc(1, sizeof(*apply));

	if (!apply)
		return NULL;
	apply->mailbox = scheduler_mailbox(call->scheduler);
	/* What accounts have begun keeps no administrator from it. */
	apply->together = connection_peer(call->connection)->caller.role == USERS_ADMIN
			      ? &connection_rpc(call->connection)->begun_by_admins
			      : &connection_rpc(call->connection)->begun_by_others;
	apply->method = call->method->method;
	apply->end = &apply->parts;
	arena_init(&apply->names);
	apply->token = token ? strdup(token) : NULL;
	if (!token || apply->token)
		return apply;
	free(apply);
	return NULL;
}

static int rpc_apply_begin(const struct rpc_call *call, const char *token, unsigned count,
    struct rpc_apply **out, struct schedd_error *err)
{
	struct rpc_apply *apply;

	if (count >= RPC_APPLY_TOKENS)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "%s: %u files are begun on this connection already", call->method->method->name,
		    count);
	apply = rpc_apply_new(call, token);
	if (!apply)
		return schedd_error_nomem(err);
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

/* Adds the call's jobs, as they lie in its arena: nothing is copied. */
static int rpc_apply_gather(
    struct rpc_apply *apply, const struct rpc_call *call, struct schedd_error *err)
{
	const struct value *jobs = value_get(&call->params, "jobs");
	struct rpc_apply_part *part;
	int rc = rpc_apply_are_maps(call, jobs, apply->jobs, err);

	if (rc)
		return rc;
	part = calloc(1, sizeof(*part));
	if (!part)
		return schedd_error_nomem(err);
	arena_init(&part->arena);
	part->jobs = *jobs;
	*apply->end = part;
	apply->end = &part->next;
	apply->count++;
	apply->jobs += jobs->array.count;
	apply->bytes += call->bytes;
	apply->memory += call->arena.total;
	*apply->together += call->arena.total;
	return 0;
}

static int rpc_apply_limit(
    const struct rpc_apply *apply, const struct rpc_call *call, struct schedd_error *err)
{
	size_t limit = rpc_limits(connection_rpc(call->connection))->apply;

	if (apply->bytes > limit)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s: the parts are larger than the limit of %zu bytes (limits.apply)",
		    call->method->method->name, limit);
	if (apply->memory / RPC_APPLY_MEMORY > limit)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s: the parts take more than %zu bytes of memory, %d times the limit "
		    "for a file (limits.apply)",
		    call->method->method->name, limit * RPC_APPLY_MEMORY, RPC_APPLY_MEMORY);
	if (*apply->together / RPC_APPLY_MEMORY / RPC_APPLY_TOGETHER > limit)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "%s: with files that are begun on other connections, or by other tokens, it takes more than %zu "
		    "bytes of memory, that of %d of the largest size (limits.apply): end those, or begin it anew "
		    "later",
		    call->method->method->name, limit * RPC_APPLY_MEMORY * RPC_APPLY_TOGETHER,
		    RPC_APPLY_TOGETHER);
	return 0;
}

/* One that exists is a conflict for job.import; with if_absent it is left out (1). */
static int rpc_apply_select(
    const struct rpc_apply *apply, bool import, const struct value *job, struct schedd_error *err)
{
	const char *id = value_get_string(job, "id");

	if (!import || !id || apply->replace || !scheduler_job_peek(apply->call->scheduler, id))
		return 0;
	if (apply->if_absent)
		return 1;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    "job '%.128s' exists already; nothing was imported", id);
}

/* The part that the next job is of; those before it are done with. */
static struct rpc_apply_part *rpc_apply_part(struct rpc_apply *apply)
{
	/* The last is the call's own. */
	while (apply->parts->next && apply->seen == apply->parts->jobs.array.count)
		rpc_apply_drop(apply);
	apply->seen++;
	return apply->parts;
}

/* Tables of cron keep their jobs to themselves, and their owners; what is not said is the config's. */
static int rpc_apply_each_job(struct value *job, void *context, struct schedd_error *err)
{
	struct rpc_apply *apply = context;
	struct rpc_call *call = apply->call;
	struct rpc_apply_part *part = rpc_apply_part(apply);
	int rc = rpc_table_check_fields(call, job, err);

	if (!rc)
		rc = rpc_apply_select(
		    apply, strcmp(apply->method->name, "job.import") == 0, job, err);
	if (!rc)
		config_defaults_fill(daemon_config(call->daemon), job, &part->arena);
	return !rc && arena_failed(&part->arena) ? schedd_error_nomem(err) : rc;
}

static bool rpc_apply_row(struct value *row, void *context)
{
	struct rpc_apply *apply = context;

	rpc_names_out(rpc_view(apply->call), row, &apply->names);
	message_pack_value(&apply->rows, row);
	apply->rows.failed |= arena_failed(&apply->names);
	apply->row_count++;
	arena_reset(&apply->names);
	return !strbuf_failed(&apply->rows);
}

static int rpc_apply_check(struct rpc_apply *apply, struct schedd_error *err)
{
	struct rpc_call *call = apply->call;
	struct value owner = value_map();

	if (apply->replace && apply->if_absent)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "job.import: replace and if_absent exclude each other");
	value_put(&call->arena, &owner, "owner", value_string_ref(rpc_call_text(call, "owner")));
	if (arena_failed(&call->arena))
		return schedd_error_nomem(err);
	return rpc_table_check_fields(call, &owner, err);
}

static void rpc_apply_replied(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_apply *apply = context;

	(void)result;
	if (rc)
		rpc_call_fail(apply->call, err);
	else
		rpc_call_answer_list(apply->call, NULL, &apply->rows, apply->row_count, NULL);
	rpc_apply_free(apply);
}

/* Hands all jobs to the scheduler: from here on they belong to the call, whatever becomes of the connection. */
static void rpc_apply_commit(struct rpc_apply *apply, struct rpc_call *call)
{
	struct scheduler_reply reply = {.call = rpc_apply_replied, .context = apply};
	struct value *lists = arena_alloc(&call->arena, apply->count * sizeof(*lists));
	struct scheduler_apply request = {
	    .jobs = lists,
	    .lists = apply->count,
	    .lent = true,
	    .owner = rpc_call_text(call, "owner"),
	    .prune = rpc_call_bool(call, "prune"),
	    .skip = rpc_call_bool(call, "skip"),
	    .elsewhere = strcmp(apply->method->name, "job.import") == 0,
	    .paused = rpc_call_bool(call, "paused"),
	    .dry_run = rpc_call_bool(call, "dry_run"),
	    .each = rpc_apply_each_job,
	    .row = rpc_apply_row,
	    .each_context = apply,
	};
	struct schedd_error err;
	uint32_t count = 0;
	int rc;

	connection_detach(&apply->hook);
	apply->call = call;
	apply->replace = request.elsewhere && rpc_call_bool(call, "replace");
	apply->if_absent = request.elsewhere && rpc_call_bool(call, "if_absent");
	for (struct rpc_apply_part *part = apply->parts; part && lists; part = part->next)
		lists[count++] = part->jobs;
	rc = rpc_apply_check(apply, &err);
	if (rc)
		reply.call(rc, &err, NULL, reply.context);
	else
		scheduler_apply(call->scheduler, &request, &call->actor, reply);
}

static void rpc_apply_received(
    struct rpc_call *call, const char *key, const struct rpc_apply *apply)
{
	struct value answer = value_map();

	value_put(&call->arena, &answer, key, value_string_ref(apply->token));
	value_put(&call->arena, &answer, "received", value_int(apply->jobs));
	rpc_call_answer_built(call, &answer);
}

/* It is not the last: what it holds is kept. */
static void rpc_apply_keep(struct rpc_apply *apply, struct rpc_call *call)
{
	struct rpc_apply_part *part = apply->parts;

	while (part->next)
		part = part->next;
	arena_join(&part->arena, &call->arena);
}

/* key: the parameter with the token that parts have in common. */
static void rpc_apply_take(struct rpc_call *call, const char *key)
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
	if (token)
		apply = rpc_apply_find(call, token, &count);
	if (token && !apply)
		rc = rpc_apply_begin(call, token, count, &apply, &err);
	else if (!token && !(apply = rpc_apply_new(call, NULL)))
		rc = schedd_error_nomem(&err);
	if (!rc)
		rc = rpc_apply_gather(apply, call, &err);
	if (!rc && token)
		rc = rpc_apply_limit(apply, call, &err);
	if (rc) {
		rpc_call_fail(call, &err);
		if (apply)
			rpc_apply_free(apply);
	} else if (token && !rpc_call_bool(call, "last")) {
		rpc_apply_keep(apply, call);
		rpc_apply_received(call, key, apply);
	} else {
		rpc_apply_commit(apply, call);
	}
}

void rpc_apply_jobs(struct rpc_call *call)
{
	rpc_apply_take(call, "apply");
}

void rpc_apply_import(struct rpc_call *call)
{
	rpc_apply_take(call, "import");
}
