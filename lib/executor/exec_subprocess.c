/* SPDX-License-Identifier: MIT */
/*
 * Commands as processes. An attempt is over when its main process has ended
 * and its pipes are at their end, whichever comes first; a process that it
 * left behind with a pipe open is given config.drain and then no longer read.
 * The main process stays a zombie until then, so that its process group can
 * still be signalled without fear of a pid given anew.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "base/arena.h"
#include "base/log.h"
#include "executor/cgroup.h"
#include "executor/process_stat.h"
#include "executor/process_tree.h"
#include "executor/subprocess_http.h"
#include "executor/subprocess_launch.h"
#include "executor/subprocess_resume.h"

/* ---- The end ---- */

static void subprocess_finish(struct subprocess_task *task, bool held)
{
	struct executor *executor = task->task.executor;
	const struct task_request *request = task->task.request;
	struct task_result result = {.started = true};
	struct child_exit status;
	struct schedd_error why;
	char reason[128];

	child_reap(task->child, &status);
	result.exit_code = status.exit_code;
	result.signal = status.signal;
	result.max_rss = status.max_rss;
	result.cpu_us = status.cpu_us;
	if (status.unknown) {
		result.reason = "its exit status was taken by another part of this program";
	} else if (held) {
		snprintf(reason, sizeof(reason),
		    "a process it left behind kept its output open: not read any more after %g s",
		    (double)executor->config.drain / SCHEDD_SECOND);
		result.reason = reason;
	}
	if (request->job->kind == JOB_HTTP)
		subprocess_http_result(task, &result, &why);
	subprocess_task_free(task);
	executor_done(executor, request, &result);
}

/* Takes what is in the pipes without waiting; those at their end are closed. */
static void subprocess_drain(struct subprocess_task *task)
{
	for (int i = 0; i < 2; i++) {
		if (task->captures[i] && capture_drain(task->captures[i])) {
			capture_free(task->captures[i]);
			task->captures[i] = NULL;
		}
	}
}

static void subprocess_drained(bool stepped, void *context)
{
	struct subprocess_task *task = context;

	(void)stepped;
	subprocess_drain(task);
	subprocess_finish(task, subprocess_task_reads(task));
}

static void subprocess_ended(void *context)
{
	struct subprocess_task *task = context;
	const struct executor_config *config = &task->task.executor->config;
	struct schedd_mono when = config->clock->mono(config->clock->context);

	subprocess_drain(task);
	if (!subprocess_task_reads(task)) {
		subprocess_finish(task, false);
		return;
	}
	when.us += config->drain;
	task->drain = alarm_new_mono(config->loop, subprocess_drained, task, NULL);
	if (!task->drain || alarm_set_mono(task->drain, when) < 0)
		subprocess_finish(task, true);
}

static void subprocess_silent(struct capture *capture, void *context)
{
	struct subprocess_task *task = context;

	for (int i = 0; i < 2; i++)
		if (task->captures[i] == capture)
			task->captures[i] = NULL;
	capture_free(capture);
	if (task->child && !subprocess_task_reads(task) && child_over(task->child))
		subprocess_finish(task, false);
}

/* ---- Signals ---- */

static int subprocess_compare(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

/* The main processes of all tasks, ascending; owned by the caller; NULL: no memory. */
static pid_t *subprocess_mains(const struct subprocess *self, int *count)
{
	const struct subprocess_task *task;
	pid_t *mains;
	size_t tasks = 0;

	for (task = self->tasks; task; task = task->next)
		tasks++;
	mains = calloc(tasks + 1, sizeof(*mains));
	*count = 0;
	for (task = self->tasks; mains && task; task = task->next)
		if (task->child)
			mains[(*count)++] = child_pid(task->child);
	if (mains)
		qsort(mains, (size_t)*count, sizeof(*mains), subprocess_compare);
	return mains;
}

/* To all that the attempt started, whose main process is pid. Returns how many that were. */
static int subprocess_signal_all(
    struct subprocess_task *task, pid_t pid, uint64_t start, int signal)
{
	int other_count, sent;
	pid_t *others = subprocess_mains(subprocess_task_owner(task), &other_count);
	const struct process_tree tree = {
	    .pid = pid,
	    .start = start,
	    .held = true,
	    .invocation = task->invocation,
	    .uid = task->uid,
	    .cgroup = task->cgroup,
	    .others = others,
	    .other_count = other_count,
	};

	sent = process_tree_signal(&tree, signal);
	free(others);
	return sent;
}

static int subprocess_signal_tree(
    struct subprocess_task *task, int signal, struct schedd_error *err)
{
	const struct task_request *request = task->task.request;

	if (subprocess_signal_all(task, child_pid(task->child), task->start, signal) > 0)
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT, "run %s has nothing left to signal: it has just ended",
	    request->run_id);
}

