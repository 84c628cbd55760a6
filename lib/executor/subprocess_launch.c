/* SPDX-License-Identifier: MIT */
#include "executor/subprocess_launch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include "base/log.h"
#include "executor/cgroup.h"
#include "executor/environment.h"

/* A file in memory that holds the text, to be read from its begin. */
static int launch_text(const char *text, size_t length, const char *what, struct schedd_error *err)
{
	int fd = memfd_create("schedd-stdin", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < length) {
		ssize_t n = write(fd, text + done, length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (fd >= 0 && done == length && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	schedd_error_set(err, SCHEDD_EFAILED, "%s: %s", what, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int launch_capture(struct subprocess_task *task, int index,
    void (*silent)(struct capture *capture, void *context), struct spawn *how,
    struct schedd_error *err)
{
	struct subprocess *self = subprocess_task_owner(task);

	task->captures[index] = capture_new(self->executor.config.loop, task->task.request->output,
	    index == 0 ? OUTPUT_STDOUT : OUTPUT_STDERR, self->buffer, silent, task,
	    &how->fds[SPAWN_FD_OUTPUT + index], err);
	return task->captures[index] ? 0 : err->code;
}

static int launch_files(struct subprocess_task *task,
    void (*silent)(struct capture *capture, void *context), struct spawn *how,
    struct schedd_error *err)
{
	const struct task_request *request = task->task.request;
	const struct job_details *details = job_details(request->job);
	bool capture = details->capture != JOB_CAPTURE_NONE && request->output;
	int rc = 0;

	if (!details->stdin_path && details->stdin_text && details->stdin_length > 0) {
		how->fds[SPAWN_FD_INPUT] =
		    launch_text(details->stdin_text, details->stdin_length, "stdin", err);
		if (how->fds[SPAWN_FD_INPUT] < 0)
			rc = err->code;
	}
	if (rc == 0 && capture)
		rc = launch_capture(task, 0, silent, how, err);
	if (rc == 0 && capture && details->capture == JOB_CAPTURE_SPLIT)
		rc = launch_capture(task, 1, silent, how, err);
	return rc;
}

/* Doing without is better than not running: the process group is still there. */
static void launch_cgroup(struct subprocess_task *task, struct spawn *how)
{
	struct subprocess *self = subprocess_task_owner(task);
	const struct task_request *request = task->task.request;
	char name[NAME_MAX], path[PATH_MAX];
	int fd;

	if (!self->cgroup)
		return;
	if (self->cgroup_stale)
		self->cgroup_stale = cgroup_sweep(self->cgroup, SUBPROCESS_CGROUP_PREFIX) > 0;
	/* "backup/42", second attempt: run.backup.42.2 */
	snprintf(name, sizeof(name), SUBPROCESS_CGROUP_PREFIX "%s.%u", request->run_id,
	    request->attempt);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '.';
	fd = cgroup_make(self->cgroup, name, path, sizeof(path));
	if (fd < 0) {
		log_warn(
		    self->executor.config.log, "control group '%s': %s", path, strerror(-fd));
		return;
	}
	how->fds[SPAWN_FD_CGROUP] = fd;
	task->cgroup = strdup(path);
}

static const char *const *launch_argv(const struct schedd_job *job, struct arena *arena)
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

static void launch_close(struct spawn *how)
{
	for (int i = 0; i < SPAWN_FDS; i++)
		if (how->fds[i] >= 0)
			close(how->fds[i]);
}

/* The words, the environment and the secrets. */
static int launch_words(struct subprocess_task *task, struct spawn *how, struct arena *arena,
    struct schedd_error *err)
{
	struct task_request request = *task->task.request;
	const struct job_pairs *secrets = &job_details(request.job)->secrets;
	int rc = secret_set_plan(&task->secrets, secrets, err);

	if (rc < 0)
		return rc;
	request.invocation = task->invocation;
	how->argv = launch_argv(request.job, arena);
	how->envp = environment_build(&request, how->account, &task->secrets.files, arena);
	how->secrets = secret_set_copies(&task->secrets, secrets, arena);
	if (!how->argv || !how->envp || !how->secrets)
		return schedd_error_nomem(err);
	how->secret_count = secrets->count;
	how->secret_directory = secrets->count ? task->secrets.directory : NULL;
	return 0;
}

int subprocess_launch(struct subprocess_task *task,
    void (*launched)(struct spawner_start *start, const struct spawn_result *result),
    void (*silent)(struct capture *capture, void *context), struct schedd_error *err)
{
	struct subprocess *self = subprocess_task_owner(task);
	const struct executor_config *config = &self->executor.config;
	const struct job_details *details = job_details(task->task.request->job);
	struct spawn how = {
	    .cwd = details->cwd,
	    .input_path = details->stdin_path,
	    .rlimits = details->rlimits,
	    .rlimit_count = details->rlimit_count,
	    .nice = details->nice,
	    .umask = details->umask,
	    .fds = {-1, -1, -1, -1, -1},
	};
	struct arena arena;
	int rc = account_cache_get(self->accounts, details->user,
	    config->clock->mono(config->clock->context), &how.account, err);

	arena_init(&arena);
	if (rc == 0)
		rc = launch_words(task, &how, &arena, err);
	if (rc == 0)
		rc = launch_files(task, silent, &how, err);
	if (rc == 0) {
		launch_cgroup(task, &how);
		task->spawn.done = launched;
		task->uid = how.account->uid;
		rc = spawner_pool_start(self->pool, &how, &task->spawn, err);
	} else {
		launch_close(&how);
	}
	arena_clear(&arena);
	return rc;
}
