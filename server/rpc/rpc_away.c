/* SPDX-License-Identifier: MIT */
#include "server/rpc/rpc_away.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "model/node.h"
#include "model/run.h"
#include "server/rpc/rpc_forward.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_state.h"
#include "server/rpc/rpc_stream.h"
#include "server/rpc/rpc_view.h"

/* Between two looks at a run whose node does not answer, in µs. */
#define AWAY_AGAIN 500000

struct rpc_away {
	struct connection_hook hook; /* first */
	struct rpc_call *call;       /* not answered yet; NULL: it was */
	struct scheduler_reply reply;
	struct schedd_scheduler *scheduler;
	struct rpc_stream *stream; /* NULL: it is broken */
	struct event *again;
	struct rpc_call asker;     /* a copy of who asked, to ask again; of this its connection and arena */
	char node[NODE_NAME_MAX + 1];
	char job[JOB_ID_MAX + 1];
	char view[JOB_ACCOUNT_MAX + 1];
	char id[JOB_ID_MAX + 16];  /* as the client knows it */
	uint32_t run;
	int64_t number;            /* of the follower, to the client */
	int64_t end;               /* bytes of kept text that the client has */
	bool whole;                /* these are all that came before */
	bool looking;              /* the run is being looked up: nothing may end meanwhile */
	bool gone;                 /* the client is, meanwhile */
	struct value request;
	struct value params;
};

static void away_free(struct rpc_away *away)
{
	connection_detach(&away->hook);
	rpc_stream_close(away->stream);
	if (away->again)
		event_free(away->again);
	arena_clear(&away->asker.arena);
	free(away);
}

static void away_closed(struct connection_hook *hook)
{
	struct rpc_away *away = (struct rpc_away *)hook;
	struct rpc_call *call = away->call;
	struct value nil = value_nil();

	away->hook.connection = NULL;
	if (away->looking) {
		away->gone = true;
		return;
	}
	away->call = NULL;
	away_free(away);
	if (call)
		rpc_call_answer(call, &nil);
}

/* It can take more. */
static void away_drained(struct connection_hook *hook)
{
	struct rpc_away *away = (struct rpc_away *)hook;

	if (away->stream)
		rpc_stream_resume(away->stream);
}

static void away_later(struct rpc_away *away)
{
	static const struct timeval span = {.tv_usec = AWAY_AGAIN};

	if (event_add(away->again, &span) < 0)
		event_active(away->again, EV_TIMEOUT, 0);
}

/* A sentence among what the run wrote. */
static void away_say(struct rpc_away *away, const char *text)
{
	struct value map = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &map, "follow", value_int(away->number));
	value_put(&arena, &map, "run", value_string_ref(away->id));
	value_put(&arena, &map, "note", value_string_ref(text));
	if (!connection_notify(away->hook.connection, "run.note", &map))
		rpc_counters(connection_rpc(away->hook.connection))->dropped++;
	arena_clear(&arena);
}

/* ---- What its node tells ---- */

static bool away_note(const char *method, const struct value *params, void *context)
{
	struct rpc_away *away = context;
	const struct value *data = value_get(params, "data");
	struct value copy;
	struct arena arena;
	bool sent;

	if (!away->number)
		return true;
	arena_init(&arena);
	copy = value_copy(&arena, params);
	for (uint32_t i = 0; copy.type == VALUE_MAP && i < copy.map.count; i++)
		if (strcmp(copy.map.members[i].key, "follow") == 0)
			copy.map.members[i].value = value_int(away->number);
	sent = connection_notify(away->hook.connection, method, &copy);
	arena_clear(&arena);
	if (!sent)
		return false;
	if (data && data->type == VALUE_STRING)
		away->end += (int64_t)data->string.length;
	else if (strcmp(method, "run.output") == 0)
		away->whole = false;
	if (strcmp(method, "run.end") == 0)
		away_free(away);
	return true;
}

