/* SPDX-License-Identifier: MIT */
#include "core/frame/store_parcel.h"

#include <stdlib.h>
#include <string.h>

enum store_parcel_kind { STORE_PARCEL_RUN, STORE_PARCEL_CHANGE, STORE_PARCEL_TEXT };

struct store_parcel_item {
	enum store_parcel_kind kind;
	bool bare; /* a run without its output any more */
	struct run run;
	schedd_time when; /* of a change */
	char *key;        /* of a text, or the job of a change */
	char *text;       /* NULL: the text is removed */
};

struct store_parcel {
	struct store_slot *slot;
	uint64_t number;
	struct store_parcel_item *items;
	uint32_t count;
	uint32_t capacity;
	uint32_t texts; /* of these */
	uint32_t runs;   /* likewise, in the order they ended; and without output */
	uint32_t bare;
	uint32_t oldest; /* before this one there is no run with its output */
};

struct store_parcel *store_parcel_new(struct store_slot *slot)
{
	struct store_parcel *parcel = calloc(1, sizeof(*parcel));

	if (parcel)
		parcel->slot = slot;
	return parcel;
}

static void store_parcel_item_clear(struct store_parcel_item *item)
{
	if (item->kind == STORE_PARCEL_RUN)
		run_clear(&item->run);
	free(item->key);
	free(item->text);
}

void store_parcel_free(struct store_parcel *parcel)
{
	if (!parcel)
		return;
	for (uint32_t i = 0; i < parcel->count; i++)
		store_parcel_item_clear(&parcel->items[i]);
	free(parcel->items);
	free(parcel);
}

struct store_slot *store_parcel_slot(const struct store_parcel *parcel)
{
	return parcel->slot;
}

void store_parcel_number(struct store_parcel *parcel, uint64_t number)
{
	parcel->number = number;
}

uint64_t store_parcel_numbered(const struct store_parcel *parcel)
{
	return parcel->number;
}

/* An empty item at the end; NULL: no memory. It counts when the caller says so. */
static struct store_parcel_item *store_parcel_room(struct store_parcel *parcel)
{
	if (parcel->count == parcel->capacity) {
		uint32_t capacity = parcel->capacity ? parcel->capacity * 2 : 2;
		struct store_parcel_item *items =
		    realloc(parcel->items, capacity * sizeof(items[0]));

		if (!items)
			return NULL;
		parcel->items = items;
		parcel->capacity = capacity;
	}
	memset(&parcel->items[parcel->count], 0, sizeof(parcel->items[0]));
	return &parcel->items[parcel->count];
}

int store_parcel_put_run(struct store_parcel *parcel, const struct run *run)
{
	struct store_parcel_item *item = store_parcel_room(parcel);

	if (!item || run_copy(&item->run, run))
		return SCHEDD_ENOMEM;
	item->kind = STORE_PARCEL_RUN;
	parcel->count++;
	parcel->runs++;
	return 0;
}

static int store_parcel_put(struct store_parcel *parcel, enum store_parcel_kind kind,
    schedd_time when, const char *key, const char *text)
{
	struct store_parcel_item *item = store_parcel_room(parcel);

	if (!item)
		return SCHEDD_ENOMEM;
	item->kind = kind;
	item->when = when;
	item->key = strdup(key);
	item->text = text ? strdup(text) : NULL;
	if (!item->key || (text && !item->text)) {
		store_parcel_item_clear(item);
		return SCHEDD_ENOMEM;
	}
	parcel->count++;
	parcel->texts += kind == STORE_PARCEL_TEXT;
	return 0;
}

int store_parcel_put_change(
    struct store_parcel *parcel, schedd_time when, const char *job, const char *json)
{
	return store_parcel_put(parcel, STORE_PARCEL_CHANGE, when, job, json);
}

int store_parcel_put_text(struct store_parcel *parcel, const char *key, const char *text)
{
	return store_parcel_put(parcel, STORE_PARCEL_TEXT, SCHEDD_TIME_NONE, key, text);
}

uint32_t store_parcel_runs(const struct store_parcel *parcel)
{
	return parcel ? parcel->runs : 0;
}

static void store_parcel_strip_oldest(
    struct store_parcel *parcel, void (*strip)(struct store_slot *slot, struct run *run))
{
	struct store_parcel_item *item;

	while (parcel->items[parcel->oldest].kind != STORE_PARCEL_RUN ||
	       parcel->items[parcel->oldest].bare)
		parcel->oldest++;
	item = &parcel->items[parcel->oldest++];
	strip(parcel->slot, &item->run);
	item->bare = true;
	parcel->bare++;
}

uint32_t store_parcel_move(struct store_parcel **to, struct store_parcel *from,
    const struct store_parcel_limits *limits)
{
	uint32_t lost = 0;

	if (!*to)
		*to = store_parcel_new(from->slot);
	for (uint32_t i = 0; i < from->count; i++) {
		struct store_parcel_item *item = &from->items[i];
		struct store_parcel_item *room;

		if (item->kind == STORE_PARCEL_RUN && !run_ended(item->run.state)) {
			limits->refused(from->slot, &item->run);
			store_parcel_item_clear(item);
			continue;
		}
		room = *to && (*to)->count < limits->items ? store_parcel_room(*to) : NULL;
		if (!room) {
			store_parcel_item_clear(item);
			lost++;
			continue;
		}
		*room = *item;
		(*to)->count++;
		(*to)->texts += item->kind == STORE_PARCEL_TEXT;
		(*to)->runs += item->kind == STORE_PARCEL_RUN;
		(*to)->bare += item->bare;
		if ((*to)->runs - (*to)->bare > limits->runs)
			store_parcel_strip_oldest(*to, limits->strip);
	}
	from->count = 0;
	store_parcel_free(from);
	return lost;
}

static bool store_parcel_has_text(const struct store_parcel *parcel, const char *key)
{
	for (uint32_t i = 0; i < parcel->count; i++)
		if (parcel->items[i].kind == STORE_PARCEL_TEXT &&
		    strcmp(parcel->items[i].key, key) == 0)
			return true;
	return false;
}

void store_parcel_outdated(struct store_parcel *parcel, const struct store_parcel *newer)
{
	uint32_t kept = 0;

	if (!parcel || !parcel->texts || !newer->texts)
		return;
	for (uint32_t i = 0; i < parcel->count; i++) {
		struct store_parcel_item *item = &parcel->items[i];

		if (item->kind == STORE_PARCEL_TEXT && store_parcel_has_text(newer, item->key)) {
			store_parcel_item_clear(item);
			parcel->texts--;
		} else {
			parcel->items[kept++] = *item;
		}
	}
	parcel->count = kept;
	parcel->oldest = 0;
}

void store_parcel_write(const struct store_parcel *parcel, struct store_batch *batch)
{
	for (uint32_t i = 0; i < parcel->count; i++) {
		const struct store_parcel_item *item = &parcel->items[i];

		if (item->kind == STORE_PARCEL_RUN)
			store_batch_put_run(batch, &item->run);
		else if (item->kind == STORE_PARCEL_CHANGE)
			store_batch_put_change(batch, item->when, item->key, item->text);
		else
			store_batch_put_text(batch, item->key, item->text);
	}
}

const struct run *store_parcel_walk(const struct store_parcel *parcel, uint32_t *position)
{
	while (*position < parcel->count) {
		const struct store_parcel_item *item = &parcel->items[(*position)++];

		if (item->kind == STORE_PARCEL_RUN)
			return &item->run;
	}
	return NULL;
}
