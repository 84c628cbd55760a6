/* SPDX-License-Identifier: MIT */
/*
 * The answer holds what is kept so far; a follower continues exactly there,
 * since the end of it and the beginning of what follows are taken in one turn of
 * the loop. What may be large, the file, is read in pieces before that, between
 * which others have their turn.
 *
 * A run of another node's is asked of that node; once it is gone, of the store,
 * which keeps the end of what each run wrote.
 */
#include "server/rpc/rpc_rows.h"

#include <limits.h>
#include <string.h>
#include "executor/output_reader.h"
#include "executor/output_tail.h"
#include "model/run.h"
#include "server/rpc/rpc_away.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_call_turn.h"
#include "server/rpc/rpc_follow.h"
#include "server/rpc/rpc_forward.h"
#include "server/rpc/rpc_run.h"

#define RPC_LOG_PIECE_MAX (1 << 20) /* bytes of data in one answer */
#define RPC_LOG_STEP (64 << 10)     /* of the file, between two looks at the clock */

struct rpc_log {
	struct rpc_call *call;
	struct output_reader *reader; /* of its file; NULL: there is none */
	struct rpc_turn turn;         /* waits between two pieces */
	struct output_tail last;      /* where the last lines begin, until that is known */
	enum {
		RPC_LOG_COUNTS, /* the lines */
		RPC_LOG_PASSES, /* those before the last */
		RPC_LOG_TAKES,
	} step;
	struct value pieces;
	uint64_t skip;   /* bytes of data still to be skipped */
	uint64_t room;   /* bytes of data that still fit */
	uint64_t offset; /* of the end of what was taken */
	bool more;       /* something did not fit */
	int64_t tail;    /* only so many last lines; -1: all */
	int stream;      /* of enum output_stream; -1: all */
	struct value run;
	const char *node; /* it ran on */
	char why[80];     /* that cannot be asked; "": it can */
	const char *note; /* what has to be said of what is answered; NULL: nothing */
	uint64_t dropped; /* by a run that goes on, so far */
	bool first_gap;   /* what is kept begins in the middle */
};

static void rpc_log_gap(struct rpc_log *log, size_t length)
{
	struct value piece = value_map();

	value_put(&log->call->arena, &piece, "stream", value_string_ref("gap"));
	value_put(&log->call->arena, &piece, "dropped", value_int((int64_t)length));
	value_append(&log->call->arena, &log->pieces, piece);
}

static void rpc_log_piece(const struct output_piece *kept, void *context)
{
	struct rpc_log *log = context;
	struct arena *arena = &log->call->arena;
	struct value piece = value_map();
	const char *bytes = kept->bytes;
	size_t length = kept->length;

	if (kept->stream == OUTPUT_GAP) {
		log->first_gap |= log->offset == 0;
		if (log->skip == 0 && !log->more)
			rpc_log_gap(log, length);
		return;
	}
	if (log->stream >= 0 && (int)kept->stream != log->stream)
		return;
	if (length <= log->skip) {
		log->skip -= length;
		return;
	}
	bytes += log->skip;
	length -= log->skip;
	log->skip = 0;
	if (length > log->room) {
		log->more = true;
		length = log->room;
	}
	if (length == 0)
		return;
	log->room -= length;
	log->offset += length;
	value_put(arena, &piece, "stream", value_string_ref(rpc_follow_stream(kept->stream)));
	value_put(arena, &piece, "data", value_string_n(arena, bytes, length));
	value_put(arena, &piece, "time", rpc_follow_time(kept->when));
	value_append(arena, &log->pieces, piece);
}

/* stdout, stderr or both; false: neither, and the call was ended. */
static bool rpc_log_choose(struct rpc_call *call, int *out)
{
	const char *name = rpc_call_text(call, "stream");
	struct schedd_error err;

	*out = -1;
	if (name && strcmp(name, "stdout") == 0)
		*out = OUTPUT_STDOUT;
	else if (name && strcmp(name, "stderr") == 0)
		*out = OUTPUT_STDERR;
	if (!name || *out >= 0)
		return true;
	schedd_error_set(
	    &err, SCHEDD_EINVAL, "run.log: stream is stdout or stderr, not '%.32s'", name);
	rpc_call_fail(call, &err);
	return false;
}

/* Fills log from what is kept. */
static int rpc_log_gather(
    struct rpc_log *log, const struct output_source *source, struct schedd_error *err)
{
	int rc = 0;

	if (log->tail >= 0)
		rc = output_tail_offset(source, log->stream, (uint64_t)log->tail, &log->skip, err);
	log->offset = log->skip;
	return rc ? rc : output_source_read(source, rpc_log_piece, log, err);
}

