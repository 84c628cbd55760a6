/* SPDX-License-Identifier: MIT */
/* Texts as fields take them: of a certain form, never with a NUL in them. */
#ifndef SCHEDD_MODEL_JOB_TEXT_H
#define SCHEDD_MODEL_JOB_TEXT_H

#include "model/job_fields.h"

/* A string without NUL of any bytes; *out is the value's. SCHEDD_EINVAL. */
int job_text_plain(const struct value *value, const char **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The same, or a number or boolean as text, which may be put into scratch. */
int job_text_scalar(const struct value *value, struct arena *scratch, const char **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Does text have that form and at most max bytes? SCHEDD_EINVAL says what is wrong with it. */
int job_text_check(const char *text, enum job_field_form form, int64_t max,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
