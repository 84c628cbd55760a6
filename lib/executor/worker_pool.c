/* SPDX-License-Identifier: MIT */
/*
 * Calls wait in the order they came. One alarm stands for all that time brings;
 * it is set only to be earlier, so that a call does not touch it.
 */
#include "executor/worker_pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/log.h"
#include "executor/worker_state.h"

#define POOL_CLOSE_TURNS 200 /* of 10 ms: how long a closing pool waits for its processes */

/* ---- Workers for the calls ---- */

/* The least busy one; of equals the one that was busy last. */
static struct worker *pool_pick(const struct worker_pool *pool)
{
	struct worker *best = NULL;

	for (struct worker *worker = pool->workers; worker; worker = worker->next)
		if (worker_has_room(worker) && (!best || worker->busy < best->busy))
			best = worker;
	return best;
}

static void pool_begin(struct worker_pool *pool, struct worker *worker, struct worker_task *task)
{
	const struct task_request *request = task->task.request;
	struct task_result result = {.exit_code = -1, .reason = "out of memory"};

	worker_state_unwait(pool, task);
	if (!worker_give(worker, task)) {
		worker_state_end_task(task, &result);
		return;
	}
	request->started(worker_process_pid(worker->process),
	    worker_process_start(worker->process), request->context);
}

static uint32_t pool_count(const struct worker_pool *pool, enum worker_stage last)
{
	uint32_t count = 0;

	for (const struct worker *worker = pool->workers; worker; worker = worker->next)
		count += worker->stage <= last;
	return count;
}

static void pool_add_worker(struct worker_pool *pool)
{
	struct schedd_error err;

	pool->starts++;
	if (!worker_new(pool, &err))
		worker_state_failed(pool, err.message, false);
}

/* As many as the calls that wait need, and as the rules allow. */
static void pool_staff(struct worker_pool *pool)
{
	uint32_t seats = pool->config->concurrency, live, starting, wanted = 0;

	for (;;) {
		live = pool_count(pool, WORKER_READY);
		starting = 0;
		wanted = 0;
		for (const struct worker *worker = pool->workers; worker; worker = worker->next)
			starting += worker->stage == WORKER_STARTING;
		for (const struct worker_task *task = pool->waiting;
		     task && wanted <= starting * seats; task = task->next)
			wanted++;
		if (live >= pool->config->processes ||
		    (wanted <= starting * seats && live >= pool->min) ||
		    !worker_circuit_allows(&pool->circuit, worker_state_now(pool), starting))
			return;
		pool_add_worker(pool);
	}
}

/* ---- What time brings ---- */

static struct schedd_mono pool_task_due(
    const struct worker_pool *pool, const struct worker_task *task, struct schedd_mono now)
{
	const struct schedd_clock *clock = pool->executor->config.clock;
	schedd_time start_by = task->task.request->start_by;

	if (task->signal)
		return now;
	/* That a worker takes its time to start is no lateness; that none does is. */
	if (start_by == SCHEDD_TIME_NONE || !pool->circuit.failures)
		return (struct schedd_mono){INT64_MAX};
	return (struct schedd_mono){now.us + (start_by - clock->wall(clock->context))};
}

static struct schedd_mono pool_due(const struct worker_pool *pool, struct schedd_mono now)
{
	struct schedd_mono due = {INT64_MAX};

	for (const struct worker *worker = pool->workers; worker; worker = worker->next) {
		struct schedd_mono next = worker_due(worker, now);

		if (next.us < due.us)
			due = next;
	}
	for (const struct worker_task *task = pool->waiting; task; task = task->next) {
		struct schedd_mono next = pool_task_due(pool, task, now);

		if (next.us < due.us)
			due = next;
	}
	if ((pool->waiting || pool_count(pool, WORKER_READY) < pool->min) &&
	    pool->circuit.retry.us > now.us && pool->circuit.retry.us < due.us)
		due = pool->circuit.retry;
	return due;
}

static void pool_arm(struct worker_pool *pool)
{
	struct schedd_mono due = pool_due(pool, worker_state_now(pool));

	if (due.us < pool->armed.us && !alarm_set_mono(pool->alarm, due))
		pool->armed = due;
}

/* Calls that waited too long, or were ended meanwhile. */
static void pool_expire(struct worker_pool *pool, struct schedd_mono now)
{
	struct worker_task *task = pool->waiting, *next;

	for (; task; task = next) {
		char reason[WORKER_REASON + 96];
		struct task_result result = {
		    .exit_code = -1, .signal = task->signal, .reason = NULL};

		next = task->next;
		if (pool_task_due(pool, task, now).us > now.us)
			continue;
		if (!task->signal) {
			snprintf(reason, sizeof(reason),
			    "no worker before its misfire_grace_time was over%s%s",
			    pool->circuit.reason[0] ? ": " : "", pool->circuit.reason);
			result.reason = reason;
		}
		worker_state_unwait(pool, task);
		worker_state_end_task(task, &result);
		next = pool->waiting; /* the end of one may bring or take others */
	}
}

