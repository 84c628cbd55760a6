/* SPDX-License-Identifier: MIT */
/* What answers the rows of http_routes.c, file by file. Each ends its request. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_HANDLERS_H
#define SCHEDD_SERVER_HTTP_HTTP_HANDLERS_H

struct http_request;

/* http_health.c */
void http_health_alive(struct http_request *request);
void http_health_ready(struct http_request *request);

/* http_rpc.c: any method with its parameters as JSON; a method whose parameters are the query's. */
void http_rpc_call(struct http_request *request);
void http_rpc_query(struct http_request *request);

/* http_packed.c */
void http_packed_call(struct http_request *request);

/* http_job.c */
void http_job_get(struct http_request *request);
void http_job_put(struct http_request *request);
void http_job_patch(struct http_request *request);
void http_job_delete(struct http_request *request);
void http_job_run(struct http_request *request);
/* The row's method for the job of the path, with the body's members. */
void http_job_act(struct http_request *request);
/* The same with the query's. */
void http_job_query(struct http_request *request);

/* http_run.c */
void http_run_of_job(struct http_request *request);
void http_run_get(struct http_request *request);
void http_run_act(struct http_request *request);
void http_run_log(struct http_request *request);

/* http_node.c */
void http_node_get(struct http_request *request);
/* The row's method for the node of the path. */
void http_node_act(struct http_request *request);
void http_node_forget(struct http_request *request);

/* http_hook.c */
void http_hook_run(struct http_request *request);

/* http_events.c */
void http_events_follow(struct http_request *request);

/* http_next.c */
void http_next_preview(struct http_request *request);

/* http_metrics.c */
void http_metrics_show(struct http_request *request);

/* http_page.c: the page, its icon, and who the request is of. */
void http_page_show(struct http_request *request);
void http_page_icon(struct http_request *request);
void http_page_who(struct http_request *request);

/* http_openapi.c */
void http_openapi_document(struct http_request *request);

#endif
