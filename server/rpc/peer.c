/* SPDX-License-Identifier: MIT */
#include "server/rpc/peer.h"

#include <stdio.h>
#include <string.h>
#include "server/daemon.h"

void peer_init(
    struct peer *peer, const struct rpc *rpc, const struct users_caller *caller, pid_t pid)
{
	memset(peer, 0, sizeof(*peer));
	peer->caller = *caller;
	peer->generation = rpc_generation(rpc);
	peer->pid = pid;
}

int peer_narrow(struct peer *peer, const char *account, struct schedd_error *err)
{
	int rc = users_narrow(&peer->caller, account, err);

	if (!rc)
		snprintf(peer->narrowed, sizeof(peer->narrowed), "%s", account);
	return rc;
}

int peer_judge(struct peer *peer, const struct rpc *rpc, bool *less, struct schedd_error *err)
{
	const struct config *config = daemon_config(rpc_daemon(rpc));
	const enum users_role before = peer->caller.role;
	int rc;

	if (less)
		*less = false;
	if (peer->vouched || peer->generation == rpc_generation(rpc))
		return 0;
	rc = users_judge(&config->users, peer->caller.uid, &peer->caller, err);
	if (!rc && peer->narrowed[0])
		rc = users_narrow(&peer->caller, peer->narrowed, err);
	if (!rc)
		peer->generation = rpc_generation(rpc);
	if (less)
		*less = rc || peer->caller.role < before;
	return rc;
}
