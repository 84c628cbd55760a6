/* SPDX-License-Identifier: MIT */
#include "executor/spawner_queue.h"

void spawner_queue_add(struct spawner_queue *queue, struct spawner_start *start, bool front)
{
	start->next = front ? queue->first : NULL;
	start->previous = front ? NULL : queue->last;
	if (start->next)
		start->next->previous = start;
	else
		queue->last = start;
	if (start->previous)
		start->previous->next = start;
	else
		queue->first = start;
}

void spawner_queue_return(struct spawner_queue *queue, struct spawner_start *start)
{
	struct spawner_start *before = queue->last;

	/* Mostly it is the last one anyway. */
	while (before && before->deal > start->deal)
		before = before->previous;
	if (!before || before == queue->last) {
		spawner_queue_add(queue, start, !before);
		return;
	}
	start->previous = before;
	start->next = before->next;
	before->next->previous = start;
	before->next = start;
}

void spawner_queue_deal(struct spawner_queue *queue, struct spawner_start *start)
{
	size_t place = start->uid % SPAWNER_QUEUE_ACCOUNTS;
	uint64_t turn = queue->turn;

	if (queue->dealt[place].uid == start->uid && queue->dealt[place].turn > turn)
		turn = queue->dealt[place].turn;
	start->deal = turn + 1;
	queue->dealt[place].uid = start->uid;
	queue->dealt[place].turn = start->deal;
	spawner_queue_return(queue, start);
}

void spawner_queue_overtake(struct spawner_queue *queue, struct spawner *spawner, uint64_t turn)
{
	struct spawner_start *last;

	while (spawner_busy(spawner) > 1 && (last = spawner_last(spawner)) && last->deal > turn &&
	       spawner_take_back(spawner))
		spawner_queue_return(queue, last);
}

void spawner_queue_pass(struct spawner_queue *queue, const struct spawner_start *start)
{
	if (start->deal > queue->turn)
		queue->turn = start->deal;
}

void spawner_queue_remove(struct spawner_queue *queue, struct spawner_start *start)
{
	if (start->previous)
		start->previous->next = start->next;
	else
		queue->first = start->next;
	if (start->next)
		start->next->previous = start->previous;
	else
		queue->last = start->previous;
	start->next = start->previous = NULL;
}
