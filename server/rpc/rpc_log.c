/* SPDX-License-Identifier: MIT */
/*
 * The answer holds what is kept so far; a follower continues exactly there,
 * since both are taken in one turn of the loop.
 */
#include "server/rpc/rpc_rows.h"

#include <limits.h>
#include <string.h>
#include "executor/output_tail.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_follow.h"
#include "server/rpc/rpc_run.h"

#define RPC_LOG_PIECE_MAX (1 << 20) /* bytes of data in one answer */

struct rpc_log {
	struct rpc_call *call;
	struct value pieces;
	uint64_t skip;   /* bytes of data still to be skipped */
	uint64_t room;   /* bytes of data that still fit */
	uint64_t offset; /* of the end of what was taken */
	bool more;       /* something did not fit */
	int64_t tail;    /* only so many last lines; -1: all */
	int stream;      /* of enum output_stream; -1: all */
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

/* Fills log from the live output, or from what is kept of a run that has ended. */
static int rpc_log_gather(struct rpc_log *log, struct output *live, const char *job,
    uint32_t number, struct schedd_error *err)
{
	char path[PATH_MAX];
	int rc = 0;

	if (!live && !scheduler_output_path(log->call->scheduler, job, number, path, sizeof(path)))
		return 0;
	if (log->tail >= 0)
		rc = output_tail_offset(
		    live, path, log->stream, (uint64_t)log->tail, &log->skip, err);
	log->offset = log->skip;
	if (!rc && live)
		output_read(live, rpc_log_piece, log);
	else if (!rc)
		rc = output_read_file(path, rpc_log_piece, log, err);
	return rc == SCHEDD_ENOTFOUND ? 0 : rc; /* it wrote nothing, or it was cleared away */
}

static void rpc_log_answer(
    struct rpc_call *call, const struct rpc_log *log, const struct value *run, int64_t follow)
{
	struct arena *arena = &call->arena;
	struct value answer = value_map();

	value_put(arena, &answer, "run", *value_get(run, "id"));
	value_put(arena, &answer, "state", *value_get(run, "state"));
	value_put(arena, &answer, "pieces", log->pieces);
	value_put(
	    arena, &answer, "next", log->more ? value_int((int64_t)log->offset) : value_nil());
	value_put(arena, &answer, "follow", follow ? value_int(follow) : value_nil());
	rpc_call_answer_built(call, &answer);
}

/* The run is known, and so is what is wanted of it. */
static void rpc_log_run(struct rpc_call *call, struct rpc_log *log, const struct value *run)
{
	const char *job = value_get_string(run, "job");
	uint32_t number = (uint32_t)value_get_int(run, "run", 0);
	struct output *live = scheduler_run_output(call->scheduler, job, number);
	struct rpc_follow *follow = NULL;
	struct schedd_error err;
	int rc = rpc_log_gather(log, live, job, number, &err);

	if (!rc && live && rpc_call_bool(call, "follow") && !log->more &&
	    connection_is_open(call->connection))
		rc = rpc_follow_new(call, live, job, number, log->stream, &follow, &err);
	if (rc) {
		rpc_call_fail(call, &err);
		return;
	}
	rpc_log_answer(call, log, run, follow ? rpc_follow_number(follow) : 0);
	if (follow)
		rpc_follow_start(follow);
}

static void rpc_log_found(struct rpc_call *call, const struct value *run)
{
	struct rpc_log log = {.call = call, .pieces = value_array()};
	struct schedd_error err;

	if (!run) {
		schedd_error_set(&err, SCHEDD_ENOTFOUND, "job '%.128s' has not run yet",
		    rpc_call_text(call, "run"));
		rpc_call_fail(call, &err);
		return;
	}
	log.skip = (uint64_t)rpc_call_int(call, "offset", 0);
	log.tail = rpc_call_int(call, "tail", -1);
	if (rpc_log_choose(call, &log.stream) &&
	    rpc_call_limit(call, "limit", RPC_LOG_PIECE_MAX, RPC_LOG_PIECE_MAX, &log.room))
		rpc_log_run(call, &log, run);
}

void rpc_log_read(struct rpc_call *call)
{
	rpc_run_find(call, rpc_log_found);
}
