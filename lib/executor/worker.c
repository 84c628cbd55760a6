/* SPDX-License-Identifier: MIT */
/*
 * A worker is given calls while it is ready and has a free seat. Each call is a
 * request whose msgid holds its seat, so that its answer is found at once.
 */
#include "executor/worker_state.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "executor/worker_answer.h"

#define WORKER_PROTOCOL 1
#define WORKER_PING_SEAT 0xffffU
/* After so long without a word it is asked whether it is there before it is relied on. */
#define WORKER_PING_AFTER SCHEDD_SECOND
#define WORKER_LEAVE (5 * SCHEDD_SECOND)
#define WORKER_CLOSED_FOR SCHEDD_SECOND
#define WORKER_WEIGH_EVERY (SCHEDD_SECOND / 20)

/* ---- What it says ---- */

static void worker_name(const struct worker *worker, char *text, size_t size)
{
	snprintf(text, size, "executor %s, worker %u (pid %ld)",
	    worker->pool->executor->config.name, worker->number,
	    (long)worker_process_pid(worker->process));
}

static void worker_to_front(struct worker *worker)
{
	struct worker_pool *pool = worker->pool;

	if (pool->workers == worker)
		return;
	worker->previous->next = worker->next;
	if (worker->next)
		worker->next->previous = worker->previous;
	worker->previous = NULL;
	worker->next = pool->workers;
	worker->next->previous = worker;
	pool->workers = worker;
}

static void worker_on_ready(struct worker *worker, const struct value *params)
{
	int64_t protocol = value_get_int(params, "protocol", 0);
	char reason[WORKER_REASON];

	if (worker->stage != WORKER_STARTING)
		return;
	if (protocol != WORKER_PROTOCOL) {
		snprintf(reason, sizeof(reason),
		    "it speaks protocol %lld, schedd speaks %d", (long long)protocol,
		    WORKER_PROTOCOL);
		worker_kill(worker, reason);
		return;
	}
	worker->stage = WORKER_READY;
	worker->ready = true;
	worker->since = worker_state_now(worker->pool);
	worker_to_front(worker);
	log_debug(worker->pool->executor->config.log, "executor %s: worker %u is ready",
	    worker->pool->executor->config.name, worker->number);
	worker->pool->turn(worker->pool);
}

static struct worker_task *worker_find(const struct worker *worker, const char *run)
{
	for (uint32_t i = 0; run && i < worker->seat_count; i++)
		if (worker->seats[i] &&
		    strcmp(job_id_plain(worker->seats[i]->task.request->run_id), run) == 0)
			return worker->seats[i];
	return NULL;
}

static void worker_output(const struct worker_task *task, enum output_stream stream,
    const char *bytes, size_t length)
{
	const struct task_request *request = task->task.request;
	enum job_capture capture = job_details(request->job)->capture;

	if (request->output && capture != JOB_CAPTURE_NONE)
		output_append(request->output,
		    capture == JOB_CAPTURE_SPLIT ? stream : OUTPUT_STDOUT, bytes, length,
		    schedd_clock_system()->wall(NULL));
}

static void worker_on_output(struct worker *worker, const struct value *params)
{
	const struct worker_task *task = worker_find(worker, value_get_string(params, "run"));
	const struct value *data = value_get(params, "data");
	const char *stream = value_get_string(params, "stream");

	if (task && data && data->type == VALUE_STRING)
		worker_output(task,
		    stream && strcmp(stream, "stderr") == 0 ? OUTPUT_STDERR : OUTPUT_STDOUT,
		    data->string.text, data->string.length);
}

static void worker_on_failed(struct worker *worker, const struct value *params)
{
	const char *text = value_get_string(params, "message");

	if (text)
		snprintf(worker->reason, sizeof(worker->reason), "%s", text);
}

static void worker_free_seat(struct worker *worker, uint32_t seat)
{
	worker->seats[seat] = NULL;
	worker->busy--;
	worker->since = worker_state_now(worker->pool);
}

