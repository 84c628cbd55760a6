/* SPDX-License-Identifier: MIT */
#include "core/top/take_up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/frame/store_slot.h"
#include "core/runs/admission.h"
#include "core/runs/retry.h"
#include "core/runs/run_note.h"

struct take_up_note {
	char *id; /* "JOB/N" */
	char *text;
};

struct take_up {
	struct schedd_scheduler *scheduler;
	struct store_slot *slot;
	struct strmap notes; /* by id; those that were used are taken out */
	bool failed;         /* there was no memory for one */
};

static const char *take_up_key(const void *item)
{
	return ((const struct take_up_note *)item)->id;
}

static void take_up_note_free(struct take_up_note *note)
{
	if (!note)
		return;
	free(note->id);
	free(note->text);
	free(note);
}

static void take_up_take(const char *key, const char *text, void *context)
{
	struct take_up *take_up = context;
	struct take_up_note *note = calloc(1, sizeof(*note));

	if (note) {
		note->id = strdup(key + strlen(RUN_NOTE_PREFIX));
		note->text = strdup(text);
	}
	if (!note || !note->id || !note->text || strmap_put(&take_up->notes, note)) {
		take_up->failed = true;
		take_up_note_free(note);
	}
}

/* dropped: those that are left are of no use to anybody. */
static void take_up_free(struct take_up *take_up, bool dropped)
{
	struct take_up_note *note;
	uint32_t position = 0;

	while ((note = strmap_next(&take_up->notes, &position))) {
		struct strbuf key = STRBUF_EMPTY;

		strbuf_printf(&key, RUN_NOTE_PREFIX "%s", note->id);
		if (dropped && !strbuf_failed(&key))
			store_slot_put_text(take_up->slot, strbuf_peek(&key), NULL);
		strbuf_clear(&key);
		take_up_note_free(note);
	}
	strmap_clear(&take_up->notes);
	free(take_up);
}

struct take_up *take_up_begin(struct schedd_scheduler *scheduler, struct store_slot *slot)
{
	struct take_up *take_up = calloc(1, sizeof(*take_up));

	if (!take_up)
		return NULL;
	take_up->scheduler = scheduler;
	take_up->slot = slot;
	strmap_init(&take_up->notes, take_up_key);
	store_snapshot_texts(slot->snapshot, RUN_NOTE_PREFIX, take_up_take, take_up);
	if (!take_up->failed)
		return take_up;
	take_up_free(take_up, false);
	return NULL;
}

/* Nothing can come of it any more. */
static void take_up_drop(struct take_up *take_up, struct run *run)
{
	bool again = run->state == RUN_RETRYING;

	run->state = again ? RUN_FAILED : RUN_CANCELLED;
	run->ended_at = scheduler_now(take_up->scheduler);
	free(run->reason);
	run->reason = strdup(again ? "its job was removed before the next attempt"
				   : "its job was removed before it began");
	store_slot_put_run(take_up->slot, run);
}

/* The row's contents and the note's, or as much as there is. */
static int take_up_fill(struct take_up *take_up, struct run_live *live, const struct run *run)
{
	struct take_up_note *note;
	struct schedd_error err;
	int rc = run_live_take(live, run);

	if (rc)
		return rc;
	run_live_begin_anew(live,
	    run->trigger == RUN_BY_SCHEDULE || run->trigger == RUN_BY_CATCHUP ? run->scheduled_at
									      : SCHEDD_TIME_NONE);
	note = strmap_get(&take_up->notes, run_live_id(live));
	if (!note)
		return 0;
	strmap_remove(&take_up->notes, run_live_id(live));
	rc = run_note_take(live, note->text, &err);
	if (rc)
		log_error(run_live_scheduler(live)->log, "run %s: %s", run_live_id(live), err.message);
	take_up_note_free(note);
	return rc == SCHEDD_ENOMEM ? rc : 0;
}

/* What a pause holds: all but a run that somebody asked for behind it. */
static bool take_up_held(const struct entry *entry, const struct run *run)
{
	bool by_hand = run->trigger == RUN_BY_HAND || run->trigger == RUN_BY_RETRY;

	return entry->state.paused && !(by_hand && run->scheduled_at > entry->state.updated_at);
}

int take_up_run(struct take_up *take_up, struct entry *entry, struct run *run)
{
	struct run_live *live;
	bool again = run->state == RUN_RETRYING;

	if (run->state != RUN_QUEUED && !again)
		return 0;
	if (!take_up)
		return SCHEDD_ENOMEM;
	if (!entry) {
		take_up_drop(take_up, run);
		return 1;
	}
	/* Its row stays until the job can be read. */
	if (entry->state.invalid)
		return 1;
	live = run_live_new(entry, run->number, run->trigger);
	if (!live)
		return SCHEDD_ENOMEM;
	if (take_up_fill(take_up, live, run)) {
		run_live_discard(live);
		return SCHEDD_ENOMEM;
	}
	run_live_hold(live, take_up_held(entry, run));
	log_info(take_up->scheduler->log, "run %s %s", run_live_id(live),
	    again ? "goes on with its next attempt" : "is taken up again");
	if (!again) {
		admission_enter(live);
		return 1;
	}
	admission_resume(live, false);
	if (retry_take_up(live))
		run_live_end(live, RUN_FAILED, "no memory for another attempt");
	return 1;
}

void take_up_keep(struct take_up *take_up, const struct run *run)
{
	char id[RUN_LIVE_ID_MAX];
	struct take_up_note *note;

	if (!take_up)
		return;
	snprintf(id, sizeof(id), "%s/%u", run->job, run->number);
	note = strmap_get(&take_up->notes, id);
	if (!note)
		return;
	strmap_remove(&take_up->notes, id);
	take_up_note_free(note);
}

void take_up_end(struct take_up *take_up)
{
	if (take_up)
		take_up_free(take_up, true);
}

void take_up_leave(struct take_up *take_up)
{
	if (take_up)
		take_up_free(take_up, false);
}
