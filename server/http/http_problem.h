/* SPDX-License-Identifier: MIT */
/* Refusals: problem documents (RFC 9457) with the protocol's name of the error. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_PROBLEM_H
#define SCHEDD_SERVER_HTTP_HTTP_PROBLEM_H

#include <schedd/error.h>

struct http_request;

/* The status of an error of a method. */
int http_problem_status(const struct schedd_error *err);
/* Each ends the request. */
void http_problem_error(struct http_request *request, const struct schedd_error *err);
/* There is no memory for it. */
void http_problem_memory(struct http_request *request);
/* err's sentence with another status, as 412 for a conflict with If-Match. */
void http_problem_as(struct http_request *request, int status, const struct schedd_error *err);
/* name: of an error of the protocol, as "invalid_argument". */
void http_problem(struct http_request *request, int status, const char *name, const char *format,
    ...) __attribute__((format(printf, 4, 5)));

#endif
