/* SPDX-License-Identifier: MIT */
/* From a job to a start that is asked for: its files, its words, its environment. */
#ifndef SCHEDD_EXECUTOR_SUBPROCESS_LAUNCH_H
#define SCHEDD_EXECUTOR_SUBPROCESS_LAUNCH_H

#include "executor/subprocess_task.h"

/*
 * Asks for the start. launched is called with what became of it, maybe before
 * this returns; silent when a pipe has come to its end. On failure nothing of
 * it is left but the task.
 */
int subprocess_launch(struct subprocess_task *task,
    void (*launched)(struct spawner_start *start, const struct spawn_result *result),
    void (*silent)(struct capture *capture, void *context), struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