/* Attempts that were called off end on a turn of the loop of their own. */
static void subprocess_end_called_off(bool stepped, void *context)
{
	struct subprocess *self = context;
	struct subprocess_task *task = self->tasks;

	(void)stepped;
	while (task) {
		struct subprocess_task *next = task->next;
		const struct task_request *request = task->task.request;
		struct task_result result = {
		    .exit_code = -1, .signal = task->called_off_by, .reason = "ended before it ran"};

		if (task->stage == SUBPROCESS_CALLED_OFF) {
			subprocess_task_free(task);
			executor_done(&self->executor, request, &result);
			next = self->tasks; /* whoever was told may have ended others */
		}
		task = next;
	}
}

/* They end with the next turn. Before the start is called off: afterwards nothing else would end the attempt. */
static int subprocess_end_soon(struct subprocess *self, struct schedd_error *err)
{
	const struct schedd_mono now = {0};

	if (!self->ending)
		self->ending =
		    alarm_new_mono(self->executor.config.loop, subprocess_end_called_off, self, err);
	return self->ending && alarm_set_mono(self->ending, now) == 0 ? 0 : schedd_error_nomem(err);
}

static bool subprocess_signal_ends(int signal)
{
	return signal != SIGCHLD && signal != SIGCONT && signal != SIGURG && signal != SIGWINCH &&
	       signal != SIGSTOP && signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU;
}

/*
 * It runs, but whoever started it has not said so yet. With its main process
 * alone dead, what has left the session could not be found by descent.
 */
static void subprocess_kill_unanswered(struct subprocess_task *task)
{
	pid_t pid = spawner_child(&task->spawn);
	struct process_stat process;

	if (pid > 0 && process_stat_read(pid, &process))
		(void)subprocess_signal_all(task, pid, process.start, SIGKILL);
}

/*
 * While its start is under way there is no program yet that could take a
 * signal: one that ends calls the start off, unless the program may be running,
 * and others wait for it.
 */
static int subprocess_signal_start(
    struct subprocess_task *task, int signal, struct schedd_error *err)
{
	if (task->stage == SUBPROCESS_CALLED_OFF)
		return 0;
	if (subprocess_signal_ends(signal) && subprocess_end_soon(subprocess_task_owner(task), err))
		return SCHEDD_ENOMEM;
	if (subprocess_signal_ends(signal) && subprocess_launch_cancel(task)) {
		task->stage = SUBPROCESS_CALLED_OFF;
		task->called_off_by = signal;
		return 0;
	}
	task->signals |= UINT64_C(1) << (signal - 1);
	if (signal == SIGKILL)
		subprocess_kill_unanswered(task);
	return 0;
}

static int subprocess_signal(struct task *base, int signal, struct schedd_error *err)
{
	struct subprocess_task *task = (struct subprocess_task *)base;

	return task->stage == SUBPROCESS_RUNNING ? subprocess_signal_tree(task, signal, err)
						 : subprocess_signal_start(task, signal, err);
}

/* ---- The start ---- */

/* It runs: from here on its end comes through child and pipes. */
static int subprocess_runs(
    struct subprocess_task *task, const struct spawn_result *result, struct schedd_error *err)
{
	struct subprocess *self = subprocess_task_owner(task);
	const struct executor_config *config = &self->executor.config;
	const struct schedd_mono before = {result->before}, after = {result->after};

	task->start = process_stat_start(result->pid, before, after, &self->start);
	if (!self->nursery)
		self->nursery = child_nursery_new(config->loop, config->clock, err);
	/* The end of its pipes is mostly its own. */
	if (subprocess_task_reads(task) && self->nursery)
		task->child = child_new_in(self->nursery, result->pid, subprocess_ended, task, err);
	else
		task->child = child_new(config->loop, config->clock, result->pid,
		    (int)syscall(SYS_pidfd_open, result->pid, 0), subprocess_ended, task, err);
	if (!task->child) {
		kill(-result->pid, SIGKILL);
		return err->code;
	}
	task->stage = SUBPROCESS_RUNNING;
	/* Our ends of what it was given: until they are closed its pipes have no end. */
	spawner_start_clear(&task->spawn);
	return 0;
}

/* The start is over: NULL if the attempt is, too. */
static struct task *subprocess_settle(struct subprocess_task *task)
{
	struct subprocess *self = subprocess_task_owner(task);
	const struct task_request *request = task->task.request;
	const struct spawn_result *result = &task->result;
	struct schedd_error err;
	int rc = result->error ? spawner_start_explain(&task->spawn, result, &err)
			       : subprocess_runs(task, result, &err);

	if (rc < 0) {
		spawner_pool_bury(self->pool, result->pid);
		subprocess_task_free(task);
		return executor_fail(&self->executor, request, err.message);
	}
	request->started(child_pid(task->child), task->start, request->context);
	for (int signal = 1; task->signals && signal <= 64; signal++)
		if (task->signals & UINT64_C(1) << (signal - 1))
			(void)subprocess_signal(&task->task, signal, &err);
	return &task->task;
}

static void subprocess_launched(struct spawner_start *start, const struct spawn_result *result)
{
	struct subprocess_task *task =
	    (struct subprocess_task *)(void *)((char *)start -
					       offsetof(struct subprocess_task, spawn));

	task->result = *result;
	task->answered = true;
	if (!task->inside)
		(void)subprocess_settle(task);
}

