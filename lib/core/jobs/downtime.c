/* SPDX-License-Identifier: MIT */
#include "core/jobs/downtime.h"

#include <stdio.h>
#include "base/civil.h"

static void downtime_clock_date(
    const struct schedd_scheduler *scheduler, schedd_time when, bool date, struct strbuf *out)
{
	int64_t second = when / SCHEDD_SECOND;
	struct civil civil;

	civil_from_seconds(second + zone_offset(scheduler->zone.zone, second), &civil);
	if (date)
		strbuf_printf(out, "%04d-%02d-%02d ", civil.year, civil.month, civil.day);
	strbuf_printf(out, "%02d:%02d", civil.hour, civil.minute);
}

void downtime_clock(const struct schedd_scheduler *scheduler, schedd_time when, struct strbuf *out)
{
	schedd_span away = scheduler_now(scheduler) - when;

	downtime_clock_date(
	    scheduler, when, away > 20 * SCHEDD_HOUR || away < -20 * SCHEDD_HOUR, out);
}

void downtime_reason(const struct schedd_scheduler *scheduler, schedd_time since,
    schedd_time until, char *text, size_t size)
{
	struct strbuf reason = STRBUF_EMPTY;
	bool long_ago = until - since > 20 * SCHEDD_HOUR;

	strbuf_add(&reason, "daemon down ");
	downtime_clock_date(scheduler, since, long_ago, &reason);
	strbuf_add(&reason, "–");
	downtime_clock_date(scheduler, until, long_ago, &reason);
	snprintf(text, size, "%s", strbuf_peek(&reason));
	strbuf_clear(&reason);
}
