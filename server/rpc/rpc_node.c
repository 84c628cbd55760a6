/* SPDX-License-Identifier: MIT */
/* The daemons that share a store. */
#include "server/rpc/rpc_rows.h"

#include <string.h>
#include "server/rpc/rpc_call.h"

void rpc_node_list(struct rpc_call *call)
{
	struct value list = scheduler_nodes(call->scheduler, &call->arena);

	rpc_call_answer_built(call, &list);
}

static void rpc_node_set(struct rpc_call *call, enum scheduler_node_verb verb)
{
	const char *name = rpc_call_text(call, "name");
	struct value answer = value_map();

	value_put(&call->arena, &answer, "name", value_string_ref(name));
	scheduler_node_set(call->scheduler, name, verb, rpc_call_reply_with(call, answer));
}

void rpc_node_drain(struct rpc_call *call)
{
	rpc_node_set(call, SCHEDULER_NODE_DRAIN);
}

void rpc_node_resume(struct rpc_call *call)
{
	rpc_node_set(call, SCHEDULER_NODE_RESUME);
}

void rpc_node_forget(struct rpc_call *call)
{
	rpc_node_set(call, SCHEDULER_NODE_FORGET);
}