static void subprocess_failed(struct subprocess_task *task, const struct schedd_error *err)
{
	struct executor *executor = task->task.executor;
	const struct task_request *request = task->task.request;
	const struct task_result result = {.exit_code = -1,
	    .reason = err->message,
	    .refused = err->code == SCHEDD_EPERM && job_is_of_table(request->job)};

	subprocess_task_free(task);
	executor_done(executor, request, &result);
}

static const struct subprocess_launch_ops subprocess_launch_ops = {
    .launched = subprocess_launched,
    .failed = subprocess_failed,
    .silent = subprocess_silent,
};

static struct task *subprocess_start(struct executor *executor, const struct task_request *request)
{
	struct subprocess_task *task = subprocess_task_new((struct subprocess *)executor, request);
	struct schedd_error err;

	if (!task) {
		schedd_error_nomem(&err);
		return executor_fail(executor, request, err.message);
	}
	task->inside = true;
	if (subprocess_launch(task, &subprocess_launch_ops, &err) < 0) {
		subprocess_task_free(task);
		return executor_fail(executor, request, err.message);
	}
	task->inside = false;
	return task->answered ? subprocess_settle(task) : &task->task;
}

/* ---- In another program's hands ---- */

static void subprocess_let_go(struct task *base, struct arena *arena, struct value *out)
{
	subprocess_release((struct subprocess_task *)base, arena, out);
}

static struct task *subprocess_take_up(struct executor *executor,
    const struct task_request *request, const struct value *from, struct schedd_error *err)
{
	struct subprocess_task *task = subprocess_task_new((struct subprocess *)executor, request);

	if (!task) {
		schedd_error_nomem(err);
		return NULL;
	}
	if (subprocess_resume(task, from, subprocess_ended, subprocess_silent, err) == 0)
		return &task->task;
	subprocess_task_free(task);
	return NULL;
}

static bool subprocess_owns(const struct executor *executor, pid_t pid)
{
	const struct subprocess_task *task = ((const struct subprocess *)executor)->tasks;

	while (task && !(task->child && child_pid(task->child) == pid))
		task = task->next;
	return task || spawner_pool_owns(((const struct subprocess *)executor)->pool, pid);
}

static int subprocess_setup(
    struct executor *executor, const struct executor_config *config, struct schedd_error *err)
{
	struct subprocess *self = (struct subprocess *)executor;

	const struct spawner_pool_config pool = {.loop = config->loop,
	    .log = config->log,
	    .inherit = config->inherit,
	    .limit = config->start_limit,
	    .make = config->start_by};

	if (!config->spawners && spawner_pool_new(&pool, &self->own_pool, err) < 0)
		return err->code;
	self->pool = config->spawners ? config->spawners : self->own_pool;
	self->accounts = account_cache_new(config->loop);
	self->buffer = malloc(CAPTURE_BUFFER);
	self->cgroup = config->cgroup ? strdup(config->cgroup) : NULL;
	if (!self->accounts || !self->buffer || !self->cgroup != !config->cgroup)
		return schedd_error_nomem(err);
	/* What an earlier schedd left behind may have ended since. */
	self->cgroup_stale = self->cgroup != NULL;
	return 0;
}

static void subprocess_close(struct executor *executor)
{
	struct subprocess *self = (struct subprocess *)executor;

	account_cache_free(self->accounts);
	free(self->buffer);
	if (self->cgroup_stale)
		(void)cgroup_sweep(self->cgroup, SUBPROCESS_CGROUP_PREFIX);
	free(self->cgroup);
	alarm_free(self->ending);
	alarm_free(self->patience);
	child_nursery_free(self->nursery);
	spawner_pool_free(self->own_pool);
}

/* Not root, schedd can never become somebody else: said before the first run, not at each. */
static int subprocess_accepts(
    const struct executor *executor, const struct schedd_job *job, struct schedd_error *err)
{
	const struct subprocess *self = (const struct subprocess *)executor;
	const struct schedd_clock *clock = schedd_clock_system();
	const char *user = job_details(job)->user;
	const struct account *account;
	int rc;

	if (job->kind == JOB_HTTP)
		return subprocess_http_check(err);
	if (!user || geteuid() == 0)
		return 0;
	rc = account_cache_get(self->accounts, user, clock->mono(clock->context), &account, err);
	/* What cannot be known in time is said by the run. */
	if (rc == 0 || rc == SCHEDD_ETIMEOUT)
		return 0;
	return schedd_error_prefix(err, "user");
}

const struct executor_ops exec_subprocess_ops = {
    .type = "subprocess",
    .kinds = EXECUTOR_KIND(JOB_COMMAND) | EXECUTOR_KIND(JOB_SHELL),
    .account_kinds = EXECUTOR_KIND(JOB_HTTP),
    .size = sizeof(struct subprocess),
    .setup = subprocess_setup,
    .close = subprocess_close,
    .accepts = subprocess_accepts,
    .start = subprocess_start,
    .signal = subprocess_signal,
    .release = subprocess_let_go,
    .resume = subprocess_take_up,
    .owns = subprocess_owns,
};
