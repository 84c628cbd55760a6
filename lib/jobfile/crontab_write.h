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

struct crontab_writer {
	bool system;      /* with a column for the user */
	const char *zone; /* the machine's own, which needs no CRON_TZ; NULL: unknown */
	/* What the variables hold at this line; owned. */
	char *current_zone;
	char *current_shell;
	char *current_mail;
	long current_delay;
};

/* Appends the lines before the first job. zone must live as long as the writer. */
void crontab_write_begin(
    struct crontab_writer *writer, struct strbuf *out, bool system, const char *zone);
/*
 * Appends one job: a map of fields with its id, the trigger in canonical form,
 * as job.export answers it; "paused" makes its entry a comment. false: it is a
 * comment alone. Check strbuf_failed() after.
 */
bool crontab_write_job(struct crontab_writer *writer, struct strbuf *out, const struct value *job);
void crontab_write_end(struct crontab_writer *writer);

#endif
