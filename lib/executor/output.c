/* SPDX-License-Identifier: MIT */
/*
 * Half of the limit is for the head, half for the tail. The head goes to the
 * file as it comes (made at the first byte: most jobs write nothing), the tail
 * stays in a ring until the run ends.
 */
#include "executor/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include "executor/output_file.h"
#include "executor/output_reader.h"
#include "executor/output_ring.h"

#define OUTPUT_GATHER 65536 /* bytes of frames that are written together */

struct output_follower {
	struct output_follower *next;
	struct output *output;
	output_piece_fn call; /* NULL: gone, freed after the round */
	void *context;
};

struct output {
	char *path;              /* NULL: in memory */
	struct output_ring head; /* in memory only; never overflows */
	struct output_ring tail;
	size_t head_left; /* bytes the head still takes */
	uint64_t written;
	uint64_t dropped;
	struct output_follower *followers;
	int fd; /* -1: no file yet */
	bool finished;
	bool following;  /* a round of callbacks is under way */
	char error[128]; /* what went wrong with the file; "" : nothing */
};

struct output *output_new(const char *path, size_t limit)
{
	struct output *output = calloc(1, sizeof(*output));

	if (!output)
		return NULL;
	output->fd = -1;
	output->head_left = limit - limit / 2;
	output_ring_init(&output->head, output->head_left);
	output_ring_init(&output->tail, limit / 2);
	if (path) {
		output->path = strdup(path);
		if (!output->path) {
			free(output);
			return NULL;
		}
	}
	return output;
}

void output_free(struct output *output)
{
	if (!output)
		return;
	while (output->followers) {
		struct output_follower *follower = output->followers;

		output->followers = follower->next;
		free(follower);
	}
	if (output->fd >= 0)
		close(output->fd);
	output_ring_clear(&output->head);
	output_ring_clear(&output->tail);
	free(output->path);
	free(output);
}

static void output_fail(struct output *output, int rc)
{
	if (!output->error[0])
		snprintf(output->error, sizeof(output->error), "%s", strerror(-rc));
	output->head_left = 0;
}

/* The file is made when it is first needed. False: there is none. */
static bool output_has_file(struct output *output)
{
	int fd;

	if (output->error[0] || output->fd >= 0)
		return !output->error[0];
	fd = output_file_create(output->path);
	if (fd < 0)
		output_fail(output, fd);
	else
		output->fd = fd;
	return fd >= 0;
}

/* Appends a frame to the file. */
static bool output_to_file(struct output *output, const struct output_piece *piece)
{
	int rc;

	if (!output_has_file(output))
		return false;
	rc = output_file_append(output->fd, piece);
	if (rc < 0)
		output_fail(output, rc);
	return rc == 0;
}

/* What of the piece belongs to the head is put there. Returns how much that was. */
static size_t output_head(struct output *output, const struct output_piece *piece)
{
	struct output_piece head = *piece;

	if (head.length > output->head_left)
		head.length = output->head_left;
	if (head.length == 0)
		return 0;
	if (!output->path)
		output->dropped += output_ring_add(&output->head, &head);
	else if (!output_to_file(output, &head))
		return 0;
	if (output->head_left)
		output->head_left -= head.length;
	return head.length;
}

static void output_tell(struct output *output, const struct output_piece *piece)
{
	struct output_follower **at = &output->followers;
	bool outer = !output->following;

	output->following = true;
	for (struct output_follower *f = output->followers; f; f = f->next)
		if (f->call)
			f->call(piece, f->context);
	if (!outer)
		return;
	output->following = false;
	while (*at) {
		struct output_follower *follower = *at;

		if (follower->call) {
			at = &follower->next;
			continue;
		}
		*at = follower->next;
		free(follower);
	}
}

void output_append(struct output *output, enum output_stream stream, const char *bytes,
    size_t length, schedd_time when)
{
	const struct output_piece whole = {stream, bytes, length, when};
	struct output_piece rest = whole;
	size_t taken;

	if (length == 0 || output->finished)
		return;
	output->written += length;
	taken = output_head(output, &whole);
	rest.bytes += taken;
	rest.length -= taken;
	output->dropped += output_ring_add(&output->tail, &rest);
	if (output->followers)
		output_tell(output, &whole);
}

/* Frames of the tail, so that tens of thousands of small ones are few writes. */
struct output_frames {
	struct output *output;
	struct strbuf text;
	uint64_t bytes; /* that a job wrote */
};

static void output_frames_flush(struct output_frames *frames)
{
	struct output *output = frames->output;
	int rc = strbuf_failed(&frames->text) ? -ENOMEM : 0;

	if (frames->bytes == 0)
		return;
	if (output_has_file(output)) {
		rc = rc ? rc : output_file_append_frames(output->fd, &frames->text);
		if (rc < 0)
			output_fail(output, rc);
	}
	if (output->error[0])
		output->dropped += frames->bytes;
	strbuf_clear(&frames->text);
	frames->bytes = 0;
}

static void output_tail_piece(const struct output_piece *piece, void *context)
{
	struct output_frames *frames = context;

	output_file_write(&frames->text, piece);
	frames->bytes += piece->length;
	if (frames->text.length >= OUTPUT_GATHER || strbuf_failed(&frames->text))
		output_frames_flush(frames);
}

