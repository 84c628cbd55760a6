/* SPDX-License-Identifier: MIT */
/*
 * A note: [{"when":…,"job":…,"change":…},{"rename":…,"to":…},{"purge":…,"number":…}],
 * in the order in which they stand in the batch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "store/store_split_parts.h"

/* A note ends at the entry that makes it longer than that. */
#define NOTE_BYTES (128 * 1024)

static struct value note_entry(struct arena *arena, const struct store_op *op)
{
	struct value map = value_map();

	if (op->kind == STORE_OP_PUT_CHANGE) {
		value_put(arena, &map, "when", value_int(op->change.when));
		value_put(arena, &map, "job",
		    op->change.job ? value_string_ref(op->change.job) : value_nil());
		value_put(arena, &map, "change", value_string_ref(op->change.json));
	} else if (op->kind == STORE_OP_RENAME) {
		value_put(arena, &map, "rename", value_string_ref(op->rename.id));
		value_put(arena, &map, "to", value_string_ref(op->rename.to));
	} else {
		value_put(arena, &map, "purge",
		    op->purge.job ? value_string_ref(op->purge.job) : value_nil());
		value_put(arena, &map, "number", value_int(op->purge.number));
		if (op->purge.upto)
			value_put(arena, &map, "upto", value_int(op->purge.upto));
	}
	return map;
}

/* Takes the text. */
static int note_end(struct split_batch *batch, struct strbuf *text, bool alone)
{
	struct split *split = batch->split;
	struct split_item *item;
	char key[40];

	if (text->length == 0)
		return 0;
	strbuf_add(text, "]");
	item = calloc(1, sizeof(*item));
	if (!item)
		return SCHEDD_ENOMEM;
	snprintf(key, sizeof(key), SPLIT_NOTE_PREFIX "%016llx",
	    (unsigned long long)++split->note_serial);
	item->alone = alone;
	item->key = strdup(key);
	item->text = strbuf_take(text);
	*batch->last_note = item;
	batch->last_note = &item->next;
	return item->key && item->text ? 0 : SCHEDD_ENOMEM;
}

int split_note_write(struct split_batch *batch, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;
	bool alone = false;
	int rc = 0;

	arena_init(&arena);
	for (const struct store_op *op = batch->outer->first; op && !rc; op = op->next) {
		struct value entry;

		if (op->kind != STORE_OP_PUT_CHANGE && op->kind != STORE_OP_RENAME &&
		    op->kind != STORE_OP_PURGE_RUNS)
			continue;
		if (text.length > NOTE_BYTES) {
			rc = note_end(batch, &text, alone);
			alone = false;
		}
		entry = note_entry(&arena, op);
		strbuf_add(&text, text.length ? "," : "[");
		json_write(&text, &entry);
		alone = alone || op->kind == STORE_OP_RENAME;
		arena_reset(&arena);
	}
	if (!rc)
		rc = note_end(batch, &text, alone);
	if (rc || arena_failed(&arena))
		rc = schedd_error_nomem(err);
	arena_clear(&arena);
	strbuf_clear(&text);
	return rc;
}

static void note_apply(const struct value *map, struct store_batch *batch)
{
	const char *change = value_get_string(map, "change");
	const char *rename = value_get_string(map, "rename");
	const char *to = value_get_string(map, "to");

	if (change)
		store_batch_put_change(
		    batch, value_get_int(map, "when", 0), value_get_string(map, "job"), change);
	else if (rename && to)
		store_batch_rename(batch, rename, to);
	else if (value_get_int(map, "upto", 0))
		store_batch_purge_some(batch, value_get_string(map, "purge"),
		    (uint32_t)value_get_int(map, "upto", 0), 0, NULL);
	else if (value_find(map, "purge"))
		store_batch_purge_runs(batch, value_get_string(map, "purge"),
		    (uint32_t)value_get_int(map, "number", 0));
}

int split_note_read(const char *text, struct store_batch *batch, struct schedd_error *err)
{
	struct value list;
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = json_parse(text, strlen(text), &arena, &list, err);
	for (uint32_t i = 0; !rc && list.type == VALUE_ARRAY && i < list.array.count; i++)
		note_apply(&list.array.items[i], batch);
	arena_clear(&arena);
	return rc;
}

bool split_note_change(
    const char *text, struct arena *arena, schedd_time *when, const char **job)
{
	struct value list;

	if (json_parse(text, strlen(text), arena, &list, NULL) || list.type != VALUE_ARRAY)
		return false;
	for (uint32_t i = 0; i < list.array.count; i++) {
		const struct value *map = &list.array.items[i];

		if (!value_get_string(map, "change"))
			continue;
		*when = value_get_int(map, "when", 0);
		*job = value_get_string(map, "job");
		return true;
	}
	return false;
}

bool split_note_renames(const char *text)
{
	struct value list;
	struct arena arena;
	bool renames = false;

	arena_init(&arena);
	if (json_parse(text, strlen(text), &arena, &list, NULL) == 0 && list.type == VALUE_ARRAY)
		for (uint32_t i = 0; i < list.array.count; i++)
			renames = renames || value_get_string(&list.array.items[i], "rename");
	arena_clear(&arena);
	return renames;
}