static void rpc_log_answer(struct rpc_log *log, int64_t follow)
{
	struct rpc_call *call = log->call;
	struct arena *arena = &call->arena;
	struct value answer = value_map();

	value_put(arena, &answer, "run", *value_get(&log->run, "id"));
	value_put(arena, &answer, "state", *value_get(&log->run, "state"));
	value_put(arena, &answer, "pieces", log->pieces);
	value_put(
	    arena, &answer, "next", log->more ? value_int((int64_t)log->offset) : value_nil());
	value_put(arena, &answer, "dropped", value_int((int64_t)log->dropped));
	value_put(arena, &answer, "end", value_int((int64_t)log->offset));
	value_put(arena, &answer, "follow", follow ? value_int(follow) : value_nil());
	value_put(arena, &answer, "note", value_string_ref(log->note));
	rpc_call_answer_built(call, &answer);
}

/* ---- The run is another node's ---- */

/* What its node has of it cannot be had: in words. */
static void rpc_log_gone(struct rpc_log *log)
{
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_EFAILED,
	    "run %s: what it wrote is on node %s alone, which %s: start schedd there again, or look into "
	    "output/%s in its state directory",
	    value_get_string(&log->run, "id"), log->node, log->why, value_get_string(&log->run, "id"));
	rpc_call_fail(log->call, &err);
}

/* The end of it is kept in the store. */
static void rpc_log_kept(int rc, const struct schedd_error *err, const char *bytes, size_t length,
    void *context)
{
	struct rpc_log *log = context;
	const struct output_source source = {.bytes = bytes, .length = length};
	struct schedd_error broken;
	enum run_state state;
	bool wrote = value_get_int(&log->run, "output_bytes", 0) >
		     value_get_int(&log->run, "output_dropped", 0);

	if (!rc && length > 0)
		rc = rpc_log_gather(log, &source, &broken), err = &broken;
	if (rc) {
		rpc_call_fail(log->call, err);
		return;
	}
	if (!run_state_parse(value_get_string(&log->run, "state"), &state))
		state = RUN_LOST;
	if (length == 0 && log->why[0] && (wrote || state == RUN_LOST || !run_ended(state))) {
		rpc_log_gone(log);
		return;
	}
	if (log->first_gap && log->why[0])
		log->note = arena_printf(&log->call->arena,
		    "this is the end of it, as the store keeps it; the rest is on node %s, which %s", log->node,
		    log->why);
	rpc_log_answer(log, 0);
}

static void rpc_log_ask_store(struct rpc_log *log)
{
	scheduler_run_kept(log->call->scheduler, value_get_string(&log->run, "job"),
	    (uint32_t)value_get_int(&log->run, "run", 0), rpc_log_kept, log);
}

/* Its node answered, or went away meanwhile. */
static void rpc_log_told(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_log *log = context;

	if (rc && !scheduler_node_lives(log->call->scheduler, log->node, log->why, sizeof(log->why)))
		rpc_log_ask_store(log);
	else if (rc)
		rpc_call_fail(log->call, err);
	else
		rpc_call_answer(log->call, result);
}

/* False: it is here, or here is all there is. */
static bool rpc_log_elsewhere(struct rpc_log *log)
{
	struct rpc_call *call = log->call;
	const char *own = scheduler_node_name(call->scheduler);
	const struct scheduler_reply reply = {.call = rpc_log_told, .context = log};

	log->node = value_get_string(&log->run, "node");
	if (!own || !log->node || strcmp(log->node, own) == 0 ||
	    connection_peer(call->connection)->forwarded)
		return false;
	if (!scheduler_node_lives(call->scheduler, log->node, log->why, sizeof(log->why)))
		rpc_log_ask_store(log);
	else if (!rpc_call_bool(call, "follow") || !connection_is_open(call->connection))
		rpc_forward_to(call, log->node, reply);
	else
		rpc_away_follow(call, log->node, &log->run, reply);
	return true;
}

/* ---- It is here ---- */

static struct output *rpc_log_live(const struct rpc_log *log)
{
	return scheduler_run_output(log->call->scheduler, value_get_string(&log->run, "job"),
	    (uint32_t)value_get_int(&log->run, "run", 0));
}