static void worker_on_answer(struct worker *worker, const struct message *message)
{
	struct worker_pool *pool = worker->pool;
	uint32_t seat = message->msgid & 0xffffU;
	struct worker_task *task = seat < worker->seat_count ? worker->seats[seat] : NULL;
	struct task_result result;
	struct arena arena;

	if (worker->ping && message->msgid == worker->ping) {
		worker->ping = 0;
		pool->turn(pool);
		return;
	}
	if (!task || task->msgid != message->msgid)
		return; /* of a call that is over */
	arena_init(&arena);
	/* What it wrote before its end comes before its end. */
	worker_process_drain(worker->process);
	result = worker_answer_read(message, &arena);
	worker_free_seat(worker, seat);
	worker->served++;
	pool->served++;
	worker_to_front(worker);
	worker_review(worker, worker->since);
	if (worker_circuit_work(&pool->circuit))
		worker_state_failed(pool, NULL, false);
	worker_state_end_task(task, &result);
	arena_clear(&arena);
	pool->turn(pool);
}

static const struct {
	const char *method;
	void (*call)(struct worker *worker, const struct value *params);
} worker_notices[] = {
    {"output", worker_on_output},
    {"worker.ready", worker_on_ready},
    {"worker.failed", worker_on_failed},
};

static void worker_on_message(const struct message *message, void *context)
{
	struct worker *worker = context;

	if (message->type == MESSAGE_RESPONSE) {
		worker_on_answer(worker, message);
		return;
	}
	for (size_t i = 0; i < sizeof(worker_notices) / sizeof(worker_notices[0]); i++)
		if (strcmp(worker_notices[i].method, message->method) == 0) {
			worker_notices[i].call(worker, &message->params);
			return;
		}
	/* What a later protocol may say is not for us; a request waits for an answer. */
	if (message->type == MESSAGE_REQUEST)
		worker_kill(worker, "it asked for what schedd does not answer");
}

/* With one call at a time it can only be that call's. */
static void worker_on_raw(
    enum output_stream stream, const char *bytes, size_t length, void *context)
{
	struct worker *worker = context;
	char name[JOB_ID_MAX + 64];

	if (worker->seat_count == 1 && worker->seats[0]) {
		worker_output(worker->seats[0], stream, bytes, length);
		return;
	}
	worker_name(worker, name, sizeof(name));
	worker_log_write(&worker->log, worker->pool->executor->config.log, name,
	    worker_state_now(worker->pool), bytes, length);
}

static void worker_on_broken(const char *reason, void *context)
{
	struct worker *worker = context;

	if (reason) {
		worker_kill(worker, reason);
	} else if (worker->stage < WORKER_LEAVING) {
		/* Mostly its end follows at once, and says why. */
		worker->stage = WORKER_CLOSED;
		worker->by.us = worker_state_now(worker->pool).us + WORKER_CLOSED_FOR;
		worker->pool->turn(worker->pool);
	}
}

/* ---- Its end ---- */

/* Why, in words; for a failure of the pool. */
static void worker_explain(const struct worker *worker, const struct child_exit *status,
    char *text, size_t size)
{
	const char *name = status->signal ? sigabbrev_np(status->signal) : NULL;
	const char *when = worker->ready ? "" : " before it was ready";
	const char *said = worker->reason[0] ? worker->reason : worker->log.last;

	if (worker->stage == WORKER_KILLED)
		snprintf(text, size, "a worker was killed: %s", worker->reason);
	else if (status->signal)
		snprintf(text, size, "a worker was ended by signal %d (SIG%s)%s%s%s",
		    status->signal, name ? name : "?", when, said[0] ? ": " : "", said);
	else
		snprintf(text, size, "a worker exited with %d%s%s%s", status->exit_code, when,
		    said[0] ? ": " : "", said);
}

/* How its calls end with it. */
struct worker_death {
	const struct child_exit *status;
	bool killed; /* by us, for the worker's reason */
	bool guilty; /* because of one of its calls */
	bool unread; /* it did not even answer the ping before the call */
};

static void worker_end_call(
    struct worker_task *task, const struct worker *worker, const struct worker_death *death)
{
	const struct child_exit *status = death->status;
	char reason[WORKER_REASON + 64];
	struct task_result result = {.started = true,
	    .exit_code = -1,
	    .signal = status->signal,
	    .max_rss = status->max_rss,
	    .reason = reason};

