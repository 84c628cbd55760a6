/* SPDX-License-Identifier: MIT */
/*
 * A job on all nodes is never due itself. Each node makes a part of it,
 * "JOB@NODE": a job of its own, in a slot of a place that is that node alone, so
 * that claims, fences and take-overs are those of any job. Each node keeps its
 * part as the whole is; one whose whole has gone is removed, that of a dead node
 * by who has the first slot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "core/changes/scheduler_add.h"
#include "core/share/share_state.h"
#include "model/job_fields.h"

/* A definition that a node has for a part. NULL: no memory, or the name is too long. */
static struct schedd_job *share_part_make(const struct entry *whole, const char *node)
{
	struct schedd_job *job = job_clone(whole->job);
	struct job_details *details = job ? job_details_edit(job) : NULL;
	char id[JOB_ID_MAX + 2], place[NODE_NAME_MAX + 2];

	snprintf(id, sizeof(id), "%s@%s", whole->job->id, node);
	snprintf(place, sizeof(place), "@%s", node);
	if (details && job_id_known(id)) {
		free(job->id);
		free(details->nodes);
		free(details->owner);
		job->id = strdup(id);
		details->nodes = strdup(place);
		/* Applied is the whole, and it stays when the part has run for the last time. */
		details->owner = NULL;
		details->keep = true;
		if (job->id && details->nodes)
			return job;
	}
	job_unref(job);
	return NULL;
}

static void share_part_text(const struct schedd_job *job, struct strbuf *text)
{
	struct arena arena;
	struct value map;

	arena_init(&arena);
	map = job_fields_export(job, &arena);
	json_write(text, &map);
	arena_clear(&arena);
}

static bool share_part_same(const struct schedd_job *a, const struct schedd_job *b)
{
	struct strbuf left = STRBUF_EMPTY, right = STRBUF_EMPTY;
	bool same;

	share_part_text(a, &left);
	share_part_text(b, &right);
	same = strcmp(strbuf_peek(&left), strbuf_peek(&right)) == 0;
	strbuf_clear(&left);
	strbuf_clear(&right);
	return same;
}

static void share_part_remove(
    struct schedd_scheduler *scheduler, const struct entry *part, struct scheduler_reply reply)
{
	const struct scheduler_actor actor = {.uid = -1, .pid = -1, .method = "nodes: all"};
	uint8_t leaves = entry_aside(part)->leaves;

	scheduler_remove(scheduler, part->job->id, leaves & ENTRY_LEAVES_PURGED,
	    leaves & ENTRY_LEAVES_KILLED, &actor, reply);
}

static void share_part_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	const struct schedd_scheduler *scheduler = context;

	(void)result;
	if (rc)
		log_warn(scheduler->log, "a job on all nodes: %s", err ? err->message : "it failed");
}

/* Ours is as the whole is; false: it is busy, and is looked at again. */
static bool share_part_keep(struct share *share, const struct entry *whole)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	const char *node = store_node_name(share->slot->store);
	struct entry *part = entry_part(scheduler, whole, node);
	struct scheduler_actor actor = {
	    .uid = whole->state.created_by, .pid = -1, .method = "nodes: all"};
	struct scheduler_reply reply = {share_part_answered, scheduler};
	struct schedd_job *job;

	if (whole->state.invalid || (!part && (whole->state.paused || share->leaving)))
		return true;
	if (part && (part->busy || part->hidden))
		return false;
	/* That of a whole which was removed: this one has come since. */
	if (part && entry_aside(part)->leaves) {
		share_part_remove(scheduler, part, reply);
		return false;
	}
	job = share_part_make(whole, node);
	if (!job) {
		log_warn(scheduler->log, "job %s: it has no part on node %s, the names are too long",
		    whole->job->id, node);
		return true;
	}
	if (!part || !share_part_same(job, part->job))
		scheduler_add_job(scheduler, job, SCHEDULER_ADD_REPLACE, &actor, reply);
	else if (whole->state.paused && !part->state.paused)
		scheduler_pause_job(scheduler, part->job->id, whole->state.paused_until,
		    whole->state.paused_reason, &actor, reply);
	else if (!whole->state.paused && part->state.paused)
		scheduler_resume_job(scheduler, part->job->id, false, &actor, reply);
	job_unref(job);
	return true;
}