/* All of it was taken, or as much as fits. */
static void rpc_log_taken(struct rpc_log *log)
{
	struct rpc_call *call = log->call;
	struct output *live = rpc_log_live(log);
	struct rpc_follow *follow = NULL;
	struct schedd_error err;

	log->dropped = live ? output_dropped(live) : 0;
	if (live && rpc_call_bool(call, "follow") && !log->more && connection_is_open(call->connection) &&
	    rpc_follow_new(call, live, value_get_string(&log->run, "job"),
		(uint32_t)value_get_int(&log->run, "run", 0), log->stream, &follow, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	rpc_log_answer(log, follow ? rpc_follow_number(follow) : 0);
	if (follow)
		rpc_follow_start(follow);
}

/* What each step does with what it reads. */
static struct output_wanted rpc_log_wanted(struct rpc_log *log)
{
	if (log->step == RPC_LOG_TAKES)
		return (struct output_wanted){.stream = log->stream,
		    .skip = &log->skip,
		    .enough = &log->more,
		    .piece = rpc_log_piece,
		    .context = log};
	return (struct output_wanted){.stream = log->stream,
	    .piece = log->step == RPC_LOG_COUNTS ? output_tail_count : output_tail_pass,
	    .context = &log->last};
}

/* Goes from one step to the next. False: there is none. */
static bool rpc_log_next_step(struct rpc_log *log)
{
	if (log->step == RPC_LOG_TAKES)
		return false;
	if (log->step == RPC_LOG_COUNTS && output_tail_counted(&log->last, (uint64_t)log->tail)) {
		log->step = RPC_LOG_PASSES;
	} else {
		log->step = RPC_LOG_TAKES;
		log->skip = log->offset = log->last.bytes;
	}
	if (log->reader)
		output_reader_rewind(log->reader);
	return true;
}

/* 1: there is more, 0: that was all, or -errno. */
static int rpc_log_read_some(struct rpc_log *log)
{
	struct output_wanted wanted = rpc_log_wanted(log);
	int rc = log->reader ? output_reader_some(log->reader, &wanted, RPC_LOG_STEP) : 0;
	struct output *live;

	if (rc)
		return rc;
	/* What is in memory comes behind the file, in the same turn. */
	live = rpc_log_live(log);
	if (live && !log->more)
		output_read_memory(live, wanted.piece, wanted.context);
	return rpc_log_next_step(log);
}

/* Some of it, and what comes of that. */
static void rpc_log_go(void *context)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct rpc_call *call = context;
	struct rpc_log *log = call->state;
	int64_t end = clock->mono(clock->context).us + RPC_TURN_PIECE;
	struct schedd_error err;
	int rc;

	while ((rc = rpc_log_read_some(log)) > 0) {
		/* What is in memory alone may be in a file by the next turn. */
		if (!log->reader || clock->mono(clock->context).us < end)
			continue;
		rpc_call_turn_wait(call, &log->turn);
		return;
	}
	if (rc < 0) {
		schedd_error_set(&err, SCHEDD_EFAILED, "the output of run %s cannot be read: %s",
		    value_get_string(&log->run, "id"), strerror(-rc));
		rpc_call_fail(call, &err);
		return;
	}
	rpc_log_taken(log);
}

static void rpc_log_release(struct rpc_call *call)
{
	struct rpc_log *log = call->state;

	rpc_turn_leave(connection_rpc(call->connection), &log->turn);
	output_reader_free(log->reader);
}

/* The run is known, and so is what is wanted of it. */
static void rpc_log_run(struct rpc_log *log)
{
	struct rpc_call *call = log->call;
	const char *job = value_get_string(&log->run, "job");
	uint32_t number = (uint32_t)value_get_int(&log->run, "run", 0);
	struct output *live = rpc_log_live(log);
	struct schedd_error err;
	char path[PATH_MAX];
	int rc = SCHEDD_ENOTFOUND;

	if (!live && rpc_log_elsewhere(log))
		return;
	if (scheduler_output_path(call->scheduler, job, number, path, sizeof(path)))
		rc = output_reader_open(path, &log->reader, &err);
	/* It wrote nothing, or it was cleared away; the store may have it. */
	if (rc == SCHEDD_ENOTFOUND && !live) {
		rpc_log_ask_store(log);
		return;
	}
	if (rc && rc != SCHEDD_ENOTFOUND) {
		rpc_call_fail(call, &err);
		return;
	}
	log->step = log->tail >= 0 ? RPC_LOG_COUNTS : RPC_LOG_TAKES;
	log->last = (struct output_tail){.stream = log->stream};
	log->offset = log->skip;
	log->turn.go = rpc_log_go;
	log->turn.context = call;
	call->state = log;
	call->release = rpc_log_release;
	rpc_log_go(call);
}

static void rpc_log_found(struct rpc_call *call, const struct value *run)
{
	struct rpc_log *log = arena_alloc(&call->arena, sizeof(*log));
	struct schedd_error err;

	if (log && run)
		*log = (struct rpc_log){.call = call, .pieces = value_array(), .run = value_copy(&call->arena, run)};
	if (!run || arena_failed(&call->arena)) {
		schedd_error_set(&err, run ? SCHEDD_ENOMEM : SCHEDD_ENOTFOUND,
		    run ? "out of memory" : "job '%.128s' has not run yet", rpc_call_text(call, "run"));
		rpc_call_fail(call, &err);
		return;
	}
	log->skip = (uint64_t)rpc_call_int(call, "offset", 0);
	log->tail = rpc_call_int(call, "tail", -1);
	if (rpc_log_choose(call, &log->stream) &&
	    rpc_call_limit(call, "limit", RPC_LOG_PIECE_MAX, RPC_LOG_PIECE_MAX, &log->room))
		rpc_log_run(log);
}

void rpc_log_read(struct rpc_call *call)
{
	rpc_run_find(call, rpc_log_found);
}
