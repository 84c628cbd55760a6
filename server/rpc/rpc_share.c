/* SPDX-License-Identifier: MIT */
/* Accounts are few, and stay known while the daemon lives: a connection may end before its calls. */
#include "server/rpc/rpc_share.h"

#include <stdlib.h>
#include <string.h>
#include "server/daemon.h"

struct rpc_share {
	struct rpc_share *next;
	struct rpc *rpc;
	char account[JOB_ACCOUNT_MAX + 1];
	int64_t clients, calls;
	unsigned generation; /* of the config that the limits are from */
	int64_t clients_max, calls_max;
};

static void rpc_share_look(struct rpc_share *share, bool anew)
{
	struct config_limits limits;

	if (!anew && share->generation == rpc_generation(share->rpc))
		return;
	limits = users_limits(&daemon_config(rpc_daemon(share->rpc))->users, share->account);
	share->generation = rpc_generation(share->rpc);
	share->clients_max = limits.clients;
	share->calls_max = limits.requests;
}

static struct rpc_share *rpc_share_find(struct rpc *rpc, const char *account)
{
	struct rpc_share *share = rpc->shares;

	while (share && strcmp(share->account, account) != 0)
		share = share->next;
	if (share)
		return share;
	share = calloc(1, sizeof(*share));
	if (!share)
		return NULL;
	share->rpc = rpc;
	strcpy(share->account, account);
	rpc_share_look(share, true);
	share->next = rpc->shares;
	rpc->shares = share;
	return share;
}

int rpc_share_join(struct rpc *rpc, const struct users_caller *caller, struct rpc_share **out,
    struct schedd_error *err)
{
	struct rpc_share *share;

	*out = NULL;
	if (!caller->account[0] || caller->role == USERS_ADMIN)
		return 0;
	share = rpc_share_find(rpc, caller->account);
	if (!share)
		return schedd_error_nomem(err);
	rpc_share_look(share, false);
	if (share->clients >= share->clients_max)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "account %s has %lld connections, which is its limit: an administrator "
		    "decides (users.limits.clients)",
		    share->account, (long long)share->clients);
	share->clients++;
	*out = share;
	return 0;
}

void rpc_share_leave(struct rpc_share *share)
{
	if (share)
		share->clients--;
}

void rpc_share_begin(struct rpc_share *share)
{
	if (share)
		share->calls++;
}

bool rpc_share_end(struct rpc_share *share)
{
	return share && share->calls-- >= share->calls_max;
}

bool rpc_share_full(struct rpc_share *share)
{
	if (!share)
		return false;
	rpc_share_look(share, false);
	return share->calls >= share->calls_max;
}

void rpc_share_free(struct rpc *rpc)
{
	while (rpc->shares) {
		struct rpc_share *share = rpc->shares;

		rpc->shares = share->next;
		free(share);
	}
}
