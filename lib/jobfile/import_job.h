/* SPDX-License-Identifier: MIT */
/* What all importers of jobs have in common: unique ids, checks and reports. */
#ifndef SCHEDD_JOBFILE_IMPORT_JOB_H
#define SCHEDD_JOBFILE_IMPORT_JOB_H

#include <stdbool.h>
#include "base/diagnostics.h"
#include "base/value.h"
#include "trigger/trigger.h"

struct import_job {
	const char *file;                      /* named in reports */
	const struct trigger_context *context; /* what triggers are read with */
	struct arena *arena;
	struct value *jobs; /* list of maps that is appended to */
	struct diagnostics *skipped, *notes;
	bool calls; /* functions become calls of workers, not commands */
	const char *program; /* whole path of the program that functions of "__main__" are in; NULL: not told */
};

/*
 * An id like text that no job in the list has: characters that ids cannot hold
 * become '-', a number is put behind. NULL: no memory.
 */
const char *import_job_id(struct import_job *import, const char *text);
/* Appends the map if a daemon would take it as a job; otherwise it is reported as skipped.
 * SCHEDD_ENOMEM. */
int import_job_add(struct import_job *import, uint32_t line, const char *title,
    const struct value *map) __attribute__((warn_unused_result));

#endif
