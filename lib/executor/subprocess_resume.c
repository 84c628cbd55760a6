/* SPDX-License-Identifier: MIT */
#include "executor/subprocess_resume.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "base/arena.h"

static const char *const resume_pipes[] = {"stdout_fd", "stderr_fd"};

void subprocess_release(struct subprocess_task *task, struct arena *arena, struct value *out)
{
	value_put(arena, out, "pid", value_int(child_pid(task->child)));
	value_put(arena, out, "start", value_int((int64_t)task->start));
	for (int i = 0; i < 2; i++) {
		int fd = task->captures[i] ? capture_release(task->captures[i]) : -1;

		task->captures[i] = NULL;
		value_put(arena, out, resume_pipes[i], value_int(fd));
	}
	value_put(arena, out, "note_fd", value_int(task->note));
	task->note = -1;
	value_put(arena, out, "cgroup", value_string(arena, task->cgroup));
	value_put(arena, out, "secrets", secret_set_release(&task->secrets, arena));
	child_release(task->child);
	free(task->cgroup);
	task->cgroup = NULL;
	subprocess_task_free(task);
}

/* An unreaped child keeps its pid, so that it cannot be another's meanwhile. */
static int resume_child(struct subprocess_task *task, const struct value *from,
    void (*ended)(void *context), struct schedd_error *err)
{
	const struct executor_config *config = &task->task.executor->config;
	pid_t pid = (pid_t)value_get_int(from, "pid", 0);
	struct process_stat stat;

	task->start = (uint64_t)value_get_int(from, "start", 0);
	if (pid <= 0 || !process_stat_read(pid, &stat) || stat.start != task->start ||
	    !process_uid(pid, &task->uid))
		return schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "process %ld is not there any more", (long)pid);
	task->child = child_new(config->loop, config->clock, pid,
	    (int)syscall(SYS_pidfd_open, pid, 0), ended, task, err);
	return task->child ? 0 : err->code;
}

static int resume_captures(struct subprocess_task *task, const struct value *from,
    void (*silent)(struct capture *capture, void *context), struct schedd_error *err)
{
	struct subprocess *self = subprocess_task_owner(task);
	int rc = 0;

	for (int i = 0; i < 2; i++) {
		int fd = (int)value_get_int(from, resume_pipes[i], -1);

		if (fd < 0)
			continue;
		if (rc) {
			close(fd); /* or the process would wait for a reader */
			continue;
		}
		task->captures[i] = capture_resume(self->executor.config.loop,
		    task->task.request->output, i == 0 ? OUTPUT_STDOUT : OUTPUT_STDERR,
		    self->buffer, silent, task, fd, err);
		if (!task->captures[i])
			rc = err->code;
	}
	return rc;
}

int subprocess_resume(struct subprocess_task *task, const struct value *from,
    void (*ended)(void *context), void (*silent)(struct capture *capture, void *context),
    struct schedd_error *err)
{
	const char *cgroup = value_get_string(from, "cgroup");
	const struct value *secrets = value_get(from, "secrets");
	int rc;

	task->stage = SUBPROCESS_RUNNING;
	task->note = (int)value_get_int(from, "note_fd", -1);
	task->cgroup = cgroup ? strdup(cgroup) : NULL;
	rc = secrets && secret_set_resume(&task->secrets, secrets) ? schedd_error_nomem(err) : 0;
	if (rc == 0)
		rc = resume_captures(task, from, silent, err);
	if (rc == 0)
		rc = resume_child(task, from, ended, err);
	return rc;
}