static void pool_turn(struct worker_pool *pool);

static void pool_on_alarm(bool stepped, void *context)
{
	struct worker_pool *pool = context;
	struct schedd_mono now = worker_state_now(pool);

	(void)stepped;
	pool->armed.us = INT64_MAX;
	for (struct worker *worker = pool->workers; worker; worker = worker->next)
		worker_review(worker, now);
	pool_expire(pool, now);
	pool_turn(pool);
}

/* How many calls its workers could take now. */
static uint32_t pool_room(const struct worker_pool *pool)
{
	uint32_t room = 0;

	for (const struct worker *worker = pool->workers; worker; worker = worker->next)
		if (worker_has_room(worker))
			room += worker->seat_count - worker->busy;
	return room;
}

static void pool_turn(struct worker_pool *pool)
{
	uint32_t taken_back = 0;
	struct worker *worker;

	if (pool->closing)
		return;
	/* What is taken back comes again, and takes a seat then: no more than there are. */
	while (pool->waiting && (worker = pool_pick(pool))) {
		const struct task_request *request = pool->waiting->task.request;

		if (!request->begins || request->begins(request->context))
			pool_begin(pool, worker, pool->waiting);
		else if (++taken_back >= pool_room(pool))
			break;
	}
	pool_staff(pool);
	pool_arm(pool);
}

/* ---- Life ---- */

struct worker_pool *worker_pool_new(struct executor *executor, struct worker_world *world,
    const char *user, struct schedd_error *err)
{
	struct worker_pool *pool = calloc(1, sizeof(*pool));

	if (!pool) {
		schedd_error_nomem(err);
		return NULL;
	}
	pool->executor = executor;
	pool->world = world;
	pool->config = worker_world_config(world);
	pool->turn = pool_turn;
	/* No account's processes wait for calls that may never come. */
	pool->min = user ? 0 : pool->config->min;
	pool->armed.us = INT64_MAX;
	arena_init(&pool->arena);
	pool->user = user ? strdup(user) : NULL;
	pool->alarm = alarm_new_mono(executor->config.loop, pool_on_alarm, pool, err);
	if (pool->alarm && !user == !pool->user) {
		/* Those that are always to be there; not before the host's loop turns. */
		if (pool->min > 0 && !alarm_set_mono(pool->alarm, worker_state_now(pool)))
			pool->armed = worker_state_now(pool);
		return pool;
	}
	worker_pool_free(pool);
	return NULL;
}

const char *worker_pool_user(const struct worker_pool *pool)
{
	return pool->user;
}

void worker_pool_dismiss(struct worker_pool *pool)
{
	if (!pool || pool->closing)
		return;
	pool->closing = true;
	for (struct worker *worker = pool->workers; worker; worker = worker->next)
		worker_process_dismiss(worker->process);
}

void worker_pool_free(struct worker_pool *pool)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	bool left = true;

	if (!pool)
		return;
	worker_pool_dismiss(pool);
	for (int i = 0; i < POOL_CLOSE_TURNS && left; i++) {
		left = false;
		for (struct worker *worker = pool->workers; worker; worker = worker->next)
			left |= !worker_process_ended(worker->process);
		if (left)
			nanosleep(&pause, NULL);
	}
	while (pool->workers)
		worker_free(pool->workers, false);
	alarm_free(pool->alarm);
	arena_clear(&pool->arena);
	free(pool->user);
	free(pool);
}

void worker_pool_restart(struct worker_pool *pool)
{
	for (struct worker *worker = pool->workers; worker; worker = worker->next)
		worker_retire(worker);
	if (worker_circuit_work(&pool->circuit))
		worker_state_failed(pool, NULL, false);
	pool_turn(pool);
}

bool worker_pool_owns(const struct worker_pool *pool, pid_t pid)
{
	const struct worker *worker = pool->workers;

	while (worker && worker_process_pid(worker->process) != pid)
		worker = worker->next;
	return worker != NULL;
}

