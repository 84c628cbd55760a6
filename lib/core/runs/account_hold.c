/* SPDX-License-Identifier: MIT */
#include "core/runs/account_hold.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/jobs/accounts.h"
#include "core/jobs/job_needs.h"
#include "core/runs/admission.h"
#include "core/runs/run_live_state.h"
#include "executor/account_pam.h"

#define HOLD_PAUSE SCHEDD_MINUTE /* between two questions */

/* Its jobs have or lose their times; NULL: those of all accounts. */
static void hold_plan(struct schedd_scheduler *scheduler, const struct account_slot *slot)
{
	uint32_t position = 0;
	struct entry *entry;

	while ((entry = entry_walk(scheduler, &position)))
		if (slot ? accounts_of(scheduler, entry->job->id) == slot
			 : job_id_account(entry->job->id) > 0)
			entry_plan(scheduler, entry);
}

static void hold_end(struct account_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	if (!slot->refusal)
		return;
	free(slot->refusal);
	slot->refusal = NULL;
	timers_unset(&scheduler->timers, &slot->again);
	log_info(scheduler->log, "account %s: PAM refuses it no longer, its jobs go on", slot->name);
	hold_plan(scheduler, slot);
	admission_account_review(slot);
}

static void hold_told(const struct account *account, const struct schedd_error *err, void *context)
{
	struct account_slot *slot = context;
	struct schedd_scheduler *scheduler = slot->scheduler;

	(void)err;
	scheduler_enter(scheduler);
	if (account)
		hold_end(slot);
	scheduler_leave(scheduler);
}

static void hold_again(struct timer *timer);

static void hold_later(struct account_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	if (timers_turn(&scheduler->timers, &slot->again, hold_again,
		(struct schedd_mono){scheduler_mono(scheduler).us + HOLD_PAUSE}))
		log_error(scheduler->log, "account %s: no memory to ask about it again", slot->name);
}

/* Asks on another thread; what cannot be asked now is asked later. */
static void hold_ask(struct account_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	char asked[sizeof(ACCOUNT_PAM) + JOB_ACCOUNT_MAX];
	struct account_cache *cache;
	const struct account *account;
	struct schedd_error err;

	if (!account_pam_wanted()) {
		hold_end(slot);
		return;
	}
	hold_later(slot);
	if (slot->asked.waiting)
		return;
	cache = job_needs_accounts(scheduler);
	if (!cache)
		return;
	snprintf(asked, sizeof(asked), ACCOUNT_PAM "%s", slot->name);
	slot->asked.done = hold_told;
	slot->asked.context = slot;
	if (account_cache_ask(cache, asked, scheduler_mono(scheduler),
		&slot->asked, &account, &err) == 0)
		hold_end(slot);
}

static void hold_again(struct timer *timer)
{
	hold_ask((struct account_slot *)(void *)((char *)timer - offsetof(struct account_slot, again)));
}

/* Where the jobs of tables alone go on, the others wait; or no longer. */
static void hold_part(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;
	struct entry *entry;

	while ((entry = entry_walk(scheduler, &position))) {
		const struct account_slot *slot = accounts_of(scheduler, entry->job->id);

		if (!slot || entry->moving)
			continue;
		if (accounts_apart(slot, entry->job))
			admission_freeze(entry);
		else
			admission_thaw(entry);
	}
}

uint32_t scheduler_review_accounts(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0, changed = 0;
	struct account_slot *slot;

	scheduler_enter(scheduler);
	while ((slot = accounts_walk(scheduler, &position))) {
		changed += accounts_ask(scheduler, slot);
		if (slot->refusal)
			hold_ask(slot);
		admission_account_review(slot);
	}
	if (changed) {
		hold_part(scheduler);
		hold_plan(scheduler, NULL);
	}
	scheduler_leave(scheduler);
	return changed;
}

static void hold_begin(struct account_slot *slot, const char *reason)
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	if (slot->refusal)
		return;
	slot->refusal = strdup(reason);
	if (!slot->refusal)
		return;
	log_warn(scheduler->log, "%s: its jobs are held", reason);
	hold_later(slot);
	hold_plan(scheduler, slot);
}

bool account_hold_take(struct run_live *live, const struct task_result *result)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct account_slot *slot = live->account;

	if (!result->refused || !slot || !live->entry || live->late ||
	    live->stop != RUN_LIVE_GOES_ON || scheduler->phase != SCHEDULER_RUNNING)
		return false;
	hold_begin(slot, result->reason);
	if (!slot->refusal)
		return false;
	scheduler->counts.started--;
	if (live->run.attempt <= 1)
		live->run.started_at = SCHEDD_TIME_NONE;
	live->run.attempt_started = SCHEDD_TIME_NONE;
	admission_leave_worker(live);
	live->marked = false;
	admission_again(live);
	if (live->store->durable)
		run_live_write(live);
	return true;
}