/* The first answer: the call ends with it. Later ones go on where the last stream broke. */
static void away_opened(const struct value *result, void *context)
{
	struct rpc_away *away = context;
	struct rpc_call *call = away->call;
	struct scheduler_reply reply = away->reply;
	const struct value *pieces = value_get(result, "pieces");
	bool follows = value_get_int(result, "follow", 0) > 0;
	struct arena arena;
	struct value copy;

	away->call = NULL;
	away->end = value_get_int(result, "end", 0);
	if (call && follows) {
		away->number = connection_number(call->connection);
		arena_init(&arena);
		copy = value_copy(&arena, result);
		for (uint32_t i = 0; copy.type == VALUE_MAP && i < copy.map.count; i++)
			if (strcmp(copy.map.members[i].key, "follow") == 0)
				copy.map.members[i].value = value_int(away->number);
		reply.call(0, NULL, &copy, reply.context);
		arena_clear(&arena);
		return;
	}
	if (call) {
		away_free(away);
		reply.call(0, NULL, result, reply.context);
		return;
	}
	for (uint32_t i = 0; pieces && pieces->type == VALUE_ARRAY && i < pieces->array.count; i++) {
		struct value map = value_map();

		arena_init(&arena);
		value_put(&arena, &map, "follow", value_int(away->number));
		value_put(&arena, &map, "run", value_string_ref(away->id));
		for (uint32_t k = 0; k < pieces->array.items[i].map.count; k++)
			value_put(&arena, &map, pieces->array.items[i].map.members[k].key,
			    pieces->array.items[i].map.members[k].value);
		if (!connection_notify(away->hook.connection, "run.output", &map))
			rpc_counters(connection_rpc(away->hook.connection))->dropped++;
		arena_clear(&arena);
	}
	if (value_get_int(result, "dropped", 0) > 0)
		away_say(away, "its node was away for a while: not all of what it wrote meanwhile is kept");
	/* It has ended meanwhile: that is found when the run is looked at. */
	if (!follows) {
		rpc_stream_close(away->stream);
		away->stream = NULL;
		away_later(away);
	}
}

static void away_idle(void *context)
{
	(void)context;
}

static void away_broken(const struct schedd_error *err, void *context)
{
	struct rpc_away *away = context;
	struct rpc_call *call = away->call;
	struct scheduler_reply reply = away->reply;

	rpc_stream_close(away->stream);
	away->stream = NULL;
	if (!call) {
		away_later(away);
		return;
	}
	away->call = NULL;
	away_free(away);
	reply.call(err->code, err, NULL, reply.context);
}

static const struct rpc_stream_ops away_ops = {
    .opened = away_opened,
    .note = away_note,
    .idle = away_idle,
    .broken = away_broken,
};

/* ---- When it does not any more ---- */

static void away_end(struct rpc_away *away, const struct value *run)
{
	struct value map = value_map(), copy;
	const char *reason = value_get_string(run, "reason");
	char text[600];
	struct arena arena;

	if (value_is_text(value_get(run, "state"), "lost")) {
		snprintf(text, sizeof(text), "%s was lost with its node (%.255s): what it wrote after this is not known here",
		    away->id, reason ? reason : away->node);
		away_say(away, text);
	}
	arena_init(&arena);
	copy = value_copy(&arena, run);
	rpc_names_out(away->view, &copy, &arena);
	value_put(&arena, &map, "follow", value_int(away->number));
	value_put(&arena, &map, "run", value_string_ref(away->id));
	value_put(&arena, &map, "result", copy);
	if (!connection_notify(away->hook.connection, "run.end", &map))
		rpc_counters(connection_rpc(away->hook.connection))->dropped++;
	arena_clear(&arena);
	away_free(away);
}

