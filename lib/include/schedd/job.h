/* SPDX-License-Identifier: MIT */
/* Jobs for embedders: made empty, filled field by field, handed to a scheduler. */
#ifndef SCHEDD_JOB_H
#define SCHEDD_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include <schedd/export.h>
#include <schedd/trigger.h>

SCHEDD_BEGIN

struct schedd_job;

/* An empty job with one reference and all defaults; NULL: no memory. */
SCHEDD_API struct schedd_job *schedd_job_new(void);
/* Gives a reference back; NULL is fine. */
SCHEDD_API void schedd_job_unref(struct schedd_job *job);
/*
 * Sets a field by its name in schedd-jobs(5) from JSON text: "5", "\"backup\"",
 * "[\"/bin/echo\",\"hi\"]", "{\"every\":\"15m\"}". A text that is not JSON is
 * taken as a string. SCHEDD_EINVAL for an unknown field or a wrong value.
 */
SCHEDD_API int schedd_job_set(
    struct schedd_job *job, const char *field, const char *json, struct schedd_error *err);
/* The same for fields that are numbers, true or false, or a text that is not to be read as JSON. */
SCHEDD_API int schedd_job_set_int(
    struct schedd_job *job, const char *field, int64_t number, struct schedd_error *err);
SCHEDD_API int schedd_job_set_real(
    struct schedd_job *job, const char *field, double number, struct schedd_error *err);
SCHEDD_API int schedd_job_set_bool(
    struct schedd_job *job, const char *field, bool value, struct schedd_error *err);
SCHEDD_API int schedd_job_set_text(
    struct schedd_job *job, const char *field, const char *text, struct schedd_error *err);
/* The same read: SCHEDD_EINVAL where the field is of another kind or has no value. */
SCHEDD_API int schedd_job_get_int(const struct schedd_job *job, const char *field, int64_t *number,
    struct schedd_error *err);
SCHEDD_API int schedd_job_get_bool(
    const struct schedd_job *job, const char *field, bool *value, struct schedd_error *err);
/* Shares the trigger. */
SCHEDD_API int schedd_job_set_trigger(
    struct schedd_job *job, struct schedd_trigger *trigger, struct schedd_error *err);
/* Run the C function registered under that name; args is JSON or NULL. */
SCHEDD_API int schedd_job_set_call(
    struct schedd_job *job, const char *function, const char *args, struct schedd_error *err);
/* The id; NULL until it has one. Valid as long as the job. */
SCHEDD_API const char *schedd_job_id(const struct schedd_job *job);
/* All fields as JSON, to be freed with free(); NULL: no memory. */
SCHEDD_API char *schedd_job_json(const struct schedd_job *job);

SCHEDD_END

#endif
