/* SPDX-License-Identifier: MIT */
/*
 * /metrics: Prometheus' text format, or OpenMetrics where the client accepts
 * that. No label names a run; jobs are labelled up to a limit, by id, and how
 * many were left out is a metric itself.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <event2/event.h>
#include <schedd/clock.h>
#include "server/http/http_handlers.h"
#include "server/http/http_problem.h"
#include "server/http/http_request.h"

#define HTTP_METRICS_JOBS 1000 /* labels at most */

struct http_metrics {
	struct http_request *request;
	struct strbuf out;
	bool open;     /* OpenMetrics */
	int64_t began; /* monotonic µs */
	double lag;    /* of the loop, seconds */
	struct event *turn;
};

/* ---- The format ---- */

/* name without _total; OpenMetrics names a counter so in its head. */
static void metrics_head(
    struct http_metrics *metrics, const char *name, const char *type, const char *help)
{
	bool total = strcmp(type, "counter") == 0 && !metrics->open;

	strbuf_printf(&metrics->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name,
	    total ? "_total" : "", help, name, total ? "_total" : "", type);
}

static void metrics_text(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			strbuf_add_char(out, '\\');
		if (*text == '\n')
			strbuf_add(out, "\\n");
		else
			strbuf_add_char(out, *text);
	}
}

/* label NULL: none. */
static void metrics_line(struct http_metrics *metrics, const char *name, const char *suffix,
    const char *label, const char *text, double number)
{
	strbuf_printf(&metrics->out, "%s%s", name, suffix);
	if (label) {
		strbuf_printf(&metrics->out, "{%s=\"", label);
		metrics_text(&metrics->out, text ? text : "");
		strbuf_add(&metrics->out, "\"}");
	}
	if (floor(number) == number && fabs(number) < 1e15)
		strbuf_printf(&metrics->out, " %.0f\n", number);
	else
		strbuf_printf(&metrics->out, " %.9g\n", number);
}

static double metrics_number(const struct value *map, const char *key)
{
	const struct value *value = value_get(map, key);
	double number = 0;

	if (value && value->type == VALUE_BOOL)
		return value->boolean;
	return value && value_number(value, &number) ? number : 0;
}

static void metrics_one(struct http_metrics *metrics, const char *name, const char *type,
    const char *help, double number)
{
	metrics_head(metrics, name, type, help);
	metrics_line(
	    metrics, name, strcmp(type, "counter") == 0 ? "_total" : "", NULL, NULL, number);
}

static void metrics_histogram(struct http_metrics *metrics, const char *name, const char *help,
    const struct value *histogram)
{
	const struct value *buckets = value_get(histogram, "buckets");
	char bound[32];

	metrics_head(metrics, name, "histogram", help);
	for (uint32_t i = 0; buckets && i < buckets->array.count; i++) {
		const struct value *pair = &buckets->array.items[i];
		double upper = 0, count = 0;

		if (!value_number(&pair->array.items[0], &upper) ||
		    !value_number(&pair->array.items[1], &count))
			continue;
		snprintf(bound, sizeof(bound), floor(upper) == upper ? "%.1f" : "%g", upper);
		metrics_line(metrics, name, "_bucket", "le", bound, count);
	}
	metrics_line(
	    metrics, name, "_bucket", "le", "+Inf", metrics_number(histogram, "count"));
	metrics_line(metrics, name, "_sum", NULL, NULL, metrics_number(histogram, "sum"));
	metrics_line(metrics, name, "_count", NULL, NULL, metrics_number(histogram, "count"));
}

/* A row of a list by name. */
static void metrics_list(struct http_metrics *metrics, const struct value *list, const char *name,
    const char *type, const char *help, const char *label, const char *key)
{
	metrics_head(metrics, name, type, help);
	for (uint32_t i = 0; list && list->type == VALUE_ARRAY && i < list->array.count; i++) {
		const struct value *row = &list->array.items[i];

		metrics_line(metrics, name, strcmp(type, "counter") == 0 ? "_total" : "", label,
		    value_get_string(row, "name"), metrics_number(row, key));
	}
}

/* ---- What there is ---- */

