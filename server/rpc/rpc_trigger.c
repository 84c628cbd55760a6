/* SPDX-License-Identifier: MIT */
/*
 * Fire times of a trigger that is given, or of a job's own. Some triggers have
 * to be searched for long: that is done in pieces, between which the loop turns.
 */
#include "server/rpc/rpc_rows.h"

#include <stdlib.h>
#include <string.h>
#include "model/job_words.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_job.h"
#include "server/rpc/rpc_call_turn.h"
#include "trigger/trigger_preview.h"

#define RPC_TRIGGER_MAX 10000

/* An answer that is being found. */
struct rpc_walk {
	struct trigger_preview_walk walk;
	struct schedd_trigger *trigger; /* held */
	const char *words;              /* a job's, when it runs; NULL: the trigger's own */
	struct rpc_turn turn;           /* waits between two pieces */
};

static void rpc_walk_release(struct rpc_call *call)
{
	struct rpc_walk *walk = call->state;

	rpc_turn_leave(connection_rpc(call->connection), &walk->turn);
	trigger_unref(walk->trigger);
	free(walk);
}

static void rpc_walk_answer(struct rpc_call *call)
{
	struct rpc_walk *walk = call->state;
	struct schedd_error err;
	struct value answer;

	if (trigger_preview_end(&walk->walk, &call->arena, &answer, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	for (uint32_t i = 0; walk->words && i < answer.map.count; i++)
		if (strcmp(answer.map.members[i].key, "words") == 0)
			answer.map.members[i].value = value_string_ref(walk->words);
	rpc_call_answer_built(call, &answer);
}

/* One piece, and what comes of it. */
static void rpc_walk_go(void *context)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct rpc_call *call = context;
	struct rpc_walk *walk = call->state;
	int64_t end = clock->mono(clock->context).us + RPC_TURN_PIECE;

	while (trigger_preview_more(&walk->walk, &call->arena)) {
		if (clock->mono(clock->context).us < end)
			continue;
		rpc_call_turn_wait(call, &walk->turn);
		return;
	}
	rpc_walk_answer(call);
}

/* Takes the reference to trigger. */
static void rpc_walk_begin(struct rpc_call *call, struct schedd_trigger *trigger,
    const struct trigger_preview *preview, const char *words)
{
	struct rpc_walk *walk = calloc(1, sizeof(*walk));
	struct schedd_error err;

	if (!walk) {
		trigger_unref(trigger);
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
		return;
	}
	walk->trigger = trigger;
	walk->words = words;
	trigger_preview_start(&walk->walk, trigger, preview);
	call->state = walk;
	call->release = rpc_walk_release;
	walk->turn.go = rpc_walk_go;
	walk->turn.context = call;
	if (rpc_turn_is_late(connection_rpc(call->connection)))
		rpc_call_turn_wait(call, &walk->turn);
	else
		rpc_walk_go(call);
}

/* A job that follows others is not told by its trigger alone. */
static const char *rpc_trigger_words(struct rpc_call *call, const struct schedd_job *job)
{
	struct strbuf text = STRBUF_EMPTY;

	job_words_when(job, &text);
	return value_string_take(&call->arena, &text).string.text;
}

static void rpc_trigger_of_job(struct rpc_call *call, const char *id)
{
	const struct schedd_job *job = scheduler_job_peek(call->scheduler, id);
	struct trigger_preview preview = {.wire = true};
	schedd_time now = scheduler_trigger_context(call->scheduler)->now;
	struct scheduler_job_plan plan;
	struct schedd_error err;
	uint64_t count;

	if (job && !job->trigger) {
		schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "job %s could not be read, so nobody knows when it runs: 'schedctl show %s' "
		    "says why",
		    id, id);
		rpc_call_fail(call, &err);
		return;
	}
	if (!job || !scheduler_job_planned(call->scheduler, id, &plan)) {
		rpc_job_missing(call, id);
		return;
	}
	if (!rpc_call_time_in(call, "from", trigger_zone(job->trigger), now, &preview.from) ||
	    !rpc_call_time_in(
		call, "until", trigger_zone(job->trigger), SCHEDD_TIME_NONE, &preview.until) ||
	    !rpc_call_limit(call, "n", TRIGGER_PREVIEW_DEFAULT, RPC_TRIGGER_MAX, &count))
		return;
	preview.count = (uint32_t)(count < plan.runs_left ? count : plan.runs_left);
	preview.planned = plan.run;
	preview.planned_for = plan.fire != SCHEDD_TIME_NONE ? plan.fire : plan.run;
	rpc_walk_begin(call, trigger_ref(job->trigger), &preview, rpc_trigger_words(call, job));
}

void rpc_trigger_next(struct rpc_call *call)
{
	const char *id = rpc_call_text(call, "id");
	struct trigger_preview preview;
	struct schedd_trigger *trigger;
	struct schedd_error err;
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
	if (trigger_preview_read(&call->params, scheduler_trigger_context(call->scheduler),
		&preview, &trigger, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	preview.wire = true;
	if (preview.count > RPC_TRIGGER_MAX)
		preview.count = RPC_TRIGGER_MAX;
	rpc_walk_begin(call, trigger, &preview, NULL);
}
