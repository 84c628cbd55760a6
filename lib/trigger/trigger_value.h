/* SPDX-License-Identifier: MIT */
/* Triggers as plain data: the JSON forms of schedd-time(7), read and written. */
#ifndef SCHEDD_TRIGGER_TRIGGER_VALUE_H
#define SCHEDD_TRIGGER_TRIGGER_VALUE_H

#include "trigger/trigger.h"

/* How deep combinations may be nested, how many children one may have, and all together. */
#define TRIGGER_VALUE_DEPTH_MAX 16
#define TRIGGER_VALUE_LIST_MAX 256
#define TRIGGER_VALUE_TOTAL_MAX 1024

/* See trigger_from_value and trigger_to_value. */
int trigger_value_read(const struct value *value, const struct trigger_context *context,
    struct schedd_trigger **out, struct schedd_error *err) __attribute__((warn_unused_result));
struct value trigger_value_write(const struct schedd_trigger *trigger, struct arena *arena);

/* RFC 3339 with the zone's offset. */
struct value trigger_value_time(struct arena *arena, schedd_time when, const struct zone *zone);
/* 2026-01-31, from days since the epoch. */
struct value trigger_value_date(struct arena *arena, int32_t day);

#endif
