/* SPDX-License-Identifier: MIT */
/* A heap of embedded timers. Knows nothing of what they are for. */
#include "core/frame/timers.h"

#include <stddef.h>

void timers_init(struct timers *timers)
{
	heap_init(&timers->heap);
}

void timers_clear(struct timers *timers)
{
	heap_clear(&timers->heap);
}

void timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
	heap_node_init(&timer->node);
	timer->fire = fire;
}

int timers_set(struct timers *timers, struct timer *timer, struct schedd_mono when)
{
	return heap_set(&timers->heap, &timer->node, when.us);
}

int timers_turn(struct timers *timers, struct timer *timer, void (*fire)(struct timer *timer),
    struct schedd_mono when)
{
	timer->fire = fire;
	return timers_set(timers, timer, when);
}

void timers_unset(struct timers *timers, struct timer *timer)
{
	heap_remove(&timers->heap, &timer->node);
}

struct schedd_mono timers_when(const struct timers *timers, const struct timer *timer)
{
	if (!heap_queued(&timer->node))
		return (struct schedd_mono){INT64_MAX};
	return (struct schedd_mono){heap_key(&timers->heap, &timer->node)};
}

bool timer_is_set(const struct timer *timer)
{
	return heap_queued(&timer->node);
}

void timers_run(struct timers *timers, struct schedd_mono now)
{
	int64_t due;

	while (heap_peek(&timers->heap, &due) && due <= now.us) {
		struct heap_node *node = heap_pop(&timers->heap, NULL);
		struct timer *timer =
		    (struct timer *)(void *)((char *)node - offsetof(struct timer, node));

		timer->fire(timer);
	}
}

struct schedd_mono timers_next(const struct timers *timers)
{
	int64_t due;

	return (struct schedd_mono){heap_peek(&timers->heap, &due) ? due : INT64_MAX};
}
