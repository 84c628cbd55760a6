/* SPDX-License-Identifier: MIT */
/*
 * Who waits for what, and who is next. Queues are ordered by priority, then by
 * turns, which are dealt to the accounts one after the other: a run's turn comes
 * behind that of its account's run before it, and never before what was started
 * already. So the runs of one account keep their order, and a storm of them
 * delays another's single run by one of each account at most.
 */
#include "core/runs/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/jobs/accounts.h"
#include "core/jobs/executors.h"
#include "core/runs/run_live_state.h"

/* Runs that wait for an instance of one job; more are skipped. */
#define ADMISSION_QUEUE_MAX 1000
/* A queue's key: priority in the upper bits, the turn in the lower 42. */
#define ADMISSION_TURN_BITS 42
#define ADMISSION_TURNS ((UINT64_C(1) << ADMISSION_TURN_BITS) - 1)
#define ADMISSION_PRIORITY_MAX 1000000
/* Processes that one executor starts without delay, and so what a crash may leave in doubt. */
#define ADMISSION_EXPECTED_MAX 64

/* Where it waits is the job's business as it is now, whatever it was when the run was claimed. */
static const struct job_details *admission_details(const struct run_live *live)
{
	return job_details(live->entry ? live->entry->job : live->job);
}

static int64_t admission_key_of(const struct run_live *live, uint64_t turn)
{
	int64_t priority = admission_details(live)->priority;

	if (priority > ADMISSION_PRIORITY_MAX)
		priority = ADMISSION_PRIORITY_MAX;
	if (priority < -ADMISSION_PRIORITY_MAX)
		priority = -ADMISSION_PRIORITY_MAX;
	return -priority * (INT64_C(1) << ADMISSION_TURN_BITS) + (int64_t)(turn & ADMISSION_TURNS);
}

static int64_t admission_key(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct account_slot *account = live->owner;
	uint64_t *last = account ? &account->turn : &scheduler->runs.own_turn;

	*last = (*last > scheduler->runs.turn ? *last : scheduler->runs.turn) + 1;
	return admission_key_of(live, *last);
}

struct run_live *admission_next(struct executor_slot *slot)
{
	int64_t key = 0;
	struct run_live *live = run_live_of_queue(heap_pop(&slot->ready, &key));
	uint64_t turn = (uint64_t)key & ADMISSION_TURNS;

	if (turn > live->scheduler->runs.turn)
		live->scheduler->runs.turn = turn;
	live->turn = key;
	return live;
}

/* Has its account so many runs that no other may be made? */
static bool admission_account_full(const struct entry *entry)
{
	const struct account_slot *account = accounts_of_entry(entry);

	return account && account->live - account->running >= account->may.queued;
}

enum admission_verdict admission_judge(const struct entry *entry)
{
	const struct job_details *job = job_details(entry->job);

	if (admission_account_full(entry))
		return ADMISSION_SKIP;
	if (entry->live < job->max_instances)
		return ADMISSION_START;
	if (job->overlap == JOB_OVERLAP_REPLACE)
		return ADMISSION_REPLACE;
	if (job->overlap == JOB_OVERLAP_QUEUE && entry->live - entry->holding < ADMISSION_QUEUE_MAX)
		return ADMISSION_START;
	return ADMISSION_SKIP;
}

void admission_reason(const struct entry *entry, char *text, size_t size)
{
	const struct run_live *live = entry->runs;

	if (admission_account_full(entry)) {
		const struct account_slot *account = accounts_of_entry(entry);

		snprintf(text, size,
		    "account %s has %u runs that wait, which is its limit: an administrator decides "
		    "(users.limits.queued)",
		    account->name, account->live - account->running);
		return;
	}
	if (job_details(entry->job)->overlap == JOB_OVERLAP_QUEUE)
		snprintf(text, size, "%u runs wait already", entry->live - entry->holding);
	else if (entry->holding > 1)
		snprintf(text, size, "%u runs still going, the oldest is %s", entry->holding,
		    live ? live->id : "of schedd's last life");
	else
		snprintf(text, size, "run %s still going", live ? live->id : entry->job->id);
}

void admission_unmark(struct run_live *live)
{
	if (!live->marked || !live->store->durable)
		return;
	live->marked = false;
	run_live_write(live);
}

/* Has it a worker at once? Others may have come first since it was expected. */
static bool admission_starts(const struct run_live *live)
{
	const struct executor_slot *slot = live->executor;
	uint32_t workers = slot ? executor_max_workers(slot->executor) : 0;

	return !live->scheduler->paused && live->scheduler->phase == SCHEDULER_RUNNING &&
	       (!workers || executor_busy(slot->executor) + slot->marking + slot->ready.count < workers);
}

