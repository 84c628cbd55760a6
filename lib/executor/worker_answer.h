/* SPDX-License-Identifier: MIT */
/* What a worker is sent of a call, and what its answer means for the run. */
#ifndef SCHEDD_EXECUTOR_WORKER_ANSWER_H
#define SCHEDD_EXECUTOR_WORKER_ANSWER_H

#include "base/message.h"
#include "executor/executor.h"

#define WORKER_RESULT_MAX ((size_t)65536) /* bytes kept of what a function returned */

/* The params of call; now: for its deadline. */
struct value worker_answer_call(
    const struct task_request *request, schedd_time now, struct arena *arena);
/* What the answer says; texts live in the arena. */
struct task_result worker_answer_read(const struct message *message, struct arena *arena);

#endif
