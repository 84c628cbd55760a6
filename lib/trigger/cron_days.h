/* SPDX-License-Identifier: MIT */
/* The dates of a cron schedule. */
#ifndef SCHEDD_TRIGGER_CRON_DAYS_H
#define SCHEDD_TRIGGER_CRON_DAYS_H

#include "trigger/cron_set.h"

#define CRON_DAYS_NONE INT32_MIN

/* The first day at or after day that matches, CRON_DAYS_NONE if there is none up to 9999. */
int32_t cron_days_next(const struct cron *cron, int32_t day);
/* The last day at or before day that matches, CRON_DAYS_NONE if there is none back to 1970. */
int32_t cron_days_prev(const struct cron *cron, int32_t day);
/* How many days from first to last (inclusive) match; 0 where last is before first. */
int32_t cron_days_count(const struct cron *cron, int32_t first, int32_t last);

#endif
