/* SPDX-License-Identifier: MIT */
/* A connection without a socket: calls come from this process, answers go to a sink. */
#include "server/rpc/connection_state.h"

#include <stdlib.h>

struct connection *connection_local_open(struct rpc *rpc, const struct users_caller *caller, pid_t pid,
    const struct connection_sink *sink, void *context)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->rpc = rpc;
	c->refs = 1;
	c->fd = c->held = -1;
	peer_init(&c->peer, rpc, caller, pid);
	c->peer.vouched = true;
	c->sink = sink;
	c->sink_context = context;
	return c;
}

bool connection_is_local(const struct connection *c)
{
	return c->sink != NULL;
}

void connection_local_close(struct connection *c)
{
	if (!c || !c->sink)
		return;
	c->sink = NULL;
	connection_end_hooks(c);
	connection_unref(c);
}
