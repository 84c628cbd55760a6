/* SPDX-License-Identifier: MIT */
/*
 * Waiting is pushed, never polled: by the scheduler's own waits for the end of
 * a run and for an idle job, and by events for a first run and for a start.
 */
#include "server/rpc/rpc_rows.h"

#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_job.h"
#include "server/rpc/rpc_run.h"

enum rpc_wait_for { RPC_WAIT_DONE, RPC_WAIT_SUCCESS, RPC_WAIT_RUNNING, RPC_WAIT_IDLE };

static const char *const rpc_wait_words[] = {"done", "success", "running", "idle"};

struct rpc_wait {
	struct rpc_call *call;
	enum rpc_wait_for what;
	char job[JOB_ID_MAX + 1];
	struct event *timeout;            /* NULL: none */
	struct scheduler_wait *wait;      /* NULL: none is pending */
	struct schedd_listener *listener; /* NULL: none */
	bool querying; /* the run is being looked up: the call cannot end meanwhile */
	bool again;    /* something happened meanwhile: look it up once more */
	bool gone;     /* the client left meanwhile */
	bool late;     /* the time was over meanwhile */
	bool starting; /* inside a function that may end the call */
	bool over;     /* it did */
};

static void rpc_wait_look(struct rpc_wait *wait);

/* The call ends, however: nothing will call back any more. */
static void rpc_wait_release(struct rpc_call *call)
{
	struct rpc_wait *wait = call->state;

	if (wait->timeout)
		event_free(wait->timeout);
	if (wait->wait)
		scheduler_wait_cancel(wait->wait);
	if (wait->listener)
		schedd_scheduler_unlisten(wait->listener);
	wait->over = true;
	if (!wait->starting)
		free(wait);
}

static void rpc_wait_cancelled(struct rpc_call *call)
{
	struct rpc_wait *wait = call->state;
	struct value nil = value_nil();

	if (wait->querying)
		wait->gone = true;
	else
		rpc_call_answer(call, &nil);
}

static void rpc_wait_fail_late(struct rpc_wait *wait)
{
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_ETIMEOUT, "%s is not %s yet",
	    rpc_call_text(wait->call, "run"), rpc_wait_words[wait->what]);
	rpc_call_fail(wait->call, &err);
}

static void rpc_wait_on_timeout(evutil_socket_t fd, short what, void *context)
{
	struct rpc_wait *wait = context;

	(void)fd;
	(void)what;
	if (wait->querying)
		wait->late = true;
	else
		rpc_wait_fail_late(wait);
}

static void rpc_wait_came(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_wait *wait = context;
	struct rpc_call *call = wait->call;
	struct value job;

	wait->wait = NULL;
	if (rc) {
		rpc_call_fail(call, err);
	} else if (wait->what == RPC_WAIT_IDLE) {
		job = scheduler_job_value(call->scheduler, wait->job, &call->arena);
		rpc_call_answer_built(call, &job);
	} else {
		rpc_call_answer(call, result);
	}
}

/* Something became of a run of the job. */
static void rpc_wait_on_event(const struct schedd_event *event, void *context)
{
	struct rpc_wait *wait = context;

	if (event->job && strcmp(event->job, wait->job) == 0)
		rpc_wait_look(wait);
}

static void rpc_wait_listen(struct rpc_wait *wait)
{
	const unsigned mask = SCHEDD_EVENT_JOB_SUBMITTED | SCHEDD_EVENT_RUN_STARTED |
			      SCHEDD_EVENT_JOB_EXECUTED | SCHEDD_EVENT_JOB_ERROR |
			      SCHEDD_EVENT_JOB_MISSED | SCHEDD_EVENT_RUN_KILLED |
			      SCHEDD_EVENT_JOB_MAX_INSTANCES | SCHEDD_EVENT_JOB_REMOVED;
	struct schedd_error err;

	if (!wait->listener)
		wait->listener =
		    schedd_scheduler_listen(wait->call->scheduler, mask, rpc_wait_on_event, wait);
	if (!wait->listener) {
		schedd_error_nomem(&err);
		rpc_call_fail(wait->call, &err);
	}
}

/* Has it happened to this run? */
static bool rpc_wait_holds(const struct rpc_wait *wait, const struct value *run)
{
	const char *name = value_get_string(run, "state");
	enum run_state state;

	if (!name || !run_state_parse(name, &state))
		return true;
	if (wait->what != RPC_WAIT_RUNNING || run_ended(state))
		return run_ended(state);
	return state != RUN_QUEUED &&
	       !scheduler_run_starting(wait->call->scheduler, wait->job,
		   (uint32_t)value_get_int(run, "run", 0));
}

