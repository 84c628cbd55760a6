/* SPDX-License-Identifier: MIT */
/* What a request must look like before anybody acts on it: Host, Origin, type and form of its body. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_GUARD_H
#define SCHEDD_SERVER_HTTP_HTTP_GUARD_H

#include "server/http/http_request.h"

/* Is its Host one of ours? A page of another name could make a browser ask us. False: answered. */
bool http_guard_host(struct http_request *request);
/*
 * Was it sent on purpose, not by a form of another site; and does it call its
 * body what the route takes? False: answered.
 */
bool http_guard_check(struct http_request *request);

#endif
