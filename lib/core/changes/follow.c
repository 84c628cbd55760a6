/* SPDX-License-Identifier: MIT */
/*
 * A note is a text in the store of the run that ended: "after.FOLLOWER/JOB/N",
 * and how it ended. Where the follower lives in another store, no commit has
 * both; there its last runs tell whether it has followed. A job that follows
 * itself is to run again where it may, as the node that has the note cannot.
 */
#include "core/changes/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_switch.h"
#include "core/frame/store_slot.h"
#include "core/jobs/after.h"
#include "core/runs/run_live.h"

#define FOLLOW_PREFIX "after."
#define FOLLOW_KEY_MAX (sizeof(FOLLOW_PREFIX) + JOB_ID_MAX + 1 + RUN_LIVE_ID_MAX)
/* Runs of a follower in another store that are looked at. */
#define FOLLOW_RUNS 100

static void follow_key(char key[FOLLOW_KEY_MAX], const struct entry *entry, const struct run *run)
{
	snprintf(
	    key, FOLLOW_KEY_MAX, FOLLOW_PREFIX "%s/%s/%u", entry->job->id, run->job, run->number);
}

void follow_note(
    struct schedd_scheduler *scheduler, struct store_slot *store, const struct run *run)
{
	char key[FOLLOW_KEY_MAX], whole[JOB_ID_MAX + 1];
	const struct after_list *list;

	if (!store->durable || !after_any(scheduler))
		return;
	/* What follows a job on all nodes follows each of its parts. */
	job_id_whole(run->job, whole);
	list = after_list_get(scheduler, whole);
	for (uint32_t i = 0; list && i < list->count; i++) {
		/* On all nodes: its parts follow. */
		if (entry_on_all(list->entries[i]) || !after_wants(list->entries[i], whole, run->state))
			continue;
		follow_key(key, list->entries[i], run);
		store_slot_put_text(store, key, run_state_name(run->state));
	}
}

static void follow_start(struct entry *entry, struct store_slot *store, const struct run *run)
{
	char because[RUN_LIVE_ID_MAX], key[FOLLOW_KEY_MAX];

	snprintf(because, sizeof(because), "%s/%u", run->job, run->number);
	follow_key(key, entry, run);
	job_switch_follow(store->scheduler, entry, because, key, store->durable ? store : NULL);
}

void follow_run(struct schedd_scheduler *scheduler, struct store_slot *store, const struct run *run)
{
	char job[JOB_ID_MAX + 1];
	const struct after_list *list;

	if (!after_any(scheduler))
		return;
	job_id_whole(run->job, job);
	list = after_list_get(scheduler, job);
	if (!list || scheduler->phase != SCHEDULER_RUNNING)
		return;
	/* The note must not come behind the claim that takes it back. */
	if (store->durable)
		store_slot_flush_all(scheduler);
	/* The list may change while those on it are started. */
	for (uint32_t i = 0; list && i < list->count; i++) {
		struct entry *entry = list->entries[i];

		if (!entry_on_all(entry) && after_wants(entry, job, run->state))
			follow_start(entry, store, run);
		list = after_list_get(scheduler, job);
	}
}

void follow_note_again(struct store_slot *store, const struct entry *entry, const struct run *run)
{
	char key[FOLLOW_KEY_MAX];

	follow_key(key, entry, run);
	store_slot_put_text(store, key, run_state_name(run->state));
}

void follow_again(struct store_slot *store, struct entry *entry, const struct run *run)
{
	store_slot_flush_all(store->scheduler);
	follow_start(entry, store, run);
}

/* ---- What was left ---- */

struct follow_item {
	struct follow_item *next;
	struct store_slot *store;
	char key[FOLLOW_KEY_MAX];
	char follower[JOB_ID_MAX + 1];
	char job[JOB_ID_MAX + 1];
	uint32_t number;
	enum run_state state;
};

struct follow_notes {
	struct schedd_scheduler *scheduler;
	struct store_slot *store;
	struct follow_item *first, **last;
};

static bool follow_parse(struct follow_item *item, const char *key, const char *text)
{
	const char *name = key + strlen(FOLLOW_PREFIX), *slash = strchr(name, '/');
	size_t length = slash ? (size_t)(slash - name) : 0;

	if (length == 0 || length > JOB_ID_MAX || strlen(key) >= FOLLOW_KEY_MAX)
		return false;
	memcpy(item->follower, name, length);
	snprintf(item->key, sizeof(item->key), "%s", key);
	return run_parse_id(slash + 1, item->job, &item->number) &&
	       run_state_parse(text, &item->state);
}

static void follow_take(const char *key, const char *text, void *context)
{
	struct follow_notes *notes = context;
	struct follow_item *item = calloc(1, sizeof(*item));

	if (!item || !follow_parse(item, key, text)) {
		log_warn(notes->scheduler->log, "the note %s cannot be read", key);
		free(item);
		return;
	}
	item->store = notes->store;
	*notes->last = item;
	notes->last = &item->next;
}

struct follow_notes *follow_load(struct schedd_scheduler *scheduler, struct store_slot *store)
{
	struct follow_notes *notes = 
	    store->durable && store->snapshot ? calloc(1, sizeof(*notes)) : NULL;

	if (!notes)
		return NULL;
	notes->scheduler = scheduler;
	notes->store = store;
	notes->last = &notes->first;
	store_snapshot_texts(store->snapshot, FOLLOW_PREFIX, follow_take, notes);
	return notes;
}

static void follow_go(const struct follow_item *item)
{
	struct schedd_scheduler *scheduler = item->store->scheduler;
	struct entry *entry = entry_get(scheduler, item->follower);
	char job[JOB_ID_MAX + 1], whole[JOB_ID_MAX + 1];
	struct run run;

	run_init(&run);
	snprintf(job, sizeof(job), "%s", item->job);
	run.job = job;
	run.number = item->number;
	job_id_whole(item->job, whole);
	if (entry && (strcmp(item->follower, job) == 0 || after_wants(entry, whole, item->state)))
		follow_start(entry, item->store, &run);
	else
		store_slot_put_text(item->store, item->key, NULL);
}

/* The store of the follower tells whether it has followed. */
static void follow_answered(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct follow_item *item = context;
	struct schedd_scheduler *scheduler = item->store->scheduler;
	char because[RUN_LIVE_ID_MAX];
	bool followed = false;

	(void)cursor;
	snprintf(because, sizeof(because), "%s/%u", item->job, item->number);
	for (size_t i = 0; !rc && i < count; i++)
		followed |= runs[i].actor && strcmp(runs[i].actor, because) == 0;
	scheduler_enter(scheduler);
	if (rc)
		log_warn(scheduler->log, "job %s may not have followed %s: %s", item->follower,
		    because, err->message);
	else if (followed)
		store_slot_put_text(item->store, item->key, NULL);
	else
		follow_go(item);
	free(item);
	scheduler_leave(scheduler);
}

void follow_recover(struct follow_notes *notes)
{
	struct follow_item *item, *next;

	for (item = notes ? notes->first : NULL; item; item = next) {
		const struct entry *entry = entry_get(notes->scheduler, item->follower);
		const char *jobs[] = {item->follower, NULL};
		struct store_run_query query = {.jobs = jobs,
		    .since = SCHEDD_TIME_NONE,
		    .until = SCHEDD_TIME_NONE,
		    .limit = FOLLOW_RUNS};

		next = item->next;
		if (entry && entry->store != item->store) {
			store_query_runs(entry->store->store, &query, follow_answered, item);
			continue;
		}
		follow_go(item);
		free(item);
	}
	free(notes);
}