void admission_ready(struct run_live *live)
{
	run_live_enter(live, RUN_LIVE_WAIT_WORKER);
	if (live->marked && !admission_starts(live))
		admission_unmark(live);
	if (!live->executor) {
		char reason[256];

		snprintf(reason, sizeof(reason), "executor %s: no such executor",
		    job_executor(live->job));
		run_live_end(live, RUN_FAILED, reason);
		return;
	}
	if (heap_set(&live->executor->ready, &live->queue, admission_key(live)))
		run_live_end(live, RUN_FAILED, "Cannot allocate memory");
}

void admission_return(struct run_live *live)
{
	run_live_enter(live, RUN_LIVE_WAIT_WORKER);
	if (live->scheduler->paused || live->scheduler->phase != SCHEDULER_RUNNING)
		admission_unmark(live);
	if (heap_set(&live->executor->ready, &live->queue, live->turn))
		run_live_end(live, RUN_FAILED, "Cannot allocate memory");
}

static void admission_to_group(struct run_live *live)
{
	const char *name = admission_details(live)->group;
	struct group_slot *group = name ? admission_group(live->scheduler, name) : NULL;

	if (name && !group) {
		run_live_end(live, RUN_FAILED, "Cannot allocate memory");
		return;
	}
	if (group && !live->forced && group->parallel && group->running >= group->parallel) {
		run_live_enter(live, RUN_LIVE_WAIT_GROUP);
		admission_unmark(live);
		live->group = group;
		if (heap_set(&group->waiting, &live->queue, admission_key(live)))
			run_live_end(live, RUN_FAILED, "Cannot allocate memory");
		return;
	}
	live->group = group;
	if (group)
		group->running++;
	live->holds_group = group != NULL;
	admission_ready(live);
}

/* The gate of the account: so many runs at one time, and none while it is held. */
static void admission_to_account(struct run_live *live)
{
	struct account_slot *account = live->owner;

	if (account && (accounts_held(account) || account->running >= account->may.running)) {
		run_live_enter(live, RUN_LIVE_WAIT_GROUP);
		admission_unmark(live);
		live->account = account;
		if (heap_set(&account->waiting, &live->queue, admission_key(live)) == 0)
			return;
	}
	live->account = account;
	live->holds_account = account != NULL;
	if (account)
		account->running++;
	admission_to_group(live);
}

static void admission_account_next(struct account_slot *account)
{
	while (!accounts_held(account) && account->running < account->may.running) {
		struct heap_node *node = heap_pop(&account->waiting, NULL);
		struct run_live *live;

		if (!node)
			return;
		live = run_live_of_queue(node);
		live->holds_account = true;
		account->running++;
		admission_to_group(live);
	}
}

void admission_account_review(struct account_slot *account)
{
	admission_account_next(account);
}

static void admission_to_instance(struct run_live *live)
{
	struct entry *entry = live->entry;

	if (live->holds_instance) {
		admission_to_group(live);
		return;
	}
	if (entry && !live->forced && entry->holding >= job_details(entry->job)->max_instances) {
		run_live_enter(live, RUN_LIVE_WAIT_INSTANCE);
		admission_unmark(live);
		return;
	}
	if (entry) {
		entry->holding++;
		live->holds_instance = true;
	}
	admission_to_account(live);
}

/* Of its account the jobs of tables alone go on: it waits before all gates. */
static bool admission_is_apart(const struct run_live *live)
{
	return live->owner && accounts_apart(live->owner, live->job);
}

void admission_enter(struct run_live *live)
{
	if (!live->held && admission_is_apart(live))
		live->held = live->frozen = true;
	if (live->held) {
		run_live_enter(live, RUN_LIVE_HELD);
		admission_unmark(live);
		return;
	}
	admission_to_instance(live);
}

void admission_resume(struct run_live *live, bool under_way)
{
	const char *name = job_details(live->job)->group;

	live->entry->holding++;
	live->holds_instance = true;
	if (!under_way)
		return;
	live->account = live->owner;
	live->holds_account = live->account != NULL;
	if (live->account)
		live->account->running++;
	if (!name)
		return;
	live->group = admission_group(live->scheduler, name);
	live->holds_group = live->group != NULL;
	if (live->group)
		live->group->running++;
}

