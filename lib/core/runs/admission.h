/* SPDX-License-Identifier: MIT */
/*
 * The four gates between a claimed run and its start: an instance of its job,
 * a place of its account, one in its group, a worker of its executor. A run passes them in this
 * order and holds what it passed until it ends.
 */
#ifndef SCHEDD_CORE_RUNS_ADMISSION_H
#define SCHEDD_CORE_RUNS_ADMISSION_H

#include "core/runs/run_live.h"

/* What overlap says about one more run. */
enum admission_verdict {
	ADMISSION_START,   /* there is room, or it may wait */
	ADMISSION_SKIP,    /* it may not be made */
	ADMISSION_REPLACE, /* it takes the place of the oldest */
};

/* For one more run of the job as things are now. */
enum admission_verdict admission_judge(const struct entry *entry);
/* Why it is skipped: "run backup/41 still going". */
void admission_reason(const struct entry *entry, char *text, size_t size);
/* Sends a run to the first gate. */
void admission_enter(struct run_live *live);
/* One that passed the gates in an earlier program: under way, or between attempts. */
void admission_resume(struct run_live *live, bool under_way);
/* It waits after all, and its row says so again. */
void admission_unmark(struct run_live *live);
/* Back to all gates but the first, for another attempt. */
void admission_again(struct run_live *live);
/* Its turn comes when a worker is free. */
void admission_ready(struct run_live *live);
/* The same for one that had its turn already, and was taken out for a mark: at its old place. */
void admission_return(struct run_live *live);
/*
 * Is a run that is being claimed to start at once, behind ahead others of the
 * same claim? Then its row will say so, and it is counted until admission_settle(), which is called for
 * every run whose claim is over.
 */
bool admission_expect(struct run_live *live, uint32_t ahead);
void admission_settle(struct run_live *live);
/* The job was paused: what has not begun waits before all gates, and so do further attempts. */
void admission_hold(struct entry *entry);
/* It was resumed: they go on. */
void admission_release(struct entry *entry);
/* Its job moves to another store: what has not begun waits until it is there. */
void admission_freeze(struct entry *entry);
void admission_thaw(struct entry *entry);
/* Gives back account, group and worker; those who wait move up. */
void admission_leave_worker(struct run_live *live);
/* Gives back the rest, behind admission_leave_worker(): the place in its job. */
void admission_leave(struct run_live *live);
/* An instance of a dead daemon's job came to its end. */
void admission_instance_free(struct entry *entry);
/* The job is another: its runs that wait do so in its group, with its priority. */
void admission_reconsider(struct entry *entry);
/* Runs at the gate of the job may move up: limits were changed. */
void admission_review(struct entry *entry);
/* The one that is next of those that wait for a worker, of which there is one; it waits no longer. */
struct run_live *admission_next(struct executor_slot *slot);
void admission_init(struct schedd_scheduler *scheduler);
/* NULL: no such group. */
struct group_slot *admission_group_find(
    const struct schedd_scheduler *scheduler, const char *name);
/* All groups, in no order; *position begins at 0. NULL: no more. */
struct group_slot *admission_group_walk(
    const struct schedd_scheduler *scheduler, uint32_t *position);
/* The group of that name, made if it is not there; NULL: no memory. */
struct group_slot *admission_group(struct schedd_scheduler *scheduler, const char *name);
/* The limit of a group changed. */
void admission_group_review(struct group_slot *group);
/* Likewise the account may have more, or is not held any longer. */
void admission_account_review(struct account_slot *account);
/* Forgets who waits. */
void admission_clear_queues(struct schedd_scheduler *scheduler);
void admission_free_groups(struct schedd_scheduler *scheduler);

#endif
