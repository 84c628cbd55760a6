/* SPDX-License-Identifier: MIT */
/*
 * Long work for clients, in pieces. All of it stands in one queue, whoever asked:
 * each turn of the loop does pieces for some milliseconds, those who asked first
 * before those who had a piece already, and then looks at the descriptors. So a
 * short request never waits for more than that, however many long ones there are.
 */
#ifndef SCHEDD_SERVER_RPC_RPC_TURN_H
#define SCHEDD_SERVER_RPC_RPC_TURN_H

#include <stdbool.h>
#include <schedd/clock.h>

struct rpc;

/* How long one piece of work may be, as a guide for those who do it. */
#define RPC_TURN_PIECE (2 * (schedd_span)1000)

/* A place in the queue; lives in what the work is kept in. */
struct rpc_turn {
	struct rpc_turn *next, *prev; /* while it waits */
	bool waits;
	bool watched; /* of a call, whose client's end is told; see rpc_call_turn.h */
	/* Its turn: does one piece and waits again, or ends, and may free itself. */
	void (*go)(void *context);
	void *context;
};

/* To the end of the queue; nothing if it waits already. */
void rpc_turn_wait(struct rpc *rpc, struct rpc_turn *turn);
/* Out of the queue, if it is there. */
void rpc_turn_leave(struct rpc *rpc, struct rpc_turn *turn);
/* Has this turn of the loop lasted so long that everyone should be brief? */
bool rpc_turn_is_late(const struct rpc *rpc);
/* The event's callback; context is the struct rpc. */
void rpc_turn_run(int fd, short what, void *context);

#endif
