/* SPDX-License-Identifier: MIT */
#include "executor/subprocess_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "executor/account_pam.h"
#include "executor/cgroup.h"
#include "executor/environment.h"
#include "executor/sealed_text.h"
#include "executor/subprocess_http.h"
#include "model/job_check.h"

#define LAUNCH_SCRIPT "/proc/self/fd/3" /* SPAWN_EXTRA */
#define LAUNCH_PATIENCE (10 * SCHEDD_SECOND) /* with a look-up of an account */

static int launch_capture(
    struct subprocess_task *task, int index, struct spawn *how, struct schedd_error *err)
{
	struct subprocess *self = subprocess_task_owner(task);

	task->captures[index] = capture_new(self->executor.config.loop, task->task.request->output,
	    index == 0 ? OUTPUT_STDOUT : OUTPUT_STDERR, self->buffer, task->ops->silent, task,
	    &how->fds[SPAWN_FD_OUTPUT + index], err);
	return task->captures[index] ? 0 : err->code;
}

/* Longer than one argument can be? Then the shell reads it from a descriptor. */
static bool launch_is_long(const struct schedd_job *job)
{
	return job->kind == JOB_SHELL && strlen(job->shell) >= job_check_argument_max();
}

static int launch_files(
    struct subprocess_task *task, struct spawn *how, struct schedd_error *err)
{
	const struct task_request *request = task->task.request;
	const struct job_details *details = job_details(request->job);
	bool capture = details->capture != JOB_CAPTURE_NONE && request->output;
	int rc = 0;

	if (request->job->kind == JOB_HTTP) {
		rc = subprocess_http_files(task, how, err);
	} else if (!details->stdin_path && details->stdin_text && details->stdin_length > 0) {
		how->fds[SPAWN_FD_INPUT] =
		    sealed_text_new(details->stdin_text, details->stdin_length, "stdin", err);
		if (how->fds[SPAWN_FD_INPUT] < 0)
			rc = err->code;
	}
	if (rc == 0 && launch_is_long(request->job)) {
		how->fds[SPAWN_FD_EXTRA] = sealed_text_new(
		    request->job->shell, strlen(request->job->shell), "script", err);
		if (how->fds[SPAWN_FD_EXTRA] < 0)
			rc = err->code;
	}
	if (rc == 0 && capture)
		rc = launch_capture(task, 0, how, err);
	if (rc == 0 && capture && details->capture == JOB_CAPTURE_SPLIT)
		rc = launch_capture(task, 1, how, err);
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

	if (job->kind == JOB_HTTP)
		return subprocess_http_argv(arena);
	if (job->kind == JOB_COMMAND)
		return (const char *const *)job->argv;
	argv = arena_alloc(arena, 4 * sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = job_details(job)->shell_path ? job_details(job)->shell_path : "/bin/sh";
	if (launch_is_long(job)) {
		argv[1] = LAUNCH_SCRIPT;
		return argv;
	}
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
	int rc = secret_set_plan(&task->secrets, secrets, request.secrets, err);

	if (rc < 0)
		return rc;
	request.invocation = task->invocation;
	how->argv = launch_argv(request.job, arena);
	how->envp = environment_build(&request, how->account, &task->secrets.files, arena);
	how->secrets = secret_set_copies(&task->secrets, secrets, arena);
	if (!how->argv || !how->envp || !how->secrets)
		return schedd_error_nomem(err);
	how->secret_count = secrets->count;
	how->secrets_own = job_id_account(request.job->id) > 0;
	how->secret_directory = secrets->count ? task->secrets.directory : NULL;
	return 0;
}

/* The limits of a session that PAM made come first, so that the job's own hold. */
static void launch_session(struct spawn *how, const struct job_details *details, struct arena *arena)
{
	const struct account *account = how->account;
	struct job_rlimit *all;

	how->nice += account->nice;
	if (!account->rlimit_count)
		return;
	all = arena_alloc(arena, (account->rlimit_count + details->rlimit_count) * sizeof(all[0]));
	if (!all)
		return; /* the arena says so */
	memcpy(all, account->rlimits, account->rlimit_count * sizeof(all[0]));
	if (details->rlimit_count)
		memcpy(all + account->rlimit_count, details->rlimits,
		    details->rlimit_count * sizeof(all[0]));
	how->rlimits = all;
	how->rlimit_count = account->rlimit_count + details->rlimit_count;
}

static int launch_as(
    struct subprocess_task *task, const struct account *account, struct schedd_error *err)
{
	struct subprocess *self = subprocess_task_owner(task);
	const struct job_details *details = job_details(task->task.request->job);
	struct spawn how = {
	    .account = account,
	    .cwd = details->cwd,
	    .input_path = details->stdin_path,
	    .rlimits = details->rlimits,
	    .rlimit_count = details->rlimit_count,
	    .nice = details->nice,
	    .umask = details->umask,
	    .fds = {-1, -1, -1, -1, -1},
	};
	struct arena arena;
	int rc;