void admission_again(struct run_live *live)
{
	if (live->held)
		run_live_enter(live, RUN_LIVE_HELD);
	else
		admission_to_account(live);
}

bool admission_expect(struct run_live *live, uint32_t ahead)
{
	const struct schedd_scheduler *scheduler = live->scheduler;
	const struct job_details *details = job_details(live->job);
	struct group_slot *group =
	    details->group ? admission_group_find(scheduler, details->group) : NULL;
	struct account_slot *account = live->owner;
	struct executor_slot *slot = live->executor;
	uint32_t workers = slot ? executor_max_workers(slot->executor) : 0;

	live->marked = false;
	if (scheduler->phase != SCHEDULER_RUNNING || scheduler->paused || !slot || live->held)
		return false;
	if (!live->forced && live->entry->holding + ahead >= details->max_instances)
		return false;
	if (account && (accounts_held(account) ||
			   account->running + account->expected >= account->may.running))
		return false;
	if (group && !live->forced && group->parallel &&
	    group->running + group->expected >= group->parallel)
		return false;
	if (slot->expected + slot->ready.count >=
	    (live->job->kind == JOB_CALL ? UINT32_MAX : ADMISSION_EXPECTED_MAX))
		return false;
	if (workers && executor_busy(slot->executor) + slot->marking + slot->ready.count +
			   slot->expected >= workers)
		return false;
	live->expected = live->marked = true;
	slot->expected++;
	if (account)
		account->expected++;
	if (group)
		group->expected++;
	return true;
}

void admission_settle(struct run_live *live)
{
	const char *name;
	struct group_slot *group;
	struct account_slot *account;

	if (!live->expected)
		return;
	name = job_details(live->job)->group;
	group = name ? admission_group_find(live->scheduler, name) : NULL;
	account = live->owner;
	live->expected = false;
	live->executor->expected--;
	if (account)
		account->expected--;
	if (group)
		group->expected--;
}

/* Out of all queues and gates; those who wait behind it move up. */
static void admission_hold_one(struct run_live *live)
{
	admission_leave_worker(live);
	if (live->holds_instance) {
		live->holds_instance = false;
		live->entry->holding--;
	}
	run_live_enter(live, RUN_LIVE_HELD);
	admission_unmark(live);
}

void admission_hold(struct entry *entry)
{
	struct run_live *live, *next;

	for (live = entry->runs; live; live = live->next_of_job)
		live->held = true;
	for (live = entry->runs; live; live = next) {
		next = live->next_of_job;
		if (live->stage > RUN_LIVE_CLAIMING && live->stage < RUN_LIVE_STARTING)
			admission_hold_one(live);
	}
}

void admission_release(struct entry *entry)
{
	struct run_live *live, *next;

	for (live = entry->runs; live; live = live->next_of_job)
		live->held = false;
	for (live = entry->runs; live; live = next) {
		next = live->next_of_job;
		if (live->stage == RUN_LIVE_HELD && !live->stalled)
			admission_to_instance(live);
	}
}

void admission_freeze(struct entry *entry)
{
	struct run_live *live, *next;

	for (live = entry->runs; live; live = next) {
		next = live->next_of_job;
		if (live->held)
			continue;
		live->held = live->frozen = true;
		if (live->stage > RUN_LIVE_CLAIMING && live->stage < RUN_LIVE_STARTING)
			admission_hold_one(live);
	}
}

void admission_thaw(struct entry *entry)
{
	struct run_live *live, *next;

	for (live = entry->runs; live; live = next) {
		next = live->next_of_job;
		if (!live->frozen)
			continue;
		live->held = live->frozen = false;
		if (live->stage == RUN_LIVE_HELD && !live->stalled)
			admission_to_instance(live);
	}
}

static void admission_group_next(struct group_slot *group)
{
	while (!group->parallel || group->running < group->parallel) {
		struct heap_node *node = heap_pop(&group->waiting, NULL);
		struct run_live *live;

		if (!node)
			return;
		live = run_live_of_queue(node);
		group->running++;
		live->holds_group = true;
		admission_ready(live);
	}
}

