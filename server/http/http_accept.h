/* SPDX-License-Identifier: MIT */
/* Does the client take what it would get (RFC 9110, 12.5.1)? */
#ifndef SCHEDD_SERVER_HTTP_HTTP_ACCEPT_H
#define SCHEDD_SERVER_HTTP_HTTP_ACCEPT_H

#include <stdbool.h>

struct http_request;
struct http_route;

/* The media type of what a route answers; NULL: it has no body. */
const char *http_accept_offer(const struct http_route *route);
/* By its route and its Accept. False: it takes nothing of it, and was answered 406. */
bool http_accept_check(struct http_request *request);
/* Is a type among those of a header? The range that fits it best decides; NULL and "": all are. */
bool http_accept_takes(const char *accept, const char *type);

#endif
