/* SPDX-License-Identifier: MIT */
/* Attempts that go on in another program that takes this one's place. */
#ifndef SCHEDD_EXECUTOR_SUBPROCESS_RESUME_H
#define SCHEDD_EXECUTOR_SUBPROCESS_RESUME_H

#include "executor/subprocess_task.h"

/* Lets go of an attempt that runs; the task is gone. */
void subprocess_release(struct subprocess_task *task, struct arena *arena, struct value *out);
/* Takes it up. Its callbacks are the executor's. On failure nothing of it is left but the task. */
int subprocess_resume(struct subprocess_task *task, const struct value *from,
    void (*ended)(void *context), void (*silent)(struct capture *capture, void *context),
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
