/* SPDX-License-Identifier: MIT */
/* The record of runs: rows on their way to the stores, and what is said about rows. */
#ifndef SCHEDD_CORE_FRAME_HISTORY_H
#define SCHEDD_CORE_FRAME_HISTORY_H

#include "core/jobs/entry.h"

/* Number in the default store: when a scheduler was last seen alive. */
#define HISTORY_ALIVE_KEY "scheduler.alive"

/* Puts the row in the store's outbox; it is committed when the scheduler comes to rest. */
void history_put(struct store_slot *store, const struct run *run);
/* Puts a line of the record of changes there likewise. */
void history_put_change(
    struct store_slot *store, schedd_time when, const char *job, const char *json);
/* And a text; NULL removes it. */
void history_put_text(struct store_slot *store, const char *key, const char *text);
/* Commits all outboxes. */
void history_flush(struct schedd_scheduler *scheduler);
/* The store can be written (again): what it refused goes out once more. */
void history_store_worked(struct store_slot *store);
/* Gives up what was not written. */
void history_free_store(struct store_slot *store);
/* A run of the job ended: its history may have grown over its limits. */
void history_ended(struct schedd_scheduler *scheduler, struct entry *entry);
/* Fire times were missed or skipped, added of them now. */
void history_missed(
    struct schedd_scheduler *scheduler, struct entry *entry, const struct run *run, uint64_t added);
/* "02:10", with the date where that time is not of about today. */
void history_clock(const struct schedd_scheduler *scheduler, schedd_time when, struct strbuf *out);
/* "daemon down 02:10–02:44" */
void history_down_reason(const struct schedd_scheduler *scheduler, schedd_time since,
    schedd_time until, char *text, size_t size);

#endif
