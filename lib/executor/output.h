/* SPDX-License-Identifier: MIT */
/*
 * What a run writes: the head and the tail are kept, the middle is counted.
 *
 * Memory is bounded by the limit, whatever is written. Text is appended as it
 * comes, so that it can be followed live; with a file the head is on disk at
 * once, the tail when the run ends.
 */
#ifndef SCHEDD_EXECUTOR_OUTPUT_H
#define SCHEDD_EXECUTOR_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include "base/value.h"

struct output;

/* Which of the job's descriptors it came from. */
enum output_stream {
	OUTPUT_STDOUT,
	OUTPUT_STDERR,
	OUTPUT_GAP, /* not written by the job: that many bytes were dropped here */
};

/*
 * limit: bytes kept in all. path: the file it is kept in, created with mode
 * 0600 (NULL: in memory only). A file that cannot be written is an error once
 * (see output_error) and then counts as dropped; the run goes on.
 */
struct output *output_new(const char *path, size_t limit);
void output_free(struct output *output);
/* when: now, by the wall clock. */
void output_append(struct output *output, enum output_stream stream, const char *bytes,
    size_t length, schedd_time when);
/* Everything is in: writes the tail and what was dropped. */
void output_finish(struct output *output);
uint64_t output_written(const struct output *output);
uint64_t output_dropped(const struct output *output);
/* NULL: none; otherwise what went wrong with the file. */
const char *output_error(const struct output *output);

/*
 * For another program in this process' place: puts what output_resume() needs
 * into a map. Members that end in _fd are descriptors, the caller's. The output
 * itself is only to be freed then. False: no memory.
 */
bool output_release(struct output *output, struct arena *arena, struct value *out);
/* path: where it was kept, or NULL. Takes the descriptors. NULL: no memory. */
struct output *output_resume(const char *path, const struct value *from);

struct output_piece {
	enum output_stream stream;
	const char *bytes; /* NULL in a gap */
	size_t length;     /* of a gap: how many bytes were dropped */
	schedd_time when;  /* it was written; SCHEDD_TIME_NONE: nobody knows */
};
typedef void (*output_piece_fn)(const struct output_piece *piece, void *context);

struct output_follower;
/* piece is called for each that is appended from now on, on the loop's thread. NULL: no
 * memory. */
struct output_follower *output_follow(struct output *output, output_piece_fn piece, void *context);
void output_unfollow(struct output_follower *follower);

/* Calls piece for all that is kept so far, in order. */
void output_read(const struct output *output, output_piece_fn piece, void *context);
/* What of it is not in its file, which comes before that. */
void output_read_memory(const struct output *output, output_piece_fn piece, void *context);
/* The same from the file of a run that has ended. SCHEDD_ENOTFOUND: there is none. */
int output_read_file(const char *path, output_piece_fn piece, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
