/* SPDX-License-Identifier: MIT */
/* Runs are looked up in one place: those that go on first, then the history. */
#include "server/rpc/rpc_run.h"

#include <signal.h>
#include <string.h>
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_forward.h"
#include "server/rpc/rpc_job.h"
#include "server/rpc/rpc_view.h"

/* ---- One run ---- */

struct rpc_run_search {
	struct rpc_call *call;
	rpc_run_fn found;
	const char *patterns[2];
	char id[JOB_ID_MAX + 1];
	uint32_t number; /* 0: the latest */
};

static void rpc_run_came(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_run_search *search = context;
	struct rpc_call *call = search->call;
	const struct value *runs = rc ? NULL : value_get(result, "runs");
	struct schedd_error missing;

	if (rc) {
		rpc_call_fail(call, err);
	} else if (runs && runs->type == VALUE_ARRAY && runs->array.count) {
		search->found(call, &runs->array.items[0]);
	} else if (search->number) {
		schedd_error_set(
		    &missing, SCHEDD_ENOTFOUND, "no run '%s/%u'", search->id, search->number);
		rpc_call_fail(call, &missing);
	} else if (!scheduler_job_peek(call->scheduler, search->id)) {
		rpc_job_missing(call, search->id);
	} else {
		search->found(call, NULL);
	}
}

void rpc_run_find(struct rpc_call *call, rpc_run_fn found)
{
	struct rpc_run_search *search = arena_alloc(&call->arena, sizeof(*search));
	struct store_run_query query = {
	    .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE, .limit = 1};
	struct scheduler_reply reply = {.call = rpc_run_came, .context = search};

	if (!search) {
		rpc_call_answer_built(call, &call->params);
		return;
	}
	search->call = call;
	search->found = found;
	if (!rpc_call_run(call, search->id, &search->number))
		return;
	search->patterns[0] = search->id;
	query.jobs = search->patterns;
	query.number = search->number;
	scheduler_query_runs(call->scheduler, &query, reply);
}

static void rpc_run_never(struct rpc_call *call)
{
	struct schedd_error err;

	schedd_error_set(
	    &err, SCHEDD_ENOTFOUND, "job '%.128s' has not run yet", rpc_call_text(call, "run"));
	rpc_call_fail(call, &err);
}

static void rpc_run_got(struct rpc_call *call, const struct value *run)
{
	if (run)
		rpc_call_answer(call, run);
	else
		rpc_run_never(call);
}

void rpc_run_get(struct rpc_call *call)
{
	rpc_run_find(call, rpc_run_got);
}

/* ---- kill, retry, purge ---- */

/* A number, or a name with or without SIG. 0: not given. False: the call was ended. */
static bool rpc_run_signal(struct rpc_call *call, int *out)
{
	const struct value *value = rpc_call_param(call, "signal");
	struct schedd_error err;

	*out = 0;
	if (!value)
		return true;
	if (value->type == VALUE_INT && value->integer > 0 && value->integer < NSIG)
		*out = (int)value->integer;
	if (value->type == VALUE_STRING && job_signal_parse(value->string.text) > 0)
		*out = job_signal_parse(value->string.text);
	if (*out)
		return true;
	if (value->type == VALUE_STRING)
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "run.kill: no signal is called '%.32s': TERM, KILL, INT, HUP, USR1 … or a "
		    "number",
		    value->string.text);
	else
		schedd_error_set(&err, SCHEDD_EINVAL, "run.kill: that is no signal's number");
	rpc_call_fail(call, &err);
	return false;
}

void rpc_run_kill(struct rpc_call *call)
{
	char id[JOB_ID_MAX + 1];
	uint32_t number;
	int signal;

	if (rpc_call_run(call, id, &number) && rpc_run_signal(call, &signal))
		scheduler_kill(
		    call->scheduler, id, number, signal, &call->actor, rpc_call_reply(call));
}

static void rpc_run_retry_found(struct rpc_call *call, const struct value *run)
{
	struct scheduler_run_options options = {.trigger = RUN_BY_RETRY};
	const char *state = run ? value_get_string(run, "state") : NULL;
	const char *job = run ? value_get_string(run, "job") : NULL;
	struct schedd_error err;
	enum run_state parsed;

	if (!run) {
		rpc_run_never(call);
		return;
	}
	if (state && run_state_parse(state, &parsed) && !run_ended(parsed)) {
		schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "run %s is still %s: kill it first, or wait for its end",
		    rpc_call_text(call, "run"), state);
		rpc_call_fail(call, &err);
		return;
	}
	if (!job || !scheduler_job_peek(call->scheduler, job)) {
		schedd_error_set(&err, SCHEDD_ENOTFOUND,
		    "job '%.128s' was removed: there is nothing to run again", job ? job : "");
		rpc_call_fail(call, &err);
		return;
	}
	if (rpc_view_check_env(call, job, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	job = arena_strdup(&call->arena, job);
	if (job && rpc_call_run_env(call, &options.env))
		scheduler_run_job(
		    call->scheduler, job, &options, &call->actor, rpc_forward_reply(call));
	else if (!job)
		rpc_call_answer_built(call, &call->params);
}

void rpc_run_retry(struct rpc_call *call)
{
	rpc_run_find(call, rpc_run_retry_found);
}

void rpc_run_purge(struct rpc_call *call)
{
	bool all = rpc_call_bool(call, "all");
	char id[JOB_ID_MAX + 1];
	uint32_t number = 0;
	struct schedd_error err;

	if (all == (rpc_call_text(call, "run") != NULL)) {
		schedd_error_set(
		    &err, SCHEDD_EINVAL, "run.purge: give either run (JOB/N or JOB) or all: true");
		rpc_call_fail(call, &err);
		return;
	}
	if (all && rpc_view(call)[0]) {
		schedd_error_set(&err, SCHEDD_EPERM,
		    "run.purge: only admins delete all history: name the job, or JOB/N");
		rpc_call_fail(call, &err);
		return;
	}
	if (all || rpc_call_run(call, id, &number))
		scheduler_purge(
		    call->scheduler, all ? NULL : id, number, &call->actor, rpc_call_reply(call));
}
