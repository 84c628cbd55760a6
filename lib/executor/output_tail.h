/* SPDX-License-Identifier: MIT */
/* The last lines of what was kept of a run's output. */
#ifndef SCHEDD_EXECUTOR_OUTPUT_TAIL_H
#define SCHEDD_EXECUTOR_OUTPUT_TAIL_H

#include "executor/output_source.h"

/* Two passes: the lines are counted, then those before the last are passed over. All zero but for stream. */
struct output_tail {
	int stream;        /* of enum output_stream; -1: of all */
	uint64_t newlines; /* counted in the first pass, still to be passed in the second */
	uint64_t bytes;    /* passed in the second: so many come before the last lines */
	bool open;         /* the last line has no newline */
};

/* For each piece of the first pass; context is the tail. */
void output_tail_count(const struct output_piece *piece, void *context);
/* Between the two. False: nothing is to be passed over. */
bool output_tail_counted(struct output_tail *tail, uint64_t lines);
/* For each of the second. */
void output_tail_pass(const struct output_piece *piece, void *context);

/*
 * Both at once: how many bytes of what was kept come before its last lines, of one
 * stream. SCHEDD_ENOTFOUND: nothing was kept.
 */
int output_tail_offset(const struct output_source *source, int stream, uint64_t lines, uint64_t *offset,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
