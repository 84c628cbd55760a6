/* SPDX-License-Identifier: MIT */
#include "server/rpc/rpc_call_turn.h"

void rpc_call_turn_cancel(struct rpc_call *call)
{
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_EFAILED, "nobody waits for the answer");
	rpc_call_fail(call, &err);
}

void rpc_call_turn_watch(struct rpc_call *call, struct rpc_turn *turn)
{
	if (!turn->watched)
		rpc_call_on_leave(call, rpc_call_turn_cancel);
	turn->watched = true;
}

void rpc_call_turn_wait(struct rpc_call *call, struct rpc_turn *turn)
{
	rpc_call_turn_watch(call, turn);
	rpc_turn_wait(connection_rpc(call->connection), turn);
}
