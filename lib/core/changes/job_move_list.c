/* SPDX-License-Identifier: MIT */
/* The moves there are: made, looked at, gone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_move_parts.h"

/* ---- Making one ---- */

struct job_move *job_move_new(
    struct schedd_scheduler *scheduler, const struct job_move_request *request)
{
	struct job_move *move = calloc(1, sizeof(*move));

	if (!move)
		return NULL;
	arena_init(&move->arena);
	move->scheduler = scheduler;
	move->from = request->from;
	move->to = request->to;
	move->history = request->history;
	move->actor = request->actor;
	move->done = request->done;
	move->context = request->context;
	move->last = &move->items;
	snprintf(move->token, sizeof(move->token), "%016llx",
	    (unsigned long long)scheduler_random(scheduler));
	move->next = scheduler->changes.moves;
	scheduler->changes.moves = move;
	return move;
}

int job_move_add(struct job_move *move, const char *id)
{
	struct move_item *item = arena_alloc(&move->arena, sizeof(*item));

	if (!item)
		return SCHEDD_ENOMEM;
	*item = (struct move_item){.move = move, .id = arena_strdup(&move->arena, id)};
	if (!item->id)
		return SCHEDD_ENOMEM;
	*move->last = item;
	move->last = &item->next;
	move->gathering++;
	return 0;
}

const struct move_item *job_move_items(const struct job_move *move)
{
	return move->items;
}

void job_move_key(char key[JOB_MOVE_KEY], const char *prefix, const char *token)
{
	snprintf(key, JOB_MOVE_KEY, "%s%s", prefix, token);
}

/* ---- Its end ---- */

static void move_drop(struct job_move *move)
{
	struct job_move **link = &move->scheduler->changes.moves;

	while (*link != move)
		link = &(*link)->next;
	*link = move->next;
	for (struct move_item *item = move->items; item; item = item->next)
		free(item->open);
	free(move->pages);
	arena_clear(&move->arena);
	free(move);
}

static void move_reap(struct job_move *move)
{
	if (move->stage == JOB_MOVE_OVER && move->released && !move->telling)
		move_drop(move);
}

void job_move_told(struct job_move *move)
{
	if (!move->answered && move->done) {
		move->answered = move->telling = true;
		move->done(move, move->context);
		move->telling = false;
	}
	move_reap(move);
}

void job_move_release(struct job_move *move)
{
	move->released = true;
	move->done = NULL;
	move_reap(move);
}

void job_move_abandon(struct job_move *move)
{
	move_drop(move);
}

void job_move_free(struct schedd_scheduler *scheduler)
{
	while (scheduler->changes.moves)
		move_drop(scheduler->changes.moves);
}

/* ---- What is known of those under way ---- */

/* Where the runs of a store's jobs are. */
static const struct store *move_history(const struct store_slot *slot)
{
	const struct store *history = store_history(slot->store);

	return history ? history : slot->store;
}

bool job_move_same_history(const struct job_move *move)
{
	return move_history(move->from) == move_history(move->to);
}

static bool move_leaves(const struct job_move *move)
{
	return move->stage == JOB_MOVE_COPYING || move->stage == JOB_MOVE_REMOVING;
}

static const struct move_item *move_find(const struct job_move *move, const char *id)
{
	const struct move_item *item = move->items;

	while (item && (!item->written || strcmp(item->id, id) != 0))
		item = item->next;
	return item;
}

static bool move_opens(const struct move_item *item, uint32_t number)
{
	for (uint32_t i = 0; i < item->open_count; i++)
		if (item->open[i] == number)
			return true;
	return false;
}

bool job_move_knows(const struct schedd_scheduler *scheduler, const char *token)
{
	for (const struct job_move *move = scheduler->changes.moves; move; move = move->next)
		if (strcmp(move->token, token) == 0)
			return true;
	return false;
}

const struct store_slot *job_move_leaves(const struct schedd_scheduler *scheduler, const char *id)
{
	for (const struct job_move *move = scheduler->changes.moves; move; move = move->next)
		if (move_leaves(move) && move_find(move, id))
			return move->from;
	return NULL;
}

bool job_move_has_open(const struct schedd_scheduler *scheduler, const struct store_slot *from,
    const char *id, uint32_t number)
{
	for (const struct job_move *move = scheduler->changes.moves; move; move = move->next) {
		const struct move_item *item =
		    move_leaves(move) && move->from == from ? move_find(move, id) : NULL;

		if (item && move_opens(item, number))
			return true;
	}
	return false;
}

static bool move_needs(const struct store_slot *of, const struct store_slot *slot)
{
	return of == slot || store_history(of->store) == slot->store;
}

bool job_move_uses(const struct schedd_scheduler *scheduler, const struct store_slot *slot)
{
	for (const struct job_move *move = scheduler->changes.moves; move; move = move->next)
		if (move->stage != JOB_MOVE_OVER &&
		    (move_needs(move->from, slot) || move_needs(move->to, slot)))
			return true;
	return false;
}
