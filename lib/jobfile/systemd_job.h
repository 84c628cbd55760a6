/* SPDX-License-Identifier: MIT */
/* A job on its way from a timer and its service. */
#ifndef SCHEDD_JOBFILE_SYSTEMD_JOB_H
#define SCHEDD_JOBFILE_SYSTEMD_JOB_H

#include <schedd/clock.h>
#include "jobfile/import_job.h"
#include "jobfile/systemd_unit.h"

/* systemd_job_assign() has no row for the assignment. */
#define SYSTEMD_JOB_UNKNOWN 1

struct systemd_job {
	struct import_job *import;
	const char *id;           /* from the timer's name */
	const char *unit;         /* what the timer starts: "backup.service" */
	struct value triggers;    /* list of trigger forms */
	struct value commands[3]; /* lists of texts: ExecStartPre, ExecStart, ExecStartPost */
	struct value env;         /* map */
	struct value rlimits;     /* map */
	struct value fields;      /* map: all that is a field already */
	const char *user;         /* NULL: none */
	const char *group;        /* NULL: none */
	schedd_span delay;        /* RandomizedDelaySec */
	schedd_span accuracy;     /* AccuracySec: how late is in time */
	bool fixed_delay;         /* FixedRandomDelay */
	bool persistent;          /* Persistent: late runs are made up for */
	bool oneshot;             /* Type=oneshot */
};

void systemd_job_init(struct systemd_job *job, struct import_job *import, const char *timer);
/* 0, SYSTEMD_JOB_UNKNOWN, SCHEDD_EINVAL, SCHEDD_ENOMEM. */
int systemd_job_assign(struct systemd_job *job, const struct systemd_assignment *item,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The map of fields. SCHEDD_EINVAL, SCHEDD_ENOMEM. */
int systemd_job_make(struct systemd_job *job, struct value *out, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
