/* SPDX-License-Identifier: MIT */
/*
 * Claims: before a run starts, the job's new next time, its counters and the
 * run itself are durable. All jobs of a piece of a tick go in one batch per
 * store; a batch that fails starts nothing and is tried again with back-off.
 */
#ifndef SCHEDD_CORE_CHANGES_CLAIM_H
#define SCHEDD_CORE_CHANGES_CLAIM_H

#include "core/changes/change.h"
#include "core/jobs/misfire.h"
#include "core/runs/run_live.h"

/* A row that is no run: fire times that were missed or skipped. */
struct claim_row {
	struct claim_row *next;
	struct run *run;              /* owned; becomes the entry's tail */
	enum schedd_event_code event; /* told when it is durable */
	uint64_t added;               /* fire times this claim brings */
};

/* One job's part. */
struct claim {
	struct entry *entry;
	schedd_time next_fire;
	schedd_time next_run_time;
	uint64_t run_count;
	uint32_t last_run;
	uint32_t expected;         /* last run that the store has before it */
	enum store_verdict verdict; /* what became of it, once the batch is durable */
	struct run_live *runs; /* to start, in order, by next_claimed */
	struct claim_row *rows;
};

struct claim_batch {
	struct claim_batch *next; /* of the spare ones */
	struct schedd_scheduler *scheduler;
	struct store_slot *store;
	struct store_batch *batch;
	struct claim *claims;
	uint32_t count;
	uint32_t capacity;
	uint64_t round;        /* of a tick that waits for its answer; 0: none does */
	struct change *change; /* that asked for it; NULL: a tick */
};

/* NULL: no memory. */
struct claim_batch *claim_batch_new(struct store_slot *store, uint32_t capacity);
/* Begins with the entry's state as it is; the entry is busy until the batch is done. */
struct claim *claim_add(struct claim_batch *batch, struct entry *entry);
/* A run with the job's next number; NULL: no memory. */
struct run_live *claim_run(
    struct claim *claim, enum run_trigger trigger, schedd_time scheduled_at, schedd_time due_at);
/*
 * Fire times that no run stands for. They join the job's last row if that has
 * the same state and reason. 0 or SCHEDD_ENOMEM.
 */
int claim_row(struct claim *claim, enum run_state state, const struct misfire_span *span,
    const char *reason, enum schedd_event_code event) __attribute__((warn_unused_result));
/* Writes it and hands it to the store; frees it when it came back. */
void claim_commit(struct claim_batch *batch);
/* Nothing is written: entries are idle again and back where they were. */
void claim_discard(struct claim_batch *batch);
void claim_free_spares(struct schedd_scheduler *scheduler);

#endif
