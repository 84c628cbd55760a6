/* SPDX-License-Identifier: MIT */
#include "core/top/moved.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "core/changes/job_adopt.h"
#include "core/changes/job_move.h"
#include "core/frame/store_origin.h"
#include "core/frame/store_slot.h"
#include "core/jobs/entry_raw.h"
#include "model/run.h"
#include "store/store.h"

/* A text of a move, in one of its two stores. */
struct moved_note {
	struct moved_note *next;
	struct store_slot *slot; /* whose text it is */
	bool moving;             /* of the old store */
	bool held;               /* its jobs were told to wait */
	bool history;
	struct arena arena;
	const char *token;
	const char *other;   /* the other store's name */
	const char **jobs;   /* of the old store */
	uint32_t job_count;
};

/* A record whose id another store's job has. */
struct moved_record {
	struct moved_record *next;
	struct store_slot *slot;
	struct job_record record;
};

/* ---- Taking them down ---- */

void moved_keep_record(struct store_slot *slot, struct job_record *record)
{
	struct moved_record *kept = calloc(1, sizeof(*kept));

	if (!kept) {
		log_error(slot->scheduler->log, "job %s in store %s: no memory for it",
		    record->job->id, slot->name);
		job_state_clear(&record->state);
		job_unref(record->job);
		free(record->raw);
		return;
	}
	kept->slot = slot;
	kept->record = *record;
	kept->next = slot->scheduler->top.moved_records;
	slot->scheduler->top.moved_records = kept;
}

static void moved_note_free(struct moved_note *note)
{
	arena_clear(&note->arena);
	free(note);
}

/* {"to": NAME, "history": bool, "jobs": [ID…]}; false: it is none of that. */
static bool moved_read(struct moved_note *note, const char *text)
{
	const struct value *jobs;
	struct schedd_error err;
	struct value map;

	if (json_parse(text, strlen(text), &note->arena, &map, &err) || map.type != VALUE_MAP)
		return false;
	note->other = value_get_string(&map, "to");
	note->history = value_get_bool(&map, "history", false);
	jobs = value_get(&map, "jobs");
	if (!note->other || !jobs || jobs->type != VALUE_ARRAY)
		return false;
	note->jobs = arena_alloc(&note->arena, (jobs->array.count + 1) * sizeof(note->jobs[0]));
	for (uint32_t i = 0; note->jobs && i < jobs->array.count; i++) {
		if (jobs->array.items[i].type != VALUE_STRING)
			return false;
		note->jobs[note->job_count++] = jobs->array.items[i].string.text;
	}
	return note->jobs != NULL;
}

static void moved_note(struct store_slot *slot, const char *token, const char *text, bool moving)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct moved_note *note = calloc(1, sizeof(*note));

	/* One that goes on in this life is none that a start has to look at. */
	if (!note || job_move_knows(scheduler, token)) {
		free(note);
		return;
	}
	arena_init(&note->arena);
	note->slot = slot;
	note->moving = moving;
	note->token = arena_strdup(&note->arena, token);
	if (!moving)
		note->other = arena_strdup(&note->arena, text);
	if ((moving && !moved_read(note, text)) || !note->token || !note->other) {
		log_error(scheduler->log, "store %s: the note of the move %s cannot be read",
		    slot->name, token);
		moved_note_free(note);
		return;
	}
	note->next = scheduler->top.moved_notes;
	scheduler->top.moved_notes = note;
}

static void moved_take_moving(const char *key, const char *text, void *context)
{
	moved_note(context, key + strlen(JOB_MOVE_MOVING), text, true);
}

static void moved_take_moved(const char *key, const char *text, void *context)
{
	moved_note(context, key + strlen(JOB_MOVE_MOVED), text, false);
}

static void moved_remove(struct schedd_scheduler *scheduler, struct moved_note *note)
{
	struct moved_note **link = &scheduler->top.moved_notes;

	while (*link != note)
		link = &(*link)->next;
	*link = note->next;
	moved_note_free(note);
}

static void moved_forget_notes(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct moved_note *note, *next;

	for (note = scheduler->top.moved_notes; note; note = next) {
		next = note->next;
		if (note->slot == slot)
			moved_remove(scheduler, note);
	}
}

void moved_take(struct store_slot *slot)
{
	moved_forget_notes(slot);
	store_origin_load(slot);
	store_snapshot_texts(slot->snapshot, JOB_MOVE_MOVING, moved_take_moving, slot);
	store_snapshot_texts(slot->snapshot, JOB_MOVE_MOVED, moved_take_moved, slot);
}

/* ---- Finding ---- */

