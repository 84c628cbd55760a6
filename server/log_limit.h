/* SPDX-License-Identifier: MIT */
/* Lines that a stranger could cause without end: one in a while, with how many it stands for. */
#ifndef SCHEDD_SERVER_LOG_LIMIT_H
#define SCHEDD_SERVER_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>

#define LOG_LIMIT_PAUSE (10 * SCHEDD_SECOND)

struct log_limit {
	int64_t next;      /* of the monotonic clock; 0: a line may be written now */
	uint64_t withheld; /* since the last one */
};

/* May a line be written now? Then *withheld of its kind were not since the one before. */
bool log_limit_passes(struct log_limit *limit, struct schedd_mono now, uint64_t *withheld);

#endif