static void metrics_scheduler(struct http_metrics *metrics, const struct value *scheduler)
{
	static const struct {
		const char *key, *name, *type, *help;
	} rows[] = {
	    {"jobs", "schedd_jobs", "gauge", "Jobs."},
	    {"paused_jobs", "schedd_jobs_paused", "gauge", "Jobs that are paused."},
	    {"running", "schedd_runs_running", "gauge", "Runs under way."},
	    {"queued", "schedd_runs_queued", "gauge", "Runs that wait for a place."},
	    {"retrying", "schedd_runs_retrying", "gauge", "Runs that wait to be tried again."},
	    {"fires", "schedd_fires", "counter", "Fire times claimed as runs."},
	    {"starts", "schedd_starts", "counter", "Attempts that were started."},
	    {"missed_times", "schedd_missed", "counter", "Fire times that were missed."},
	    {"skipped_times", "schedd_skipped", "counter", "Fire times that were skipped."},
	    {"coalesced_times", "schedd_coalesced", "counter",
		"Fire times that another run stands for."},
	    {"notify_failed", "schedd_notify_failed", "counter", "Notices that were not delivered."},
	    {"store_errors", "schedd_store_errors", "counter", "Writes that stores refused."},
	};
	const struct value *ended = value_get(scheduler, "ended");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		metrics_one(metrics, rows[i].name, rows[i].type, rows[i].help,
		    metrics_number(scheduler, rows[i].key));
	metrics_head(metrics, "schedd_runs", "counter", "Runs that ended, by how.");
	for (uint32_t i = 0; ended && i < ended->map.count; i++)
		metrics_line(metrics, "schedd_runs", "_total", "state", ended->map.members[i].key,
		    metrics_number(ended, ended->map.members[i].key));
	metrics_histogram(metrics, "schedd_run_duration_seconds", "How long runs took.",
	    value_get(scheduler, "durations"));
	metrics_histogram(metrics, "schedd_start_delay_seconds",
	    "From when runs were due to their start.", value_get(scheduler, "delays"));
}

static void metrics_server(struct http_metrics *metrics, const struct value *status)
{
	const struct value *stores = value_get(status, "stores"),
			   *executors = value_get(status, "executors"),
			   *http = value_get(status, "http");

	metrics_one(metrics, "schedd_up", "gauge", "Always 1.", 1);
	metrics_head(metrics, "schedd_build_info", "gauge", "Which schedd this is.");
	metrics_line(metrics, "schedd_build_info", "", "version", value_get_string(status, "version"), 1);
	metrics_one(metrics, "schedd_start_time_seconds", "gauge", "When the daemon was started.",
	    metrics_number(status, "started_at") / (double)SCHEDD_SECOND);
	metrics_one(metrics, "schedd_resident_memory_bytes", "gauge", "Resident memory.",
	    metrics_number(status, "rss"));
	metrics_one(metrics, "schedd_loop_lag_seconds", "gauge",
	    "How long the event loop took to come round to this request.", metrics->lag);
	metrics_one(metrics, "schedd_clients", "gauge", "Clients on the socket.",
	    metrics_number(status, "clients"));
	metrics_one(metrics, "schedd_requests", "counter", "Calls of methods.",
	    metrics_number(status, "requests"));
	metrics_one(metrics, "schedd_requests_failed", "counter", "Calls answered by an error.",
	    metrics_number(status, "requests_failed"));
	metrics_one(metrics, "schedd_events_dropped", "counter", "Events that slow readers lost.",
	    metrics_number(status, "events_dropped"));
	metrics_one(metrics, "schedd_http_connections", "gauge", "Connections over HTTP.",
	    metrics_number(http, "connections"));
	metrics_one(metrics, "schedd_http_requests", "counter", "Requests over HTTP.",
	    metrics_number(http, "requests"));
	metrics_one(metrics, "schedd_http_unauthorized", "counter", "Requests answered 401.",
	    metrics_number(http, "unauthorized"));
	metrics_list(metrics, stores, "schedd_store_failing", "gauge",
	    "1 while a store refuses writes.", "store", "failing");
	metrics_list(
	    metrics, stores, "schedd_store_pending", "gauge", "Writes not answered yet.", "store", "pending");
	metrics_list(metrics, stores, "schedd_store_commits", "counter", "Batches that are durable.",
	    "store", "commits");
	metrics_list(metrics, executors, "schedd_executor_running", "gauge", "Attempts under way.",
	    "executor", "running");
	metrics_list(metrics, executors, "schedd_executor_queued", "gauge",
	    "Runs that wait for a worker.", "executor", "queued");
	metrics_scheduler(metrics, value_get(status, "scheduler"));
}