void worker_pool_status(const struct worker_pool *pool, struct arena *arena, struct value *map)
{
	struct value pids = value_array();
	uint32_t idle = 0;

	for (const struct worker *worker = pool->workers; worker; worker = worker->next) {
		pid_t pid = worker_process_pid(worker->process);

		if (pid > 0)
			value_append(arena, &pids, value_int(pid));
		idle += worker->stage == WORKER_READY && worker->busy == 0;
	}
	value_put(arena, map, "processes", value_int(pids.array.count));
	value_put(arena, map, "idle", value_int(idle));
	value_put(arena, map, "pids", pids);
	value_put(arena, map, "starts", value_int((int64_t)pool->starts));
	value_put(arena, map, "calls", value_int((int64_t)pool->served));
	value_put(arena, map, "failing", value_bool(worker_circuit_open(&pool->circuit)));
	value_put(arena, map, "reason",
	    value_string(arena, pool->circuit.reason[0] ? pool->circuit.reason : NULL));
}

/* ---- Calls ---- */

static struct worker_task *pool_task(
    struct worker_pool *pool, const struct task_request *request)
{
	struct worker_task *task = calloc(1, sizeof(*task));

	if (task) {
		task->task.executor = pool->executor;
		task->task.request = request;
		task->pool = pool;
	}
	return task;
}

struct task *worker_pool_start(struct worker_pool *pool, const struct task_request *request)
{
	struct worker_task *task = pool_task(pool, request);

	if (!task)
		return executor_fail(pool->executor, request, "out of memory");
	/* Who comes now may begin; those that wait already are to be asked first. */
	worker_state_wait_first(pool, task);
	pool_turn(pool);
	if (pool->waiting == task) {
		worker_state_unwait(pool, task);
		worker_state_wait(pool, task);
		if (request->waits)
			request->waits(request->context);
	}
	return &task->task;
}

int worker_pool_signal(struct task *base, int signal, struct schedd_error *err)
{
	struct worker_task *task = (struct worker_task *)base;
	struct worker *worker = task->worker;
	bool asked = task->signal != 0;
	char reason[WORKER_REASON];

	(void)err;
	task->signal = signal;
	if (!worker) {
		pool_arm(task->pool);
		return 0;
	}
	if (signal != SIGKILL) {
		if (!asked)
			worker_cancel(worker, task);
		return 0;
	}
	task->killed = true;
	snprintf(reason, sizeof(reason), "its worker was killed because of run %.140s",
	    base->request->run_id);
	worker_kill(worker, reason);
	return 0;
}

const char *worker_pool_waits(const struct task *base)
{
	const struct worker_task *task = (const struct worker_task *)base;
	const char *reason = task->pool->circuit.reason;

	if (task->worker)
		return NULL;
	for (const struct worker *worker = task->pool->workers; worker; worker = worker->next)
		if (worker->stage == WORKER_READY)
			return "all that are there are busy";
	return reason[0] ? reason : "its worker is not ready yet";
}

/* ---- In another program's hands ---- */

void worker_pool_release(struct task *base, struct arena *arena, struct value *out)
{
	struct worker_task *task = (struct worker_task *)base;
	struct worker *worker = task->worker;

	if (!worker) {
		value_put(arena, out, "waiting", value_bool(true));
		worker_state_unwait(task->pool, task);
		free(task);
		return;
	}
	worker_process_save(worker->process, arena, out);
	value_put(arena, out, "seats", value_int(worker->seat_count));
	value_put(arena, out, "msgid", value_int(task->msgid));
	value_put(arena, out, "signal", value_int(task->signal));
	worker->seats[task->msgid & 0xffffU] = NULL;
	worker->stage = WORKER_RETIRING;
	free(task);
	if (--worker->busy == 0)
		worker_free(worker, true);
}

static int pool_reseat(struct worker_pool *pool, struct worker_task *task,
    const struct value *from, struct schedd_error *err)
{
	pid_t pid = (pid_t)value_get_int(from, "pid", 0);
	struct worker *worker = pool->workers;

	while (worker && worker_process_pid(worker->process) != pid)
		worker = worker->next;
	if (!worker)
		worker = worker_resume(pool, from, err);
	else
		worker_process_save_close(from);
	if (!worker)
		return SCHEDD_EFAILED;
	if (worker_seat(worker, task, (uint32_t)value_get_int(from, "msgid", 0)))
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "its worker has no such call any more");
	return 0;
}

struct task *worker_pool_resume(struct worker_pool *pool, const struct task_request *request,
    const struct value *from, struct schedd_error *err)
{
	struct worker_task *task = pool_task(pool, request);

	if (!task) {
		schedd_error_nomem(err);
		return NULL;
	}
	task->signal = (int)value_get_int(from, "signal", 0);
	if (value_get_bool(from, "waiting", false)) {
		worker_state_wait(pool, task);
		if (!alarm_set_mono(pool->alarm, worker_state_now(pool)))
			pool->armed = worker_state_now(pool);
		return &task->task;
	}
	if (pool_reseat(pool, task, from, err) == 0)
		return &task->task;
	free(task);
	return NULL;
}
