/* SPDX-License-Identifier: MIT */
/* A text of its own in the job's store, "paused.JOB", which is there while the job is paused. */
#include "core/changes/pause_note.h"

#include <stdio.h>

char *pause_note_make(struct change *change, const char *why)
{
	struct strbuf text = STRBUF_EMPTY;
	char who[64], *made;

	strbuf_printf(&text, "paused by %s", scheduler_actor_text(&change->actor, who, sizeof(who)));
	if (why && why[0])
		strbuf_printf(&text, ": %s", why);
	made = strbuf_take(&text);
	change->arena.failed |= !made;
	return made;
}

void pause_note_put(struct change *change, const char *text)
{
	store_batch_put_text(
	    change->batch, arena_printf(&change->arena, "paused.%s", change->id), text);
}

void pause_note_change(struct change *change)
{
	bool was = !change->entry->hidden && change->entry->state.paused;

	if (was == change->state.paused)
		return;
	if (change->state.paused)
		change->pause_text = pause_note_make(change, change->state.paused_reason);
	pause_note_put(change, change->pause_text);
}

/* Why nothing ran meanwhile: "paused by uid 1000: upgrade". */
const char *pause_note_text(const struct entry *entry, char *text, size_t size)
{
	if (entry_aside(entry)->pause_text)
		snprintf(text, size, "%s", entry_aside(entry)->pause_text);
	else if (entry->state.paused_reason)
		snprintf(text, size, "paused: %s", entry->state.paused_reason);
	else
		snprintf(text, size, "paused");
	return text;
}
