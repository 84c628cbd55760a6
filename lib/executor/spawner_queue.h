/* SPDX-License-Identifier: MIT */
/*
 * Starts that no spawner has yet. They have turns, which are dealt to the accounts one
 * after the other, so that many of one account are before nobody else's first.
 */
#ifndef SCHEDD_EXECUTOR_SPAWNER_QUEUE_H
#define SCHEDD_EXECUTOR_SPAWNER_QUEUE_H

#include "executor/spawner.h"

#define SPAWNER_QUEUE_ACCOUNTS 64 /* whose turns are remembered; more may go before their time */

struct spawner_queue {
	struct spawner_start *first, *last;
	uint64_t turn; /* of the latest start that was answered */
	struct {
		uid_t uid;
		uint64_t turn;
	} dealt[SPAWNER_QUEUE_ACCOUNTS]; /* the latest of some accounts */
};

/* Deals it a turn, and puts it behind those of the same. */
void spawner_queue_deal(struct spawner_queue *queue, struct spawner_start *start);
/* Back to where its turn is. */
void spawner_queue_return(struct spawner_queue *queue, struct spawner_start *start);
/* Those of later turns that the spawner has not begun come back, but for one: it is to stay busy. */
void spawner_queue_overtake(struct spawner_queue *queue, struct spawner *spawner, uint64_t turn);
/* It is over. */
void spawner_queue_pass(struct spawner_queue *queue, const struct spawner_start *start);
void spawner_queue_add(struct spawner_queue *queue, struct spawner_start *start, bool front);
void spawner_queue_remove(struct spawner_queue *queue, struct spawner_start *start);

#endif