	arena_init(&arena);
	launch_session(&how, details, &arena);
	rc = launch_words(task, &how, &arena, err);
	if (rc == 0)
		rc = launch_files(task, &how, err);
	if (rc == 0) {
		launch_cgroup(task, &how);
		task->uid = account->uid;
		task->spawn.done = task->ops->launched;
		rc = spawner_pool_start(self->pool, &how, &task->spawn, err);
	} else {
		launch_close(&how);
	}
	arena_clear(&arena);
	return rc;
}

static void launch_known(
    const struct account *account, const struct schedd_error *err, void *context)
{
	struct subprocess_task *task = context;
	struct schedd_error why;

	if (!account)
		task->ops->failed(task, err);
	else if (launch_as(task, account, &why) < 0)
		task->ops->failed(task, &why);
}

static schedd_span launch_patience(const struct subprocess *self)
{
	return self->executor.config.start_limit ? self->executor.config.start_limit : LAUNCH_PATIENCE;
}

/* Accounts that do not come: their attempts have failed. */
static void launch_look(bool stepped, void *context)
{
	struct subprocess *self = context;
	const struct schedd_clock *clock = schedd_clock_system();
	struct schedd_mono now = clock->mono(clock->context);
	const schedd_span patience = launch_patience(self);
	struct schedd_mono next = {INT64_MAX};
	struct subprocess_task *task = self->tasks;

	(void)stepped;
	while (task) {
		const char *user = job_details(task->task.request->job)->user;
		struct schedd_error err;

		if (task->account.waiting && now.us - task->asked.us >= patience) {
			account_cache_forget(self->accounts, &task->account);
			schedd_error_set(&err, SCHEDD_EFAILED,
			    "user '%s': the system's databases have not answered within %d s", user,
			    (int)(patience / SCHEDD_SECOND));
			task->ops->failed(task, &err);
			task = self->tasks; /* whoever was told may have ended others */
			continue;
		}
		if (task->account.waiting && task->asked.us + patience < next.us)
			next.us = task->asked.us + patience;
		task = task->next;
	}
	self->patient = next.us != INT64_MAX;
	if (alarm_set_mono(self->patience, next) < 0)
		log_error(self->executor.config.log, "no limit for look-ups of accounts");
}

/* It is looked at in time; those that wait since before it come first. */
static int launch_wait(struct subprocess *self, struct schedd_mono asked, struct schedd_error *err)
{
	const struct schedd_mono when = {asked.us + launch_patience(self)};

	if (!self->patience)
		self->patience =
		    alarm_new_mono(self->executor.config.loop, launch_look, self, err);
	if (!self->patience)
		return err->code;
	if (!self->patient && alarm_set_mono(self->patience, when) < 0)
		return schedd_error_nomem(err);
	self->patient = true;
	return 0;
}

int subprocess_launch(struct subprocess_task *task, const struct subprocess_launch_ops *ops,
    struct schedd_error *err)
{
	struct subprocess *self = subprocess_task_owner(task);
	const struct executor_config *config = &self->executor.config;
	const struct schedd_clock *clock = schedd_clock_system();
	const struct schedd_job *job = task->task.request->job;
	const char *user = job_details(job)->user;
	const struct account *account;
	char asked[sizeof(ACCOUNT_PAM) + JOB_ACCOUNT_MAX];
	int rc;

	/* Lines of cron's tables run in the world that PAM gives cron. */
	if (user && job_is_of_table(job) && strlen(user) <= JOB_ACCOUNT_MAX && account_pam_wanted()) {
		snprintf(asked, sizeof(asked), ACCOUNT_PAM "%s", user);
		user = asked;
	} else if (user && job_id_account(job->id) && strlen(user) <= JOB_ACCOUNT_MAX) {
		snprintf(asked, sizeof(asked), ACCOUNT_NAMED "%s", user);
		user = asked;
	}
	task->ops = ops;
	task->asked = clock->mono(clock->context);
	task->account = (struct account_waiter){.done = launch_known, .context = task};
	rc = account_cache_ask(
	    self->accounts, user, config->clock->mono(config->clock->context), &task->account,
	    &account, err);
	if (rc == 0)
		return launch_as(task, account, err);
	if (rc > 0)
		rc = launch_wait(self, task->asked, err);
	if (rc < 0)
		account_cache_forget(self->accounts, &task->account);
	return rc;
}

bool subprocess_launch_cancel(struct subprocess_task *task)
{
	struct subprocess *self = subprocess_task_owner(task);

	if (!task->account.waiting)
		return spawner_pool_cancel(self->pool, &task->spawn, false);
	account_cache_forget(self->accounts, &task->account);
	return true;
}
