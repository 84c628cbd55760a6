/* SPDX-License-Identifier: MIT */
/*
 * Commands as processes. An attempt is over when its main process has ended
 * and its pipes are at their end, whichever comes first; a process that it
 * left behind with a pipe open is given config.drain and then no longer read.
 * The main process stays a zombie until then, so that its process group can
 * still be signalled without fear of a pid given anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "base/arena.h"
#include "base/log.h"
#include "executor/account.h"
#include "executor/capture.h"
#include "executor/cgroup.h"
#include "executor/child.h"
#include "executor/environment.h"
#include "executor/executor_ops.h"
#include "executor/process_stat.h"
#include "executor/process_tree.h"
#include "executor/secret.h"
#include "executor/spawn.h"
#include "loop/alarm.h"

#define CGROUP_PREFIX "run."

struct subprocess_task;

struct subprocess {
	struct executor executor;
	struct account_cache *accounts;
	struct spawn_inherit inherit;
	struct subprocess_task *tasks; /* doubly linked */
	char *cgroup;                  /* directory for groups; NULL: none */
	bool cgroup_stale;             /* groups of ended attempts are in it */
	char *buffer;                  /* CAPTURE_BUFFER bytes for all captures */
	struct spawn_slots slots;
	enum process_start start;
};

struct subprocess_task {
	struct task task;
	struct subprocess_task *next, *previous;
	struct child *child;
	struct capture *captures[2]; /* stdout (or both), stderr; NULL: at its end */
	struct alarm *drain;         /* runs from the main process' end; NULL: not yet */
	struct secret_set secrets;
	uint64_t start; /* of the main process */
	char *cgroup;   /* its control group's directory; NULL: none */
};

/* What spawn needs besides the job; closed again after it. */
struct subprocess_files {
	int input; /* -1: the process opens it */
	int output;
	int error;
	int cgroup; /* -1: none */
};

static void subprocess_link(struct subprocess *self, struct subprocess_task *task)
{
	task->next = self->tasks;
	if (self->tasks)
		self->tasks->previous = task;
	self->tasks = task;
}

static void subprocess_task_free(struct subprocess_task *task)
{
	struct subprocess *self = (struct subprocess *)task->task.executor;

	if (task->next)
		task->next->previous = task->previous;
	if (task->previous)
		task->previous->next = task->next;
	else if (self->tasks == task)
		self->tasks = task->next;
	for (int i = 0; i < 2; i++)
		capture_free(task->captures[i]);
	alarm_free(task->drain);
	secret_set_remove(&task->secrets);
	/* Not empty where the run left something behind. */
	if (task->cgroup && cgroup_remove(task->cgroup) < 0)
		self->cgroup_stale = true;
	free(task->cgroup);
	free(task);
}

static void subprocess_finish(struct subprocess_task *task, bool held)
{
	struct executor *executor = task->task.executor;
	const struct task_request *request = task->task.request;
	struct task_result result = {.started = true};
	struct child_exit status;
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
	subprocess_task_free(task);
	executor_done(executor, request, &result);
}

static bool subprocess_reads(const struct subprocess_task *task)
{
	return task->captures[0] || task->captures[1];
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
	subprocess_finish(task, subprocess_reads(task));
}

