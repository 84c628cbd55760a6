/* SPDX-License-Identifier: MIT */
/* Small texts that a scheduler finds in its stores when it starts, and leaves there for the next start. */
#include "core/top/restart_texts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "core/changes/part_note.h"
#include "core/frame/event_ring.h"
#include "core/frame/store_slot.h"
#include "core/jobs/change_log.h"
#include "core/jobs/entry.h"
#include "core/runs/admission.h"
#include "core/runs/invocation.h"
#include "core/top/dump.h"
#include "store/store_share.h"

static void restart_texts_pause(const char *key, const char *text, void *context)
{
	struct schedd_scheduler *scheduler = context;
	struct entry *entry = entry_get(scheduler, key + strlen("paused."));

	if (entry && entry->state.paused && !entry_aside(entry)->pause_text)
		entry_set_pause_text(entry, strdup(text));
}

static void restart_texts_part(const char *key, const char *text, void *context)
{
	part_note_take(context, key, text);
}

static void restart_texts_group(const char *key, const char *text, void *context)
{
	struct group_slot *group = admission_group(context, key + strlen("group."));

	if (group)
		group->parallel = (uint32_t)strtoul(text, NULL, 10);
}

/* What each daemon keeps for itself, in a store that others may share. */
static void restart_texts_own_key(
    const struct schedd_scheduler *scheduler, const char *name, char *key, size_t size)
{
	const struct store *store = scheduler->default_store->store;

	snprintf(key, size, "%s%s%s", name, store_shared(store) ? "." : "",
	    store_shared(store) ? store_node_name(store) : "");
}

static bool restart_texts_is_own(
    const struct schedd_scheduler *scheduler, const char *key, const char *name)
{
	char own[256];

	restart_texts_own_key(scheduler, name, own, sizeof(own));
	return strcmp(key, own) == 0;
}

static void restart_texts_scheduler(const char *key, const char *text, void *context)
{
	struct schedd_scheduler *scheduler = context;

	if (strcmp(key, "scheduler.paused") == 0 && !scheduler->paused) {
		scheduler->paused = true;
		scheduler->paused_at = scheduler_now(scheduler);
		scheduler->paused_why = strdup(text);
	} else if (restart_texts_is_own(scheduler, key, "scheduler.boot") && scheduler->top.boot_id) {
		scheduler->top.booted = strcmp(text, scheduler->top.boot_id) != 0;
	} else if (restart_texts_is_own(scheduler, key, "scheduler.key") && !invocation_take_key(scheduler, text)) {
		log_warn(scheduler->log, "the key of the runs' invocations cannot be read");
	}
}

static void restart_texts_paused(const char *key, const char *text, void *context)
{
	const char **why = context;

	if (strcmp(key, "scheduler.paused") == 0)
		*why = text;
}

/* ---- A server that lacks what the one before had answered ---- */

struct restart_text {
	const char *key;
	const char *text; /* NULL: there is none */
};

static void restart_texts_exact(const char *key, const char *text, void *context)
{
	struct restart_text *sought = context;

	if (strcmp(key, sought->key) == 0)
		sought->text = text;
}

static const char *restart_texts_find(const struct store_slot *slot, const char *key)
{
	struct restart_text sought = {key, NULL};

	store_snapshot_texts(slot->snapshot, key, restart_texts_exact, &sought);
	return sought.text;
}

static void restart_texts_say(const struct store_slot *slot, const char *text)
{
	log_warn(slot->scheduler->log, "store %s: %s", slot->name, text);
	event_ring_say(slot->scheduler, SCHEDD_EVENT_STORE_ERROR, slot->name, text, NULL);
}

