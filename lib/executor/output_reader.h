/* SPDX-License-Identifier: MIT */
/*
 * Reads a file of output, see output_file.h, as little at a time as is wanted.
 * Of what is passed over only the frames are looked at, not their text, so that
 * the end of a large file costs little more than its beginning.
 */
#ifndef SCHEDD_EXECUTOR_OUTPUT_READER_H
#define SCHEDD_EXECUTOR_OUTPUT_READER_H

#include "executor/output.h"

struct output_reader;

struct output_wanted {
	int stream;         /* of enum output_stream: its text alone, and gaps; -1: all */
	uint64_t *skip;     /* bytes of text still to be passed over; NULL: none */
	const bool *enough; /* no more is wanted once it is true; NULL: all is */
	output_piece_fn piece;
	void *context;
};

/* Borrows fd. NULL: no memory. */
struct output_reader *output_reader_new(int fd);
/* SCHEDD_ENOTFOUND: there is no such file. */
int output_reader_open(const char *path, struct output_reader **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
void output_reader_free(struct output_reader *reader);
/* From the beginning again. */
void output_reader_rewind(struct output_reader *reader);
/*
 * Calls piece for what comes next, for about so many bytes. 1: there is more. 0: that was all, for now
 * if the file grows. -errno: EBADMSG if it is no file of output.
 */
int output_reader_some(struct output_reader *reader, const struct output_wanted *wanted, size_t most)
    __attribute__((warn_unused_result));
/* All of it: each whole frame, of one that is cut off what is there. 0 or -errno. */
int output_reader_all(int fd, output_piece_fn piece, void *context);

#endif
