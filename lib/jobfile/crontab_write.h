/* SPDX-License-Identifier: MIT */
/*
 * Jobs as a crontab, as far as one can say them. What it cannot say stands as a
 * comment above the entry, and a job it cannot say at all is a comment alone.
 * crontab_read() makes the same ids of it.
 */
#ifndef SCHEDD_JOBFILE_CRONTAB_WRITE_H
#define SCHEDD_JOBFILE_CRONTAB_WRITE_H

#include <stdbool.h>
#include "base/strbuf.h"
#include "base/value.h"
#include "model/job.h"

#define CRONTAB_PLAIN 3 /* variables of mail that are written as they are */

struct crontab_writer {
	bool system;             /* with a column for the user */
	const char *zone;        /* the machine's own, which needs no CRON_TZ; NULL: unknown */
	struct job_pairs common; /* variables that all jobs have alike; owned */
	bool seen;               /* a job; common is of those seen */
	/* What the variables hold at this line; owned. */
	char *current_zone;
	char *current_shell;
	char *current_mail;
	char *current_plain[CRONTAB_PLAIN];
	long current_delay;
};

/* zone must live as long as the writer. */
void crontab_write_init(struct crontab_writer *writer, bool system, const char *zone);
/*
 * Looks at a job that is to be written, before crontab_write_begin(): variables
 * that all jobs have alike become lines at the top. 0 or SCHEDD_ENOMEM.
 */
int crontab_write_see(struct crontab_writer *writer, const struct value *job)
    __attribute__((warn_unused_result));
/* Appends the lines before the first job. */
void crontab_write_begin(struct crontab_writer *writer, struct strbuf *out);
/*
 * Appends one job: a map of fields with its id, the trigger in canonical form,
 * as job.export answers it; "paused" makes its entry a comment. false: it is a
 * comment alone. Check strbuf_failed() after.
 */
bool crontab_write_job(struct crontab_writer *writer, struct strbuf *out, const struct value *job);
void crontab_write_end(struct crontab_writer *writer);

#endif
