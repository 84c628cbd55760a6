/* SPDX-License-Identifier: MIT */
/* They are few, and looked for only where an id names one. */
#include "core/jobs/accounts.h"

#include <stdlib.h>
#include <string.h>

static const char *accounts_key(const void *item)
{
	return ((const struct account_slot *)item)->name;
}

void accounts_init(struct schedd_scheduler *scheduler)
{
	strmap_init(&scheduler->jobs.account_slots, accounts_key);
}

void accounts_free(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;
	struct account_slot *slot;

	while ((slot = strmap_next(&scheduler->jobs.account_slots, &position))) {
		heap_clear(&slot->waiting);
		heap_clear(&slot->due);
		free(slot->refusal);
		free(slot->name);
		free(slot);
	}
	strmap_clear(&scheduler->jobs.account_slots);
}

/* The name in an id; false: there is none. */
static bool accounts_name(const char *id, char name[JOB_ACCOUNT_MAX + 1])
{
	size_t length = job_id_account(id);

	if (length == 0 || length > JOB_ACCOUNT_MAX)
		return false;
	memcpy(name, id, length);
	name[length] = '\0';
	return true;
}

struct account_slot *accounts_of(const struct schedd_scheduler *scheduler, const char *id)
{
	char name[JOB_ACCOUNT_MAX + 1];

	return accounts_name(id, name) ? strmap_get(&scheduler->jobs.account_slots, name) : NULL;
}

struct account_slot *accounts_named(const struct schedd_scheduler *scheduler, const char *name)
{
	return strmap_get(&scheduler->jobs.account_slots, name);
}

struct account_slot *accounts_walk(const struct schedd_scheduler *scheduler, uint32_t *position)
{
	return strmap_next(&scheduler->jobs.account_slots, position);
}

uint32_t accounts_count(const struct schedd_scheduler *scheduler)
{
	return scheduler->jobs.account_slots.count;
}

struct scheduler_account accounts_may(const struct schedd_scheduler *scheduler, const char *name)
{
	const struct account_slot *slot = accounts_named(scheduler, name);
	struct scheduler_account may = {0};

	if (slot)
		may = slot->may;
	may.running = may.queued = UINT32_MAX;
	may.history = may.output = INT64_MAX;
	if (scheduler->jobs.account_judge)
		scheduler->jobs.account_judge(name, &may, scheduler->jobs.account_context);
	return may;
}

bool accounts_ask(struct schedd_scheduler *scheduler, struct account_slot *slot)
{
	const struct scheduler_account before = slot->may;

	slot->may = accounts_may(scheduler, slot->name);
	/* What it has is compared with what it may have now. */
	slot->rows_counted = slot->may.history == INT64_MAX;
	slot->rows_room = slot->rows_counted ? UINT64_MAX : 0;
	slot->output_room = slot->may.output == INT64_MAX ? UINT64_MAX : 0;
	return before.held != slot->may.held || before.tables != slot->may.tables;
}

bool accounts_note_row(struct account_slot *slot, uint64_t output)
{
	slot->rows_new++;
	slot->output_new += output;
	return slot->rows_new > slot->rows_room || slot->output_new > slot->output_room;
}

static struct account_slot *accounts_make(struct schedd_scheduler *scheduler, const char *name)
{
	struct account_slot *slot = calloc(1, sizeof(*slot));

	if (!slot)
		return NULL;
	slot->scheduler = scheduler;
	timer_init(&slot->again, NULL);
	slot->name = strdup(name);
	heap_init(&slot->waiting);
	heap_init(&slot->due);
	heap_node_init(&slot->due_node);
	if (!slot->name || strmap_put(&scheduler->jobs.account_slots, slot)) {
		free(slot->name);
		free(slot);
		return NULL;
	}
	accounts_ask(scheduler, slot);
	return slot;
}

int accounts_add_job(struct schedd_scheduler *scheduler, const struct schedd_job *job)
{
	char name[JOB_ACCOUNT_MAX + 1];
	struct account_slot *slot;

	if (!accounts_name(job->id, name))
		return 0;
	slot = strmap_get(&scheduler->jobs.account_slots, name);
	if (!slot)
		slot = accounts_make(scheduler, name);
	if (!slot)
		return SCHEDD_ENOMEM;
	slot->jobs++;
	slot->tables += job_is_of_table(job);
	return 0;
}

void accounts_redefine_job(struct schedd_scheduler *scheduler, const struct schedd_job *old,
    const struct schedd_job *job)
{
	struct account_slot *slot = accounts_of(scheduler, job->id);

	if (!slot)
		return;
	slot->tables -= job_is_of_table(old);
	slot->tables += job_is_of_table(job);
}

void accounts_drop_job(struct schedd_scheduler *scheduler, const struct schedd_job *job)
{
	struct account_slot *slot = accounts_of(scheduler, job->id);

	if (!slot)
		return;
	slot->jobs--;
	slot->tables -= job_is_of_table(job);
}

const char *accounts_held(const struct account_slot *slot)
{
	return slot->may.held && !slot->may.tables ? slot->may.why : slot->refusal;
}

bool accounts_apart(const struct account_slot *slot, const struct schedd_job *job)
{
	return slot->may.held && slot->may.tables && !job_is_of_table(job);
}

bool accounts_hold(
    const struct schedd_scheduler *scheduler, const struct schedd_job *job, const char **why)
{
	const struct account_slot *slot = accounts_of(scheduler, job->id);

	*why = slot ? accounts_held(slot) : NULL;
	if (!*why && slot && accounts_apart(slot, job))
		*why = slot->may.why;
	return *why != NULL;
}

uint32_t scheduler_account_jobs(const struct schedd_scheduler *scheduler, const char *account)
{
	const struct account_slot *slot = strmap_get(&scheduler->jobs.account_slots, account);

	return slot ? slot->jobs : 0;
}

void scheduler_set_accounts(
    struct schedd_scheduler *scheduler, scheduler_account_fn judge, void *context)
{
	scheduler->jobs.account_judge = judge;
	scheduler->jobs.account_context = context;
}
