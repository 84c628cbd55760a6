/* SPDX-License-Identifier: MIT */
/*
 * Requests as jobs, through libcurl. A module of its own (schedd_http.so):
 * libcurl costs megabytes, which only those pay who send requests.
 *
 * libcurl asks for descriptors and one timer, which the loop watches for it.
 * The body is the output. A transfer is never ended inside executor_signal(): it
 * is marked, and the timer rings at once.
 */
#include <stdlib.h>
#include <curl/curl.h>
#include <schedd/module.h>
#include "executor/executor_ops.h"
#include "executor/http_easy.h"
#include "loop/alarm.h"
#include "loop/loop.h"

struct http_task;

struct http {
	struct executor executor;
	CURLM *multi;
	struct alarm *alarm;     /* libcurl's timer, and the end of stopped transfers */
	struct http_task *tasks; /* doubly linked */
	bool global;             /* libcurl was made ready */
};

struct http_task {
	struct task task;
	struct http_task *next, *previous;
	CURL *easy;
	struct curl_slist *headers;
	int signal; /* that it was stopped with; 0: none */
	char error[CURL_ERROR_SIZE];
};

/* A descriptor of libcurl's. */
struct http_socket {
	struct http *http;
	struct schedd_watch *watch;
};

static void http_task_free(struct http_task *task)
{
	struct http *http = (struct http *)task->task.executor;

	if (task->next)
		task->next->previous = task->previous;
	if (task->previous)
		task->previous->next = task->next;
	else if (http->tasks == task)
		http->tasks = task->next;
	if (task->easy) {
		curl_multi_remove_handle(http->multi, task->easy);
		curl_easy_cleanup(task->easy);
	}
	curl_slist_free_all(task->headers);
	free(task);
}

static void http_finish(struct http_task *task, CURLcode code)
{
	struct executor *executor = task->task.executor;
	const struct task_request *request = task->task.request;
	struct task_result result = {.started = true, .exit_code = -1, .signal = task->signal};
	struct schedd_error reason;

	if (!task->signal)
		result.exit_code =
		    http_easy_judge(task->easy, code, request->job->http, task->error, &reason);
	if (!task->signal && result.exit_code != 0)
		result.reason = reason.message;
	http_task_free(task);
	executor_done(executor, request, &result);
}

/* Ends what has ended and what was stopped. Each end may start another transfer. */
static void http_collect(struct http *http)
{
	struct http_task *task = http->tasks;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		char *ended = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &ended);
		http_finish((struct http_task *)(void *)ended, message->data.result);
	}
	for (task = http->tasks; task;) {
		if (!task->signal) {
			task = task->next;
			continue;
		}
		http_finish(task, CURLE_OK);
		task = http->tasks;
	}
}

static void http_ready(int fd, unsigned ready, void *context)
{
	struct http *http = ((struct http_socket *)context)->http;
	int running, what = 0;

	if (ready & SCHEDD_READ)
		what |= CURL_CSELECT_IN;
	if (ready & SCHEDD_WRITE)
		what |= CURL_CSELECT_OUT;
	/* The watch and its context may go in here. */
	curl_multi_socket_action(http->multi, fd, what, &running);
	http_collect(http);
}

static void http_alarm(bool stepped, void *context)
{
	struct http *http = context;
	int running;

	(void)stepped;
	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	http_collect(http);
}

/* libcurl says what it wants to know of a descriptor. */
static int http_on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	struct http *http = context;
	struct schedd_loop *loop = http->executor.config.loop;
	struct http_socket *socket = known;
	unsigned ready = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket)
			loop_unwatch(loop, socket->watch);
		free(socket);
		return 0;
	}
	if (what & CURL_POLL_IN)
		ready |= SCHEDD_READ;
	if (what & CURL_POLL_OUT)
		ready |= SCHEDD_WRITE;
	if (socket)
		return loop_rewatch(loop, socket->watch, ready) < 0 ? -1 : 0;
	socket = calloc(1, sizeof(*socket));
	if (!socket)
		return -1;
	socket->http = http;
	socket->watch = loop_watch(loop, fd, ready, http_ready, socket, NULL);
	if (!socket->watch || curl_multi_assign(http->multi, fd, socket) != CURLM_OK) {
		loop_unwatch(loop, socket->watch);
		free(socket);
		return -1;
	}
	return 0;
}

static int http_set_alarm(struct http *http, long milliseconds)
{
	const struct schedd_clock *clock = http->executor.config.clock;
	struct schedd_mono when = clock->mono(clock->context);

	if (milliseconds < 0)
		when.us = INT64_MAX;
	else
		when.us += (int64_t)milliseconds * 1000;
	return alarm_set_mono(http->alarm, when);
}

static int http_on_timer(CURLM *multi, long milliseconds, void *context)
{
	(void)multi;
	return http_set_alarm(context, milliseconds) < 0 ? -1 : 0;
}

static size_t http_on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_task *task = context;

	if (task->task.request->output)
		output_append(task->task.request->output, OUTPUT_STDOUT, bytes, size * count,
		    schedd_clock_system()->wall(NULL));
	return size * count;
}

static int http_setup(
    struct executor *executor, const struct executor_config *config, struct schedd_error *err)
{
	struct http *http = (struct http *)executor;

	http->global = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	http->multi = http->global ? curl_multi_init() : NULL;
	if (!http->multi)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "executor '%s': libcurl cannot be used", config->name);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, http_on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, http_on_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	http->alarm = alarm_new_mono(config->loop, http_alarm, http, err);
	return http->alarm ? 0 : err ? err->code : SCHEDD_EFAILED;
}

static void http_close(struct executor *executor)
{
	struct http *http = (struct http *)executor;

	if (http->multi)
		curl_multi_cleanup(http->multi);
	alarm_free(http->alarm);
	if (http->global)
		curl_global_cleanup();
}

static bool http_describe(struct http_task *task, const struct job_http *asked)
{
	CURL *easy = task->easy;

	return http_easy_describe(easy, asked, &task->headers, task->error) &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, task) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, task) == CURLE_OK;
}

static struct task *http_start(struct executor *executor, const struct task_request *request)
{
	struct http *http = (struct http *)executor;
	struct http_task *task = calloc(1, sizeof(*task));

	if (!task)
		return executor_fail(executor, request, "out of memory");
	task->task.executor = executor;
	task->task.request = request;
	task->next = http->tasks;
	if (http->tasks)
		http->tasks->previous = task;
	http->tasks = task;
	task->easy = curl_easy_init();
	if (!task->easy || !http_describe(task, request->job->http) ||
	    curl_multi_add_handle(http->multi, task->easy) != CURLM_OK) {
		http_task_free(task);
		return executor_fail(executor, request, "libcurl refused the request");
	}
	request->started(0, 0, request->context);
	return &task->task;
}

static int http_signal(struct task *base, int signal, struct schedd_error *err)
{
	struct http_task *task = (struct http_task *)base;

	if (http_set_alarm((struct http *)base->executor, 0) < 0)
		return schedd_error_set(err, SCHEDD_EFAILED, "the request cannot be stopped");
	task->signal = signal;
	return 0;
}

static const struct executor_ops exec_http_ops = {
    .type = "http",
    .kinds = EXECUTOR_KIND(JOB_HTTP),
    .size = sizeof(struct http),
    .setup = http_setup,
    .close = http_close,
    .start = http_start,
    .signal = http_signal,
};

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "http",
    .version = SCHEDD_VERSION,
    .executor = &exec_http_ops,
};
