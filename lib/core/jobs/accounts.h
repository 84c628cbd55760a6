/* SPDX-License-Identifier: MIT */
/*
 * The accounts that have jobs here beside the daemon's own: how many, what they
 * may have at one time, and whether their jobs run at all. Found by the account
 * in a job's id; the daemon's own jobs are in none.
 */
#ifndef SCHEDD_CORE_JOBS_ACCOUNTS_H
#define SCHEDD_CORE_JOBS_ACCOUNTS_H

#include "core/frame/scheduler_state.h"

struct account_slot {
	char *name;
	uint32_t jobs;       /* entries, those that are being added too */
	uint32_t live;       /* runs that have not ended */
	uint32_t running;    /* of these: past the gate of the account */
	uint32_t expected;   /* runs being claimed that are to pass it at once */
	struct heap waiting; /* runs at that gate */
	uint64_t turn;       /* of its run that was queued last; see admission.c */
	struct scheduler_account may;
};

void accounts_init(struct schedd_scheduler *scheduler);
void accounts_free(struct schedd_scheduler *scheduler);
/* The account of the job, or run, of that id; NULL: the daemon's own, or not known yet. */
struct account_slot *accounts_of(const struct schedd_scheduler *scheduler, const char *id);
/* All, in no order; *position begins at 0. NULL: no more. */
struct account_slot *accounts_walk(const struct schedd_scheduler *scheduler, uint32_t *position);
/* A job of that id comes (its account is made if it is new) or goes. 0 or SCHEDD_ENOMEM. */
int accounts_add_job(struct schedd_scheduler *scheduler, const char *id)
    __attribute__((warn_unused_result));
void accounts_drop_job(struct schedd_scheduler *scheduler, const char *id);
/* Are the jobs of that id's account held? Then why is a sentence without an end. */
bool accounts_hold(const struct schedd_scheduler *scheduler, const char *id, const char **why);
/* Asks again what the account may. True: whether it is held has changed. */
bool accounts_ask(struct schedd_scheduler *scheduler, struct account_slot *slot);

#endif
