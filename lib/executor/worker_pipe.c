/* SPDX-License-Identifier: MIT */
/* A wake-up reads a bounded number of bytes, so that a worker that floods holds nobody up. */
#include "executor/worker_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "loop/loop.h"

#define PIPE_READ 8192
#define PIPE_DRAIN_READS 16

struct worker_pipe {
	struct schedd_loop *loop;
	struct schedd_watch *watch;
	worker_pipe_fn call;
	void *context;
	int number;
	int fd;
};

/* Bytes read, 0 at the end, -1 if there is nothing now. */
static ssize_t pipe_read(const struct worker_pipe *pipe, char *buffer)
{
	ssize_t got;

	do
		got = read(pipe->fd, buffer, PIPE_READ);
	while (got < 0 && errno == EINTR);
	return got < 0 && errno != EAGAIN ? 0 : got;
}

static void pipe_ready(int fd, unsigned ready, void *context)
{
	struct worker_pipe *pipe = context;
	char buffer[PIPE_READ];
	ssize_t got = pipe_read(pipe, buffer);

	(void)fd;
	(void)ready;
	if (got >= 0)
		pipe->call(pipe->number, buffer, (size_t)got, pipe->context);
}

struct worker_pipe *worker_pipe_resume(struct schedd_loop *loop, int number, worker_pipe_fn call,
    void *context, int fd, struct schedd_error *err)
{
	struct worker_pipe *pipe = calloc(1, sizeof(*pipe));

	if (!pipe) {
		schedd_error_nomem(err);
		close(fd);
		return NULL;
	}
	*pipe = (struct worker_pipe){
	    .loop = loop, .call = call, .context = context, .number = number, .fd = fd};
	pipe->watch = loop_watch(loop, fd, SCHEDD_READ, pipe_ready, pipe, err);
	if (pipe->watch)
		return pipe;
	close(fd);
	free(pipe);
	return NULL;
}

struct worker_pipe *worker_pipe_new(struct schedd_loop *loop, int number, worker_pipe_fn call,
    void *context, int *end, struct schedd_error *err)
{
	struct worker_pipe *made;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) {
		schedd_error_set(err, SCHEDD_EFAILED, "cannot make a pipe: %s", strerror(errno));
		return NULL;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	made = worker_pipe_resume(loop, number, call, context, ends[0], err);
	if (made)
		*end = ends[1];
	else
		close(ends[1]);
	return made;
}

void worker_pipe_free(struct worker_pipe *pipe)
{
	if (!pipe)
		return;
	loop_unwatch(pipe->loop, pipe->watch);
	close(pipe->fd);
	free(pipe);
}

void worker_pipe_drain(struct worker_pipe *pipe)
{
	char buffer[PIPE_READ];

	for (int i = 0; i < PIPE_DRAIN_READS; i++) {
		ssize_t got = pipe_read(pipe, buffer);

		if (got <= 0)
			return;
		pipe->call(pipe->number, buffer, (size_t)got, pipe->context);
	}
}

int worker_pipe_fd(const struct worker_pipe *pipe)
{
	return pipe->fd;
}

int worker_pipe_dup(const struct worker_pipe *pipe)
{
	return fcntl(pipe->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}
