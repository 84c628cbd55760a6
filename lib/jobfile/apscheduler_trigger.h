/* SPDX-License-Identifier: MIT */
/* APScheduler's triggers as ours. */
#ifndef SCHEDD_JOBFILE_APSCHEDULER_TRIGGER_H
#define SCHEDD_JOBFILE_APSCHEDULER_TRIGGER_H

#include <schedd/error.h>
#include "base/value.h"

/*
 * A trigger as export_jobs() writes it ({__apscheduler_class__,
 * __apscheduler_state__}). SCHEDD_EINVAL says what cannot be taken.
 */
int apscheduler_trigger_from_state(const struct value *trigger, struct arena *arena,
    struct value *out, struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * A trigger by its alias (cron, interval, date, calendarinterval) and the
 * arguments of add_job(), which are members of map. SCHEDD_EINVAL.
 */
int apscheduler_trigger_from_args(const char *alias, const struct value *map, struct arena *arena,
    struct value *out, struct schedd_error *err) __attribute__((warn_unused_result));
/* Is it the name of such an argument? */
bool apscheduler_trigger_is_arg(const char *name);

#endif