static struct moved_note *moved_find(
    const struct schedd_scheduler *scheduler, const struct store_slot *slot, bool moving, const char *token)
{
	struct moved_note *note = scheduler->top.moved_notes;

	while (note && (note->slot != slot || note->moving != moving || strcmp(note->token, token) != 0))
		note = note->next;
	return note;
}

/* Takes the record out; NULL: there is none of that id from that store. */
static struct moved_record *moved_take_record(
    struct schedd_scheduler *scheduler, const struct store_slot *slot, const char *id)
{
	struct moved_record **link = &scheduler->top.moved_records;
	struct moved_record *found;

	while (*link && ((*link)->slot != slot || strcmp((*link)->record.job->id, id) != 0))
		link = &(*link)->next;
	found = *link;
	if (found)
		*link = found->next;
	return found;
}

static void moved_record_free(struct moved_record *record)
{
	if (!record)
		return;
	job_state_clear(&record->record.state);
	job_unref(record->record.job);
	free(record->record.raw);
	free(record);
}

static void moved_text(struct store_slot *slot, const char *prefix, const char *token)
{
	char key[64];

	if (strlen(prefix) + strlen(token) >= sizeof(key))
		return;
	strcpy(key, prefix);
	strcat(key, token);
	store_slot_put_text(slot, key, NULL);
}

/* ---- It was written: the new store's jobs count ---- */

/* The old store's job makes room for what the new one has of it. */
static void moved_replace(struct entry *entry, struct store_slot *to, struct moved_record *from)
{
	struct schedd_scheduler *scheduler = to->scheduler;
	struct job_record *record = &from->record;

	entry_move(entry, to);
	entry_take_state(scheduler, entry, &record->state);
	entry_define(scheduler, entry, entry_seal(scheduler, record->job));
	entry_set_raw(entry, record->raw);
	record->job = NULL;
	record->raw = NULL;
	entry->moving = false;
	entry_plan(scheduler, entry);
	moved_record_free(from);
}

static uint32_t moved_last_run(struct moved_note *note, struct store_slot *to, const char *id)
{
	struct schedd_scheduler *scheduler = to->scheduler;
	struct moved_record *old = moved_take_record(scheduler, note->slot, id);
	struct entry *entry = entry_find(scheduler, id);
	uint32_t last = old ? old->record.state.last_run : 0;
	struct moved_record *new;

	moved_record_free(old);
	if (!entry || entry->store != note->slot)
		return last;
	last = entry->state.last_run;
	new = moved_take_record(scheduler, to, id);
	if (new) {
		moved_replace(entry, to, new);
	} else {
		/* It was removed from the new store since. */
		const struct store_change gone = {.kind = STORE_CHANGE_GONE, .id = id};

		entry->moving = false;
		job_adopt(&gone, note->slot);
	}
	return last;
}

static int moved_add(struct job_move *move, struct moved_note *note, const char *id, uint32_t last)
{
	uint32_t count = 0, *open;
	size_t rows = 0;
	int rc;
	const struct run *runs = note->slot->snapshot
				     ? store_snapshot_runs(note->slot->snapshot, &rows)
				     : NULL;

	open = calloc(rows + 1, sizeof(open[0]));
	if (!open)
		return SCHEDD_ENOMEM;
	for (size_t i = 0; i < rows; i++)
		if (strcmp(runs[i].job, id) == 0)
			open[count++] = runs[i].number;
	rc = job_move_add_written(move, id, last, open, count);
	free(open);
	return rc;
}

static void moved_finish(struct moved_note *note, struct store_slot *to)
{
	struct schedd_scheduler *scheduler = to->scheduler;
	const struct job_move_request request = {
	    .from = note->slot, .to = to, .history = note->history, .actor = {-1, -1, NULL, NULL}};
	struct job_move *move = job_move_resume(scheduler, &request, note->token);
	int rc = move ? 0 : SCHEDD_ENOMEM;

	log_info(scheduler->log, "store %s: %u jobs that were moved to store %s are removed here",
	    note->slot->name, note->job_count, to->name);
	for (uint32_t i = 0; !rc && i < note->job_count; i++) {
		uint32_t last = moved_last_run(note, to, note->jobs[i]);

		rc = moved_add(move, note, note->jobs[i], last);
	}
	if (rc)
		log_error(scheduler->log, "store %s: no memory to finish a move before a restart",
		    note->slot->name);
	else
		job_move_go_on(move);
}

/* ---- It was not ---- */

static void moved_undo(struct moved_note *note)
{
	struct store_slot *slot = note->slot;
	struct schedd_scheduler *scheduler = slot->scheduler;

	for (uint32_t i = 0; i < note->job_count; i++) {
		struct entry *entry = entry_get(scheduler, note->jobs[i]);

		if (!entry || entry->store != slot)
			continue;
		if (!entry->moving)
			continue;
		entry->moving = false;
		entry_plan(scheduler, entry);
		if (scheduler->phase == SCHEDULER_RUNNING && slot->snapshot &&
		    scheduler->top.moved_resume)
			scheduler->top.moved_resume(slot, note->jobs[i]);
		entry_note_exhausted(scheduler, entry);
	}
	moved_text(slot, JOB_MOVE_MOVING, note->token);
}

