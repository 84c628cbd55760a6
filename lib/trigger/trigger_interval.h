/* SPDX-License-Identifier: MIT */
/* Where the times of several intervals meet. */
#ifndef SCHEDD_TRIGGER_TRIGGER_INTERVAL_H
#define SCHEDD_TRIGGER_TRIGGER_INTERVAL_H

#include <stdbool.h>
#include <schedd/clock.h>

/* The instants anchor + n·step for n ≥ 0. */
struct trigger_grid {
	schedd_time anchor; /* within the range of time */
	schedd_span step;   /* > 0 */
};

/*
 * Leaves in grid what both have in common: again a grid, by the Chinese
 * remainder theorem. False (and grid untouched): they never meet up to the end
 * of time. A step that is longer than all time becomes SCHEDD_TIME_MAX + 1.
 */
bool trigger_interval_meet(struct trigger_grid *grid, const struct trigger_grid *other);

#endif
