/* SPDX-License-Identifier: MIT */
/*
 * Forward search: a match is looked for among wall-clock readings and mapped
 * to an instant at the end, one stretch of unchanging offset after the other.
 *
 * Bounded: each round ends in a later stretch, and where the next reading is
 * far away the stretches in between are not visited.
 */
#include "trigger/cron_stretch.h"
#include "trigger/cron_wall.h"

/* The first fire time at or after a second of the stretch, as if the stretch had no end. */
static int64_t next_in_stretch(
    const struct cron *cron, const struct cron_stretch *stretch, int64_t at)
{
	int32_t before = stretch->offset - stretch->gap; /* the offset that held before a gap */
	int64_t fire, moved;

	if (at < stretch->repeats)
		at = stretch->repeats;
	fire = cron_wall_next(cron, at + stretch->offset) - stretch->offset;
	if (stretch->gap == 0 || at >= stretch->begin + stretch->gap)
		return fire;
	moved = cron_wall_next(cron, at + before) - before;
	return moved < stretch->begin + stretch->gap && moved < fire ? moved : fire;
}

schedd_time cron_next(const struct cron *cron, const struct zone *zone, schedd_time from)
{
	struct cron_stretch stretch;
	int64_t at, fire;

	if (from > SCHEDD_TIME_MAX)
		return SCHEDD_TIME_NONE;
	at = from <= 0 ? 0 : (from - 1) / SCHEDD_SECOND + 1;
	for (; at <= CRON_LAST_SECOND; at = stretch.end) {
		cron_stretch_at(zone, at, &stretch);
		if (stretch.begin > at - CRON_STRETCH_NEAR)
			cron_stretch_opening(cron, zone, &stretch);
		fire = next_in_stretch(cron, &stretch, at);
		if (fire < stretch.end)
			return fire <= CRON_LAST_SECOND ? fire * SCHEDD_SECOND : SCHEDD_TIME_NONE;
		if (stretch.end - at < CRON_STRETCH_NEAR)
			continue;
		if (fire > CRON_LAST_SECOND + CRON_STRETCH_NEAR)
			break;
		if (stretch.end < fire - CRON_STRETCH_NEAR)
			stretch.end = fire - CRON_STRETCH_NEAR;
	}
	return SCHEDD_TIME_NONE;
}