static void subprocess_ended(void *context)
{
	struct subprocess_task *task = context;
	const struct executor_config *config = &task->task.executor->config;
	struct schedd_mono when = config->clock->mono(config->clock->context);

	subprocess_drain(task);
	if (!subprocess_reads(task)) {
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
	if (task->child && child_ended(task->child) && !subprocess_reads(task))
		subprocess_finish(task, false);
}

static void subprocess_close_fd(struct subprocess *self, int *fd)
{
	if (*fd >= 0 && *fd != self->slots.null)
		close(*fd);
	*fd = -1;
}

static void subprocess_files_close(struct subprocess *self, struct subprocess_files *files)
{
	if (files->error == files->output)
		files->error = -1;
	subprocess_close_fd(self, &files->input);
	subprocess_close_fd(self, &files->output);
	subprocess_close_fd(self, &files->error);
	subprocess_close_fd(self, &files->cgroup);
}

/* A file in memory that holds the text, to be read from its begin. */
static int subprocess_input(const struct job_details *details, struct schedd_error *err)
{
	int fd = memfd_create("schedd-stdin", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < details->stdin_length) {
		ssize_t n = write(fd, details->stdin_text + done, details->stdin_length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (fd >= 0 && done == details->stdin_length && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	schedd_error_set(err, SCHEDD_EFAILED, "stdin: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int subprocess_capture(struct subprocess_task *task, int index, enum output_stream stream,
    int *end, struct schedd_error *err)
{
	struct subprocess *self = (struct subprocess *)task->task.executor;

	task->captures[index] = capture_new(self->executor.config.loop, task->task.request->output,
	    stream, self->buffer, subprocess_silent, task, end, err);
	return task->captures[index] ? 0 : err->code;
}

static int subprocess_files_open(struct subprocess_task *task, const struct job_details *details,
    struct subprocess_files *files, struct schedd_error *err)
{
	struct subprocess *self = (struct subprocess *)task->task.executor;
	bool capture = details->capture != JOB_CAPTURE_NONE && task->task.request->output;
	int rc = 0;

	*files =
	    (struct subprocess_files){self->slots.null, self->slots.null, self->slots.null, -1};
	if (details->stdin_path) {
		files->input = -1;
	} else if (details->stdin_text && details->stdin_length > 0) {
		files->input = subprocess_input(details, err);
		if (files->input < 0)
			rc = err->code;
	}
	if (rc == 0 && capture)
		rc = subprocess_capture(task, 0, OUTPUT_STDOUT, &files->output, err);
	if (rc == 0 && capture && details->capture == JOB_CAPTURE_SPLIT)
		rc = subprocess_capture(task, 1, OUTPUT_STDERR, &files->error, err);
	else if (rc == 0)
		files->error = files->output;
	return rc;
}

/* Doing without is better than not running: the process group is still there. */
static void subprocess_make_cgroup(struct subprocess_task *task, struct subprocess_files *files)
{
	struct subprocess *self = (struct subprocess *)task->task.executor;
	const struct task_request *request = task->task.request;
	char name[NAME_MAX], path[PATH_MAX];

	if (!self->cgroup)
		return;
	if (self->cgroup_stale)
		self->cgroup_stale = cgroup_sweep(self->cgroup, CGROUP_PREFIX) > 0;
	/* "backup/42", second attempt: run.backup.42.2 */
	snprintf(name, sizeof(name), CGROUP_PREFIX "%s.%u", request->run_id, request->attempt);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '.';
	files->cgroup = cgroup_make(self->cgroup, name, path, sizeof(path));
	if (files->cgroup < 0) {
		log_warn(self->executor.config.log, "control group '%s': %s", path,
		    strerror(-files->cgroup));
		files->cgroup = -1;
		return;
	}
	task->cgroup = strdup(path);
}

static const char *const *subprocess_argv(const struct schedd_job *job, struct arena *arena)
{
	const char **argv;

	if (job->kind == JOB_COMMAND)
		return (const char *const *)job->argv;
	argv = arena_alloc(arena, 4 * sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = job_details(job)->shell_path ? job_details(job)->shell_path : "/bin/sh";
	argv[1] = "-c";
	argv[2] = job->shell;
	return argv;
}

static int subprocess_spawn(struct subprocess_task *task, const struct account *account,
    const struct subprocess_files *files, pid_t *pid, int *pidfd, struct schedd_error *err)
{
	struct subprocess *self = (struct subprocess *)task->task.executor;
	const struct task_request *request = task->task.request;
	const struct job_details *details = job_details(request->job);
	struct arena arena;
	struct spawn spawn_how = {
	    .cwd = details->cwd,
	    .account = account,
	    .inherit = &self->inherit,
	    .slots = &self->slots,
	    .rlimits = details->rlimits,
	    .rlimit_count = details->rlimit_count,
	    .nice = details->nice,
	    .umask = details->umask,
	    .input = files->input,
	    .input_path = details->stdin_path,
	    .output = files->output,
	    .error = files->error,
	    .cgroup = files->cgroup,
	};
	int rc;

	arena_init(&arena);
	spawn_how.argv = subprocess_argv(request->job, &arena);
	spawn_how.envp = environment_build(request, account, &task->secrets.files, &arena);
	rc = spawn_how.argv && spawn_how.envp ? spawn(&spawn_how, pid, pidfd, err)
					      : schedd_error_nomem(err);
	arena_clear(&arena);
	return rc;
}

/* Everything up to a process that runs. On failure nothing of it is left but the task. */
static int subprocess_launch(struct subprocess_task *task, struct schedd_error *err)
{
	struct subprocess *self = (struct subprocess *)task->task.executor;
	const struct executor_config *config = &self->executor.config;
	const struct job_details *details = job_details(task->task.request->job);
	struct subprocess_files files = {self->slots.null, self->slots.null, self->slots.null, -1};
	const struct schedd_clock *clock = schedd_clock_system();
	struct schedd_mono before = {0};
	const struct account *account;
	pid_t pid = 0;
	int pidfd = -1;
	int rc = account_cache_get(self->accounts, details->user,
	    config->clock->mono(config->clock->context), &account, err);

	if (rc == 0)
		rc = secret_set_make(&task->secrets, &details->secrets, account, err);
	if (rc == 0)
		rc = subprocess_files_open(task, details, &files, err);
	if (rc == 0) {
		subprocess_make_cgroup(task, &files);
		before = clock->mono(clock->context);
		rc = subprocess_spawn(task, account, &files, &pid, &pidfd, err);
	}
	subprocess_files_close(self, &files);
	if (rc < 0)
		return rc;
	task->start = process_stat_start(pid, before, clock->mono(clock->context), &self->start);
	task->child =
	    child_new(config->loop, config->clock, pid, pidfd, subprocess_ended, task, err);
	if (!task->child) {
		kill(-pid, SIGKILL);
		spawn_reap(pid);
		return err->code;
	}
	return 0;
}

static struct task *subprocess_start(struct executor *executor, const struct task_request *request)
{
	struct subprocess_task *task = calloc(1, sizeof(*task));
	struct schedd_error err;

	if (!task) {
		schedd_error_nomem(&err);
		return executor_fail(executor, request, err.message);
	}
	task->task.executor = executor;
	task->task.request = request;
	subprocess_link((struct subprocess *)executor, task);
	if (subprocess_launch(task, &err) < 0) {
		subprocess_task_free(task);
		return executor_fail(executor, request, err.message);
	}
	request->started(child_pid(task->child), task->start, request->context);
	return &task->task;
}

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

static int subprocess_signal(struct task *base, int signal, struct schedd_error *err)
{
	struct subprocess_task *task = (struct subprocess_task *)base;
	int other_count, sent;
	pid_t *others = subprocess_mains((const struct subprocess *)base->executor, &other_count);
	const struct process_tree tree = {
	    .pid = child_pid(task->child),
	    .start = task->start,
	    .held = true,
	    .run = base->request->run_id,
	    .socket = base->request->socket,
	    .cgroup = task->cgroup,
	    .others = others,
	    .other_count = other_count,
	};

	sent = process_tree_signal(&tree, signal);
	free(others);
	if (sent > 0)
		return 0;
	return schedd_error_set(
	    err, SCHEDD_EFAILED, "run %s has nothing left to signal", base->request->run_id);
}

/* ---- In another program's hands ---- */

static const char *const subprocess_pipes[] = {"stdout_fd", "stderr_fd"};

static void subprocess_release(struct task *base, struct arena *arena, struct value *out)
{
	struct subprocess_task *task = (struct subprocess_task *)base;

	value_put(arena, out, "pid", value_int(child_pid(task->child)));
	value_put(arena, out, "start", value_int((int64_t)task->start));
	for (int i = 0; i < 2; i++) {
		int fd = task->captures[i] ? capture_release(task->captures[i]) : -1;

		task->captures[i] = NULL;
		value_put(arena, out, subprocess_pipes[i], value_int(fd));
	}
	value_put(arena, out, "cgroup", value_string(arena, task->cgroup));
	value_put(arena, out, "secrets", secret_set_release(&task->secrets, arena));
	child_release(task->child);
	free(task->cgroup);
	task->cgroup = NULL;
	subprocess_task_free(task);
}

/* An unreaped child keeps its pid, so that it cannot be another's meanwhile. */
static int subprocess_resume_child(
    struct subprocess_task *task, const struct value *from, struct schedd_error *err)
{
	const struct executor_config *config = &task->task.executor->config;
	pid_t pid = (pid_t)value_get_int(from, "pid", 0);
	struct process_stat stat;

	task->start = (uint64_t)value_get_int(from, "start", 0);
	if (pid <= 0 || !process_stat_read(pid, &stat) || stat.start != task->start)
		return schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "process %ld is not there any more", (long)pid);
	task->child = child_new(config->loop, config->clock, pid,
	    (int)syscall(SYS_pidfd_open, pid, 0), subprocess_ended, task, err);
	return task->child ? 0 : err->code;
}

static int subprocess_resume_pipes(
    struct subprocess_task *task, const struct value *from, struct schedd_error *err)
{
	struct subprocess *self = (struct subprocess *)task->task.executor;
	int rc = 0;

	for (int i = 0; i < 2; i++) {
		int fd = (int)value_get_int(from, subprocess_pipes[i], -1);

		if (fd < 0)
			continue;
		if (rc) {
			close(fd); /* or the process would wait for a reader */
			continue;
		}
		task->captures[i] = capture_resume(self->executor.config.loop,
		    task->task.request->output, i == 0 ? OUTPUT_STDOUT : OUTPUT_STDERR,
		    self->buffer, subprocess_silent, task, fd, err);
		if (!task->captures[i])
			rc = err->code;
	}
	return rc;
}

static struct task *subprocess_resume(struct executor *executor, const struct task_request *request,
    const struct value *from, struct schedd_error *err)
{
	struct subprocess_task *task = calloc(1, sizeof(*task));
	const char *cgroup = value_get_string(from, "cgroup");
	const struct value *secrets = value_get(from, "secrets");
	int rc;

	if (!task) {
		schedd_error_nomem(err);
		return NULL;
	}
	task->task.executor = executor;
	task->task.request = request;
	subprocess_link((struct subprocess *)executor, task);
	task->cgroup = cgroup ? strdup(cgroup) : NULL;
	rc = secrets && secret_set_resume(&task->secrets, secrets) ? schedd_error_nomem(err) : 0;
	if (rc == 0)
		rc = subprocess_resume_pipes(task, from, err);
	if (rc == 0)
		rc = subprocess_resume_child(task, from, err);
	if (rc == 0)
		return &task->task;
	subprocess_task_free(task);
	return NULL;
}

static bool subprocess_owns(const struct executor *executor, pid_t pid)
{
	const struct subprocess_task *task = ((const struct subprocess *)executor)->tasks;

	while (task && !(task->child && child_pid(task->child) == pid))
		task = task->next;
	return task != NULL;
}

static int subprocess_setup(
    struct executor *executor, const struct executor_config *config, struct schedd_error *err)
{
	struct subprocess *self = (struct subprocess *)executor;

	if (config->inherit)
		self->inherit = *config->inherit;
	else
		spawn_inherit_capture(&self->inherit);
	if (spawn_slots_open(&self->slots, err) < 0)
		return err->code;
	self->accounts = account_cache_new();
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
		(void)cgroup_sweep(self->cgroup, CGROUP_PREFIX);
	free(self->cgroup);
	spawn_slots_close(&self->slots);
}

const struct executor_ops exec_subprocess_ops = {
    .type = "subprocess",
    .kinds = EXECUTOR_KIND(JOB_COMMAND) | EXECUTOR_KIND(JOB_SHELL),
    .size = sizeof(struct subprocess),
    .setup = subprocess_setup,
    .close = subprocess_close,
    .start = subprocess_start,
    .signal = subprocess_signal,
    .release = subprocess_release,
    .resume = subprocess_resume,
    .owns = subprocess_owns,
};
