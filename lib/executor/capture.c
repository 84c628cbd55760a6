/* SPDX-License-Identifier: MIT */
#include "executor/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "loop/loop.h"

/* A pipe holds 64 KiB unless made larger; more than that came after we began. */
#define CAPTURE_DRAIN_READS 16

struct capture {
	struct schedd_loop *loop;
	struct schedd_watch *watch;
	struct output *output;
	void (*ended)(struct capture *capture, void *context);
	void *context;
	char *buffer;
	enum output_stream stream;
	int fd;
};

/* Bytes read, 0 at the end, -1 if there is nothing now. */
static ssize_t capture_read(struct capture *capture)
{
	ssize_t got;

	do
		got = read(capture->fd, capture->buffer, CAPTURE_BUFFER);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -1 : 0;
	if (got > 0 && capture->output)
		output_append(capture->output, capture->stream, capture->buffer, (size_t)got,
		    schedd_clock_system()->wall(NULL));
	return got;
}

static void capture_ready(int fd, unsigned ready, void *context)
{
	struct capture *capture = context;
	ssize_t got = capture_read(capture);

	(void)fd;
	(void)ready;
	/* Mostly the end follows the last words at once: spare a wake-up. */
	if (got > 0 && got < CAPTURE_BUFFER)
		got = capture_read(capture);
	if (got == 0)
		capture->ended(capture, capture->context);
}

struct capture *capture_resume(struct schedd_loop *loop, struct output *output,
    enum output_stream stream, char *buffer, void (*ended)(struct capture *capture, void *context),
    void *context, int fd, struct schedd_error *err)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture) {
		schedd_error_nomem(err);
		close(fd);
		return NULL;
	}
	*capture = (struct capture){
	    .loop = loop,
	    .output = output,
	    .ended = ended,
	    .context = context,
	    .buffer = buffer,
	    .stream = stream,
	    .fd = fd,
	};
	capture->watch = loop_watch(loop, fd, SCHEDD_READ, capture_ready, capture, err);
	if (!capture->watch) {
		close(fd);
		free(capture);
		return NULL;
	}
	return capture;
}

struct capture *capture_new(struct schedd_loop *loop, struct output *output,
    enum output_stream stream, char *buffer, void (*ended)(struct capture *capture, void *context),
    void *context, int *end, struct schedd_error *err)
{
	struct capture *capture;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		schedd_error_set(err, SCHEDD_EFAILED, "cannot make a pipe: %s", strerror(errno));
		return NULL;
	}
	capture = capture_resume(loop, output, stream, buffer, ended, context, ends[0], err);
	if (!capture) {
		close(ends[1]);
		return NULL;
	}
	*end = ends[1];
	return capture;
}

int capture_release(struct capture *capture)
{
	int fd = capture->fd;

	loop_unwatch(capture->loop, capture->watch);
	free(capture);
	return fd;
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	loop_unwatch(capture->loop, capture->watch);
	close(capture->fd);
	free(capture);
}

bool capture_drain(struct capture *capture)
{
	for (int i = 0; i < CAPTURE_DRAIN_READS; i++) {
		ssize_t got = capture_read(capture);

		if (got <= 0)
			return got == 0;
	}
	return false;
}
