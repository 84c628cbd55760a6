/* SPDX-License-Identifier: MIT */
/*
 * A request whose signature is right begins a run, or waits with others of the
 * same delivery for the one that is being begun. That goes on when they leave:
 * a sender that lost patience repeats the delivery, and is told of this run.
 */
#include "server/http/http_hook.h"

#include <stdlib.h>
#include <string.h>
#include <event2/buffer.h>
#include <schedd/clock.h>
#include "base/log.h"
#include "loop/offloop.h"
#include "server/http/http_auth.h"
#include "server/http/http_delivery.h"
#include "server/http/http_handlers.h"
#include "server/http/http_hook_check.h"
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"
#include "server/http/http_trace.h"

#define HOOK_SIGNATURE 64 /* hexadecimal digits */
#define HOOK_DELIVERY_MAX 255

/* A request on its way; in its arena. */
struct http_hook {
	struct http_hook *next; /* of those that wait for the same start */
	struct http_request *request;
	const char *delivery;          /* NULL: its sender names none */
	struct http_hook_check *check; /* NULL: it is over */
	struct http_hook_start *start; /* NULL: it waits for none */
};

/* A run that is being begun. */
struct http_hook_start {
	struct offloop_work work; /* first: the delivery is being written */
	struct http_hook_start *next;
	struct http_hooks *hooks; /* NULL: there is no HTTP side any more */
	struct http_hook *waiting;
	bool keyed; /* its sender named the delivery */
	struct http_delivery_key key;
	struct connection *connection; /* of the call; NULL: it is over */
	struct event *called;          /* the call has been answered */
	struct schedd_error err;       /* code 0: it was begun */
	char run[JOB_ID_MAX + 16];     /* "JOB/N" */
	char *path;                    /* where the delivery is written; owned */
	char line[HTTP_DELIVERY_LINE];
	int error; /* errno of writing */
};

struct http_hooks {
	struct web *web;
	struct http_deliveries *deliveries;
	struct http_hook_start *starts;
};

static int64_t hook_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->wall(clock->context) / SCHEDD_SECOND;
}

/* ---- Answers ---- */

static void hook_answer(struct http_request *request, const char *run, bool again)
{
	struct value map = value_map();
	const char *slash = strrchr(run, '/');

	http_request_set(request, "Location",
	    arena_printf(request->arena, "/api/v1/runs/%.*s/%s", (int)(slash - run), run,
		slash + 1));
	if (again)
		http_request_set(request, "Idempotency-Replayed", "true");
	value_put(request->arena, &map, "run", value_string(request->arena, run));
	http_request_json(request, 202, &map);
}

static void hook_start_free(struct offloop_work *work)
{
	struct http_hook_start *start = (struct http_hook_start *)work;

	free(start->path);
	free(start);
}

/* All that wait for it are told; it is in no list any more. */
static void hook_start_end(struct http_hook_start *start)
{
	struct http_hook_start **link = &start->hooks->starts;
	struct http_hook *hook, *next;
	bool again = false;

	while (*link != start)
		link = &(*link)->next;
	*link = start->next;
	if (start->called)
		event_free(start->called);
	for (hook = start->waiting; hook; hook = next) {
		struct http_request *request = hook->request;

		next = hook->next;
		hook->start = NULL;
		request->release = NULL;
		if (start->err.code)
			http_problem_error(request, &start->err);
		else
			hook_answer(request, start->run, again);
		again = true;
	}
}

/* ---- The delivery is remembered ---- */

static void hook_write_run(struct offloop_work *work)
{
	struct http_hook_start *start = (struct http_hook_start *)work;

	start->error = http_delivery_write(start->path, start->line);
}

static void hook_written(struct http_hook_start *start)
{
	if (start->error)
		log_error(start->hooks->web->host->log,
		    "http: '%s': %s; after a restart run %s could be begun again", start->path,
		    strerror(start->error), start->run);
	hook_start_end(start);
}

static void hook_write_done(struct offloop_work *work)
{
	hook_written((struct http_hook_start *)work);
}

static const struct offloop_ops hook_write_ops = {
    .run = hook_write_run,
    .done = hook_write_done,
    .drop = hook_start_free,
};

static void hook_remember(struct http_hook_start *start)
{
	struct http_hooks *hooks = start->hooks;
	const struct web_host *host = hooks->web->host;
	uint32_t number = (uint32_t)strtoul(strrchr(start->run, '/') + 1, NULL, 10);

	start->path = strdup(http_deliveries_path(hooks->deliveries));
	start->error = ENOMEM;
	if (http_deliveries_add(
		hooks->deliveries, &start->key, number, hook_now(), start->line) &&
	    start->path && host->work(host->context, &start->work))
		return;
	hook_written(start);
	hook_start_free(&start->work);
}

