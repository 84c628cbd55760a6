/* SPDX-License-Identifier: MIT */
/* Children that are of no use any more: reaped when they have ended, without waiting for it. */
#ifndef SCHEDD_EXECUTOR_GRAVEYARD_H
#define SCHEDD_EXECUTOR_GRAVEYARD_H

#include <stdbool.h>
#include <sys/types.h>
#include <schedd/clock.h>
#include <schedd/loop.h>

struct graveyard;

/* NULL: no memory. */
struct graveyard *graveyard_new(struct schedd_loop *loop, const struct schedd_clock *clock);
/* Gives those who are still there some 50 ms, then leaves them to others. NULL is fine. */
void graveyard_free(struct graveyard *graveyard);
/* Reaps it, now or when it has ended. */
void graveyard_take(struct graveyard *graveyard, pid_t pid);
bool graveyard_has(const struct graveyard *graveyard, pid_t pid);

#endif
