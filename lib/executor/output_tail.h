/* SPDX-License-Identifier: MIT */
/* The last lines of what was kept of a run's output. */
#ifndef SCHEDD_EXECUTOR_OUTPUT_TAIL_H
#define SCHEDD_EXECUTOR_OUTPUT_TAIL_H

#include "executor/output_source.h"

/*
 * How many bytes of what was kept come before its last lines, of one stream
 * (enum output_stream; -1: of all). SCHEDD_ENOTFOUND: nothing was kept.
 */
int output_tail_offset(const struct output_source *source, int stream, uint64_t lines, uint64_t *offset,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
