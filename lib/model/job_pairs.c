/* SPDX-License-Identifier: MIT */
/* Names and texts in the order they were given: lists are short, so a search walks them. */
#include "model/job.h"

#include <stdlib.h>
#include <string.h>

static struct job_pair *job_pairs_find(const struct job_pairs *pairs, const char *name)
{
	for (uint32_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].name, name) == 0)
			return &pairs->items[i];
	return NULL;
}

const char *job_pairs_get(const struct job_pairs *pairs, const char *name)
{
	const struct job_pair *pair = job_pairs_find(pairs, name);

	return pair ? pair->text : NULL;
}

/* Copies both texts; the caller knows that the name is new. */
static int job_pairs_append(struct job_pairs *pairs, const char *name, const char *text)
{
	struct job_pair *items =
	    realloc(pairs->items, (pairs->count + 1) * sizeof(struct job_pair));
	struct job_pair pair = {.name = strdup(name), .text = strdup(text)};

	if (items)
		pairs->items = items;
	if (!items || !pair.name || !pair.text) {
		free(pair.name);
		free(pair.text);
		return SCHEDD_ENOMEM;
	}
	items[pairs->count++] = pair;
	return 0;
}

int job_pairs_set(struct job_pairs *pairs, const char *name, const char *text)
{
	struct job_pair *pair = job_pairs_find(pairs, name);
	char *copy;

	if (!pair)
		return job_pairs_append(pairs, name, text);
	copy = strdup(text);
	if (!copy)
		return SCHEDD_ENOMEM;
	free(pair->text);
	pair->text = copy;
	return 0;
}

void job_pairs_remove(struct job_pairs *pairs, const char *name)
{
	struct job_pair *pair = job_pairs_find(pairs, name);

	if (!pair)
		return;
	free(pair->name);
	free(pair->text);
	pairs->count--;
	memmove(
	    pair, pair + 1, (size_t)(pairs->items + pairs->count - pair) * sizeof(struct job_pair));
}

void job_pairs_clear(struct job_pairs *pairs)
{
	for (uint32_t i = 0; i < pairs->count; i++) {
		free(pairs->items[i].name);
		free(pairs->items[i].text);
	}
	free(pairs->items);
	*pairs = (struct job_pairs){0};
}

int job_pairs_copy(struct job_pairs *to, const struct job_pairs *from)
{
	*to = (struct job_pairs){0};
	for (uint32_t i = 0; i < from->count; i++)
		if (job_pairs_append(to, from->items[i].name, from->items[i].text)) {
			job_pairs_clear(to);
			return SCHEDD_ENOMEM;
		}
	return 0;
}