static struct output_piece output_gap(const struct output *output)
{
	return (struct output_piece){
	    .stream = OUTPUT_GAP, .length = (size_t)output->dropped, .when = SCHEDD_TIME_NONE};
}

void output_finish(struct output *output)
{
	const struct output_piece gap = output_gap(output);
	struct output_frames frames = {.output = output, .text = STRBUF_EMPTY};

	if (output->finished)
		return;
	output->finished = true;
	if (!output->path || output->written == 0)
		return;
	if (output->dropped > 0)
		(void)output_to_file(output, &gap);
	output_ring_read(&output->tail, output_tail_piece, &frames);
	output_frames_flush(&frames);
	output_ring_clear(&output->tail);
}

/* ---- In another program's hands ---- */

static void output_release_piece(const struct output_piece *piece, void *context)
{
	int *fd = context;

	if (*fd >= 0 && output_file_append(*fd, piece) < 0) {
		close(*fd);
		*fd = -1;
	}
}

/* A ring as a file in memory; -1: it is empty, or there is no memory. */
static int output_release_ring(const struct output_ring *ring)
{
	int fd = ring->text ? memfd_create("schedd-output", MFD_CLOEXEC) : -1;

	if (fd < 0)
		return -1;
	if (output_file_begin(fd) < 0) {
		close(fd);
		return -1;
	}
	output_ring_read(ring, output_release_piece, &fd);
	return fd;
}

bool output_release(struct output *output, struct arena *arena, struct value *out)
{
	*out = value_map();
	value_put(
	    arena, out, "limit", value_int((int64_t)(output->head.limit + output->tail.limit)));
	value_put(arena, out, "written", value_int((int64_t)output->written));
	value_put(arena, out, "dropped", value_int((int64_t)output->dropped));
	value_put(arena, out, "head_left", value_int((int64_t)output->head_left));
	value_put(arena, out, "error", value_string(arena, output->error));
	value_put(arena, out, "head_fd", value_int(output_release_ring(&output->head)));
	value_put(arena, out, "tail_fd", value_int(output_release_ring(&output->tail)));
	value_put(arena, out, "file_fd", value_int(output->fd));
	output->fd = -1;
	return !arena_failed(arena);
}

static void output_resume_piece(const struct output_piece *piece, void *context)
{
	output_ring_add(context, piece);
}

static void output_resume_ring(struct output_ring *ring, const struct value *from, const char *key)
{
	int fd = (int)value_get_int(from, key, -1);

	if (fd < 0)
		return;
	(void)output_reader_all(fd, output_resume_piece, ring);
	close(fd);
}

struct output *output_resume(const char *path, const struct value *from)
{
	struct output *output = output_new(path, (size_t)value_get_int(from, "limit", 0));
	const char *error = value_get_string(from, "error");

	if (!output)
		return NULL;
	output->written = (uint64_t)value_get_int(from, "written", 0);
	output->dropped = (uint64_t)value_get_int(from, "dropped", 0);
	output->head_left = (size_t)value_get_int(from, "head_left", 0);
	output->fd = (int)value_get_int(from, "file_fd", -1);
	snprintf(output->error, sizeof(output->error), "%s", error ? error : "");
	output_resume_ring(&output->head, from, "head_fd");
	output_resume_ring(&output->tail, from, "tail_fd");
	return output;
}

/* ---- What was written ---- */

uint64_t output_written(const struct output *output)
{
	return output->written;
}

uint64_t output_dropped(const struct output *output)
{
	return output->dropped;
}

const char *output_error(const struct output *output)
{
	return output->error[0] ? output->error : NULL;
}

struct output_follower *output_follow(struct output *output, output_piece_fn call, void *context)
{
	struct output_follower *follower = calloc(1, sizeof(*follower));
	struct output_follower **at = &output->followers;

	if (!follower)
		return NULL;
	follower->output = output;
	follower->call = call;
	follower->context = context;
	while (*at)
		at = &(*at)->next;
	*at = follower;
	return follower;
}

void output_unfollow(struct output_follower *follower)
{
	struct output_follower **at;

	if (!follower)
		return;
	if (follower->output->following) {
		follower->call = NULL;
		return;
	}
	at = &follower->output->followers;
	while (*at != follower)
		at = &(*at)->next;
	*at = follower->next;
	free(follower);
}

void output_read_memory(const struct output *output, output_piece_fn piece, void *context)
{
	const struct output_piece gap = output_gap(output);

	output_ring_read(&output->head, piece, context);
	/* After the end the file holds the gap and the tail as well. */
	if (output->finished && output->path)
		return;
	if (output->dropped > 0)
		piece(&gap, context);
	output_ring_read(&output->tail, piece, context);
}

void output_read(const struct output *output, output_piece_fn piece, void *context)
{
	if (output->fd >= 0)
		(void)output_reader_all(output->fd, piece, context);
	output_read_memory(output, piece, context);
}

int output_read_file(
    const char *path, output_piece_fn piece, void *context, struct schedd_error *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	if (fd < 0 && errno == ENOENT)
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "no output was kept in '%s'", path);
	if (fd < 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "output '%s': %s", path, strerror(errno));
	rc = output_reader_all(fd, piece, context);
	close(fd);
	if (rc < 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "output '%s': %s", path, strerror(-rc));
	return 0;
}
