/* SPDX-License-Identifier: MIT */
/*
 * The caller was judged where it asked; the node that does it takes that
 * node's word for who it is, as both use the same store.
 *
 * A call may go on: with the name of a stream its notifications are kept here,
 * up to a limit, until the other node asks for more of them. So nothing is sent
 * that nobody takes, and what is dropped is told by whoever notifies, as it is
 * to a client that does not read.
 */
#include "server/rpc/rpc_serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "base/json_exact.h"
#include "server/rpc/connection.h"
#include "server/rpc/rpc_stream.h"
#include "server/rpc/rpc_state.h"

/* Bytes of notifications that wait to be asked for. */
#define SERVE_NOTES_MAX (256 << 10)
/* Those that come together go together, in µs. */
#define SERVE_GATHER 20000
/* A stream that is silent says so after that, in seconds; one that nobody asks for is over then. */
#define SERVE_SILENT 20
#define SERVE_FORGOTTEN 90

/* A call of another node's. A sink may not close its connection: what is over is closed by its event. */
struct rpc_served {
	struct rpc_served *next;
	struct rpc *rpc;
	struct connection *connection;
	struct scheduler_asked *asked; /* to be answered; NULL: nothing is, for now */
	struct event *event;
	bool answered;               /* the call itself was */
	bool over;                   /* to be closed */
	bool quick;                  /* who asks wants to know when there is nothing more */
	char stream[RPC_STREAM_NAME]; /* "": it has none */
	struct strbuf notes;         /* of the stream: a list's members, as JSON */
};

static void serve_free(struct rpc_served *served)
{
	/* Whoever asked is told so by its limit. */
	free(served->asked);
	connection_local_close(served->connection);
	if (served->event)
		event_free(served->event);
	strbuf_clear(&served->notes);
	free(served);
}

void rpc_serve_end(struct rpc_served **all)
{
	while (*all) {
		struct rpc_served *served = *all;

		*all = served->next;
		serve_free(served);
	}
}

static void serve_later(struct rpc_served *served, long seconds, long micros)
{
	const struct timeval span = {.tv_sec = seconds, .tv_usec = micros};

	if (event_add(served->event, &span) < 0)
		event_active(served->event, EV_TIMEOUT, 0);
}

/* ---- Its stream ---- */

static struct rpc_served **serve_find(struct rpc *rpc, const char *stream)
{
	struct rpc_served **served = rpc_served(rpc);

	while (*served && (!stream[0] || strcmp((*served)->stream, stream) != 0))
		served = &(*served)->next;
	return served;
}

static void serve_notes(struct rpc_served *served)
{
	struct scheduler_asked *asked = served->asked;
	struct value answer = value_map();
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;

	arena_init(&arena);
	strbuf_printf(&text, "[%s]", strbuf_peek(&served->notes));
	value_put(&arena, &answer, "notes", value_string_ref(strbuf_peek(&text)));
	value_put(&arena, &answer, "idle", value_bool(served->notes.length == 0));
	served->asked = NULL;
	scheduler_asked_answer(asked, 0, NULL, &answer);
	arena_clear(&arena);
	strbuf_clear(&text);
	strbuf_reset(&served->notes);
	serve_later(served, SERVE_FORGOTTEN, 0);
	/* It may go on: what it had to drop is told now. */
	connection_drained(served->connection);
}

static void serve_due(evutil_socket_t fd, short what, void *context)
{
	struct rpc_served *served = context;
	struct rpc_served **at = rpc_served(served->rpc);

	(void)fd;
	(void)what;
	if (!served->over && served->asked && served->answered) {
		serve_notes(served);
		return;
	}
	while (*at != served)
		at = &(*at)->next;
	*at = served->next;
	serve_free(served);
}

static bool serve_notify(const char *method, const struct value *params, void *context)
{
	struct rpc_served *served = context;
	struct strbuf *notes = &served->notes;
	size_t before = notes->length;

	/* What follows is not for those who asked for one answer. */
	if (!served->stream[0] || served->over)
		return true;
	if (before >= SERVE_NOTES_MAX)
		return false;
	strbuf_printf(notes, "%s[\"%s\",", before ? "," : "", method);
	json_exact_write(notes, params);
	strbuf_add_char(notes, ']');
	if (strbuf_failed(notes)) {
		notes->failed = false;
		notes->length = before;
		return false;
	}
	if (served->asked && served->answered && before == 0)
		serve_later(served, 0, SERVE_GATHER);
	return true;
}

/* The other node has taken what it had. */
static void serve_more(struct rpc *rpc, const struct value *request, struct scheduler_asked *asked)
{
	struct rpc_served *served = *serve_find(rpc, value_get_string(request, "more"));
	struct schedd_error err;

	if (!served || served->over || served->asked) {
		schedd_error_set(&err, SCHEDD_ENOTFOUND, "this stream is over");
		scheduler_asked_answer(asked, err.code, &err, NULL);
		return;
	}
	served->asked = asked;
	served->quick = value_get_bool(request, "quick", false);
	if (served->notes.length || served->quick)
		serve_later(served, 0, SERVE_GATHER);
	else
		serve_later(served, SERVE_SILENT, 0);
}