static void moved_hold(struct moved_note *note, const struct store_slot *to)
{
	struct schedd_scheduler *scheduler = to->scheduler;

	for (uint32_t i = 0; i < note->job_count; i++) {
		struct entry *entry = entry_get(scheduler, note->jobs[i]);

		if (!entry || entry->store != note->slot || entry->moving)
			continue;
		entry->moving = true;
		entry_unplan(scheduler, entry);
	}
	if (!note->held && scheduler->phase == SCHEDULER_RUNNING)
		log_warn(scheduler->log,
		    "store %s: %u jobs wait until store %s is there: they were being moved there",
		    note->slot->name, note->job_count, to->name);
	note->held = true;
}

/* ---- All of them ---- */

/* True: it is settled. */
static bool moved_settle_one(struct schedd_scheduler *scheduler, struct moved_note *note)
{
	struct store_slot *other = store_slot_find(scheduler, note->other);
	bool known = other && other->taken_up;

	if (!note->moving) {
		if (other && !known)
			return false;
		if (known && moved_find(scheduler, other, true, note->token))
			return false;
		moved_text(note->slot, JOB_MOVE_MOVED, note->token);
		return true;
	}
	if (other && !known) {
		moved_hold(note, other);
		return false;
	}
	if (!other)
		log_warn(scheduler->log,
		    "store %s: %u jobs were being moved to store %s, which is not configured any "
		    "more: they go on here",
		    note->slot->name, note->job_count, note->other);
	if (known && moved_find(scheduler, other, false, note->token))
		moved_finish(note, other);
	else
		moved_undo(note);
	return true;
}

/* What no move explains: two jobs of one id. */
static void moved_settle_records(struct schedd_scheduler *scheduler)
{
	struct moved_record **link = &scheduler->top.moved_records;

	while (*link) {
		struct moved_record *record = *link;
		const char *id = record->record.job->id;
		const struct entry *entry = entry_find(scheduler, id);

		if (!record->slot->taken_up || (entry && (entry->moving || !entry->store->taken_up))) {
			link = &record->next;
			continue;
		}
		if (entry && job_move_leaves(scheduler, id) != record->slot) {
			log_warn(scheduler->log,
			    "job %s is in store %s and in store %s: the latter is not used", id,
			    entry->store->name, record->slot->name);
			store_origin_shadow(record->slot, id);
		}
		*link = record->next;
		moved_record_free(record);
	}
}

void moved_settle(struct schedd_scheduler *scheduler)
{
	struct moved_note *note, *next;

	for (note = scheduler->top.moved_notes; note; note = next) {
		next = note->next;
		if (note->moving && moved_settle_one(scheduler, note))
			moved_remove(scheduler, note);
	}
	for (note = scheduler->top.moved_notes; note; note = next) {
		next = note->next;
		/* That of a move that goes on now goes with it. */
		if (!note->moving && (job_move_knows(scheduler, note->token) ||
					 moved_settle_one(scheduler, note)))
			moved_remove(scheduler, note);
	}
	moved_settle_records(scheduler);
}

void moved_forget(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct moved_record **link = &scheduler->top.moved_records;

	moved_forget_notes(slot);
	while (*link) {
		struct moved_record *record = *link;

		if (record->slot != slot) {
			link = &record->next;
			continue;
		}
		*link = record->next;
		moved_record_free(record);
	}
}

bool moved_waits(const struct store_slot *slot)
{
	for (const struct moved_note *note = slot->scheduler->top.moved_notes; note; note = note->next)
		if (note->moving && note->slot == slot)
			return true;
	return false;
}

bool moved_counts(const struct store_slot *slot, const struct run *run)
{
	const struct entry *entry = entry_get(slot->scheduler, run->job);

	if (entry && entry->moving && entry->store == slot)
		return false;
	return !job_move_has_open(slot->scheduler, slot, run->job, run->number);
}

void moved_set_resume(struct schedd_scheduler *scheduler,
    void (*resume)(struct store_slot *slot, const char *id))
{
	scheduler->top.moved_resume = resume;
}

void moved_free(struct schedd_scheduler *scheduler)
{
	while (scheduler->top.moved_notes)
		moved_remove(scheduler, scheduler->top.moved_notes);
	while (scheduler->top.moved_records) {
		struct moved_record *record = scheduler->top.moved_records;

		scheduler->top.moved_records = record->next;
		moved_record_free(record);
	}
}
