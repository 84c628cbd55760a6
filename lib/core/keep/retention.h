/* SPDX-License-Identifier: MIT */
/*
 * Keeps history within its limits, in small pieces in the background: by count
 * and age per job and in all, and the kept output by its total size; of each
 * account what it may have.
 */
#ifndef SCHEDD_CORE_KEEP_RETENTION_H
#define SCHEDD_CORE_KEEP_RETENTION_H

#include "core/jobs/entry.h"

struct retention;

int retention_init(struct schedd_scheduler *scheduler) __attribute__((warn_unused_result));
void retention_free(struct schedd_scheduler *scheduler);
/* The job's history has grown by a row, and its kept output by so many bytes. */
void retention_note(struct schedd_scheduler *scheduler, struct entry *entry, uint64_t output);
/* A pass over everything, soon; at start. */
void retention_soon(struct schedd_scheduler *scheduler);

#endif
