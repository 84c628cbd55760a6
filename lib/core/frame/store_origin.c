/* SPDX-License-Identifier: MIT */
#include "core/frame/store_origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE_ORIGIN_PREFIX "origin."

/* A name of a list. */
struct store_name {
	struct store_name *next;
	char text[];
};

static bool origin_has(const struct store_name *list, const char *text)
{
	while (list && strcmp(list->text, text) != 0)
		list = list->next;
	return list != NULL;
}

static void origin_keep(struct store_slot *slot, struct store_name **list, const char *text)
{
	size_t size = strlen(text) + 1;
	struct store_name *name;

	if (origin_has(*list, text))
		return;
	name = malloc(sizeof(*name) + size);
	if (!name) {
		log_error(slot->scheduler->log, "store %s: no memory for the name %s", slot->name, text);
		return;
	}
	memcpy(name->text, text, size);
	name->next = *list;
	*list = name;
}

static void origin_free(struct store_name **list)
{
	while (*list) {
		struct store_name *name = *list;

		*list = name->next;
		free(name);
	}
}

void store_origin_add(struct store_slot *slot, const char *name)
{
	if (strcmp(name, slot->name) != 0)
		origin_keep(slot, &slot->origins, name);
}

static void origin_take(const char *key, const char *text, void *context)
{
	(void)text;
	store_origin_add(context, key + strlen(STORE_ORIGIN_PREFIX));
}

void store_origin_load(struct store_slot *slot)
{
	origin_free(&slot->origins);
	store_snapshot_texts(slot->snapshot, STORE_ORIGIN_PREFIX, origin_take, slot);
}

void store_origin_inherit(struct store_slot *slot, const struct store_slot *from)
{
	for (const struct store_name *name = from->origins; name; name = name->next)
		store_origin_add(slot, name->text);
}

void store_origin_put(struct store_batch *batch, const struct store_slot *slot, const char *name)
{
	char key[sizeof(STORE_ORIGIN_PREFIX) + JOB_ALIAS_MAX + 1];

	if (strcmp(name, slot->name) == 0 || origin_has(slot->origins, name))
		return;
	snprintf(key, sizeof(key), STORE_ORIGIN_PREFIX "%s", name);
	store_batch_put_text(batch, key, "has runs of jobs that were moved here");
}

void store_origin_put_all(
    struct store_batch *batch, const struct store_slot *slot, const struct store_slot *from)
{
	for (const struct store_name *name = from->origins; name; name = name->next)
		store_origin_put(batch, slot, name->text);
}

bool store_origin_is(const struct store_slot *slot, const struct store_slot *other)
{
	return origin_has(slot->origins, other->name);
}

/* ---- One run ---- */

struct origin_question {
	struct schedd_scheduler *scheduler;
	const struct store_slot *slot;
	uint32_t at; /* stores of the scheduler that were asked, or need not be */
	char *job;
	uint32_t number;
	store_runs_fn call;
	void *context;
};

static void origin_answered(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context);

/* The next store that may have it; NULL: none is left. */
static struct store_slot *origin_next(struct origin_question *question)
{
	struct schedd_scheduler *scheduler = question->scheduler;

	while (question->at < scheduler->store_count) {
		struct store_slot *other = scheduler->stores[question->at++];

		if (store_origin_is(question->slot, other))
			return other;
	}
	return NULL;
}

static void origin_query(struct origin_question *question, struct store_slot *slot)
{
	const char *jobs[] = {question->job, NULL};
	const struct store_run_query query = {.jobs = jobs,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .number = question->number,
	    .limit = 1};

	store_query_runs(slot->store, &query, origin_answered, question);
}

static void origin_answered(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct origin_question *question = context;
	struct store_slot *other = rc || count ? NULL : origin_next(question);

	if (other) {
		origin_query(question, other);
		return;
	}
	question->call(rc, err, runs, count, cursor, question->context);
	free(question->job);
	free(question);
}

void store_origin_ask(struct store_slot *slot, const struct store_run_query *query,
    store_runs_fn call, void *context)
{
	struct origin_question *question = slot->origins ? calloc(1, sizeof(*question)) : NULL;

	if (question)
		question->job = strdup(query->jobs[0]);
	if (!question || !question->job) {
		free(question);
		store_query_runs(slot->store, query, call, context);
		return;
	}
	question->scheduler = slot->scheduler;
	question->slot = slot;
	question->number = query->number;
	question->call = call;
	question->context = context;
	origin_query(question, slot);
}

/* ---- Jobs that are not used ---- */

void store_origin_shadow(struct store_slot *slot, const char *id)
{
	origin_keep(slot, &slot->shadows, id);
}

bool store_origin_shadowed(const struct store_slot *slot, const char *id)
{
	return origin_has(slot->shadows, id);
}

void store_origin_forget_shadows(struct store_slot *slot)
{
	origin_free(&slot->shadows);
}

void store_origin_clear(struct store_slot *slot)
{
	origin_free(&slot->origins);
	origin_free(&slot->shadows);
}
