/* SPDX-License-Identifier: MIT */
/*
 * A client that reads along: pieces of output as they come, then the end of the
 * run. What a slow reader cannot take is dropped, counted and told as a gap
 * when it reads again.
 */
#include "server/rpc/rpc_follow.h"

#include <stdio.h>
#include <stdlib.h>
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_view.h"

struct rpc_follow {
	struct connection_hook hook; /* first */
	struct schedd_scheduler *scheduler;
	struct output *output;            /* the run's, while it goes on */
	struct output_follower *follower; /* goes with the output */
	struct scheduler_wait *wait;      /* for the end of the run; NULL: it has come */
	int64_t number;                   /* names it to the client */
	char job[JOB_ID_MAX + 1];
	uint32_t run;
	char id[JOB_ID_MAX + 16]; /* "backup/42", as the client knows it */
	char view[JOB_ACCOUNT_MAX + 1]; /* whose ids stand alone; "": full ids */
	bool starting;            /* in the call that asks for the end of the run */
	bool over;                /* the end came already */
	int stream;               /* of enum output_stream; -1: all */
	uint64_t dropped;         /* bytes lost to the client and not yet told */
	struct arena arena;       /* of the end, once it has come */
	struct value end;         /* run.end, which waits for room; nil: it has not come */
};

/* The output, and what followed it, are gone once the run has ended. */
static void rpc_follow_leave(struct rpc_follow *follow)
{
	if (follow->follower &&
	    scheduler_run_output(follow->scheduler, follow->job, follow->run) == follow->output)
		output_unfollow(follow->follower);
	follow->follower = NULL;
}

static void rpc_follow_free(struct rpc_follow *follow)
{
	connection_detach(&follow->hook);
	rpc_follow_leave(follow);
	if (follow->wait)
		scheduler_wait_cancel(follow->wait);
	arena_clear(&follow->arena);
	free(follow);
}

static void rpc_follow_closed(struct connection_hook *hook)
{
	rpc_follow_free((struct rpc_follow *)hook);
}

const char *rpc_follow_stream(enum output_stream stream)
{
	return stream == OUTPUT_STDERR ? "stderr" : stream == OUTPUT_STDOUT ? "stdout" : "gap";
}

struct value rpc_follow_time(schedd_time when)
{
	return when == SCHEDD_TIME_NONE ? value_nil() : value_int(when);
}

/* False: it could not be sent. */
static bool rpc_follow_send(struct rpc_follow *follow, const struct output_piece *piece)
{
	struct value map = value_map();
	struct arena arena;
	bool sent;

	arena_init(&arena);
	value_put(&arena, &map, "follow", value_int(follow->number));
	value_put(&arena, &map, "run", value_string_ref(follow->id));
	value_put(&arena, &map, "stream", value_string_ref(rpc_follow_stream(piece->stream)));
	if (piece->bytes) {
		value_put(
		    &arena, &map, "data", value_string_n(&arena, piece->bytes, piece->length));
		value_put(&arena, &map, "time", rpc_follow_time(piece->when));
	} else {
		value_put(&arena, &map, "dropped", value_int((int64_t)piece->length));
	}
	sent =
	    !arena_failed(&arena) && connection_notify(follow->hook.connection, "run.output", &map);
	arena_clear(&arena);
	return sent;
}

static bool rpc_follow_send_gap(struct rpc_follow *follow)
{
	const struct output_piece gap = {.stream = OUTPUT_GAP, .length = (size_t)follow->dropped};

	return rpc_follow_send(follow, &gap);
}

static void rpc_follow_piece(const struct output_piece *piece, void *context)
{
	struct rpc_follow *follow = context;

	if (follow->stream >= 0 && piece->stream != OUTPUT_GAP &&
	    (int)piece->stream != follow->stream)
		return;
	/* Once something is lost the gap comes first, when the client has caught up. */
	if (follow->dropped || !rpc_follow_send(follow, piece)) {
		follow->dropped += piece->length;
		rpc_counters(connection_rpc(follow->hook.connection))->dropped++;
	}
}

/* What was lost, then the end, as far as the client takes them. False: it takes no more for now. */
static bool rpc_follow_catch_up(struct rpc_follow *follow)
{
	if (follow->dropped && !rpc_follow_send_gap(follow))
		return false;
	follow->dropped = 0;
	return follow->end.type == VALUE_NIL ||
	       connection_notify(follow->hook.connection, "run.end", &follow->end);
}

static void rpc_follow_drained(struct connection_hook *hook)
{
	struct rpc_follow *follow = (struct rpc_follow *)hook;

	if (rpc_follow_catch_up(follow) && follow->end.type != VALUE_NIL)
		rpc_follow_free(follow);
}

static void rpc_follow_ended(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_follow *follow = context;
	struct value map = value_map(), copy;
	struct arena *arena = &follow->arena;

	(void)err;
	follow->wait = NULL;
	rpc_follow_leave(follow);
	value_put(arena, &map, "follow", value_int(follow->number));
	value_put(arena, &map, "run", value_string_ref(follow->id));
	copy = rc ? value_nil() : value_copy(arena, result);
	rpc_names_out(follow->view, &copy, arena);
	value_put(arena, &map, "result", copy);
	follow->end = map;
	/* A client that does not read is told when it does. */
	follow->over = rpc_follow_catch_up(follow);
	if (follow->over && !follow->starting)
		rpc_follow_free(follow);
}

int rpc_follow_new(struct rpc_call *call, struct output *output, const char *job, uint32_t run,
    int stream, struct rpc_follow **out, struct schedd_error *err)
{
	struct rpc_follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return schedd_error_nomem(err);
	arena_init(&follow->arena);
	follow->end = value_nil();
	follow->scheduler = call->scheduler;
	follow->stream = stream;
	follow->run = run;
	follow->output = output;
	snprintf(follow->job, sizeof(follow->job), "%s", job);
	snprintf(follow->view, sizeof(follow->view), "%s", rpc_view(call));
	snprintf(follow->id, sizeof(follow->id), "%s/%u", follow->job, run);
	rpc_names_out_text(follow->view, follow->id);
	follow->number = connection_number(call->connection);
	follow->hook.closed = rpc_follow_closed;
	follow->hook.drained = rpc_follow_drained;
	connection_attach(call->connection, &follow->hook);
	follow->follower = output_follow(output, rpc_follow_piece, follow);
	if (!follow->follower) {
		rpc_follow_free(follow);
		return schedd_error_nomem(err);
	}
	*out = follow;
	return 0;
}

int64_t rpc_follow_number(const struct rpc_follow *follow)
{
	return follow->number;
}

void rpc_follow_start(struct rpc_follow *follow)
{
	struct scheduler_reply reply = {.call = rpc_follow_ended, .context = follow};

	follow->starting = true;
	follow->wait = scheduler_wait_run(follow->scheduler, follow->job, follow->run, reply);
	follow->starting = false;
	if (follow->over)
		rpc_follow_free(follow);
}