/* Whether that was set before or behind another node's coming nobody can tell: it is not written again, but named. */
static void restart_texts_gone(const struct store_slot *slot, const char *why)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct group_slot *group;
	uint32_t position = 0;
	char key[300], text[800];

	while ((group = admission_group_walk(scheduler, &position))) {
		const char *told;
		uint32_t parallel;

		snprintf(key, sizeof(key), "group.%.256s", group->name);
		told = restart_texts_find(slot, key);
		parallel = told ? (uint32_t)strtoul(told, NULL, 10) : 0;
		if (!group->parallel || parallel == group->parallel)
			continue;
		if (parallel)
			snprintf(key, sizeof(key), "a limit of %u", parallel);
		snprintf(text, sizeof(text),
		    "group %.256s: this node knew a limit of %u, the server in the place of the one before has %s: set it again, "
		    "unless that is meant",
		    group->name, group->parallel, parallel ? key : "none");
		restart_texts_say(slot, text);
		group->parallel = parallel;
		admission_group_review(group);
	}
	if (scheduler->paused == (why != NULL))
		return;
	snprintf(text, sizeof(text),
	    "this node knew that the scheduler %s, the server in the place of the one before has that it %s: %s it again, "
	    "unless that is meant",
	    scheduler->paused ? "is paused" : "goes on", why ? "is paused" : "goes on", why ? "resume" : "pause");
	restart_texts_say(slot, text);
}

/* What the nodes have agreed on: it goes before what is in a store of our own. */
static void restart_texts_shared(struct schedd_scheduler *scheduler, struct store_slot *slot)
{
	const char *why = NULL;

	store_snapshot_texts(slot->snapshot, "scheduler.paused", restart_texts_paused, &why);
	if (store_behind(slot->store))
		restart_texts_gone(slot, why);
	store_snapshot_texts(slot->snapshot, "group.", restart_texts_group, scheduler);
	scheduler->pause_told(scheduler, why);
}

/* What a kill left is told once. */
static void restart_texts_restoring(const char *key, const char *path, void *context)
{
	struct store_slot *slot = context;
	struct schedd_scheduler *scheduler = slot->scheduler;
	char text[PATH_MAX + 200];

	if (strcmp(key, DUMP_RESTORING) != 0)
		return;
	snprintf(text, sizeof(text),
	    "schedd ended while %s was restored: jobs or runs of it may be missing: restore it again, "
	    "and replace",
	    path);
	log_error(scheduler->log, "store %s: %s", slot->name, text);
	event_ring_say(scheduler, SCHEDD_EVENT_STORE_ERROR, slot->name, text, NULL);
	store_slot_put_text(slot, DUMP_RESTORING, NULL);
}

void restart_texts_take(struct schedd_scheduler *scheduler, struct store_slot *slot)
{
	store_snapshot_texts(slot->snapshot, "paused.", restart_texts_pause, scheduler);
	store_snapshot_texts(slot->snapshot, PART_NOTE_PREFIX, restart_texts_part, slot);
	store_snapshot_texts(slot->snapshot, DUMP_RESTORING, restart_texts_restoring, slot);
	if (slot->shared && slot == store_slot_common(scheduler))
		restart_texts_shared(scheduler, slot);
	if (strcmp(slot->name, "default") != 0)
		return;
	/* Until it says otherwise this is the first start of all, and so the first since the boot.
	 */
	scheduler->top.booted = scheduler->top.boot_id != NULL;
	store_snapshot_texts(slot->snapshot, "group.", restart_texts_group, scheduler);
	store_snapshot_texts(slot->snapshot, "scheduler.", restart_texts_scheduler, scheduler);
}

void restart_texts_remember(struct schedd_scheduler *scheduler)
{
	struct store_slot *slot = store_slot_find(scheduler, "default");
	struct store_batch *batch = store_batch_new(slot->store);
	char key[2 * SIPHASH_KEY + 1], own[256];

	store_batch_put_number(batch, STORE_SLOT_ALIVE_KEY, scheduler->started_at);
	/* Before the first run that is known by it. */
	invocation_key(scheduler, key);
	restart_texts_own_key(scheduler, "scheduler.key", own, sizeof(own));
	store_batch_put_text(batch, own, key);
	restart_texts_own_key(scheduler, "scheduler.boot", own, sizeof(own));
	if (scheduler->top.boot_id)
		store_batch_put_text(batch, own, scheduler->top.boot_id);
	store_commit(slot->store, batch, NULL, NULL);
}

void restart_texts_record(struct schedd_scheduler *scheduler)
{
	struct value more = value_map();
	struct arena arena;

	/* A program that took this one's place missed nothing. */
	if (scheduler->top.handover || scheduler->down_since == SCHEDD_TIME_NONE)
		return;
	arena_init(&arena);
	value_put(&arena, &more, "down_since", value_int(scheduler->down_since));
	change_log_scheduler(scheduler, "scheduler_started", NULL, &more, &arena);
	arena_clear(&arena);
}
