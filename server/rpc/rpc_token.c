/* SPDX-License-Identifier: MIT */
/* The tokens are the HTTP side's; the file they stand in is written before the answer. */
#include "server/rpc/rpc_rows.h"

#include "server/daemon.h"
#include "server/rpc/rpc_call.h"
#include "server/web_link.h"

static void rpc_token_done(
    struct rpc_call *call, int rc, const struct value *answer, const struct schedd_error *err)
{
	if (rc)
		rpc_call_fail(call, err);
	else
		rpc_call_answer_built(call, answer);
}

void rpc_token_add(struct rpc_call *call)
{
	struct value answer = value_nil();
	struct schedd_error err;
	int rc = web_link_token_add(daemon_web(call->daemon), rpc_call_text(call, "name"),
	    rpc_call_text(call, "role"), rpc_call_text(call, "account"), &call->arena, &answer,
	    &err);

	rpc_token_done(call, rc, &answer, &err);
}

void rpc_token_list(struct rpc_call *call)
{
	struct value answer = value_nil();
	struct schedd_error err;
	int rc = web_link_token_list(daemon_web(call->daemon), &call->arena, &answer, &err);

	rpc_token_done(call, rc, &answer, &err);
}

void rpc_token_remove(struct rpc_call *call)
{
	struct value answer = value_map();
	struct schedd_error err;
	int rc = web_link_token_remove(daemon_web(call->daemon), rpc_call_text(call, "name"), &err);

	value_put(
	    &call->arena, &answer, "name", value_string_ref(rpc_call_text(call, "name")));
	if (rc)
		rpc_call_fail(call, &err);
	else
		rpc_call_answer(call, &answer);
}
