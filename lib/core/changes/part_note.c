/* SPDX-License-Identifier: MIT */
#include "core/changes/part_note.h"

#include <string.h>
#include "base/log.h"
#include "core/changes/purge.h"
#include "core/frame/store_slot.h"
#include "store/store_share.h"

static const struct part_note_word {
	const char *word;
	uint8_t flag;
} part_note_words[] = {{"purge", ENTRY_LEAVES_PURGED}, {"kill", ENTRY_LEAVES_KILLED}};

/* The next part behind that one, or (NULL) the first; NULL: no more. */
static struct entry *part_note_next(struct change *change, const struct entry *part)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	const char *begin = arena_printf(&change->arena, "%s@", change->id);
	struct entry *next = !begin ? NULL : part ? entry_next(scheduler, part) : entry_first(scheduler, begin);

	return next && strncmp(next->job->id, begin, strlen(begin)) == 0 ? next : NULL;
}

static void part_note_put(struct change *change, const char *part, const char *text)
{
	store_batch_put_text(
	    change->batch, arena_printf(&change->arena, PART_NOTE_PREFIX "%s", part), text);
}

static uint8_t part_note_flags(const struct change *change)
{
	return (uint8_t)((change->purge ? ENTRY_LEAVES_PURGED : 0) | (change->kill ? ENTRY_LEAVES_KILLED : 0));
}

void part_note_write(struct change *change)
{
	const struct entry *entry = change->entry, *part = NULL;
	const char *text = change->purge && change->kill ? "purge kill" : change->purge ? "purge" : "kill";

	if (entry_aside(entry)->leaves)
		part_note_put(change, change->id, NULL);
	if (!entry_on_all(entry) || !part_note_flags(change))
		return;
	while ((part = part_note_next(change, part)))
		part_note_put(change, part->job->id, text);
}

static void part_note_purged(int rc, const struct schedd_error *err, void *context)
{
	const struct schedd_scheduler *scheduler = context;

	if (rc)
		log_warn(scheduler->log, "the history of a job on all nodes: %s", err->message);
}

void part_note_apply(struct change *change)
{
	struct entry *part = NULL;

	if (!entry_on_all(change->entry) || !part_note_flags(change))
		return;
	while ((part = part_note_next(change, part)))
		if (entry_aside_edit(part))
			part->aside->leaves = part_note_flags(change);
}

/* The note comes behind the removal, as the whole was read anew for another reason. */
static void part_note_late(struct store_slot *slot, const char *key, uint8_t leaves)
{
	const char *part = key + strlen(PART_NOTE_PREFIX), *node = job_id_node(part);

	if (!slot->shared || !node || strcmp(node, store_node_name(slot->store)) != 0)
		return;
	if (leaves & ENTRY_LEAVES_PURGED)
		purge_runs(slot, part, 0, part_note_purged, slot->scheduler);
	store_slot_put_text(slot, key, NULL);
}

void part_note_take(struct store_slot *slot, const char *key, const char *text)
{
	struct entry *part = entry_get(slot->scheduler, key + strlen(PART_NOTE_PREFIX));
	uint8_t leaves = 0;

	for (size_t i = 0; text && i < sizeof(part_note_words) / sizeof(part_note_words[0]); i++)
		if (strstr(text, part_note_words[i].word))
			leaves |= part_note_words[i].flag;
	if (!part && leaves)
		part_note_late(slot, key, leaves);
	if (part && (leaves || part->aside) && entry_aside_edit(part)) {
		part->aside->leaves = leaves;
		slot->places.parts = true;
	}
}
