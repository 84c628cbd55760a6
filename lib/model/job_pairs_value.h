/* SPDX-License-Identifier: MIT */
/* Pairs of texts, read from maps and lists and written as maps. */
#ifndef SCHEDD_MODEL_JOB_PAIRS_VALUE_H
#define SCHEDD_MODEL_JOB_PAIRS_VALUE_H

#include "model/job_fields.h"

/*
 * A map, or a list of 'NAME=VALUE' (tags: also 'NAME'), into *out, which is
 * written, not freed, before. Names and texts must be of the form. SCHEDD_EINVAL.
 */
int job_pairs_value_read(const struct value *value, enum job_field_form form, struct job_pairs *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* A map. */
struct value job_pairs_value_write(const struct job_pairs *pairs, struct arena *arena);

#endif
