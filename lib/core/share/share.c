/* SPDX-License-Identifier: MIT */
/* The news of a store that is shared, and what becomes of jobs and runs by them. */
#include "core/share/share.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_gone.h"
#include "core/changes/part_note.h"
#include "core/runs/admission.h"
#include "core/runs/run_live.h"
#include "core/share/share_state.h"

/* ---- Nodes ---- */

/* Where there is no memory for them, those of before stay as they were told, and age. */
static void share_take_nodes(struct share *share, const struct store_share_news *news)
{
	struct store_node *nodes;
	struct arena arena;

	arena_init(&arena);
	nodes = arena_alloc(&arena, (news->node_count + 1) * sizeof(nodes[0]));
	for (uint32_t i = 0; nodes && i < news->node_count; i++) {
		nodes[i] = news->nodes[i];
		nodes[i].name = arena_strdup(&arena, nodes[i].name);
		nodes[i].labels = arena_strdup(&arena, nodes[i].labels);
		nodes[i].version = arena_strdup(&arena, nodes[i].version);
		nodes[i].address = arena_strdup(&arena, nodes[i].address);
	}
	if (arena_failed(&arena)) {
		arena_clear(&arena);
		return;
	}
	arena_clear(&share->nodes_arena);
	share->nodes_arena = arena;
	share->nodes = nodes;
	share->node_count = news->node_count;
	share->nodes_at = scheduler_mono(share->slot->scheduler);
}

/* Before the next beat tells so. */
static void share_bury(struct share *share, const char *name)
{
	for (uint32_t i = 0; i < share->node_count; i++) {
		struct store_node *node = &share->nodes[i];

		if (strcmp(node->name, name) != 0)
			continue;
		node->dead_since = scheduler_now(share->slot->scheduler);
		share_unanswered(share, node->number);
	}
}

/* How much is ours, for the next beat to say. */
static void share_report(const struct share *share)
{
	const struct schedd_scheduler *scheduler = share->slot->scheduler;
	int64_t jobs = share_jobs(share, share->own), running = 0;

	for (const struct run_live *live = run_live_first(scheduler); live; live = run_live_next(live))
		running += run_live_store(live) == share->slot && run_live_stage(live) >= RUN_LIVE_STARTING &&
			   run_live_stage(live) < RUN_LIVE_RETRYING;
	store_share_report(share->slot->store, jobs, running);
}

static void share_nodes(struct share *share, const struct store_share_news *news)
{
	share_say_nodes(share, news);
	share_take_nodes(share, news);
	share_behind_heard(share);
	for (uint32_t i = 0; i < share->node_count; i++)
		if (share->nodes[i].dead_since != SCHEDD_TIME_NONE)
			share_unanswered(share, share->nodes[i].number);
	share_report(share);
	share_spread_note(share);
	/* That a node is dead may be told after what it leaves behind. */
	share->slot->places.parts |= share->slot->places.orphans;
	/* Also what they can have decides what is due here. */
	share_apply(share);
	share_review(share);
}

/* ---- Slots and jobs ---- */

/* What a dead node had due runs here first: another would have to read all of it, too. */
#define SHARE_SETTLES SCHEDD_SECOND

/* Only claims were made: the counters are all that is new. Else the job is read anew. */
static void share_count(struct share *share, const struct store_counted *job)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	struct entry *entry = entry_find(scheduler, job->id);

	if (entry && (entry->store != share->slot || entry->hidden || !entry->foreign))
		return;
	if (!entry || entry->busy || entry->state.revision != job->revision) {
		if (entry && !entry->busy)
			entry->busy = entry->adrift = true;
		store_reread(share->slot->store, job->id);
		return;
	}
	entry->state.next_fire = job->next_fire;
	entry->state.next_run_time = job->next_run_time;
	entry->state.run_count = job->run_count;
	entry->state.last_run = job->last_run;
	if (job->last_state >= 0)
		entry->last_state = (uint8_t)job->last_state;
	if ((job->running || job->queued || entry->aside) && entry_aside_edit(entry)) {
		entry->aside->running = job->running;
		entry->aside->queued = job->queued;
	}
}

