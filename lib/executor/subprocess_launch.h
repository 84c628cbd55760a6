/* SPDX-License-Identifier: MIT */
/* From a job to a start that is asked for: its files, its words, its environment. */
#ifndef SCHEDD_EXECUTOR_SUBPROCESS_LAUNCH_H
#define SCHEDD_EXECUTOR_SUBPROCESS_LAUNCH_H

#include "executor/subprocess_task.h"

struct subprocess_launch_ops {
	/* What became of a start, maybe before subprocess_launch() returns. */
	void (*launched)(struct spawner_start *start, const struct spawn_result *result);
	/* It came to nothing before that, and later than subprocess_launch() returned. */
	void (*failed)(struct subprocess_task *task, const struct schedd_error *err);
	/* A pipe has come to its end. */
	void (*silent)(struct capture *capture, void *context);
};

/*
 * Asks for the start, at once or when its account is known. On failure nothing
 * of it is left but the task.
 */
int subprocess_launch(struct subprocess_task *task, const struct subprocess_launch_ops *ops,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Calls it off: false: it may be running, and launched will be called. kill_it: see spawner_pool.h. */
bool subprocess_launch_cancel(struct subprocess_task *task);

#endif
