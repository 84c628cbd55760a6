/* SPDX-License-Identifier: MIT */
/* The embedders' questions: jobs and runs as JSON, output, and the wait for an end. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/json.h"
#include "core/top/scheduler_life.h"
#include "core/top/scheduler_request.h"
#include "executor/output.h"

#define RUNS_LIMIT 100

/* ---- Jobs ---- */

struct public_list {
	struct schedd_scheduler *scheduler;
	struct arena arena;
	struct value jobs;
};

static void public_list_one(const char *id, void *context)
{
	struct public_list *list = context;

	value_append(
	    &list->arena, &list->jobs, scheduler_job_value(list->scheduler, id, &list->arena));
}

static void public_make_list(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;
	const char *const patterns[] = {request->text, NULL};
	struct scheduler_job_query query = {
	    .patterns = request->text ? patterns : NULL, .due_before = SCHEDD_TIME_NONE};
	struct public_list list = {.scheduler = call->scheduler, .jobs = value_array()};
	struct strbuf next = STRBUF_EMPTY;

	arena_init(&list.arena);
	request->rc = scheduler_job_find(
	    call->scheduler, &query, public_list_one, &list, &next, &request->err);
	if (!request->rc && arena_failed(&list.arena))
		request->rc = schedd_error_nomem(&request->err);
	if (!request->rc)
		scheduler_request_json(request, &list.jobs);
	strbuf_clear(&next);
	arena_clear(&list.arena);
	request->done = true;
}

int schedd_scheduler_list(
    struct schedd_scheduler *scheduler, const char *pattern, char **json, struct schedd_error *err)
{
	struct scheduler_request request = {.text = pattern};

	*json = NULL;
	if (scheduler_request_make(scheduler, &request, public_make_list, err) == 0)
		*json = request.json;
	return request.rc;
}

/* ---- Runs ---- */

static void public_make_history(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;
	const char *const jobs[] = {request->id, NULL};
	struct store_run_query query = {.jobs = request->id ? jobs : NULL,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .number = request->run,
	    .limit = request->limit};

	scheduler_query_runs(call->scheduler, &query, scheduler_request_reply(request));
}

int schedd_scheduler_history(struct schedd_scheduler *scheduler, const char *id, unsigned limit,
    char **json, struct schedd_error *err)
{
	struct scheduler_request request = {
	    .id = id, .limit = limit ? limit : RUNS_LIMIT, .key = "runs"};

	*json = NULL;
	if (scheduler_request_make(scheduler, &request, public_make_history, err) == 0)
		*json = request.json;
	else
		free(request.json);
	return request.rc;
}

static void public_make_kill(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;

	scheduler_kill(call->scheduler, request->id, request->run, request->signal,
	    &scheduler_request_actor, scheduler_request_reply(request));
}

int schedd_scheduler_kill(struct schedd_scheduler *scheduler, const char *id, uint32_t run,
    int signal, struct schedd_error *err)
{
	struct scheduler_request request = {.id = id, .run = run, .signal = signal};

	return scheduler_request_make(scheduler, &request, public_make_kill, err);
}

/* ---- Output ---- */

struct public_output {
	struct strbuf text;
	unsigned streams; /* set of 1 << enum output_stream */
};

static void public_output_piece(const struct output_piece *piece, void *context)
{
	struct public_output *output = context;

	if (piece->bytes && (output->streams & 1U << piece->stream))
		strbuf_add_n(&output->text, piece->bytes, piece->length);
}

static void public_make_output(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;
	struct public_output output = {.text = STRBUF_EMPTY, .streams = request->flags};
	const struct output *live;
	char path[4096];

	request->done = true;
	live = scheduler_run_output(call->scheduler, request->id, request->run);
	if (live)
		output_read(live, public_output_piece, &output);
	else if (!scheduler_output_path(
		     call->scheduler, request->id, request->run, path, sizeof(path)))
		request->rc = schedd_error_set(&request->err, SCHEDD_ENOTFOUND,
		    "run %s/%u: its output is not kept, the scheduler has no state directory",
		    request->id, request->run);
	else
		request->rc = output_read_file(path, public_output_piece, &output, &request->err);
	if (!request->rc && strbuf_failed(&output.text))
		request->rc = schedd_error_nomem(&request->err);
	request->length = output.text.length;
	if (request->rc)
		strbuf_clear(&output.text);
	else if (!(request->json = strbuf_take(&output.text)))
		request->rc = schedd_error_nomem(&request->err);
}

int schedd_scheduler_output(struct schedd_scheduler *scheduler, const char *id, uint32_t run,
    enum schedd_stream stream, char **bytes, size_t *length, struct schedd_error *err)
{
	static const unsigned streams[] = {
	    [SCHEDD_STREAM_ALL] = 1U << OUTPUT_STDOUT | 1U << OUTPUT_STDERR,
	    [SCHEDD_STREAM_STDOUT] = 1U << OUTPUT_STDOUT,
	    [SCHEDD_STREAM_STDERR] = 1U << OUTPUT_STDERR,
	};
	struct scheduler_request request = {.id = id, .run = run};