static void share_take_slot(struct share *share, struct place_slot *slot, uint32_t owner)
{
	const struct store_node *from = share_node(share, slot->owner);

	if (owner == share->own && slot->owner != owner) {
		share_behind_hold(share, slot->slot, slot->owner);
		/* From one that lives we have it to keep. */
		slot->anew = slot->owner && !(from && share_node_lives(share, from));
		if (slot->anew)
			share->settled_at = (struct schedd_mono){scheduler_mono(share->slot->scheduler).us + SHARE_SETTLES};
	}
	if (owner != share->own)
		slot->closing = slot->giving = slot->anew = false;
	slot->owner = owner;
}

static void share_take_slots(struct share *share, const struct store_share_news *news)
{
	struct place_slots *places = &share->slot->places;
	bool free_ones = false;

	share->own = news->own;
	share->labels = news->labels;
	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++) {
		free_ones |= news->owners[slot] == 0;
		share_take_slot(share, &share->slots[slot], news->owners[slot]);
	}
	for (uint32_t i = 0; i < places->count; i++)
		places->items[i].wanted = 0;
	for (uint32_t i = 0; i < news->place_count; i++) {
		struct place_slot *slot = place_slots_get(places, news->places[i].slot);

		if (slot)
			slot->wanted = news->places[i].node;
	}
	for (uint32_t i = 0; i < places->count; i++) {
		share_take_slot(share, &places->items[i], places->items[i].wanted);
		free_ones |= places->items[i].owner == 0 && places->items[i].jobs;
	}
	share_spread_note(share);
	share_apply(share);
	/* Who left had no time to choose: their jobs wait for nobody's beat. */
	if (free_ones)
		share_review(share);
}

/* ---- What concerns all ---- */

static void share_text(struct share *share, const char *key, const char *text)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;

	if (strcmp(key, "scheduler.paused") == 0) {
		if (share->slot == store_slot_common(scheduler))
			scheduler->pause_told(scheduler, text);
	} else if (strncmp(key, PART_NOTE_PREFIX, strlen(PART_NOTE_PREFIX)) == 0) {
		part_note_take(share->slot, key, text);
	} else if (strncmp(key, "paused.", 7) == 0) {
		struct entry *entry = entry_get(scheduler, key + 7);

		if (entry && entry->store == share->slot)
			entry_set_pause_text(entry, text ? strdup(text) : NULL);
	} else if (strncmp(key, "group.", 6) == 0) {
		struct group_slot *group = admission_group(scheduler, key + 6);

		if (group) {
			group->parallel = text ? (uint32_t)strtoul(text, NULL, 10) : 0;
			admission_group_review(group);
		}
	}
}

static void share_news(const struct store_share_news *news, void *context)
{
	struct share *share = context;
	struct store_slot *slot = share->slot;
	struct schedd_scheduler *scheduler = slot->scheduler;

	scheduler_enter(scheduler);
	switch (news->kind) {
	case STORE_SHARE_NODES:
		share_nodes(share, news);
		break;
	case STORE_SHARE_COUNTERS:
		for (uint32_t i = 0; i < news->job_count; i++)
			share_count(share, &news->jobs[i]);
		break;
	case STORE_SHARE_SLOTS:
		share_take_slots(share, news);
		break;
	case STORE_SHARE_TAKEN:
		log_warn(scheduler->log,
		    "store %s: node %s is dead: its lease is over, this node has taken its jobs",
		    slot->name, news->from);
		store_snapshot_free(slot->snapshot);
		slot->snapshot = news->snapshot;
		slot->unsure = share_behind_unsure(share, news->from);
		share->unsettled = true;
		share_bury(share, news->from);
		scheduler->runs_taken(slot, news->from);
		share_review(share);
		break;
	case STORE_SHARE_TOLD:
		share_told(share, news);
		break;
	case STORE_SHARE_TEXT:
		share_text(share, news->id, news->text);
		break;
	}
	scheduler_leave(scheduler);
}

/* ---- Life ---- */

static void share_review_due(struct timer *timer)
{
	struct share *share =
	    (struct share *)(void *)((char *)timer - offsetof(struct share, review));

	scheduler_enter(share->slot->scheduler);
	share_review(share);
	scheduler_leave(share->slot->scheduler);
}

