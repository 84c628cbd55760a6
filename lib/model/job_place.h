/* SPDX-License-Identifier: MIT */
/* Where the fields of a job are kept, and what stands there by default. */
#ifndef SCHEDD_MODEL_JOB_PLACE_H
#define SCHEDD_MODEL_JOB_PLACE_H

#include "model/job_fields.h"

/* The two halves of a job that fields are read into and written from. */
struct job_halves {
	struct schedd_job *job;
	struct job_state *state; /* may be NULL */
};

/* A whole struct schedd_job, job_details or job_state with all defaults; NULL for JOB_NOWHERE. */
const void *job_place_defaults(enum job_field_place place);
/* The field's memory; its default where the details or the state are not there. */
const void *job_place_peek(const struct job_halves *halves, const struct job_field *field);
/* The field's memory to write to; NULL: no memory (or no state). */
void *job_place_edit(const struct job_halves *halves, const struct job_field *field);
/* Is its plain number as in the defaults? */
bool job_place_same(const struct job_halves *halves, const struct job_field *field);
/* Makes its plain number the default. */
void job_place_reset(const struct job_halves *halves, const struct job_field *field);

/* An integer of the row's width; signed where the row's bounds or 64 bits allow negative ones. */
int64_t job_place_integer(const struct job_halves *halves, const struct job_field *field);
/* SCHEDD_ENOMEM. */
int job_place_set_integer(const struct job_halves *halves, const struct job_field *field,
    int64_t number) __attribute__((warn_unused_result));

#endif
