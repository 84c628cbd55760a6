/* SPDX-License-Identifier: MIT */
/* Of what trace a request is a part: a run that it begins is told. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_TRACE_H
#define SCHEDD_SERVER_HTTP_HTTP_TRACE_H

#include "server/http/http_request.h"

/* The header traceparent as a parameter of job.run and run.retry, unless that is there. One that
 * is not valid is as good as none, as its specification asks. */
void http_trace_put(
    const struct http_request *request, struct arena *arena, struct value *params);

#endif