int share_begin(struct store_slot *slot)
{
	struct share *share;

	if (!store_shared(slot->store))
		return 0;
	share = calloc(1, sizeof(*share));
	if (!share)
		return SCHEDD_ENOMEM;
	share->slot = slot;
	memset(share->elsewhere, 1, sizeof(share->elsewhere));
	for (uint32_t i = 0; i < NODE_SLOTS; i++)
		share->slots[i] = (struct place_slot){.slot = i, .elsewhere = true};
	arena_init(&share->nodes_arena);
	timer_init(&share->review, share_review_due);
	slot->shared = true;
	slot->share = share;
	slot->elsewhere = share->elsewhere;
	store_share(slot->store, share_news, share);
	share_partition_begin(share);
	return 0;
}

/* Others have its job: as if it were not here, or told late when it ends. */
static void share_lose_run(struct run_live *live)
{
	if (run_live_stage(live) == RUN_LIVE_CLAIMING || run_live_stage(live) == RUN_LIVE_ENDED)
		return; /* its claim comes back, and fails */
	if (run_live_stage(live) == RUN_LIVE_STARTING || run_live_stage(live) == RUN_LIVE_RUNNING) {
		run_live_tell_late(live);
		return;
	}
	run_live_quiet(live);
	admission_leave_worker(live);
	run_live_enter(live, RUN_LIVE_ENDED);
	run_live_unlink(live);
	admission_leave(live);
	run_live_free(live);
}

void share_lost(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct share *share = slot->share;

	if (!share)
		return;
	log_warn(scheduler->log,
	    "store %s: this node's lease was over, others have taken its jobs; what still runs is told late",
	    slot->name);
	share_behind_begin(share);
	for (uint32_t i = 0; i < share_slots(share); i++)
		share_take_slot(share, share_slot(share, i), 0);
	share_apply(share);
	share_partition_kill(share);
	for (struct run_live *live = run_live_first(scheduler), *next; live; live = next) {
		next = run_live_next(live);
		if (run_live_store(live) == slot)
			share_lose_run(live);
	}
}

void share_drain(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct share *share = scheduler->stores[i]->share;

		if (!share || share->leaving)
			continue;
		share->leaving = true;
		share_review(share);
	}
}

/* What goes on without us is lost, and taken over like that of a dead node. */
static bool share_runs_on(const struct store_slot *slot)
{
	for (const struct run_live *live = run_live_first(slot->scheduler); live; live = run_live_next(live))
		if (run_live_store(live) == slot && !run_live_is_late(live) && !run_live_survives(live))
			return true;
	return false;
}

void share_leave(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct store_slot *slot = scheduler->stores[i];
		struct store_batch *batch;

		if (!slot->share || !slot->taken_up || store_state(slot->store) != STORE_OK)
			continue;
		/* Nor may who takes it do so as if all were settled. */
		if (share_runs_on(slot) || slot->share->unsettled || slot->share->settling)
			continue;
		share_review(slot->share);
		share_hold(slot->share);
		batch = store_batch_new(slot->store);
		store_batch_ends(batch);
		for (uint32_t k = 0; k < share_slots(slot->share); k++) {
			const struct place_slot *each = share_slot(slot->share, k);

			/* Where a run waits, as one that was claimed in the instant of the stop, who takes what we
			 * leave behind takes that up, too; who only gains a slot does not. */
			if (each->hold == SHARE_IDLE && (k < NODE_SLOTS || each->owner == slot->share->own))
				store_batch_give(batch, each->slot, 0);
		}
		store_batch_node(batch, store_node_name(slot->store), STORE_NODE_LEAVE);
		store_commit(slot->store, batch, NULL, NULL);
	}
}

void share_close(struct store_slot *slot)
{
	struct share *share = slot->share;

	if (!share)
		return;
	share_asks_end(share);
	timers_unset(&slot->scheduler->timers, &share->partition);
	timers_unset(&slot->scheduler->timers, &share->review);
}

void share_close_all(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		share_close(scheduler->stores[i]);
	share_later_end(scheduler);
}

void share_end(struct store_slot *slot)
{
	struct share *share = slot->share;

	if (!share)
		return;
	timers_unset(&slot->scheduler->timers, &share->partition);
	timers_unset(&slot->scheduler->timers, &share->review);
	arena_clear(&share->nodes_arena);
	share_behind_end(share);
	job_gone_end(slot);
	place_slots_clear(&slot->places);
	free(share->seats);
	slot->share = NULL;
	slot->elsewhere = NULL;
	free(share);
}
