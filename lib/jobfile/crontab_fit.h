/* SPDX-License-Identifier: MIT */
/* Schedules of other crons as ours: what they take, and we would refuse or read otherwise. */
#ifndef SCHEDD_JOBFILE_CRONTAB_FIT_H
#define SCHEDD_JOBFILE_CRONTAB_FIT_H

#include "base/arena.h"

/*
 * schedule: "@daily", or five fields with one blank between. Gives the text
 * for our own reader, which comes to the same times: the ends that cronie
 * leaves out of a~b are filled in; a step beyond its range, as in the minutes'
 * *\/60, which cron takes for the range's first value alone, becomes that
 * value. *note: what was done, to be told, or NULL. NULL: no memory.
 */
const char *crontab_fit(struct arena *arena, const char *schedule, const char **note);

#endif