/* ---- The run is begun ---- */

/* Not in the sink, which may not close its connection. */
static void hook_called(evutil_socket_t fd, short what, void *context)
{
	struct http_hook_start *start = context;

	(void)fd;
	(void)what;
	start->hooks->web->host->close(start->connection);
	start->connection = NULL;
	if (!start->err.code && start->keyed) {
		hook_remember(start);
		return;
	}
	hook_start_end(start);
	hook_start_free(&start->work);
}

static void hook_sink_answer(uint32_t msgid, const struct value *result, void *context)
{
	struct http_hook_start *start = context;
	const char *run = value_get_string(result, "run");

	(void)msgid;
	if (run && strrchr(run, '/') && strlen(run) < sizeof(start->run))
		strcpy(start->run, run);
	else
		schedd_error_set(&start->err, SCHEDD_EFAILED, "the run has no number");
	event_active(start->called, EV_TIMEOUT, 1);
}

static void hook_sink_fail(uint32_t msgid, const struct schedd_error *err, void *context)
{
	struct http_hook_start *start = context;

	(void)msgid;
	start->err = *err;
	event_active(start->called, EV_TIMEOUT, 1);
}

static const struct connection_sink hook_sink = {
    .answer = hook_sink_answer,
    .fail = hook_sink_fail,
};

static void hook_run(struct http_hook_start *start, const struct http_request *request)
{
	const struct web_host *host = request->web->host;
	struct value params = value_map();
	struct arena arena;

	start->connection = host->open(
	    host->context, &http_auth_webhook, &hook_sink, start, &start->err);
	if (!start->connection) {
		event_active(start->called, EV_TIMEOUT, 1);
		return;
	}
	arena_init(&arena);
	value_put(&arena, &params, "id", value_string(&arena, request->args[0]));
	http_trace_put(request, &arena, &params);
	host->call(start->connection, 0, "job.run", &arena, &params, request->body_bytes);
}

/* ---- Which one it waits for ---- */

/* The client has left; what was begun goes on. */
static void hook_left(struct http_request *request)
{
	struct http_hook *hook = request->state, **link;

	if (hook->check)
		http_hook_check_leave(request->web->host, hook->check);
	if (!hook->start)
		return;
	for (link = &hook->start->waiting; *link != hook;)
		link = &(*link)->next;
	*link = hook->next;
}

static void hook_wait(struct http_hook *hook, struct http_hook_start *start)
{
	struct http_hook **link = &start->waiting;

	while (*link)
		link = &(*link)->next;
	*link = hook;
	hook->start = start;
	hook->request->release = hook_left;
}

static struct http_hook_start *hook_start_new(
    struct http_hooks *hooks, const struct http_delivery_key *key)
{
	struct http_hook_start *start = calloc(1, sizeof(*start));

	if (!start)
		return NULL;
	start->work.ops = &hook_write_ops;
	start->called = event_new(hooks->web->host->base, -1, 0, hook_called, start);
	if (!start->called) {
		free(start);
		return NULL;
	}
	start->hooks = hooks;
	start->keyed = key != NULL;
	if (key)
		start->key = *key;
	start->next = hooks->starts;
	hooks->starts = start;
	return start;
}

static void hook_begin(struct http_hook *hook, const struct http_delivery_key *key)
{
	struct http_request *request = hook->request;
	struct http_hook_start *start = hook_start_new(request->web->hooks, key);

	if (!start) {
		http_problem(request, 503, "failed", "out of memory");
		return;
	}
	hook_wait(hook, start);
	hook_run(start, request);
}

static void hook_signed(struct http_hook *hook)
{
	struct http_request *request = hook->request;
	struct http_hooks *hooks = request->web->hooks;
	struct http_delivery_key key;
	uint32_t seen;

	if (!hook->delivery) {
		hook_begin(hook, NULL);
		return;
	}
	key = http_delivery_key(request->args[0], hook->delivery);
	for (struct http_hook_start *start = hooks->starts; start; start = start->next) {
		if (start->keyed && http_delivery_same(&start->key, &key)) {
			hook_wait(hook, start);
			return;
		}
	}
	seen = http_deliveries_find(hooks->deliveries, &key, hook_now());
	if (seen) {
		hook_answer(request, arena_printf(request->arena, "%s/%u", request->args[0], seen),
		    true);
	} else if (!http_deliveries_room(hooks->deliveries, hook_now())) {
		http_request_set(request, "Retry-After", "3600");
		http_problem(request, 429, "failed", "%d deliveries came today, which is the limit",
		    HTTP_DELIVERY_MOST);
	} else {
		hook_begin(hook, &key);
	}
}

