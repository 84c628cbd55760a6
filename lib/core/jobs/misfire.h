/* SPDX-License-Identifier: MIT */
/*
 * What becomes of fire times that are due: which are run, which are counted on
 * a run that stands for them, which are too late. Pure functions of time; a
 * year of absence costs no more than a minute's.
 */
#ifndef SCHEDD_CORE_JOBS_MISFIRE_H
#define SCHEDD_CORE_JOBS_MISFIRE_H

#include <stdint.h>
#include "model/job.h"
#include "trigger/trigger.h"

struct misfire_rules {
	schedd_span grace; /* how late a run may start; SCHEDD_SPAN_NONE: no limit */
	enum job_coalesce coalesce;
	uint32_t catchup_max; /* runs JOB_COALESCE_ALL makes at most; at least 1 */
	uint64_t runs_left;   /* of max_runs; UINT64_MAX: no limit */
};

/* Several fire times in a row. */
struct misfire_span {
	uint64_t count; /* 0: none, and the times mean nothing */
	schedd_time first;
	schedd_time last;
};

struct misfire_plan {
	struct misfire_span late;    /* beyond the grace time */
	struct misfire_span dropped; /* in time, but beyond catchup_max: the oldest */
	struct misfire_span due;     /* in time: all that the runs stand for */
	uint32_t runs;               /* how many runs are made of what is due */
	schedd_time fire;            /* of the first run; the others follow by trigger_next */
	uint64_t coalesced;          /* further fire times the (then only) run stands for */
	schedd_time next; /* the trigger's first time after now; SCHEDD_TIME_NONE: none */
};

/*
 * fire: the next time not claimed yet, at or before now; need not be one of
 * the trigger's. trigger NULL: fire alone.
 */
void misfire_plan(const struct schedd_trigger *trigger, schedd_time fire, schedd_time now,
    const struct misfire_rules *rules, struct misfire_plan *plan);

#endif
