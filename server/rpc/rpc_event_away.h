/* SPDX-License-Identifier: MIT */
/*
 * The events of the other nodes, for a subscription here: a stream from each
 * that lives. One that broke goes on behind the last event that came, and what
 * the node does not have any more is told as dropped, so that nothing is
 * missing unsaid.
 */
#ifndef SCHEDD_SERVER_RPC_RPC_EVENT_AWAY_H
#define SCHEDD_SERVER_RPC_RPC_EVENT_AWAY_H

#include "server/rpc/rpc_call.h"

struct event_away;

/* Are there other nodes whose events the call is to have? */
bool rpc_event_away_wanted(const struct rpc_call *call);
/*
 * The call is event.subscribe, and is answered by this with answer, which is in
 * its arena: at once, or where events of before are wanted when these are there.
 * NULL: no memory, and it was not answered.
 */
struct event_away *rpc_event_away_begin(
    struct rpc_call *call, int64_t number, int64_t since, struct value answer);
/* The client can take more. */
void rpc_event_away_drained(struct event_away *away);
void rpc_event_away_free(struct event_away *away);

#endif
