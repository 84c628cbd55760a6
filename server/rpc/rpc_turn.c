/* SPDX-License-Identifier: MIT */
#include "server/rpc/rpc_turn.h"

#include <event2/event.h>
#include "server/rpc/rpc_state.h"

/* Pieces are done for so many microseconds before descriptors are looked at. */
#define RPC_TURN_LONGEST 10000

static int64_t rpc_turn_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

bool rpc_turn_is_late(const struct rpc *rpc)
{
	struct timeval now, began, lasted;

	/* What the loop keeps is the time at which it came back from waiting. */
	if (event_base_gettimeofday_cached(rpc->base, &began) < 0 || evutil_gettimeofday(&now, NULL) < 0)
		return false;
	evutil_timersub(&now, &began, &lasted);
	return lasted.tv_sec != 0 || lasted.tv_usec > RPC_TURN_LONGEST;
}

/* A timer: what is ready to be read has its turn before it. */
static void rpc_turn_arm(struct rpc *rpc)
{
	static const struct timeval at_once = {0};

	if (rpc->waiting && !event_pending(rpc->turns, EV_TIMEOUT, NULL) &&
	    event_add(rpc->turns, &at_once) < 0)
		event_active(rpc->turns, EV_TIMEOUT, 0);
}

void rpc_turn_wait(struct rpc *rpc, struct rpc_turn *turn)
{
	if (turn->waits)
		return;
	turn->waits = true;
	turn->next = NULL;
	turn->prev = rpc->waiting_last;
	if (turn->prev)
		turn->prev->next = turn;
	else
		rpc->waiting = turn;
	rpc->waiting_last = turn;
	rpc_turn_arm(rpc);
}

void rpc_turn_leave(struct rpc *rpc, struct rpc_turn *turn)
{
	if (!turn->waits)
		return;
	turn->waits = false;
	if (turn->prev)
		turn->prev->next = turn->next;
	else
		rpc->waiting = turn->next;
	if (turn->next)
		turn->next->prev = turn->prev;
	else
		rpc->waiting_last = turn->prev;
}

void rpc_turn_run(int fd, short what, void *context)
{
	struct rpc *rpc = context;
	struct rpc_turn *turn;
	int64_t end = rpc_turn_now() + RPC_TURN_LONGEST;

	(void)fd;
	(void)what;
	do {
		turn = rpc->waiting;
		if (!turn)
			return;
		rpc_turn_leave(rpc, turn);
		turn->go(turn->context);
	} while (rpc_turn_now() < end);
	rpc_turn_arm(rpc);
}