static void serve_close(struct rpc *rpc, const struct value *request, struct scheduler_asked *asked)
{
	struct rpc_served *served = *serve_find(rpc, value_get_string(request, "close"));
	struct value answer = value_map();

	if (served) {
		served->over = true;
		event_active(served->event, EV_TIMEOUT, 0);
	}
	scheduler_asked_answer(asked, 0, NULL, &answer);
}

/* ---- Its answer ---- */

static void serve_answered(struct rpc_served *served, const struct schedd_error *err, const struct value *result)
{
	struct scheduler_asked *asked = served->asked;

	if (served->answered)
		return;
	served->answered = true;
	served->asked = NULL;
	served->over = err || !served->stream[0];
	if (served->over)
		event_active(served->event, EV_TIMEOUT, 0);
	else
		serve_later(served, SERVE_FORGOTTEN, 0);
	scheduler_asked_answer(asked, err ? err->code : 0, err, result);
}

static void serve_answer(uint32_t msgid, const struct value *result, void *context)
{
	(void)msgid;
	serve_answered(context, NULL, result);
}

static void serve_fail(uint32_t msgid, const struct schedd_error *err, void *context)
{
	(void)msgid;
	serve_answered(context, err, NULL);
}

static void serve_answer_list(uint32_t msgid, const char *key, const struct strbuf *items,
    uint32_t count, const struct value *rest, void *context)
{
	struct schedd_error err;

	(void)items;
	(void)count;
	(void)rest;
	schedd_error_set(&err, SCHEDD_EINVAL, "a list of %s is not asked of another node", key ? key : "rows");
	serve_fail(msgid, &err, context);
}

static const struct connection_sink serve_sink = {
    .answer = serve_answer,
    .answer_list = serve_answer_list,
    .fail = serve_fail,
    .notify = serve_notify,
};

/* ---- A call ---- */

static bool serve_caller(const struct value *request, struct users_caller *caller)
{
	static const enum users_role roles[] = {USERS_USER, USERS_OPERATOR, USERS_ADMIN};
	const char *role = value_get_string(request, "role");
	const char *account = value_get_string(request, "account");
	const char *view = value_get_string(request, "view");

	*caller = (struct users_caller){.uid = (uid_t)value_get_int(request, "uid", -1)};
	for (size_t i = 0; role && i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(users_role_name(roles[i]), role) != 0)
			continue;
		caller->role = roles[i];
		snprintf(caller->account, sizeof(caller->account), "%s", account ? account : "");
		snprintf(caller->view, sizeof(caller->view), "%s", view ? view : "");
		return true;
	}
	return false;
}

static struct rpc_served *serve_new(struct rpc *rpc, const struct value *request)
{
	struct rpc_served *served = calloc(1, sizeof(*served));
	const char *stream = value_get_string(request, "stream");
	struct users_caller caller;

	if (!served)
		return NULL;
	served->rpc = rpc;
	served->notes = (struct strbuf)STRBUF_EMPTY;
	snprintf(served->stream, sizeof(served->stream), "%s", stream ? stream : "");
	served->event = event_new(rpc_base(rpc), -1, 0, serve_due, served);
	if (served->event && serve_caller(request, &caller))
		served->connection = connection_local_open(
		    rpc, &caller, (pid_t)value_get_int(request, "pid", -1), &serve_sink, served);
	if (served->connection)
		return served;
	serve_free(served);
	return NULL;
}

static void serve_asked(const struct value *request, struct scheduler_asked *asked, void *context)
{
	struct rpc *rpc = context;
	const char *method = value_get_string(request, "method");
	const struct value *params = value_get(request, "params");
	struct rpc_served *served;
	struct schedd_error err;
	struct value copy;
	struct arena arena;

	if (value_get_string(request, "more")) {
		serve_more(rpc, request, asked);
		return;
	}
	if (value_get_string(request, "close")) {
		serve_close(rpc, request, asked);
		return;
	}
	served = method && params && !rpc_is_finishing(rpc) ? serve_new(rpc, request) : NULL;
	if (!served) {
		schedd_error_set(&err, SCHEDD_EINVAL, "%s",
		    rpc_is_finishing(rpc) ? "it stops" : "what was asked of this node makes no sense to it");
		scheduler_asked_answer(asked, err.code, &err, NULL);
		return;
	}
	connection_peer(served->connection)->forwarded = true;
	served->asked = asked;
	served->next = *rpc_served(rpc);
	*rpc_served(rpc) = served;
	arena_init(&arena);
	copy = value_copy(&arena, params);
	rpc_local_call(rpc, served->connection, 0, method, &arena, &copy, 0);
}

void rpc_serve(struct rpc *rpc, struct schedd_scheduler *scheduler)
{
	scheduler_set_asked(scheduler, serve_asked, rpc);
}
