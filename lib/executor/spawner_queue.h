/* SPDX-License-Identifier: MIT */
/* Starts that no spawner has yet, in their order. */
#ifndef SCHEDD_EXECUTOR_SPAWNER_QUEUE_H
#define SCHEDD_EXECUTOR_SPAWNER_QUEUE_H

#include "executor/spawner.h"

struct spawner_queue {
	struct spawner_start *first, *last;
};

void spawner_queue_add(struct spawner_queue *queue, struct spawner_start *start, bool front);
void spawner_queue_remove(struct spawner_queue *queue, struct spawner_start *start);

#endif
