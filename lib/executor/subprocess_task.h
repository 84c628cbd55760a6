/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the subprocess executor share: the executor, and one
 * attempt from its start to its end.
 */
#ifndef SCHEDD_EXECUTOR_SUBPROCESS_TASK_H
#define SCHEDD_EXECUTOR_SUBPROCESS_TASK_H

#include "executor/account.h"
#include "executor/capture.h"
#include "executor/child.h"
#include "executor/executor_ops.h"
#include "executor/process_census.h"
#include "executor/process_stat.h"
#include "executor/secret.h"
#include "executor/spawner_pool.h"
#include "loop/alarm.h"

struct subprocess_launch_ops;
struct subprocess_task;

struct subprocess {
	struct executor executor;
	struct account_cache *accounts;
	struct spawner_pool *pool;
	struct spawner_pool *own_pool; /* NULL: it is shared with others */
	struct subprocess_task *tasks; /* doubly linked */
	struct alarm *ending;          /* for tasks that were called off; NULL: none was yet */
	struct alarm *patience;        /* for tasks whose account is looked up; NULL: none was yet */
	bool patient;                  /* it is set, for the first of them */
	struct child_nursery *nursery; /* NULL: none was needed yet */
	char *cgroup;                  /* directory for groups; NULL: none */
	bool cgroup_stale;             /* groups of ended attempts are in it */
	char *buffer;                  /* CAPTURE_BUFFER bytes for all captures */
	enum process_start start;
};

enum subprocess_stage {
	SUBPROCESS_STARTING, /* its start is under way */
	SUBPROCESS_CALLED_OFF, /* before it ran; only its end is left to be told */
	SUBPROCESS_RUNNING,
};

struct subprocess_task {
	struct task task;
	struct subprocess_task *next, *previous;
	enum subprocess_stage stage;
	const struct subprocess_launch_ops *ops; /* of its start */
	struct spawner_start spawn;  /* while it is starting */
	struct spawn_result result;  /* of that */
	struct account_waiter account; /* while it is looked up */
	struct schedd_mono asked;      /* since when */
	bool inside;                 /* executor_start() has not returned yet */
	bool answered;               /* meanwhile result came */
	uint64_t signals;            /* set of those to be sent when it runs */
	int called_off_by;           /* signal */
	struct child *child;         /* NULL until it runs */
	struct capture *captures[2]; /* stdout (or both), stderr; NULL: at its end */
	int note;                    /* what a request left, see subprocess_http.h; -1: none */
	struct alarm *drain;         /* runs from the main process' end; NULL: not yet */
	struct secret_set secrets;
	uint64_t start; /* of the main process */
	uid_t uid;      /* whose it is */
	char invocation[PROCESS_INVOCATION + 1];
	char *cgroup;   /* its control group's directory; NULL: none */
};

#define SUBPROCESS_CGROUP_PREFIX "run."

/* Linked, starting. NULL: no memory. */
struct subprocess_task *subprocess_task_new(
    struct subprocess *self, const struct task_request *request);
void subprocess_task_free(struct subprocess_task *task);
struct subprocess *subprocess_task_owner(const struct subprocess_task *task);
/* Is there a pipe that has not come to its end? */
bool subprocess_task_reads(const struct subprocess_task *task);

#endif