	if (task->killed) {
		result.reason = NULL;
	} else if (death->guilty) {
		/* It shared a worker with the one that was killed. */
		snprintf(reason, sizeof(reason), "%s", worker->reason);
		result.signal = 0;
		result.lost = true;
	} else if (death->killed) {
		snprintf(reason, sizeof(reason), "its worker was killed: %s", worker->reason);
		result.signal = 0;
	} else if (status->signal) {
		result.reason = NULL; /* "ended by signal 11 (SIGSEGV)" */
	} else {
		snprintf(reason, sizeof(reason), "its worker exited with %d during the call",
		    status->exit_code);
	}
	worker_state_end_task(task, &result);
}

static void worker_end_calls(struct worker *worker, const struct worker_death *death)
{
	for (uint32_t i = 0; i < worker->seat_count; i++) {
		struct worker_task *task = worker->seats[i];

		if (!task)
			continue;
		worker_free_seat(worker, i);
		if (death->unread && !task->killed && !task->signal)
			worker_state_wait_first(worker->pool, task);
		else
			worker_end_call(task, worker, death);
	}
}

static void worker_on_gone(const struct child_exit *status, void *context)
{
	struct worker *worker = context;
	struct worker_pool *pool = worker->pool;
	struct worker_death death = {.status = status,
	    .killed = worker->stage == WORKER_KILLED,
	    .unread = worker->ping != 0};
	bool asked = worker->stage == WORKER_LEAVING;
	char reason[2 * WORKER_REASON + 128], name[JOB_ID_MAX + 64];

	worker_name(worker, name, sizeof(name));
	worker_log_finish(&worker->log, pool->executor->config.log, name, worker_state_now(pool));
	for (uint32_t i = 0; i < worker->seat_count; i++)
		death.guilty |= worker->seats[i] && worker->seats[i]->killed;
	worker_explain(worker, status, reason, sizeof(reason));
	worker->stage = WORKER_GONE;
	if (!asked && !death.guilty)
		worker_state_failed(pool, reason, worker->late);
	worker_end_calls(worker, &death);
	worker_free(worker, false);
	pool->turn(pool);
}

/* It was asked for in vain. */
static void worker_on_launch_failed(const struct schedd_error *err, void *context)
{
	struct worker *worker = context;
	struct worker_pool *pool = worker->pool;
	bool asked = worker->stage == WORKER_LEAVING;

	worker->stage = WORKER_GONE;
	if (!asked)
		worker_state_failed(pool, err->message, worker->late);
	worker_free(worker, false);
	pool->turn(pool);
}

static const struct worker_process_ops worker_process_calls = {
    .message = worker_on_message,
    .raw = worker_on_raw,
    .failed = worker_on_launch_failed,
    .broken = worker_on_broken,
    .gone = worker_on_gone,
};

/* ---- Life ---- */

static void worker_link(struct worker *worker)
{
	struct worker_pool *pool = worker->pool;

	worker->next = pool->workers;
	if (worker->next)
		worker->next->previous = worker;
	pool->workers = worker;
}

static struct worker *worker_alloc(
    struct worker_pool *pool, uint32_t seats, struct schedd_error *err)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker) {
		schedd_error_nomem(err);
		return NULL;
	}
	worker->pool = pool;
	worker->seats = calloc(seats, sizeof(worker->seats[0]));
	if (!worker->seats) {
		free(worker);
		schedd_error_nomem(err);
		return NULL;
	}
	worker->seat_count = seats;
	worker->number = ++pool->numbers;
	worker->born = worker->since = worker->weighed = worker_state_now(pool);
	worker->by.us = worker->pong_by.us = INT64_MAX;
	worker_link(worker);
	return worker;
}

struct worker *worker_new(struct worker_pool *pool, struct schedd_error *err)
{
	struct worker *worker = worker_alloc(pool, pool->config->concurrency, err);

	if (!worker)
		return NULL;
	worker->by.us = worker->born.us + pool->config->ready_timeout;
	worker->process = worker_process_new(&pool->executor->config, pool->world, pool->user,
	    &worker_process_calls, worker, err);
	if (worker->process)
		return worker;
	worker_free(worker, false);
	return NULL;
}

