/* SPDX-License-Identifier: MIT */
#include "core/frame/place_slots.h"

#include <stdlib.h>
#include <string.h>

/* Where it is, or should be. */
static uint32_t place_slots_place(const struct place_slots *places, uint32_t slot)
{
	uint32_t low = 0, high = places->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (places->items[middle].slot < slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct place_slot *place_slots_find(const struct place_slots *places, uint32_t slot)
{
	uint32_t at = place_slots_place(places, slot);

	return at < places->count && places->items[at].slot == slot ? &places->items[at] : NULL;
}

static bool place_slots_grow(struct place_slots *places)
{
	uint32_t capacity = places->capacity ? places->capacity * 2 : 16;
	struct place_slot *grown;

	if (places->count < places->capacity)
		return true;
	grown = places->count < PLACE_SLOTS_MAX
		    ? realloc(places->items, capacity * sizeof(grown[0]))
		    : NULL;
	if (!grown)
		return false;
	places->items = grown;
	places->capacity = capacity;
	return true;
}

struct place_slot *place_slots_get(struct place_slots *places, uint32_t slot)
{
	uint32_t at = place_slots_place(places, slot);

	if (at < places->count && places->items[at].slot == slot)
		return &places->items[at];
	if (!place_slots_grow(places))
		return NULL;
	memmove(&places->items[at + 1], &places->items[at],
	    (places->count - at) * sizeof(places->items[0]));
	places->count++;
	places->items[at] = (struct place_slot){.slot = slot, .elsewhere = true};
	return &places->items[at];
}

void place_slots_count(struct place_slots *places, uint32_t slot, const char *place, int by)
{
	struct place_slot *item =
	    by > 0 ? place_slots_get(places, slot) : place_slots_find(places, slot);

	if (!item)
		return;
	if (by > 0 && item->jobs == 0 && (!item->place || strcmp(item->place, place) != 0)) {
		free(item->place);
		item->place = strdup(place);
	}
	/* One whose number is another place's is never due: see place_check.c. */
	if (!item->place || strcmp(item->place, place) != 0)
		return;
	item->jobs += (uint32_t)by;
	places->changed |= item->jobs == (by > 0 ? 1 : 0);
}

void place_slots_clear(struct place_slots *places)
{
	for (uint32_t i = 0; i < places->count; i++)
		free(places->items[i].place);
	free(places->items);
	*places = (struct place_slots){.count = 0};
}
