/* SPDX-License-Identifier: MIT */
/* A graceful stop: nothing new starts, runs are waited for, then ended. */
#ifndef SCHEDD_CORE_TOP_DRAIN_H
#define SCHEDD_CORE_TOP_DRAIN_H

#include "core/frame/scheduler_state.h"

void drain_init(struct schedd_scheduler *scheduler);
/* Is it over? Then it is answered. Called whenever the scheduler comes to rest. */
void drain_review(struct schedd_scheduler *scheduler);
/* The scheduler is freed while runs go on: ends them by force and waits for that, where its loop is
 * its own. */
void drain_abandon(struct schedd_scheduler *scheduler);

#endif
