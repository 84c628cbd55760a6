/* SPDX-License-Identifier: MIT */
/* When nothing could run, in words. */
#ifndef SCHEDD_CORE_JOBS_DOWNTIME_H
#define SCHEDD_CORE_JOBS_DOWNTIME_H

#include "base/strbuf.h"
#include "core/frame/scheduler_state.h"

/* "02:10", with the date where that time is not of about today. */
void downtime_clock(const struct schedd_scheduler *scheduler, schedd_time when, struct strbuf *out);
/* "daemon down 02:10–02:44" */
void downtime_reason(const struct schedd_scheduler *scheduler, schedd_time since,
    schedd_time until, char *text, size_t size);

#endif