void admission_leave_worker(struct run_live *live)
{
	struct group_slot *group = live->group;
	struct account_slot *account = live->account;

	run_live_withdraw(live);
	if (live->mark) {
		*live->mark = NULL;
		live->mark = NULL;
		live->executor->marking--;
		/* Its row is written behind its mark. */
		live->marked = true;
	}
	if (live->stalled) {
		live->stalled = false;
		live->store->stalled--;
	}
	if (account && !live->holds_account)
		heap_remove(&account->waiting, &live->queue);
	else if (live->stage == RUN_LIVE_WAIT_GROUP && group)
		heap_remove(&group->waiting, &live->queue);
	else if (live->stage == RUN_LIVE_WAIT_WORKER && live->executor)
		heap_remove(&live->executor->ready, &live->queue);
	live->group = NULL;
	if (live->holds_group) {
		live->holds_group = false;
		group->running--;
		admission_group_next(group);
	}
	live->account = NULL;
	if (live->holds_account) {
		live->holds_account = false;
		account->running--;
		admission_account_next(account);
	}
}

/* Is the group that it waits for, or has a place in, still the job's? */
static bool admission_group_same(const struct run_live *live)
{
	const char *name = admission_details(live)->group;

	if (!live->group || !name)
		return !live->group && !name;
	return strcmp(live->group->name, name) == 0;
}

/* The queue that it stands in; NULL: none. */
static struct heap *admission_queue(const struct run_live *live)
{
	if (live->account && !live->holds_account)
		return &live->account->waiting;
	if (live->stage == RUN_LIVE_WAIT_GROUP && live->group)
		return &live->group->waiting;
	return live->stage == RUN_LIVE_WAIT_WORKER && live->executor ? &live->executor->ready : NULL;
}

void admission_reconsider(struct entry *entry)
{
	struct run_live *live, *next;

	for (live = entry->runs; live; live = next) {
		struct heap *queue = admission_queue(live);

		next = live->next_of_job;
		if (!queue || !heap_queued(&live->queue))
			continue;
		/* The gate of the account comes before that of the group. */
		if ((!live->account || live->holds_account) && !admission_group_same(live)) {
			admission_leave_worker(live);
			admission_to_account(live);
		} else {
			uint64_t turn = (uint64_t)heap_key(queue, &live->queue) & ADMISSION_TURNS;

			/* A node that is there needs no memory. */
			(void)!heap_set(queue, &live->queue, admission_key_of(live, turn));
		}
	}
}

void admission_review(struct entry *entry)
{
	struct run_live *live = entry->runs;

	/* Those that hold an instance wait for none: mostly that is all of them. */
	while (live && entry->live > entry->holding &&
	       entry->holding < job_details(entry->job)->max_instances) {
		struct run_live *next = live->next_of_job;

		if (live->stage == RUN_LIVE_WAIT_INSTANCE)
			admission_to_instance(live);
		live = next;
	}
}

void admission_instance_free(struct entry *entry)
{
	entry->holding--;
	admission_review(entry);
}

void admission_leave(struct run_live *live)
{
	if (live->holds_instance) {
		live->holds_instance = false;
		if (live->entry)
			admission_instance_free(live->entry);
	}
}

static const char *admission_group_key(const void *item)
{
	return ((const struct group_slot *)item)->name;
}

void admission_init(struct schedd_scheduler *scheduler)
{
	strmap_init(&scheduler->runs.groups, admission_group_key);
}

struct group_slot *admission_group_find(
    const struct schedd_scheduler *scheduler, const char *name)
{
	return strmap_get(&scheduler->runs.groups, name);
}

struct group_slot *admission_group_walk(
    const struct schedd_scheduler *scheduler, uint32_t *position)
{
	return strmap_next(&scheduler->runs.groups, position);
}

struct group_slot *admission_group(struct schedd_scheduler *scheduler, const char *name)
{
	struct group_slot *group = strmap_get(&scheduler->runs.groups, name);

	if (group)
		return group;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->name = strdup(name);
	if (!group->name || strmap_put(&scheduler->runs.groups, group)) {
		free(group->name);
		free(group);
		return NULL;
	}
	return group;
}

void admission_group_review(struct group_slot *group)
{
	admission_group_next(group);
}

void admission_clear_queues(struct schedd_scheduler *scheduler)
{
	struct account_slot *account;
	uint32_t position = 0;
	struct group_slot *group;

	while ((group = strmap_next(&scheduler->runs.groups, &position)))
		heap_clear(&group->waiting);
	position = 0;
	while ((account = accounts_walk(scheduler, &position)))
		heap_clear(&account->waiting);
	for (uint32_t i = 0; i < executors_count(scheduler); i++)
		heap_clear(&executors_at(scheduler, i)->ready);
}

void admission_free_groups(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;
	struct group_slot *group;

	while ((group = strmap_next(&scheduler->runs.groups, &position))) {
		free(group->name);
		free(group);
	}
	strmap_clear(&scheduler->runs.groups);
}
