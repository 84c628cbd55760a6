/* SPDX-License-Identifier: MIT */
#include "core/changes/job_gone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_forward.h"
#include "core/frame/event_ring.h"
#include "store/store_share.h"

/* For how long, and how many of a store at most, the first to be forgotten first. */
#define JOB_GONE_FOR SCHEDD_HOUR
#define JOB_GONE_MOST 20000

struct job_gone {
	struct job_gone *next; /* gone later */
	struct schedd_mono at;
	schedd_time created_at; /* another of that id is another job */
	uint32_t last_run;
	bool foreign; /* another node had it, which may have begun more runs than are known here */
	char id[];
};

struct gone_jobs {
	struct strmap map;
	struct job_gone *first, *last;
	uint32_t count; /* in that list, where an id may be that of several */
};

static const char *job_gone_key(const void *item)
{
	return ((const struct job_gone *)item)->id;
}

/* One of that id that was gone before is in the list still, and not in the map. */
static void job_gone_drop_first(struct gone_jobs *jobs)
{
	struct job_gone *gone = jobs->first;

	jobs->first = gone->next;
	if (!jobs->first)
		jobs->last = NULL;
	if (strmap_get(&jobs->map, gone->id) == gone)
		strmap_remove(&jobs->map, gone->id);
	jobs->count--;
	free(gone);
}

static struct gone_jobs *job_gone_jobs(struct store_slot *slot)
{
	if (!slot->gone) {
		slot->gone = calloc(1, sizeof(*slot->gone));
		if (slot->gone)
			strmap_init(&slot->gone->map, job_gone_key);
	}
	return slot->gone;
}

void job_gone_keep(const struct entry *entry)
{
	struct store_slot *slot = entry->store;
	const char *id = entry->job->id;
	struct gone_jobs *jobs = slot->shared ? job_gone_jobs(slot) : NULL;
	struct schedd_mono now = scheduler_mono(slot->scheduler);
	struct job_gone *gone = jobs ? malloc(sizeof(*gone) + strlen(id) + 1) : NULL;

	if (!gone)
		return;
	while (jobs->first && (now.us - jobs->first->at.us > JOB_GONE_FOR || jobs->count >= JOB_GONE_MOST))
		job_gone_drop_first(jobs);
	*gone = (struct job_gone){NULL, now, entry->state.created_at, entry->state.last_run, entry->foreign};
	memcpy(gone->id, id, strlen(id) + 1);
	strmap_remove(&jobs->map, id);
	if (strmap_put(&jobs->map, gone)) {
		free(gone);
		return;
	}
	if (jobs->last)
		jobs->last->next = gone;
	else
		jobs->first = gone;
	jobs->last = gone;
	jobs->count++;
}

void job_gone_end(struct store_slot *slot)
{
	struct gone_jobs *jobs = slot->gone;

	if (!jobs)
		return;
	while (jobs->first)
		job_gone_drop_first(jobs);
	strmap_clear(&jobs->map);
	free(jobs);
	slot->gone = NULL;
}

/* ---- Again ---- */

static int job_gone_begin(struct change *change, struct schedd_error *err)
{
	const struct job_state *given = &change->given_state;

	(void)err;
	change->batch = store_batch_new(change->store->store);
	store_batch_expect_same(change->batch, change->id, given);
	if (given->paused)
		store_batch_put_text(change->batch, arena_printf(&change->arena, "paused.%s", change->id), NULL);
	store_batch_delete_job(change->batch, change->id, change->state.last_run);
	change_record(change, SCHEDD_EVENT_JOB_REMOVED, change->text);
	return CHANGE_COMMIT;
}

static void job_gone_finish(struct change *change)
{
	(void)change;
}

/* Another has changed it, perhaps removed as we would: it is looked at anew. */
static void job_gone_fail(struct change *change)
{
	store_reread(change->store->store, change->id);
}

static const struct change_ops job_gone_ops = {
    "remove again", job_gone_begin, job_gone_finish, job_gone_fail};

static void job_gone_tell(struct store_slot *slot, const struct job_gone *gone, uint32_t stored)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	char text[400], runs[100] = "";

	if (gone->foreign)
		snprintf(runs, sizeof(runs), ", and perhaps runs behind %u", stored);
	else if (stored < gone->last_run)
		snprintf(runs, sizeof(runs), ", and its runs from %u to %u", stored + 1, gone->last_run);
	snprintf(text, sizeof(text), "job %s: its removal was stored and is gone with the server%s: it is removed again",
	    gone->id, runs);
	log_warn(scheduler->log, "store %s: %s", slot->name, text);
	event_ring_say(scheduler, SCHEDD_EVENT_STORE_ERROR, slot->name, text, NULL);
}

bool job_gone_again(struct store_slot *slot, const char *id, const struct job_state *given)
{
	const struct job_gone *gone = slot->gone && store_behind(slot->store) ? strmap_get(&slot->gone->map, id) : NULL;
	struct change *change;

	if (!gone || gone->created_at != given->created_at)
		return false;
	change = change_new(slot->scheduler, &job_gone_ops, id, NULL, (struct scheduler_reply){NULL, NULL});
	if (!change)
		return false;
	job_gone_tell(slot, gone, given->last_run);
	change->store = slot;
	change_owe(change);
	change->fresh = true;
	change->text = "its removal was gone with the server";
	change->state.last_run = gone->last_run > given->last_run ? gone->last_run : given->last_run;
	if (gone->foreign)
		change->state.last_run += JOB_FORWARD_GAP;
	/* Without its texts. */
	change->given_state.revision = given->revision;
	change->given_state.last_run = given->last_run;
	change->given_state.next_fire = given->next_fire;
	change->given_state.paused = given->paused;
	change_submit(change);
	return true;
}