/* Waits for the end of a run that goes on; the answer may come before this returns. */
static void rpc_wait_for_end(struct rpc_wait *wait, const struct value *run)
{
	struct scheduler_reply reply = {.call = rpc_wait_came, .context = wait};
	uint32_t number = (uint32_t)value_get_int(run, "run", 0);
	struct scheduler_wait *pending;

	wait->starting = true;
	pending = scheduler_wait_run(wait->call->scheduler, wait->job, number, reply);
	wait->starting = false;
	if (wait->over)
		free(wait);
	else
		wait->wait = pending;
}

static void rpc_wait_found(struct rpc_call *call, const struct value *run)
{
	struct rpc_wait *wait = call->state;

	wait->querying = false;
	if (wait->gone) {
		rpc_wait_cancelled(call);
	} else if (run && rpc_wait_holds(wait, run)) {
		rpc_call_answer(call, run);
	} else if (wait->late) {
		rpc_wait_fail_late(wait);
	} else if (run && wait->what != RPC_WAIT_RUNNING) {
		rpc_wait_for_end(wait, run);
	} else if (wait->again) {
		rpc_wait_look(wait);
	} else {
		rpc_wait_listen(wait);
	}
}

static void rpc_wait_look(struct rpc_wait *wait)
{
	if (wait->wait)
		return; /* the run is known, its end is waited for */
	wait->again = wait->querying;
	if (wait->querying)
		return;
	wait->querying = true;
	rpc_run_find(wait->call, rpc_wait_found);
}

static void rpc_wait_for_idle(struct rpc_wait *wait)
{
	struct scheduler_reply reply = {.call = rpc_wait_came, .context = wait};
	struct scheduler_wait *pending;

	if (!scheduler_job_peek(wait->call->scheduler, wait->job)) {
		rpc_job_missing(wait->call, wait->job);
		return;
	}
	wait->starting = true;
	pending = scheduler_wait_idle(wait->call->scheduler, wait->job, reply);
	wait->starting = false;
	if (wait->over)
		free(wait);
	else
		wait->wait = pending;
}

/* The word behind `for`; false: it is none, and the call was ended. */
static bool rpc_wait_word(struct rpc_call *call, enum rpc_wait_for *out)
{
	const char *word = rpc_call_text(call, "for");
	struct schedd_error err;

	*out = RPC_WAIT_DONE;
	for (int i = RPC_WAIT_DONE; word && i <= RPC_WAIT_IDLE; i++) {
		if (strcmp(word, rpc_wait_words[i]) == 0) {
			*out = (enum rpc_wait_for)i;
			return true;
		}
	}
	if (!word)
		return true;
	schedd_error_set(&err, SCHEDD_EINVAL,
	    "run.wait: for is done, success, running or idle, not '%.32s'", word);
	rpc_call_fail(call, &err);
	return false;
}

/* 0 or SCHEDD_ENOMEM. */
static int rpc_wait_arm(struct rpc_wait *wait, schedd_span length)
{
	struct timeval after = {
	    .tv_sec = length / SCHEDD_SECOND, .tv_usec = length % SCHEDD_SECOND};

	if (length == SCHEDD_SPAN_NONE)
		return 0;
	wait->timeout = event_new(
	    rpc_base(connection_rpc(wait->call->connection)), -1, 0, rpc_wait_on_timeout, wait);
	return wait->timeout && event_add(wait->timeout, &after) == 0 ? 0 : SCHEDD_ENOMEM;
}

void rpc_wait_run(struct rpc_call *call)
{
	enum rpc_wait_for what;
	struct schedd_error err;
	struct rpc_wait *wait;
	schedd_span length;
	uint32_t number;

	if (!rpc_wait_word(call, &what) ||
	    !rpc_call_span(call, "timeout", SCHEDD_SPAN_NONE, &length))
		return;
	wait = calloc(1, sizeof(*wait));
	if (!wait) {
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
		return;
	}
	wait->call = call;
	wait->what = what;
	call->state = wait;
	call->release = rpc_wait_release;
	rpc_call_on_cancel(call, rpc_wait_cancelled);
	if (!rpc_call_run(call, wait->job, &number))
		return;
	if (rpc_wait_arm(wait, length)) {
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
	} else if (what == RPC_WAIT_IDLE) {
		rpc_wait_for_idle(wait);
	} else {
		rpc_wait_look(wait);
	}
}
