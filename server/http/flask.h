/* SPDX-License-Identifier: MIT */
/* The routes of Flask-APScheduler, below http.prefix. Each ends its request. */
#ifndef SCHEDD_SERVER_HTTP_FLASK_H
#define SCHEDD_SERVER_HTTP_FLASK_H

struct http_request;

void flask_info(struct http_request *request);
void flask_start(struct http_request *request);
void flask_shutdown(struct http_request *request);
void flask_pause_all(struct http_request *request);
void flask_resume_all(struct http_request *request);
void flask_list(struct http_request *request);
void flask_add(struct http_request *request);
void flask_change(struct http_request *request);
void flask_get(struct http_request *request);
void flask_delete(struct http_request *request);
void flask_pause(struct http_request *request);
void flask_resume(struct http_request *request);
void flask_run(struct http_request *request);
/* {"error_message": …}, or its refusal of who is not known. */
void flask_refuse(struct http_request *request, int status, const char *detail);

#endif
