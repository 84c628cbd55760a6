/* SPDX-License-Identifier: MIT */
/* What a backend provides, and what it may use of its own frame. */
#ifndef SCHEDD_EXECUTOR_EXECUTOR_OPS_H
#define SCHEDD_EXECUTOR_EXECUTOR_OPS_H

#include "executor/executor.h"

#define EXECUTOR_KIND(kind) (1U << (kind))

/* First member of every backend's struct. */
struct executor {
	const struct executor_ops *ops;
	struct executor_config
	    config; /* name, cgroup and inherit are the backend's copies or NULL */
	uint32_t busy;
};

/* First member of every backend's task. */
struct task {
	struct executor *executor;
	const struct task_request *request;
};

struct executor_ops {
	const char *type;
	unsigned kinds; /* set of EXECUTOR_KIND */
	unsigned account_kinds; /* and those it does for jobs of accounts alone */
	bool keywords;  /* calls may have arguments by name */
	bool output;    /* calls write, and it is to be kept */
	bool at_once;   /* start() returns when all is over: nothing of the request is needed behind that */
	/* Allocates the backend's struct, zeroed; executor_open() fills its first member before
	 * setup. */
	size_t size;
	/* Makes ready, or says why not; close is called in either case. */
	int (*setup)(struct executor *executor, const struct executor_config *config,
	    struct schedd_error *err);
	/* Frees what setup made, not the struct. */
	void (*close)(struct executor *executor);
	/* Does it what others do inside this process for jobs of accounts, in processes of theirs?
	 * NULL: no. */
	bool (*serves)(const struct executor *executor);
	/* A closer look at a job of one of the kinds; NULL: all are fine. */
	int (*accepts)(const struct executor *executor, const struct schedd_job *job,
	    struct schedd_error *err);
	/* See executor_start(); ends in executor_done() or executor_fail() exactly once. */
	struct task *(*start)(struct executor *executor, const struct task_request *request);
	int (*signal)(struct task *task, int signal, struct schedd_error *err);
	/* See executor_release() and executor_resume(); both NULL: attempts end with the program.
	 */
	void (*release)(struct task *task, struct arena *arena, struct value *out);
	struct task *(*resume)(struct executor *executor, const struct task_request *request,
	    const struct value *from, struct schedd_error *err);
	/* See executor_waits(); NULL: it never knows. */
	const char *(*waits)(const struct task *task);
	/* NULL: it has no children. */
	bool (*owns)(const struct executor *executor, pid_t pid);
	/* See executor_restart(); NULL: there is nothing to. */
	void (*restart)(struct executor *executor);
	/* Adds what is its own to its status; NULL: nothing. */
	void (*status)(const struct executor *executor, struct arena *arena, struct value *map);
};

extern const struct executor_ops exec_subprocess_ops;
extern const struct executor_ops exec_function_ops;
extern const struct executor_ops exec_threadpool_ops;
extern const struct executor_ops exec_worker_ops;

/* The attempt is over. The backend's task must be gone: the caller may start the next one inside.
 */
void executor_done(struct executor *executor, const struct task_request *request,
    const struct task_result *result);
/* It could not be started. Returns NULL, for "return executor_fail(...)" in start. */
struct task *executor_fail(
    struct executor *executor, const struct task_request *request, const char *reason);
/* It cannot run anything for now; reason NULL: it can again. */
void executor_tell(const struct executor *executor, const char *reason);
/* What a function's return value means. reason needs 64 bytes, and is used if it means nothing. */
struct task_result executor_returned(int value, char *reason);

#endif
