/* SPDX-License-Identifier: MIT */
/*
 * What a worker writes that belongs to no run, line by line into schedd's log,
 * and not more of it than a log can bear.
 */
#ifndef SCHEDD_EXECUTOR_WORKER_LOG_H
#define SCHEDD_EXECUTOR_WORKER_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/log.h>

#define WORKER_LOG_LINE 512

struct worker_log {
	char line[WORKER_LOG_LINE]; /* what has no end yet */
	char last[WORKER_LOG_LINE]; /* the latest line that was not empty */
	size_t length;
	struct schedd_mono minute; /* since when lines are counted */
	uint32_t lines;            /* since then */
	uint64_t dropped;          /* bytes that were not logged */
};

/* name: "executor python, worker 3 (pid 77)". */
void worker_log_write(struct worker_log *out, const struct schedd_log *log, const char *name,
    struct schedd_mono now, const char *bytes, size_t length);
/* A line without an end, and how much was left out. */
void worker_log_finish(struct worker_log *out, const struct schedd_log *log, const char *name,
    struct schedd_mono now);

#endif
