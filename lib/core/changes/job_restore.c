/* SPDX-License-Identifier: MIT */
#include "core/changes/job_restore.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/json_exact.h"
#include "core/changes/job_move.h"
#include "core/frame/store_slot.h"
#include "core/runs/admission.h"
#include "loop/mailbox.h"
#include "store/store_record.h"

/* Jobs that are begun, or take effect, before the loop turns. */
#define JOB_RESTORE_PIECE 200

struct restore_item {
	struct restore_item *next;
	struct job_restore *restore;
	struct job_record record; /* its parts are moved into the change */
	char *id;
	char *pause;
	struct change *change; /* joined; NULL: not yet, or over */
};

struct job_restore {
	struct store_slot *slot;
	struct schedd_scheduler *scheduler;
	bool replace;
	struct scheduler_actor actor;
	struct strmap ids; /* struct restore_item */
	struct restore_item *items, **last, *at;
	struct arena arena;
	struct store_batch *batch;
	int64_t count;
	int64_t waiting; /* changes that have neither joined nor failed, and one while they are made */
	bool made, committed;
	int rc;
	struct schedd_error err;
	struct mailbox_letter letter;
	void (*done)(int rc, const struct schedd_error *err, void *context);
	void *context;
};

static const char *restore_key(const void *item)
{
	return ((const struct restore_item *)item)->id;
}

static void restore_step(struct job_restore *restore);

static void restore_open_letter(struct mailbox_letter *letter)
{
	struct job_restore *restore =
	    (struct job_restore *)(void *)((char *)letter - offsetof(struct job_restore, letter));
	struct schedd_scheduler *scheduler = restore->scheduler;

	scheduler_enter(scheduler);
	restore_step(restore);
	scheduler_leave(scheduler);
}

struct job_restore *job_restore_new(
    struct store_slot *slot, bool replace, const struct scheduler_actor *actor)
{
	struct job_restore *restore = calloc(1, sizeof(*restore));

	if (!restore)
		return NULL;
	arena_init(&restore->arena);
	strmap_init(&restore->ids, restore_key);
	restore->slot = slot;
	restore->scheduler = slot->scheduler;
	restore->replace = replace;
	restore->actor = actor ? *actor : (struct scheduler_actor){-1, -1, NULL, NULL};
	if (restore->actor.method)
		restore->actor.method = arena_strdup(&restore->arena, restore->actor.method);
	restore->actor.account = NULL;
	restore->last = &restore->items;
	return restore;
}

void job_restore_free(struct job_restore *restore)
{
	if (!restore)
		return;
	while (restore->items) {
		struct restore_item *item = restore->items;
		struct change *change = item->change;

		restore->items = item->next;
		item->change = NULL;
		restore->committed = true;
		if (change)
			change_finish(change, SCHEDD_EFAILED, &restore->err);
		job_unref(item->record.job);
		job_state_clear(&item->record.state);
		free(item->record.raw);
		free(item->id);
		free(item->pause);
		free(item);
	}
	strmap_clear(&restore->ids);
	arena_clear(&restore->arena);
	free(restore);
}

int64_t job_restore_count(const struct job_restore *restore)
{
	return restore->count;
}

/* ---- From the file ---- */

static schedd_time restore_time(const struct value *map, const char *key)
{
	const struct value *value = value_get(map, key);

	return value && value->type == VALUE_INT ? value->integer : SCHEDD_TIME_NONE;
}

static int restore_read(struct restore_item *item, const struct value *map, struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = item->restore->scheduler;
	const struct value *definition = value_get(map, "definition");
	int64_t count = value_get_int(map, "run_count", 0), last = value_get_int(map, "last_run", 0);
	struct strbuf text = STRBUF_EMPTY;
	struct job_state *state = &item->record.state;
	int rc;

	if (!definition || count < 0 || last < 0 || last > UINT32_MAX)
		return schedd_error_set(
		    err, SCHEDD_EFILE, "job %s has no definition, or no counts", item->id);
	json_exact_write(&text, definition);
	rc = strbuf_failed(&text)
		 ? schedd_error_nomem(err)
		 : store_record_host.decode(scheduler_trigger_context(scheduler), item->id,
		       strbuf_peek(&text), text.length, &item->record, err);
	strbuf_clear(&text);
	if (rc) {
		/* Nothing is left of it. */
		item->record = (struct job_record){.job = NULL};
		job_state_init(state);
		return rc;
	}
	if (state->invalid)
		return schedd_error_set(err, SCHEDD_EFILE, "job %s: %s", item->id, state->invalid);
	state->next_fire = restore_time(map, "next_fire");
	state->next_run_time = restore_time(map, "next_run_time");
	state->run_count = (uint64_t)count;
	state->last_run = (uint32_t)last;
	return 0;
}

