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