/* Its whole has gone, or runs elsewhere now: whose business it is removes it. */
static bool share_part_drop(struct share *share, const struct entry *part)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	const char *node = job_id_node(part->job->id);
	const struct store_node *its = share_named(share, node);
	struct scheduler_reply reply = {share_part_answered, scheduler};
	bool own = strcmp(node, store_node_name(share->slot->store)) == 0;
	bool gone = share->node_count && (!its || its->dead_since != SCHEDD_TIME_NONE);

	if (!own && !(gone && share->own && share->slots[0].owner == share->own)) {
		share->slot->places.orphans = true;
		return true;
	}
	if (part->busy || part->hidden)
		return false;
	share_part_remove(scheduler, part, reply);
	return true;
}

/* Ids of jobs on all nodes, and of parts without one; in the arena. */
static struct value share_parts_find(const struct share *share, struct arena *arena)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	struct value ids = value_array();
	uint32_t position = 0;
	const struct entry *entry;

	while ((entry = entry_walk(scheduler, &position))) {
		char whole[JOB_ID_MAX + 1];
		const struct entry *of;

		if (entry->store != share->slot || entry->hidden)
			continue;
		if (job_id_node(entry->job->id)) {
			job_id_whole(entry->job->id, whole);
			of = entry_get(scheduler, whole);
			if (of && of->store == share->slot && entry_on_all(of))
				continue;
		} else if (!entry_on_all(entry)) {
			continue;
		}
		value_append(arena, &ids, value_string(arena, entry->job->id));
	}
	return ids;
}

void share_parts_review(struct share *share)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	struct arena arena;
	struct value ids;
	bool done = true;

	if (!share->slot->places.parts || !share->slot->taken_up || !share->own ||
	    scheduler->phase != SCHEDULER_RUNNING ||
	    !store_slot_ready(share->slot, scheduler_mono(scheduler)))
		return;
	share->slot->places.parts = share->slot->places.orphans = false;
	arena_init(&arena);
	ids = share_parts_find(share, &arena);
	for (uint32_t i = 0; i < ids.array.count; i++) {
		const char *id = ids.array.items[i].string.text;
		const struct entry *entry = entry_get(scheduler, id);

		if (entry)
			done &= job_id_node(id) ? share_part_drop(share, entry)
						: share_part_keep(share, entry);
	}
	share->slot->places.parts |= !done;
	arena_clear(&arena);
}

struct value scheduler_job_parts(
    struct schedd_scheduler *scheduler, const char *id, bool live, struct arena *arena)
{
	const struct entry *whole = entry_get(scheduler, id);
	const struct share *share = whole ? whole->store->share : NULL;
	struct value parts = value_array();
	size_t length = strlen(id);
	const char *from = arena_printf(arena, "%s@", id);

	if (!share || !from || !entry_on_all(whole))
		return value_nil();
	for (const struct entry *entry = entry_first(scheduler, from);
	     entry && strncmp(entry->job->id, from, length + 1) == 0;
	     entry = entry_next(scheduler, entry)) {
		const struct store_node *node = share_named(share, job_id_node(entry->job->id));

		if (!live || (node && share_node_lives(share, node) && !node->draining))
			value_append(arena, &parts, value_string(arena, entry->job->id));
	}
	return parts;
}

struct value scheduler_job_parts_ever(
    struct schedd_scheduler *scheduler, const char *id, struct arena *arena)
{
	struct value parts = scheduler_job_parts(scheduler, id, false, arena);

	if (parts.type == VALUE_ARRAY)
		return parts;
	parts = value_array();
	if (entry_get(scheduler, id) || job_id_node(id))
		return parts;
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		const struct share *share = scheduler->stores[i]->share;

		for (uint32_t k = 0; share && k < share->node_count; k++) {
			const char *part = arena_printf(arena, "%s@%s", id, share->nodes[k].name);

			if (part && job_id_known(part))
				value_append(arena, &parts, value_string_ref(part));
		}
	}
	return parts;
}