struct worker *worker_resume(
    struct worker_pool *pool, const struct value *from, struct schedd_error *err)
{
	uint32_t seats = (uint32_t)value_get_int(from, "seats", 1);
	struct worker *worker =
	    seats > 0 && seats <= WORKER_CONCURRENCY_MAX ? worker_alloc(pool, seats, err) : NULL;

	if (!worker)
		return NULL;
	worker->stage = WORKER_RETIRING; /* it has the code of before */
	worker->ready = true;
	worker->process = worker_process_resume(
	    &pool->executor->config, &worker_process_calls, worker, from, err);
	if (worker->process)
		return worker;
	worker_free(worker, false);
	return NULL;
}

void worker_free(struct worker *worker, bool let_go)
{
	struct worker_pool *pool = worker->pool;

	if (worker->previous)
		worker->previous->next = worker->next;
	else
		pool->workers = worker->next;
	if (worker->next)
		worker->next->previous = worker->previous;
	if (let_go)
		worker_process_let_go(worker->process);
	else
		worker_process_free(worker->process);
	free(worker->seats);
	free(worker);
}

static void worker_dismiss(struct worker *worker)
{
	worker->stage = WORKER_LEAVING;
	worker->by.us = worker_state_now(worker->pool).us + WORKER_LEAVE;
	worker_process_dismiss(worker->process);
}

void worker_retire(struct worker *worker)
{
	if (worker->stage >= WORKER_LEAVING)
		return;
	if (worker->stage == WORKER_STARTING)
		worker->by.us = INT64_MAX;
	worker->stage = WORKER_RETIRING;
	if (worker->busy == 0)
		worker_dismiss(worker);
}

void worker_kill(struct worker *worker, const char *reason)
{
	if (worker->stage >= WORKER_KILLED)
		return;
	worker->stage = WORKER_KILLED;
	worker->by.us = INT64_MAX;
	snprintf(worker->reason, sizeof(worker->reason), "%s", reason);
	worker_process_signal(worker->process, SIGKILL);
}

/* ---- Calls ---- */

bool worker_has_room(const struct worker *worker)
{
	return worker->stage == WORKER_READY && worker->busy < worker->seat_count && !worker->ping;
}

int worker_seat(struct worker *worker, struct worker_task *task, uint32_t msgid)
{
	uint32_t seat = msgid & 0xffffU;

	if (seat >= worker->seat_count || worker->seats[seat])
		return SCHEDD_EINVAL;
	worker->seats[seat] = task;
	worker->busy++;
	task->worker = worker;
	task->msgid = msgid;
	return 0;
}

/* A worker that was silent for a while may be stuck: no call waits behind that for long. */
static void worker_ask(struct worker *worker, struct schedd_mono now)
{
	uint32_t msgid = (++worker->serial & 0xffffU) << 16 | WORKER_PING_SEAT;

	if (worker->busy > 0 || now.us - worker->since.us < WORKER_PING_AFTER ||
	    worker_process_send(worker->process, msgid, "ping", NULL))
		return;
	worker->ping = msgid;
	worker->pong_by.us = now.us + worker->pool->config->ready_timeout;
}

bool worker_give(struct worker *worker, struct worker_task *task)
{
	struct worker_pool *pool = worker->pool;
	const struct task_request *request = task->task.request;
	const struct schedd_clock *clock = pool->executor->config.clock;
	uint32_t seat = 0;
	struct value params;
	int rc;

	while (worker->seats[seat])
		seat++;
	worker_ask(worker, worker_state_now(pool));
	if (!(++worker->serial & 0xffffU))
		worker->serial++;
	params = worker_answer_call(request, clock->wall(clock->context), &pool->arena);
	rc = arena_failed(&pool->arena)
		 ? SCHEDD_ENOMEM
		 : worker_seat(worker, task, (worker->serial & 0xffffU) << 16 | seat);
	if (!rc && worker_process_send(worker->process, task->msgid, "call", &params)) {
		worker_free_seat(worker, seat);
		task->worker = NULL;
		rc = SCHEDD_ENOMEM;
	}
	arena_reset(&pool->arena);
	return rc == 0;
}

