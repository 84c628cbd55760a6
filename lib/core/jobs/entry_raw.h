/* SPDX-License-Identifier: MIT */
/*
 * Jobs whose stored definition cannot be read, say for want of their time zone.
 * What the store has is kept as it is: shown, exported, tried again when zones
 * or the config change, and the base of a modify that puts it right.
 */
#ifndef SCHEDD_CORE_JOBS_ENTRY_RAW_H
#define SCHEDD_CORE_JOBS_ENTRY_RAW_H

#include "base/value.h"
#include "core/jobs/entry.h"

/* Takes raw, also when there is no memory for it. NULL: it has become readable. */
void entry_set_raw(struct entry *entry, char *raw);
/* Puts what is stored over the members of map that stand for the job's fields. */
void entry_raw_show(const struct entry *entry, struct arena *arena, struct value *map);
/* What is stored of its definition, as job_fields_export() gives that of others. */
struct value entry_raw_export(const struct entry *entry, struct arena *arena);
/* One field of it; nil: not stored. */
struct value entry_raw_get(const struct entry *entry, const char *name, struct arena *arena);
/*
 * Reads it once more, without the members that change has too (NULL: all).
 * *job is new and *state complete, the caller's both; on failure neither, and
 * *err says why, beginning with the field.
 */
int entry_raw_read(struct schedd_scheduler *scheduler, const struct entry *entry,
    const struct value *change, struct schedd_job **job, struct job_state *state,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Tries each such job again; those that can be read are jobs like others from then on. How many. */
uint32_t entry_raw_retry(struct schedd_scheduler *scheduler);

#endif
