/* SPDX-License-Identifier: MIT */
/*
 * A stretch of unchanging offset as a cron schedule sees it: rules 2 to 4 of
 * daylight saving come down to what happens in the first hours of it.
 * Instants are seconds in here; an instant plus an offset is a reading.
 */
#ifndef SCHEDD_TRIGGER_CRON_STRETCH_H
#define SCHEDD_TRIGGER_CRON_STRETCH_H

#include "trigger/cron_set.h"

/*
 * Three days: more than any two offsets differ by. What happens to the readings
 * around one change of offset is over when this time has passed.
 */
#define CRON_STRETCH_NEAR (3 * (int64_t)CRON_DAY_SECONDS)

struct cron_stretch {
	int64_t begin;  /* its first second */
	int64_t end;    /* the first second after it */
	int32_t offset; /* of the clock in it, seconds east */
	int32_t gap;    /* the clock jumped forward at begin, and what was skipped runs in so many
			   seconds    after it; 0 if nothing does */
	int64_t
	    repeats; /* readings before this instant have run before begin; begin if none have */
};

/* The stretch that holds a second, with no gap and no repetition. */
void cron_stretch_at(const struct zone *zone, int64_t second, struct cron_stretch *out);
/* Fills in gap and repeats of a stretch that begins somewhere, for schedules of fixed times. */
void cron_stretch_opening(
    const struct cron *cron, const struct zone *zone, struct cron_stretch *stretch);

#endif