static void metrics_jobs(struct http_metrics *metrics, const struct value *jobs, bool more)
{
	static const struct {
		const char *key, *name, *type, *help;
	} rows[] = {
	    {"run_count", "schedd_job_runs", "counter", "Scheduled runs of the job."},
	    {"running", "schedd_job_running", "gauge", "Runs of the job under way."},
	    {"paused", "schedd_job_paused", "gauge", "1 while the job is paused."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		metrics_head(metrics, rows[i].name, rows[i].type, rows[i].help);
		for (uint32_t j = 0; jobs && j < jobs->array.count; j++)
			metrics_line(metrics, rows[i].name,
			    strcmp(rows[i].type, "counter") == 0 ? "_total" : "", "job",
			    value_get_string(&jobs->array.items[j], "id"),
			    metrics_number(&jobs->array.items[j], rows[i].key));
	}
	metrics_head(metrics, "schedd_job_last_run_success", "gauge",
	    "1 if the last run of the job succeeded, 0 if not.");
	for (uint32_t j = 0; jobs && j < jobs->array.count; j++) {
		const char *state = value_get_string(&jobs->array.items[j], "last_state");

		if (state)
			metrics_line(metrics, "schedd_job_last_run_success", "", "job",
			    value_get_string(&jobs->array.items[j], "id"),
			    strcmp(state, "success") == 0);
	}
	metrics_head(metrics, "schedd_job_next_run_seconds", "gauge", "When the job runs next.");
	for (uint32_t j = 0; jobs && j < jobs->array.count; j++) {
		double next = metrics_number(&jobs->array.items[j], "next_run_time");

		if (next > 0)
			metrics_line(metrics, "schedd_job_next_run_seconds", "", "job",
			    value_get_string(&jobs->array.items[j], "id"),
			    next / (double)SCHEDD_SECOND);
	}
	metrics_one(metrics, "schedd_job_labels_cut", "gauge",
	    "1 where only the first 1000 jobs are shown one by one.", more);
}

/* ---- The request ---- */

static void metrics_release(struct http_request *request)
{
	struct http_metrics *metrics = request->state;

	strbuf_clear(&metrics->out);
	if (metrics->turn)
		event_free(metrics->turn);
}

static void metrics_listed(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	struct http_metrics *metrics = request->state;
	const char *type = metrics->open
			       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			       : "text/plain; version=0.0.4; charset=utf-8";

	if (err) {
		http_problem_error(request, err);
		return;
	}
	metrics_jobs(metrics, value_get(result, "jobs"), value_get_string(result, "next") != NULL);
	if (metrics->open)
		strbuf_add(&metrics->out, "# EOF\n");
	http_request_reply_buf(request, 200, type, &metrics->out);
}

static struct value metrics_fields(struct arena *arena)
{
	static const char *const names[] = {
	    "id", "run_count", "running", "paused", "last_state", "next_run_time", NULL};
	struct value list = value_array();

	for (const char *const *name = names; *name; name++)
		value_append(arena, &list, value_string_ref(*name));
	return list;
}

static void metrics_status(struct http_request *request, const struct schedd_error *err,
    const struct value *status)
{
	struct value params = value_map();

	if (err) {
		http_problem_error(request, err);
		return;
	}
	metrics_server(request->state, status);
	value_put(request->arena, &params, "limit", value_int(HTTP_METRICS_JOBS));
	value_put(request->arena, &params, "fields", metrics_fields(request->arena));
	http_request_call(request, "job.list", &params, metrics_listed);
}

/* The loop has come round. */
static void metrics_turn(evutil_socket_t fd, short what, void *context)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct http_metrics *metrics = context;
	const struct value none = value_nil();

	(void)fd;
	(void)what;
	metrics->lag =
	    (double)(clock->mono(clock->context).us - metrics->began) / (double)SCHEDD_SECOND;
	http_request_call(metrics->request, "server.status", &none, metrics_status);
}

void http_metrics_show(struct http_request *request)
{
	const struct schedd_clock *clock = schedd_clock_system();
	const char *accept = http_request_header(request, "Accept");
	struct http_metrics *metrics = arena_alloc(request->arena, sizeof(*metrics));
	static const struct timeval at_once = {0};

	if (!metrics) {
		http_problem(request, 503, "failed", "out of memory");
		return;
	}
	*metrics = (struct http_metrics){.request = request,
	    .open = accept && strstr(accept, "application/openmetrics-text"),
	    .began = clock->mono(clock->context).us};
	metrics->turn = event_new(request->web->host->base, -1, 0, metrics_turn, metrics);
	request->state = metrics;
	request->release = metrics_release;
	if (!metrics->turn || event_add(metrics->turn, &at_once) < 0)
		http_problem(request, 503, "failed", "out of memory");
}
