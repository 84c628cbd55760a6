/* SPDX-License-Identifier: MIT */
#include "server/rpc/peer.h"

#include <stdio.h>
#include <string.h>
#include "server/daemon.h"
#include "server/rpc/rpc_door.h"

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

/* As users_vouch() had it, where the account may still do anything here. */
static int peer_vouch(struct peer *peer, const struct config *config, struct schedd_error *err)
{
	struct users_caller fresh;

	/* Another node asks its own config, and the daemon's account is nobody's to refuse. */
	if (peer->forwarded || !peer->caller.account[0])
		return 0;
	return users_vouch(&config->users, users_role_name(peer->caller.role), peer->caller.account,
	    &fresh, err);
}

/* What it was stays until it is known. */
static int peer_ask(struct peer *peer, struct rpc *rpc, struct schedd_error *err)
{
	struct users_caller fresh;
	int rc = rpc_door_judge(rpc, peer->caller.uid, &fresh, err);

	if (!rc)
		peer->caller = fresh;
	return rc;
}

int peer_judge(struct peer *peer, struct rpc *rpc, bool *less, struct schedd_error *err)
{
	const struct config *config = daemon_config(rpc_daemon(rpc));
	const enum users_role before = peer->caller.role;
	int rc;

	if (less)
		*less = false;
	if (peer->generation == rpc_generation(rpc))
		return 0;
	rc = peer->vouched ? peer_vouch(peer, config, err)
			   : peer_ask(peer, rpc, err);
	if (!rc && peer->narrowed[0] && !peer->vouched)
		rc = users_narrow(&peer->caller, peer->narrowed, err);
	if (!rc)
		peer->generation = rpc_generation(rpc);
	if (less)
		*less = rc || peer->caller.role < before;
	return rc;
}
