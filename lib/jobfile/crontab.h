/* SPDX-License-Identifier: MIT */
/*
 * Crontabs into jobs.
 *
 * Each entry becomes a job with a shell line. SHELL is its shell_path, HOME its
 * cwd as well, MAILTO a notification of what it prints, CRON_TZ and RANDOM_DELAY
 * are in its trigger; every variable above it but SHELL and LOGNAME is in its env. Its id is made
 * of the command's name (crontab_name.h) and stays the same when the file is
 * read again; a comment "# schedd: ID" right above it, as crontab_write()
 * leaves it, names the id instead.
 */
#ifndef SCHEDD_JOBFILE_CRONTAB_H
#define SCHEDD_JOBFILE_CRONTAB_H

#include "base/diagnostics.h"
#include "base/value.h"
#include "trigger/trigger.h"

/* Does a crontab of that name have a column for the user (/etc/crontab, /etc/cron.d/…)? */
bool crontab_is_system(const char *path);

/*
 * Appends a map of fields a job to *jobs, a list whose ids stay unique. Entries
 * that cannot be taken are skipped and reported in skipped: SCHEDD_EFILE then,
 * with all others in *jobs. What was taken but means a little less than in cron
 * is remarked in notes. SCHEDD_ENOMEM.
 */
int crontab_read(const char *file, const char *text, size_t length, bool system,
    const struct trigger_context *context, struct arena *arena, struct value *jobs,
    struct diagnostics *skipped, struct diagnostics *notes) __attribute__((warn_unused_result));

#endif