static int restore_place(struct restore_item *item, struct schedd_error *err)
{
	const char *name = item->restore->slot->name;
	struct job_details *details = job_details_edit(item->record.job);

	if (!details)
		return schedd_error_nomem(err);
	free(details->store);
	details->store = strcmp(name, "default") == 0 ? NULL : strdup(name);
	return details->store || strcmp(name, "default") == 0 ? 0 : schedd_error_nomem(err);
}

static int restore_judge(const struct job_restore *restore, const char *id, struct schedd_error *err)
{
	const struct entry *entry = entry_get(restore->scheduler, id);

	if (entry && entry->store != restore->slot)
		return schedd_error_set(err, SCHEDD_ECONFLICT, "job %s is in store %s", id,
		    entry->store->name);
	if (entry && !restore->replace)
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "job %s exists already: replace it, or remove it", id);
	if (entry && entry->live)
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "job %s has a run going on: wait for it or kill it", id);
	if (job_move_leaves(restore->scheduler, id))
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "job %s is being moved to another store", id);
	return 0;
}

int job_restore_add(struct job_restore *restore, const struct value *map, struct schedd_error *err)
{
	const char *id = map->type == VALUE_MAP ? value_get_string(map, "id") : NULL;
	const char *pause = id ? value_get_string(map, "paused_by") : NULL;
	struct restore_item *item;
	int rc;

	if (!id || strlen(id) > JOB_ID_MAX)
		return schedd_error_set(err, SCHEDD_EFILE, "a job has no id");
	if (strmap_get(&restore->ids, id))
		return schedd_error_set(err, SCHEDD_EFILE, "job %s is there twice", id);
	rc = restore_judge(restore, id, err);
	item = rc ? NULL : calloc(1, sizeof(*item));
	if (!item)
		return rc ? rc : schedd_error_nomem(err);
	job_state_init(&item->record.state);
	item->restore = restore;
	item->id = strdup(id);
	item->pause = pause ? strdup(pause) : NULL;
	*restore->last = item;
	restore->last = &item->next;
	if (!item->id || (pause && !item->pause) || strmap_put(&restore->ids, item))
		return schedd_error_nomem(err);
	rc = restore_read(item, map, err);
	if (!rc)
		rc = restore_place(item, err);
	restore->count += !rc;
	return rc;
}

/* ---- Into the store ---- */

static int restore_begin(struct change *change, struct schedd_error *err)
{
	struct restore_item *item = change->restore;
	struct job_restore *restore = item->restore;
	int rc = restore->rc ? schedd_error_set(err, restore->rc, "%s", restore->err.message)
			     : restore_judge(restore, item->id, err);
	struct entry *entry = entry_get(change->scheduler, change->id);
	bool known = entry != NULL;

	if (rc)
		return rc;
	change->job = entry_seal(change->scheduler, item->record.job);
	item->record.job = NULL;
	change->state = item->record.state;
	job_state_init(&item->record.state);
	change->store = restore->slot;
	if (known && entry->state.last_run > change->state.last_run)
		change->state.last_run = entry->state.last_run;
	if (known && entry->state.revision >= change->state.revision)
		change->state.revision = entry->state.revision + 1;
	if (!known)
		entry = entry_new(change->scheduler, change->job, restore->slot);
	if (!entry)
		return schedd_error_nomem(err);
	change->entry = entry;
	change->pause_text = item->pause;
	item->pause = NULL;
	entry->busy = true;
	entry_unplan(change->scheduler, entry);
	change->batch = restore->batch;
	if (known)
		store_batch_put_job(change->batch, change->job, &change->state);
	else
		store_batch_add_job(
		    change->batch, change->job, &change->state, &change->last_run);
	if (change->state.paused || known)
		store_batch_put_text(change->batch,
		    arena_printf(&change->arena, "paused.%s", item->id),
		    change->state.paused ? change->pause_text : NULL);
	change_record(change, known ? SCHEDD_EVENT_JOB_MODIFIED : SCHEDD_EVENT_JOB_ADDED,
	    "restored from a backup");
	change->batch = NULL;
	item->change = change;
	if (--restore->waiting == 0)
		restore_step(restore);
	return CHANGE_CLAIMED;
}

