/* SPDX-License-Identifier: MIT */
/* /etc/cron.daily and such: the scripts of a directory as one job, late rather than never. */
#ifndef SCHEDD_SERVER_CRON_PARTS_H
#define SCHEDD_SERVER_CRON_PARTS_H

#include "server/cron_state.h"

/*
 * Appends the job of tab, a directory of scripts, to jobs; schedule is when a
 * table had them run, NULL: none did. Nothing is appended where the directory
 * is not there, or not root's alone, which is a fault of tab's. SCHEDD_ENOMEM.
 */
int cron_parts_read(struct cron_tab *tab, const char *schedule, struct arena *arena,
    struct value *jobs) __attribute__((warn_unused_result));

#endif
