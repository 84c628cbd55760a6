/* SPDX-License-Identifier: MIT */
/* What the JSON forms of schedd-time(7) have in common: their limits, and how times stand in them.
 */
#ifndef SCHEDD_TRIGGER_TRIGGER_VALUE_H
#define SCHEDD_TRIGGER_TRIGGER_VALUE_H

#include "trigger/trigger.h"

/* How deep combinations may be nested, how many children one may have, and all together. */
#define TRIGGER_VALUE_DEPTH_MAX 16
#define TRIGGER_VALUE_LIST_MAX 256
#define TRIGGER_VALUE_TOTAL_MAX 1024

/* RFC 3339 with the zone's offset. */
struct value trigger_value_time(struct arena *arena, schedd_time when, const struct zone *zone);
/* 2026-01-31, from days since the epoch. */
struct value trigger_value_date(struct arena *arena, int32_t day);

#endif
