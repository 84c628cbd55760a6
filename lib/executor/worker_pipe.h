/* SPDX-License-Identifier: MIT */
/* The reading end of a worker's descriptor 1 or 2, where it is not known beforehand to whom it belongs. */
#ifndef SCHEDD_EXECUTOR_WORKER_PIPE_H
#define SCHEDD_EXECUTOR_WORKER_PIPE_H

#include <stddef.h>
#include <schedd/error.h>
#include <schedd/loop.h>

struct worker_pipe;

/* length 0: all writers are gone; the pipe may be freed inside then. */
typedef void (*worker_pipe_fn)(int number, const char *bytes, size_t length, void *context);

/* Makes the pipe; *end gets the writing end, the caller's. NULL and *err on failure. */
struct worker_pipe *worker_pipe_new(struct schedd_loop *loop, int number, worker_pipe_fn call,
    void *context, int *end, struct schedd_error *err);
/* The same of a pipe that is there. fd is the pipe's then; on failure it is closed. */
struct worker_pipe *worker_pipe_resume(struct schedd_loop *loop, int number, worker_pipe_fn call,
    void *context, int fd, struct schedd_error *err);
/* NULL is fine. */
void worker_pipe_free(struct worker_pipe *pipe);
/* Hands on what is there now, without waiting, up to what a pipe holds. The pipe stays. */
void worker_pipe_drain(struct worker_pipe *pipe);
/* The reading end, the pipe's. */
int worker_pipe_fd(const struct worker_pipe *pipe);
/* Another descriptor of it, the caller's. */
int worker_pipe_dup(const struct worker_pipe *pipe);

#endif
