/* SPDX-License-Identifier: MIT */
/* What a connection has under way, against what its account may have: see rpc_share.h. */
#include "server/rpc/connection_state.h"

#include "server/rpc/rpc_share.h"

int64_t connection_number(struct connection *c)
{
	return ++c->numbers;
}

void connection_work_begin(struct connection *c)
{
	rpc_share_begin(c->share);
}

/* Does it wait for its account's turn? */
static bool connection_waits(const struct rpc_client *client, const void *context)
{
	const struct connection *c = (const struct connection *)(const void *)client;

	return c->share == context && (c->stalled || !c->reading);
}

void connection_work_end(struct connection *c)
{
	if (rpc_share_end(c->share))
		rpc_client_later_all(c->rpc, connection_waits, c->share);
}
