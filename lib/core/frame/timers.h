/* SPDX-License-Identifier: MIT */
/* Delays by the monotonic clock: time-outs, retries, back-off. Embedded in their owners. */
#ifndef SCHEDD_CORE_FRAME_TIMERS_H
#define SCHEDD_CORE_FRAME_TIMERS_H

#include <schedd/clock.h>
#include "base/heap.h"

struct timer {
	struct heap_node node;
	void (*fire)(struct timer *timer); /* the timer is no longer set when it is called */
};

struct timers {
	struct heap heap; /* by mono microseconds */
};

void timers_init(struct timers *timers);
/* Timers still set are forgotten, not fired. */
void timers_clear(struct timers *timers);
/* Once, before anything else: one that is set would be lost in the heap. */
void timer_init(struct timer *timer, void (*fire)(struct timer *timer));
/* Sets it, anew if it was set. 0 or SCHEDD_ENOMEM. */
int timers_set(struct timers *timers, struct timer *timer, struct schedd_mono when)
    __attribute__((warn_unused_result));
/* As timers_set, for another purpose: fire is called from now on. 0 or SCHEDD_ENOMEM. */
int timers_turn(struct timers *timers, struct timer *timer, void (*fire)(struct timer *timer),
    struct schedd_mono when) __attribute__((warn_unused_result));
/* No-op for one that is not set. */
void timers_unset(struct timers *timers, struct timer *timer);
/* When it fires; us INT64_MAX: it is not set. */
struct schedd_mono timers_when(const struct timers *timers, const struct timer *timer);
bool timer_is_set(const struct timer *timer);
/* Fires all that are due; they may set and unset any timer. */
void timers_run(struct timers *timers, struct schedd_mono now);
/* The earliest; us INT64_MAX: none. */
struct schedd_mono timers_next(const struct timers *timers);

#endif
