/* SPDX-License-Identifier: MIT */
/* A job on its way from a timer and its service. */
#ifndef SCHEDD_JOBFILE_SYSTEMD_JOB_H
#define SCHEDD_JOBFILE_SYSTEMD_JOB_H

#include <schedd/clock.h>
#include "base/strbuf.h"
#include "jobfile/import_job.h"
#include "jobfile/systemd_specifier.h"
#include "jobfile/systemd_unit.h"

struct systemd_job {
	struct import_job *import;
	const char *id;              /* from the timer's name */
	struct systemd_name timer;   /* whose specifiers the timer's are */
	struct systemd_name service; /* what it starts */
	struct value triggers;       /* list of trigger forms */
	struct systemd_commands {
		const struct systemd_assignment **items; /* in the arena */
		uint32_t count, capacity;
	} commands[3];        /* ExecStartPre, ExecStart, ExecStartPost */
	struct value env;     /* map */
	struct value rlimits; /* map */
	struct value codes;   /* list: SuccessExitStatus */
	struct value fields;  /* map: all that is a field already */
	struct strbuf left;   /* settings left out that change what runs, ", " between; owned */
	const char *user;     /* NULL: none */
	const char *group;    /* NULL: none */
	schedd_span delay;    /* RandomizedDelaySec */
	schedd_span start_timeout; /* TimeoutStartSec; SCHEDD_SPAN_NONE: none */
	schedd_span run_timeout;   /* RuntimeMaxSec; likewise */
	bool fixed_delay;          /* FixedRandomDelay */
	bool persistent;           /* Persistent: late runs are made up for */
	bool oneshot;              /* Type=oneshot */
	bool home;                 /* WorkingDirectory=~ */
};

/* name is the timer's; its path may be NULL. systemd_job_clear() in any case. */
void systemd_job_init(
    struct systemd_job *job, struct import_job *import, const struct systemd_name *name);
void systemd_job_clear(struct systemd_job *job);
/*
 * Takes over what the whole unit says, name being its own. What nothing here
 * stands for is remarked in the import's notes. SCHEDD_EINVAL: *at is the
 * assignment at fault. SCHEDD_ENOMEM.
 */
int systemd_job_read(struct systemd_job *job, const struct systemd_name *name,
    struct systemd_unit *unit, const struct systemd_assignment **at, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * The map of fields. SCHEDD_EINVAL: *at is the assignment at fault, NULL where
 * something is missing. SCHEDD_ENOMEM.
 */
int systemd_job_make(struct systemd_job *job, struct value *out,
    const struct systemd_assignment **at, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