void worker_cancel(struct worker *worker, const struct worker_task *task)
{
	struct arena arena;
	struct value params = value_map();

	arena_init(&arena);
	value_put(&arena, &params, "run", value_string_ref(job_id_plain(task->task.request->run_id)));
	if (arena_failed(&arena) || worker_process_send(worker->process, 0, "cancel", &params))
		log_error(worker->pool->executor->config.log, "run %s: no memory to cancel it",
		    task->task.request->run_id);
	arena_clear(&arena);
}

/* ---- Its rules ---- */

/* Memory is looked at now and then only: a call may take less time than that. */
static bool worker_too_big(struct worker *worker, struct schedd_mono now)
{
	int64_t most = worker->pool->config->max_rss;

	if (most < 0 || now.us - worker->weighed.us < WORKER_WEIGH_EVERY)
		return false;
	worker->weighed = now;
	return worker_process_rss(worker->process) > most;
}

static bool worker_too_old(const struct worker *worker, struct schedd_mono now)
{
	const struct worker_config *config = worker->pool->config;

	if (config->max_calls >= 0 && worker->served >= (uint64_t)config->max_calls)
		return true;
	return config->max_age != SCHEDD_SPAN_NONE && now.us - worker->born.us >= config->max_age;
}

/* No silence is longer than its limit, unless the pool is to keep so many. */
static bool worker_too_idle(const struct worker *worker, struct schedd_mono now)
{
	const struct worker_pool *pool = worker->pool;
	uint32_t count = 0;

	if (worker->busy > 0 || pool->config->idle == SCHEDD_SPAN_NONE ||
	    now.us - worker->since.us < pool->config->idle)
		return false;
	for (const struct worker *other = pool->workers; other; other = other->next)
		count += other->stage <= WORKER_READY;
	return count > pool->min;
}

static void worker_be_late(struct worker *worker)
{
	const char *said = worker->log.last;
	char reason[WORKER_REASON];

	worker->late = true;
	snprintf(reason, sizeof(reason), "it was not ready after ready_timeout, %g s%s%.160s",
	    (double)worker->pool->config->ready_timeout / SCHEDD_SECOND, said[0] ? ": " : "", said);
	worker_kill(worker, reason);
}

void worker_review(struct worker *worker, struct schedd_mono now)
{
	if (worker->ping && now.us >= worker->pong_by.us)
		worker_kill(worker, "it does not answer a ping");
	else if (worker->stage == WORKER_STARTING && now.us >= worker->by.us)
		worker_be_late(worker);
	else if (worker->stage == WORKER_CLOSED && now.us >= worker->by.us)
		worker_kill(worker, "it closed its connection to schedd");
	else if (worker->stage == WORKER_LEAVING && now.us >= worker->by.us)
		worker_process_signal(worker->process, SIGKILL);
	else if (worker->stage == WORKER_RETIRING && worker->busy == 0)
		worker_dismiss(worker);
	else if (worker->stage == WORKER_READY &&
		 (worker_too_old(worker, now) || worker_too_big(worker, now) ||
		     worker_too_idle(worker, now)))
		worker_retire(worker);
}

struct schedd_mono worker_due(const struct worker *worker, struct schedd_mono now)
{
	const struct worker_config *config = worker->pool->config;
	struct schedd_mono due = worker->by;

	if (worker->ping && worker->pong_by.us < due.us)
		due = worker->pong_by;
	if (worker->stage != WORKER_READY)
		return due;
	due.us = worker->ping ? worker->pong_by.us : INT64_MAX;
	if (config->max_age != SCHEDD_SPAN_NONE && worker->born.us + config->max_age < due.us)
		due.us = worker->born.us + config->max_age;
	if (worker->busy == 0 && config->idle != SCHEDD_SPAN_NONE &&
	    worker->since.us + config->idle < due.us &&
	    worker->since.us + config->idle > now.us) /* one that is kept has been idle for long */
		due.us = worker->since.us + config->idle;
	return due;
}