/* Its node is there again: from where it broke, or with a word on what is missing. */
static void away_reopen(struct rpc_away *away)
{
	struct value params = value_map(), request;
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &params, "run",
	    value_string_ref(arena_printf(&arena, "%s/%u", away->job, (unsigned)away->run)));
	value_put(&arena, &params, "follow", value_bool(true));
	if (value_get(&away->params, "stream"))
		value_put(&arena, &params, "stream", *value_get(&away->params, "stream"));
	if (away->whole)
		value_put(&arena, &params, "offset", value_int(away->end));
	else
		value_put(&arena, &params, "tail", value_int(0));
	request = rpc_forward_request(&away->asker, "run.log", &params, &arena);
	away->stream = rpc_stream_open(&away->asker, away->node, &request, &away_ops, away);
	if (!away->stream)
		away_later(away);
	else if (!away->whole)
		away_say(away, "its node was away for a while: what it wrote meanwhile is not shown");
	arena_clear(&arena);
}

static void away_found(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_away *away = context;
	const struct value *runs = rc ? NULL : value_get(result, "runs");
	const struct value *run =
	    runs && runs->type == VALUE_ARRAY && runs->array.count ? &runs->array.items[0] : NULL;
	enum run_state state = RUN_RUNNING;
	char why[80];

	(void)err;
	away->looking = false;
	if (away->gone) {
		away_free(away);
		return;
	}
	if (run && run_state_parse(value_get_string(run, "state"), &state) && run_ended(state))
		away_end(away, run);
	else if (scheduler_node_lives(away->scheduler, away->node, why, sizeof(why)))
		away_reopen(away);
	else
		away_later(away);
}

static void away_again(evutil_socket_t fd, short what, void *context)
{
	struct rpc_away *away = context;
	const char *patterns[] = {away->job, NULL};
	const struct store_run_query query = {.jobs = patterns,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .number = away->run,
	    .limit = 1};
	const struct scheduler_reply reply = {.call = away_found, .context = away};

	(void)fd;
	(void)what;
	away->looking = true;
	scheduler_query_runs(away->scheduler, &query, reply);
}

/* ---- Its beginning ---- */

static struct rpc_away *away_new(
    struct rpc_call *call, const char *node, const struct value *run, struct scheduler_reply reply)
{
	struct rpc_away *away = calloc(1, sizeof(*away));

	if (!away)
		return NULL;
	away->again = event_new(rpc_base(connection_rpc(call->connection)), -1, 0, away_again, away);
	if (!rpc_call_copy(call, &away->asker) || !away->again) {
		away_free(away);
		return NULL;
	}
	away->scheduler = call->scheduler;
	away->params = away->asker.params;
	away->whole = true;
	away->call = call;
	away->reply = reply;
	away->run = (uint32_t)value_get_int(run, "run", 0);
	snprintf(away->node, sizeof(away->node), "%s", node);
	snprintf(away->job, sizeof(away->job), "%s", value_get_string(run, "job"));
	snprintf(away->view, sizeof(away->view), "%s", rpc_view(call));
	snprintf(away->id, sizeof(away->id), "%s", value_get_string(run, "id"));
	rpc_names_out_text(away->view, away->id);
	away->hook.closed = away_closed;
	away->hook.drained = away_drained;
	connection_attach(call->connection, &away->hook);
	return away;
}

void rpc_away_follow(
    struct rpc_call *call, const char *node, const struct value *run, struct scheduler_reply reply)
{
	struct rpc_away *away = away_new(call, node, run, reply);
	struct schedd_error err;
	struct value request;

	if (!away) {
		reply.call(schedd_error_nomem(&err), &err, NULL, reply.context);
		return;
	}
	request = rpc_forward_request(call, "run.log", &call->params, &call->arena);
	away->stream = rpc_stream_open(call, node, &request, &away_ops, away);
	if (away->stream)
		return;
	away->call = NULL;
	away_free(away);
	schedd_error_set(&err, SCHEDD_EFAILED, "node %s cannot be asked for now: try again", node);
	reply.call(err.code, &err, NULL, reply.context);
}