	*bytes = NULL;
	*length = 0;
	if ((unsigned)stream >= sizeof(streams) / sizeof(streams[0]))
		return schedd_error_set(err, SCHEDD_EINVAL, "stream: %d is none", (int)stream);
	request.flags = streams[stream];
	if (scheduler_request_make(scheduler, &request, public_make_output, err) == 0) {
		*bytes = request.json;
		*length = request.length;
	}
	return request.rc;
}

/* ---- Waiting ---- */

/* Somebody who waits for a run's end, on a thread that is not the loop's, or turning the loop. */
struct public_wait {
	struct scheduler_call call;
	struct scheduler_wait *wait; /* NULL: answered, or not begun */
	const char *id;
	uint32_t run;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool answered;
	int rc;
	int exit_code;
	struct schedd_error err;
};

static void public_wait_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct public_wait *wait = context;

	pthread_mutex_lock(&wait->lock);
	wait->wait = NULL;
	wait->rc = rc;
	if (rc && err)
		wait->err = *err;
	wait->exit_code = (int)value_get_int(result, "exit_code", -1);
	wait->answered = true;
	pthread_cond_broadcast(&wait->changed);
	pthread_mutex_unlock(&wait->lock);
}

static void public_wait_begin(struct scheduler_call *call)
{
	struct public_wait *wait = (struct public_wait *)(void *)call;
	struct scheduler_wait *handle;
	bool answered;

	wait->rc = scheduler_load(call->scheduler, &wait->err);
	if (wait->rc) {
		wait->answered = true;
		return;
	}
	handle = scheduler_wait_run(call->scheduler, wait->id, wait->run,
	    (struct scheduler_reply){public_wait_answered, wait});
	pthread_mutex_lock(&wait->lock);
	answered = wait->answered;
	if (!answered)
		wait->wait = handle;
	pthread_mutex_unlock(&wait->lock);
}

static void public_wait_end(struct scheduler_call *call)
{
	struct public_wait *wait = (struct public_wait *)(void *)call;

	if (wait->wait)
		scheduler_wait_cancel(wait->wait);
	wait->wait = NULL;
}

/* Another thread drives the loop. */
static void public_wait_sleep(struct public_wait *wait, schedd_span limit)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	if (limit != SCHEDD_SPAN_NONE) {
		until.tv_sec += (time_t)(limit / SCHEDD_SECOND);
		until.tv_nsec += (long)(limit % SCHEDD_SECOND) * 1000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	}
	pthread_mutex_lock(&wait->lock);
	while (!wait->answered) {
		int rc = limit == SCHEDD_SPAN_NONE
			     ? pthread_cond_wait(&wait->changed, &wait->lock)
			     : pthread_cond_timedwait(&wait->changed, &wait->lock, &until);

		if (rc == ETIMEDOUT)
			break;
	}
	pthread_mutex_unlock(&wait->lock);
}

/* This thread does. */
static void public_wait_turn(
    struct schedd_scheduler *scheduler, struct public_wait *wait, schedd_span limit)
{
	int64_t end = limit == SCHEDD_SPAN_NONE ? INT64_MAX : scheduler_mono(scheduler).us + limit;

	while (!wait->answered) {
		int64_t left = end - scheduler_mono(scheduler).us;

		if (left <= 0)
			return;
		/* In milliseconds, rounded up. */
		left = left / 1000 + 1;
		if (schedd_loop_dispatch(scheduler->loop,
			end == INT64_MAX ? -1 : (int)(left < 60000 ? left : 60000)) < 0)
			return;
	}
}

static int public_wait_refuse(const struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	if (scheduler->depth)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "a listener or job function cannot wait for a run: nothing goes on meanwhile");
	if (!scheduler->loop_owned)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "the loop is the host's: turn it, and listen for the end of the run");
	return 0;
}

int schedd_scheduler_wait(struct schedd_scheduler *scheduler, const char *id, uint32_t run,
    schedd_span limit, int *exit_code, struct schedd_error *err)
{
	struct public_wait wait = {.id = id, .run = run, .exit_code = -1};
	bool apart = scheduler_has_thread(scheduler);
	pthread_condattr_t monotonic;
	int rc = apart ? 0 : public_wait_refuse(scheduler, err);

	if (rc)
		return rc;
	if (limit < 0 && limit != SCHEDD_SPAN_NONE)
		limit = 0;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&wait.lock, NULL);
	pthread_cond_init(&wait.changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	wait.call = (struct scheduler_call){.scheduler = scheduler, .run = public_wait_begin};
	scheduler_call(&wait.call);
	if (apart)
		public_wait_sleep(&wait, limit);
	else
		public_wait_turn(scheduler, &wait, limit);
	if (!wait.answered) {
		wait.call = (struct scheduler_call){.scheduler = scheduler, .run = public_wait_end};
		scheduler_call(&wait.call);
	}
	if (!wait.answered)
		wait.rc = schedd_error_set(
		    &wait.err, SCHEDD_ETIMEOUT, "run %s/%u has not ended", id, run);
	pthread_cond_destroy(&wait.changed);
	pthread_mutex_destroy(&wait.lock);
	if (wait.rc && err)
		*err = wait.err;
	if (!wait.rc && exit_code)
		*exit_code = wait.exit_code;
	return wait.rc;
}
