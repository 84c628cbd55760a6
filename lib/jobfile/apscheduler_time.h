/* SPDX-License-Identifier: MIT */
/* Python's dates, spans and time zones as texts that we read. */
#ifndef SCHEDD_JOBFILE_APSCHEDULER_TIME_H
#define SCHEDD_JOBFILE_APSCHEDULER_TIME_H

#include <schedd/clock.h>
#include <schedd/error.h>
#include "base/value.h"

/* Each takes null (nil comes out), a text (taken as it is) or a pickled object. SCHEDD_EINVAL. */
int apscheduler_time_moment(const struct value *value, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
int apscheduler_time_zone(const struct value *value, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* A timedelta, pickled or as a number of seconds. */
int apscheduler_time_span(const struct value *value, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The object of {"__apscheduler_pickle__": …}; anything else as it is. */
int apscheduler_time_unpickle(const struct value *value, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
