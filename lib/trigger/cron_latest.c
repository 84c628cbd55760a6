/* SPDX-License-Identifier: MIT */
/* Backward search, the mirror image of cron_next.c, bounded in the same way. */
#include "trigger/cron_stretch.h"
#include "trigger/cron_wall.h"

/* What ran late because of the gap at the stretch's begin, the last time up to a second. */
static int64_t latest_moved(const struct cron *cron, const struct cron_stretch *stretch, int64_t at)
{
	int32_t before = stretch->offset - stretch->gap;

	if (at >= stretch->begin + stretch->gap)
		at = stretch->begin + stretch->gap - 1;
	return cron_wall_prev(cron, at + before) - before;
}

schedd_time cron_latest(
    const struct cron *cron, const struct zone *zone, schedd_time from, schedd_time until)
{
	struct cron_stretch stretch;
	int64_t at, first, wall, fire;

	if (until < 0 || from > until || from > SCHEDD_TIME_MAX)
		return SCHEDD_TIME_NONE;
	first = from <= 0 ? 0 : (from - 1) / SCHEDD_SECOND + 1;
	at = until >= SCHEDD_TIME_MAX ? CRON_LAST_SECOND : until / SCHEDD_SECOND;
	for (; at >= first; at = stretch.begin - 1) {
		cron_stretch_at(zone, at, &stretch);
		wall = cron_wall_prev(cron, at + stretch.offset);
		fire = wall - stretch.offset;
		if (stretch.begin > fire - CRON_STRETCH_NEAR && stretch.begin > INT64_MIN) {
			cron_stretch_opening(cron, zone, &stretch);
			if (fire < stretch.repeats)
				fire = CRON_WALL_BEFORE;
			if (stretch.gap > 0 && latest_moved(cron, &stretch, at) > fire)
				fire = latest_moved(cron, &stretch, at);
		}
		if (fire >= stretch.begin)
			return fire >= first ? fire * SCHEDD_SECOND : SCHEDD_TIME_NONE;
		if (stretch.begin <= at - CRON_STRETCH_NEAR &&
		    stretch.begin > wall + CRON_STRETCH_NEAR)
			stretch.begin = wall + CRON_STRETCH_NEAR;
	}
	return SCHEDD_TIME_NONE;
}
