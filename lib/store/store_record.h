/* SPDX-License-Identifier: MIT */
/*
 * A job as one line of JSON, for stores that keep definitions as text: the
 * fields that are not at their default, by their names, state included.
 */
#ifndef SCHEDD_STORE_STORE_RECORD_H
#define SCHEDD_STORE_STORE_RECORD_H

#include "store/store_ops.h"

/* Has it all that a stored job must have? SCHEDD_EFILE and why not. */
int store_record_check(const struct schedd_job *job, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * Makes it the record of what stands under that id and cannot be read, without raw.
 * SCHEDD_ENOMEM: nothing is left of it.
 */
int store_record_invalid(struct job_record *record, const char *id, const char *why)
    __attribute__((warn_unused_result));
/* The program's side of struct store_host. */
extern const struct store_host store_record_host;

#endif