static void restore_finish(struct change *change)
{
	struct entry *entry = change->entry;
	bool added = entry->hidden;

	if (change->last_run > change->state.last_run)
		change->state.last_run = change->last_run;
	change_apply(change);
	if (added)
		entry_show(change->scheduler, entry);
	else
		admission_review(entry);
	change_event(change, added ? SCHEDD_EVENT_JOB_ADDED : SCHEDD_EVENT_JOB_MODIFIED,
	    "restored from a backup");
}

static const struct change_ops job_restore_ops = {"restore", restore_begin, restore_finish, NULL};

/* The reply of one; of those that joined it says nothing that is not known. */
static void restore_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct restore_item *item = context;
	struct job_restore *restore = item->restore;

	(void)result;
	if (restore->committed || item->change)
		return;
	if (rc && !restore->rc) {
		restore->rc = rc;
		restore->err = *err;
	}
	if (--restore->waiting == 0)
		restore_step(restore);
}

/* When the loop has turned; needs no memory. */
static void restore_later(struct job_restore *restore)
{
	restore->letter.open = restore_open_letter;
	mailbox_post(restore->scheduler->mailbox, &restore->letter);
}

static void restore_committed(int rc, const struct schedd_error *err, void *context)
{
	struct job_restore *restore = context;
	struct schedd_scheduler *scheduler = restore->scheduler;

	scheduler_enter(scheduler);
	if (rc) {
		restore->rc = rc;
		restore->err = *err;
	} else {
		store_slot_worked(restore->slot);
	}
	restore->committed = true;
	restore->at = restore->items;
	restore_step(restore);
	scheduler_leave(scheduler);
}

/* Has jobs take effect, or lets go of them. True: all are done. */
static bool restore_settle(struct job_restore *restore)
{
	int done = 0;

	for (; restore->at; restore->at = restore->at->next) {
		struct change *change = restore->at->change;

		if (!change)
			continue;
		if (done++ == JOB_RESTORE_PIECE)
			return false;
		restore->at->change = NULL;
		change_finish(change, restore->rc, &restore->err);
	}
	return true;
}

static void restore_make(struct job_restore *restore)
{
	for (int made = 0; restore->at && made < JOB_RESTORE_PIECE && !restore->rc; made++) {
		struct restore_item *item = restore->at;
		struct change *change;

		restore->at = item->next;
		restore->waiting++;
		change = change_new(restore->scheduler, &job_restore_ops, item->id, &restore->actor,
		    (struct scheduler_reply){restore_answered, item});
		/* Without memory for it that was answered. */
		if (!change)
			continue;
		change->restore = item;
		change_submit(change);
	}
}

static void restore_step(struct job_restore *restore)
{
	void (*done)(int rc, const struct schedd_error *err, void *context) = restore->done;

	if (restore->committed) {
		if (restore_settle(restore))
			done(restore->rc, &restore->err, restore->context);
		else
			restore_later(restore);
		return;
	}
	if (!restore->made) {
		restore_make(restore);
		if (restore->at && !restore->rc) {
			restore_later(restore);
			return;
		}
		/* The one that was counted while they were made. */
		restore->made = true;
		restore->waiting--;
	}
	if (restore->waiting)
		return;
	if (restore->rc) {
		store_batch_free(restore->batch);
		restore->committed = true;
		restore->at = restore->items;
		restore_later(restore);
		return;
	}
	store_commit(restore->slot->store, restore->batch, restore_committed, restore);
}

void job_restore_start(struct job_restore *restore,
    void (*done)(int rc, const struct schedd_error *err, void *context), void *context)
{
	restore->done = done;
	restore->context = context;
	restore->at = restore->items;
	restore->waiting = 1;
	restore->batch = store_batch_new(restore->slot->store);
	restore_later(restore);
}
