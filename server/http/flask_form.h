/* SPDX-License-Identifier: MIT */
/* Flask-APScheduler's form of a job, from and to the fields of ours. */
#ifndef SCHEDD_SERVER_HTTP_FLASK_FORM_H
#define SCHEDD_SERVER_HTTP_FLASK_FORM_H

#include <stdbool.h>
#include <schedd/error.h>
#include "base/value.h"

/*
 * Fields of a job for job.add, or of what changes for job.modify; then now is
 * the form of the job as it is. executor: of workers, which calls func; NULL: a
 * python3 command does. SCHEDD_EINVAL says what is wrong with the form.
 */
int flask_form_read(const struct value *form, const struct value *now, const char *executor,
    struct arena *arena, struct value *fields, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The form of a job as the protocol answers it. */
struct value flask_form_write(const struct value *job, struct arena *arena);

#endif
