/* SPDX-License-Identifier: MIT */
/*
 * Requests of accounts: each is sent by a process of the account, schedd-http
 * (see http_program.h), as its commands are run. Root's are the http executor's.
 */
#ifndef SCHEDD_EXECUTOR_SUBPROCESS_HTTP_H
#define SCHEDD_EXECUTOR_SUBPROCESS_HTTP_H

#include "executor/subprocess_task.h"

/* Is the program there? SCHEDD_EINVAL says where it is missing. */
int subprocess_http_check(struct schedd_error *err) __attribute__((warn_unused_result));
/* What it is started with. NULL: no memory, or it is not there. */
const char *const *subprocess_http_argv(struct arena *arena);
/* Gives it the request, and the task the note that it will leave. */
int subprocess_http_files(struct subprocess_task *task, struct spawn *how, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Its end as that of a request; *why holds the reason. */
void subprocess_http_result(
    const struct subprocess_task *task, struct task_result *result, struct schedd_error *why);

#endif
