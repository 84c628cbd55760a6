/* SPDX-License-Identifier: MIT */
/* The path and query of a request, taken apart and decoded. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_PATH_H
#define SCHEDD_SERVER_HTTP_HTTP_PATH_H

#include "server/http/http_request.h"

#define HTTP_SEGMENTS_MAX 12

/*
 * Splits the path at its slashes, then decodes each segment (so an id may hold
 * %2F), and reads the query into request->query. How many segments, or -1: it
 * made no sense and the request was answered 400.
 */
int http_path_split(struct http_request *request, const char *segments[HTTP_SEGMENTS_MAX]);
/*
 * The query as parameters of the route's method: names of the query are those
 * of its parameters; texts are turned into what they take. False: it cannot be,
 * and the request was answered.
 */
bool http_path_params(struct http_request *request, struct value *params);

#endif
