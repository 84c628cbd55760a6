/* SPDX-License-Identifier: MIT */
/*
 * How many fire times: days are counted month by month and multiplied with the
 * times of a day; only the fires around a gap are counted one by one.
 */
#include "trigger/cron_stretch.h"
#include "trigger/cron_wall.h"

/* The fire times from at until the readings skipped by the gap are through, or until last. */
static uint64_t count_after_gap(
    const struct cron *cron, const struct zone *zone, int64_t at, int64_t last, uint64_t limit)
{
	uint64_t count = 0;

	while (count < limit) {
		schedd_time fire = cron_next(cron, zone, at * SCHEDD_SECOND);

		if (fire == SCHEDD_TIME_NONE || fire > last * SCHEDD_SECOND)
			break;
		at = fire / SCHEDD_SECOND + 1;
		count++;
	}
	return count;
}

uint64_t cron_count(const struct cron *cron, const struct zone *zone, schedd_time from,
    schedd_time until, uint64_t limit)
{
	struct cron_stretch stretch;
	int64_t at, last;
	uint64_t count = 0;

	if (until < 0 || from > until || from > SCHEDD_TIME_MAX)
		return 0;
	at = from <= 0 ? 0 : (from - 1) / SCHEDD_SECOND + 1;
	last = until >= SCHEDD_TIME_MAX ? CRON_LAST_SECOND : until / SCHEDD_SECOND;
	while (at <= last && count < limit) {
		int64_t stop;

		cron_stretch_at(zone, at, &stretch);
		stop = stretch.end <= last ? stretch.end - 1 : last;
		if (stretch.begin > at - CRON_STRETCH_NEAR)
			cron_stretch_opening(cron, zone, &stretch);
		if (stretch.gap > 0 && at < stretch.begin + stretch.gap) {
			int64_t through = stretch.begin + stretch.gap - 1;

			if (through > stop)
				through = stop;
			count += count_after_gap(cron, zone, at, through, limit - count);
			at = through + 1;
		}
		if (at < stretch.repeats)
			at = stretch.repeats;
		if (at <= stop)
			count += cron_wall_count(cron, at + stretch.offset, stop + stretch.offset);
		at = stop + 1;
	}
	return count < limit ? count : limit;
}
