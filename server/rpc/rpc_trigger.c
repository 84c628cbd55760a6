/* SPDX-License-Identifier: MIT */
/* Fire times of a trigger that is given, or of a job's own. */
#include "server/rpc/rpc_trigger.h"

#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_job.h"
#include "trigger/trigger_preview.h"

#define RPC_TRIGGER_MAX 10000

static void rpc_trigger_of_job(struct rpc_call *call, const char *id)
{
	const struct schedd_job *job = scheduler_job_peek(call->scheduler, id);
	struct trigger_preview preview = {.wire = true};
	schedd_time now = scheduler_trigger_context(call->scheduler)->now;
	struct value answer;
	uint64_t count;

	if (!job || !job->trigger) {
		rpc_job_missing(call, id);
		return;
	}
	if (!rpc_call_time_in(call, "from", trigger_zone(job->trigger), now, &preview.from) ||
	    !rpc_call_time_in(
		call, "until", trigger_zone(job->trigger), SCHEDD_TIME_NONE, &preview.until) ||
	    !rpc_call_limit(call, "n", TRIGGER_PREVIEW_DEFAULT, RPC_TRIGGER_MAX, &count))
		return;
	preview.count = (uint32_t)count;
	answer = trigger_preview_value(job->trigger, &preview, &call->arena);
	rpc_call_answer_built(call, &answer);
}

void rpc_trigger_next(struct rpc_call *call)
{
	const char *id = rpc_call_text(call, "id");
	struct schedd_error err;
	struct value answer;
	uint64_t count;

	if (!rpc_call_param(call, "trigger") && id) {
		rpc_trigger_of_job(call, id);
		return;
	}
	if (!rpc_call_param(call, "trigger")) {
		schedd_error_set(
		    &err, SCHEDD_EINVAL, "trigger.next: give a trigger or the id of a job");
		rpc_call_fail(call, &err);
		return;
	}
	if (!rpc_call_limit(call, "n", TRIGGER_PREVIEW_DEFAULT, RPC_TRIGGER_MAX, &count))
		return;
	if (trigger_preview_request(&call->params, scheduler_trigger_context(call->scheduler), true,
		&call->arena, &answer, &err))
		rpc_call_fail(call, &err);
	else
		rpc_call_answer_built(call, &answer);
}