/* ---- Is it signed? ---- */

static void hook_checked(enum http_hook_verdict verdict, const char *reason, void *context)
{
	struct http_hook *hook = context;
	struct http_request *request = hook->request;
	struct http_auth *auth = request->web->auth;

	hook->check = NULL;
	request->release = NULL;
	if (verdict == HTTP_HOOK_UNREADABLE) {
		log_error(request->web->host->log, "http: the secret of the hook of job %s: %s",
		    request->args[0], reason[0] ? reason : "out of memory");
		http_problem(request, 500, "failed",
		    "the secret of this webhook cannot be read; schedd's log says why");
	} else if (verdict == HTTP_HOOK_FORGED) {
		http_auth_unsigned(auth, request, true);
	} else {
		http_auth_right(auth, request);
		hook_signed(hook);
	}
}

/* The digits of "sha256=…"; NULL: it is none. */
static const char *hook_signature(const char *header)
{
	const char *digits = header && strncmp(header, "sha256=", 7) == 0 ? header + 7 : NULL;

	return digits && strlen(digits) == HOOK_SIGNATURE &&
		       strspn(digits, "0123456789abcdefABCDEF") == HOOK_SIGNATURE
		   ? digits
		   : NULL;
}

static void hook_found(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	struct http_hook *hook = request->state;
	const char *file = err ? NULL : value_get_string(value_get(job, "hook"), "secret_file");
	const char *header = http_request_header(request, "X-Hub-Signature-256");
	const char *signature = hook_signature(header);
	struct evbuffer *body = evhttp_request_get_input_buffer(request->evhttp);

	if (err && err->code != SCHEDD_ENOTFOUND && err->code != SCHEDD_EINVAL) {
		http_problem_error(request, err);
	} else if (!file) {
		http_problem(request, 404, "not_found", "there is no webhook of this name");
	} else if (!signature) {
		http_auth_unsigned(request->web->auth, request, header != NULL);
	} else {
		hook->check = http_hook_check(request->web->host, request->args[0], file,
		    evbuffer_pullup(body, -1), evbuffer_get_length(body), signature, hook_checked,
		    hook);
		if (hook->check) {
			request->release = hook_left;
			return;
		}
		http_request_set(request, "Retry-After", "1");
		http_problem(request, 429, "failed", "too many signatures are being checked");
	}
}

/* NULL: none was sent. False: what was sent is none; answered. */
static bool hook_delivery(struct http_request *request, const char **out)
{
	const char *names[] = {"X-GitHub-Delivery", "Idempotency-Key"}, *text = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !text; i++) {
		text = http_request_header(request, names[i]);
		if (text && (!text[0] || strlen(text) > HOOK_DELIVERY_MAX)) {
			http_problem(request, 400, "invalid_argument",
			    "%s has 1 to %d bytes", names[i], HOOK_DELIVERY_MAX);
			return false;
		}
	}
	*out = text;
	return true;
}

/* Where HTTP is not asked for webhooks, nothing is read and kept for them. */
static bool hooks_open(struct web *web, struct schedd_error *err)
{
	struct http_hooks *hooks = calloc(1, sizeof(*hooks));

	if (!hooks) {
		schedd_error_nomem(err);
		return false;
	}
	hooks->web = web;
	if (http_deliveries_open(web->host->state_dir, hook_now(), &hooks->deliveries, err)) {
		free(hooks);
		return false;
	}
	web->hooks = hooks;
	return true;
}

void http_hook_run(struct http_request *request)
{
	struct http_hook *hook = arena_alloc(request->arena, sizeof(*hook));
	struct value params = value_map();
	struct schedd_error err;
	const char *delivery;

	if (http_auth_waits(request->web->auth, request) || !hook_delivery(request, &delivery))
		return;
	if (!hook || (!request->web->hooks && !hooks_open(request->web, &err))) {
		http_problem(request, 503, "failed", "out of memory");
		return;
	}
	*hook = (struct http_hook){.request = request, .delivery = delivery};
	request->state = hook;
	request->identity = &http_auth_webhook;
	value_put(request->arena, &params, "id", value_string_ref(request->args[0]));
	http_request_call(request, "job.get", &params, hook_found);
}

void http_hooks_close(struct http_hooks *hooks)
{
	struct http_hook_start *start, *next;

	if (!hooks)
		return;
	for (start = hooks->starts; start; start = next) {
		next = start->next;
		if (start->connection)
			hooks->web->host->close(start->connection);
		event_free(start->called);
		if (start->path) /* a thread has it */
			hooks->web->host->leave(&start->work);
		else
			hook_start_free(&start->work);
	}
	http_deliveries_close(hooks->deliveries);
	free(hooks);
}
