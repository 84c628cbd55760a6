/* SPDX-License-Identifier: MIT */
/* Timers of systemd, with the services they start, into jobs. */
#ifndef SCHEDD_JOBFILE_SYSTEMD_TIMER_H
#define SCHEDD_JOBFILE_SYSTEMD_TIMER_H

#include "jobfile/import_job.h"

/*
 * Appends the job of a timer. name is its file's ("backup.timer"), service the
 * text of the unit it starts. What nothing here stands for is said in notes; a
 * timer that cannot be taken is reported in skipped: SCHEDD_EFILE. SCHEDD_ENOMEM.
 */
int systemd_timer_read(struct import_job *import, const char *name, const char *timer,
    size_t timer_length, const char *service, size_t service_length)
    __attribute__((warn_unused_result));
/*
 * The same from a path; the service lies beside it, or in systemd's directories.
 * import->file is set meanwhile.
 */
int systemd_timer_load(struct import_job *import, const char *path)
    __attribute__((warn_unused_result));

#endif
