/* SPDX-License-Identifier: MIT */
/* The wall-clock readings of a cron schedule, from 1970 to 9999, without zones. */
#ifndef SCHEDD_TRIGGER_CRON_WALL_H
#define SCHEDD_TRIGGER_CRON_WALL_H

#include "trigger/cron_set.h"

/* Far from every reading, and still far after an offset was added. */
#define CRON_WALL_NEVER (INT64_MAX / 2)
#define CRON_WALL_BEFORE (INT64_MIN / 2)

/* The first reading at or after wall; CRON_WALL_NEVER if there is none. */
int64_t cron_wall_next(const struct cron *cron, int64_t wall);
/* The last reading at or before wall; CRON_WALL_BEFORE if there is none. */
int64_t cron_wall_prev(const struct cron *cron, int64_t wall);
/* How many readings lie from first to last, both inclusive. */
uint64_t cron_wall_count(const struct cron *cron, int64_t first, int64_t last);

#endif
