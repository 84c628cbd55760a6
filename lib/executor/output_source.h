/* SPDX-License-Identifier: MIT */
/*
 * What was kept of a run's output, wherever that is: of one that goes on, in
 * its file, or the end of it as it is kept in a store that nodes share.
 */
#ifndef SCHEDD_EXECUTOR_OUTPUT_SOURCE_H
#define SCHEDD_EXECUTOR_OUTPUT_SOURCE_H

#include "base/strbuf.h"
#include "executor/output.h"

/* The first of these that is set. */
struct output_source {
	const struct output *live; /* its own, also when it has ended */
	const char *bytes;         /* what output_source_last() made */
	size_t length;             /* of these */
	const char *path;          /* of its file */
};

/* Calls piece for all of it, in order. SCHEDD_ENOTFOUND: nothing was kept. */
int output_source_read(const struct output_source *source, output_piece_fn piece, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Appends its last bytes of text in the form of a file of output, behind a gap
 * that counts those before them. Nothing is appended where nothing was kept.
 */
int output_source_last(const struct output_source *source, size_t most, struct strbuf *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
