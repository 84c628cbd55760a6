/* SPDX-License-Identifier: MIT */
/* One row a path and method; HEAD is answered as GET. */
#include "server/http/http_routes.h"

#include <stdio.h>
#include <string.h>
#include "server/http/flask.h"
#include "server/http/http_handlers.h"

#define GET EVHTTP_REQ_GET
#define POST EVHTTP_REQ_POST
#define PUT EVHTTP_REQ_PUT
#define PATCH EVHTTP_REQ_PATCH
#define DELETE EVHTTP_REQ_DELETE
#define API "/api/v1"
#define FLASK "{prefix}" /* the config's, of one segment or more */

static const struct http_route http_route_rows[] = {
    {GET, "/", HTTP_ANYBODY, http_page_show, NULL, NULL, NULL, HTTP_NO_BODY},
    {GET, "/favicon.ico", HTTP_ANYBODY, http_page_icon, NULL, NULL, NULL, HTTP_NO_BODY},
    {GET, "/healthz", HTTP_ANYBODY, http_health_alive, NULL, "Is the process there?", NULL, HTTP_NO_BODY},
    {GET, "/readyz", HTTP_ANYBODY, http_health_ready, NULL,
	"Are the jobs loaded, and is it not stopping?", NULL, HTTP_NO_BODY},
    {GET, "/metrics", HTTP_OPERATOR, http_metrics_show, NULL,
	"Prometheus' text, or OpenMetrics.", NULL, HTTP_NO_BODY},
    {GET, API "/whoami", HTTP_USER, http_page_who, NULL, "Name, role and account of the token.",
	NULL, HTTP_NO_BODY},
    {GET, API "/openapi.json", HTTP_USER, http_openapi_document, NULL, "This document.", NULL,
	HTTP_NO_BODY},
    {POST, API "/rpc", HTTP_USER, http_packed_call, NULL,
	"One request of the protocol, packed; the answer is its messages.", NULL, HTTP_PACKED},
    {POST, API "/rpc/{method}", HTTP_USER, http_rpc_call, NULL, NULL, NULL, HTTP_JSON},
    {GET, API "/jobs", HTTP_USER, http_rpc_query, "job.list", "Jobs, page by page.", NULL, HTTP_NO_BODY},
    {PUT, API "/jobs/{id}", HTTP_USER, http_job_put, "job.add",
	"Makes the job what the body says.", NULL, HTTP_JSON},
    {GET, API "/jobs/{id}", HTTP_USER, http_job_get, "job.get", "One job.", NULL, HTTP_NO_BODY},
    {PATCH, API "/jobs/{id}", HTTP_USER, http_job_patch, "job.modify", "Changes fields of a job.",
	NULL, HTTP_JSON},
    {DELETE, API "/jobs/{id}", HTTP_USER, http_job_delete, "job.remove", "Removes a job.", NULL,
	HTTP_NO_BODY},
    {POST, API "/jobs/{id}/run", HTTP_USER, http_job_run, "job.run", "Runs a job now.", NULL, HTTP_JSON},
    {POST, API "/jobs/{id}/pause", HTTP_USER, http_job_act, "job.pause",
	"Keeps a job from starting.", NULL, HTTP_JSON},
    {POST, API "/jobs/{id}/resume", HTTP_USER, http_job_act, "job.resume", "Ends a pause.", NULL,
	HTTP_JSON},
    {POST, API "/jobs/{id}/reschedule", HTTP_USER, http_job_act, "job.reschedule",
	"Changes the trigger and plans anew.", NULL, HTTP_JSON},
    {GET, API "/jobs/{id}/why", HTTP_USER, http_job_query, "job.why",
	"Why it ran or did not run.", NULL, HTTP_NO_BODY},
    {GET, API "/runs", HTTP_USER, http_rpc_query, "run.list", "Runs, newest first.", NULL, HTTP_NO_BODY},
    {GET, API "/runs/{job}", HTTP_USER, http_run_of_job, "run.list", "Runs of a job.", NULL, HTTP_NO_BODY},
    {GET, API "/runs/{job}/{number}", HTTP_USER, http_run_get, "run.get",
	"One run with its attempts.", NULL, HTTP_NO_BODY},
    {GET, API "/runs/{job}/{number}/log", HTTP_USER, http_run_log, "run.log",
	"What a run wrote, as it is; follow=1 goes on until its end.", NULL, HTTP_NO_BODY},
    {POST, API "/runs/{job}/{number}/kill", HTTP_USER, http_run_act, "run.kill", "Ends a run.",
	NULL, HTTP_JSON},
    {POST, API "/runs/{job}/{number}/retry", HTTP_USER, http_run_act, "run.retry",
	"Runs the job again as a new run.", NULL, HTTP_JSON},
    {GET, API "/nodes", HTTP_USER, http_rpc_query, "node.list",
	"The daemons that share a store with this one.", NULL, HTTP_NO_BODY},
    {GET, API "/nodes/{name}", HTTP_USER, http_node_get, "node.list", "One of them.", NULL,
	HTTP_NO_BODY},
    {DELETE, API "/nodes/{name}", HTTP_USER, http_node_forget, "node.forget",
	"Takes a dead node out of the list.", NULL, HTTP_NO_BODY},
    {POST, API "/nodes/{name}/drain", HTTP_USER, http_node_act, "node.drain",
	"The node starts nothing more, and hands its jobs over.", NULL, HTTP_JSON},
    {POST, API "/nodes/{name}/resume", HTTP_USER, http_node_act, "node.resume",
	"The node takes jobs again.", NULL, HTTP_JSON},
    {GET, API "/events", HTTP_USER, http_events_follow, "event.subscribe",
	"Server-sent events; Last-Event-ID is the seq to go on behind.", NULL, HTTP_NO_BODY},
    {GET, API "/next", HTTP_USER, http_next_preview, "trigger.next",
	"Fire times to come of a trigger.", NULL, HTTP_NO_BODY},
    {POST, "/hooks/{job}", HTTP_SIGNED, http_hook_run, NULL,
	"Runs a job that has a hook; X-Hub-Signature-256 signs the body.", NULL, HTTP_NO_BODY},
    {GET, FLASK, HTTP_USER, flask_info, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {POST, FLASK "/start", HTTP_USER, flask_start, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {POST, FLASK "/shutdown", HTTP_USER, flask_shutdown, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {POST, FLASK "/pause", HTTP_USER, flask_pause_all, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {POST, FLASK "/resume", HTTP_USER, flask_resume_all, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {GET, FLASK "/jobs", HTTP_USER, flask_list, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {POST, FLASK "/jobs", HTTP_USER, flask_add, NULL, NULL, flask_refuse, HTTP_JSON},
    {GET, FLASK "/jobs/{id}", HTTP_USER, flask_get, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {PATCH, FLASK "/jobs/{id}", HTTP_USER, flask_change, NULL, NULL, flask_refuse, HTTP_JSON},
    {DELETE, FLASK "/jobs/{id}", HTTP_USER, flask_delete, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {POST, FLASK "/jobs/{id}/pause", HTTP_USER, flask_pause, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {POST, FLASK "/jobs/{id}/resume", HTTP_USER, flask_resume, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {POST, FLASK "/jobs/{id}/run", HTTP_USER, flask_run, NULL, NULL, flask_refuse, HTTP_NO_BODY},
    {0, NULL, HTTP_ANYBODY, NULL, NULL, NULL, NULL, HTTP_NO_BODY},
};

const struct http_route *http_routes_all(void)
{
	return http_route_rows;
}

/* Do the path's segments begin with those? How many they are, or -1. {…} stands for any one. */
static int http_route_match(const char *path, const char *const *segments, size_t count,
    const char *args[HTTP_ARGS_MAX])
{
	size_t used = 0, at = 0;

	while (*path == '/' && path[1]) {
		size_t length = strcspn(++path, "/");

		if (at == count)
			return -1;
		if (path[0] == '{')
			args[used++] = segments[at];
		else if (strlen(segments[at]) != length || memcmp(segments[at], path, length) != 0)
			return -1;
		at++;
		path += length;
	}
	return (int)at;
}

static bool http_route_is(const struct http_route *route, const struct web_config *config,
    const char *const *segments, size_t count, const char *args[HTTP_ARGS_MAX])
{
	const char *path = route->path;
	int begin = 0, rest;

	if (path[0] == '{') {
		begin = http_route_match(config->prefix, segments, count, args);
		path += strlen(FLASK);
	}
	if (begin < 0)
		return false;
	rest = http_route_match(path, segments + begin, count - (size_t)begin, args);
	return rest >= 0 && (size_t)(begin + rest) == count;
}

const struct http_route *http_routes_find(const struct web_config *config,
    enum evhttp_cmd_type method, const char *const *segments, size_t count,
    const char *args[HTTP_ARGS_MAX], unsigned *allowed)
{
	enum evhttp_cmd_type wanted = method == EVHTTP_REQ_HEAD ? EVHTTP_REQ_GET : method;

	*allowed = 0;
	for (const struct http_route *route = http_route_rows; route->path; route++) {
		if (!http_route_is(route, config, segments, count, args))
			continue;
		if (route->method == wanted)
			return route;
		*allowed |= route->method;
	}
	return NULL;
}

void http_routes_allow(unsigned methods, char *text, size_t size)
{
	static const struct {
		unsigned method;
		const char *name;
	} names[] = {
	    {EVHTTP_REQ_GET, "GET, HEAD"},
	    {EVHTTP_REQ_POST, "POST"},
	    {EVHTTP_REQ_PUT, "PUT"},
	    {EVHTTP_REQ_PATCH, "PATCH"},
	    {EVHTTP_REQ_DELETE, "DELETE"},
	};
	size_t used = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && used < size; i++) {
		if (methods & names[i].method)
			used += (size_t)snprintf(text + used, size - used, "%s, ", names[i].name);
	}
	if (used < size)
		snprintf(text + used, size - used, "OPTIONS");
}
