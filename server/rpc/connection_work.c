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

int connection_judge(struct connection *c, struct schedd_error *err)
{
	bool less;
	int rc = peer_judge(&c->peer, c->rpc, &less, err);

	if (!rc && less && c->hooks)
		rc = schedd_error_set(err, SCHEDD_EPERM,
		    "an administrator has changed what '%s' may do here: connect anew", c->peer.caller.account);
	return rc;
}

bool connection_overstays(struct connection *c)
{
	struct schedd_error err;

	/* Those who only ask are told with their next request. */
	return (c->fd >= 0 || c->sink) && c->hooks && !c->doomed && connection_judge(c, &err);
}
