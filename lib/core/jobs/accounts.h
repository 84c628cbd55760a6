/* SPDX-License-Identifier: MIT */
/*
 * The accounts that have jobs here beside the daemon's own: how many, what they
 * may have at one time, and whether their jobs run at all. Found by the account
 * in a job's id; the daemon's own jobs are in none.
 */
#ifndef SCHEDD_CORE_JOBS_ACCOUNTS_H
#define SCHEDD_CORE_JOBS_ACCOUNTS_H

#include "core/jobs/entry.h"
#include "executor/account.h"

struct account_slot {
	struct schedd_scheduler *scheduler;
	char *name;
	uint32_t jobs;       /* entries, those that are being added too */
	uint32_t tables;     /* of these: jobs of tables of cron */
	uint32_t live;       /* runs that have not ended */
	uint32_t running;    /* of these: past the gate of the account */
	uint32_t expected;   /* runs being claimed that are to pass it at once */
	struct heap waiting; /* runs at that gate */
	struct heap due;     /* its entries that are planned, by wall time; see due_queue.c */
	struct heap_node due_node;
	struct account_slot *ring_next;
	bool in_ring;
	uint64_t turn;       /* of its run that was queued last; see admission.c */
	bool rows_counted;     /* its rows in the history, for the first time */
	uint64_t rows_new;     /* rows since they were counted last */
	uint64_t rows_room;    /* as many may come before they are counted again */
	uint64_t output_new;   /* bytes of output since they were added up last */
	uint64_t output_room;  /* likewise */
	struct scheduler_account may;
	char *refusal;       /* PAM's, see account_hold.h; NULL: none; owned */
	struct timer again;  /* when it is asked about next */
	struct account_waiter asked; /* meanwhile */
};

void accounts_init(struct schedd_scheduler *scheduler);
void accounts_free(struct schedd_scheduler *scheduler);
/* The account of the job, or run, of that id; NULL: the daemon's own, or not known yet. */
struct account_slot *accounts_of(const struct schedd_scheduler *scheduler, const char *id);
/* The same of an entry, at no cost where it is the daemon's own. */
static inline struct account_slot *accounts_of_entry(const struct entry *entry)
{
	return entry->owned ? accounts_of(entry->store->scheduler, entry->job->id) : NULL;
}
/* By its name; NULL: it has and had no jobs here. */
struct account_slot *accounts_named(const struct schedd_scheduler *scheduler, const char *name);
uint32_t accounts_count(const struct schedd_scheduler *scheduler);
/* What an account may, whether it has jobs here or not. */
struct scheduler_account accounts_may(const struct schedd_scheduler *scheduler, const char *name);
/* All, in no order; *position begins at 0. NULL: no more. */
struct account_slot *accounts_walk(const struct schedd_scheduler *scheduler, uint32_t *position);
/* A job comes (its account is made if it is new), is another, or goes. 0 or SCHEDD_ENOMEM. */
int accounts_add_job(struct schedd_scheduler *scheduler, const struct schedd_job *job)
    __attribute__((warn_unused_result));
void accounts_redefine_job(struct schedd_scheduler *scheduler, const struct schedd_job *old,
    const struct schedd_job *job);
void accounts_drop_job(struct schedd_scheduler *scheduler, const struct schedd_job *job);
/* Are all of its jobs held? Why: a sentence without an end; NULL: they are not. */
const char *accounts_held(const struct account_slot *slot);
/* Is the job held for its account, with all others of it or without those of tables? Why, likewise. */
bool accounts_hold(
    const struct schedd_scheduler *scheduler, const struct schedd_job *job, const char **why);
/* Is it held while jobs of its account's tables go on? */
bool accounts_apart(const struct account_slot *slot, const struct schedd_job *job);
/* A row of the history, with so much output: true: more than there was room for. */
bool accounts_note_row(struct account_slot *slot, uint64_t output);
/* Asks again what the account may. True: whether it is held has changed. */
bool accounts_ask(struct schedd_scheduler *scheduler, struct account_slot *slot);

#endif
