/* SPDX-License-Identifier: MIT */
/* Bodies that are JSON: a small one is read at once, a large one beside the loop. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_BODY_H
#define SCHEDD_SERVER_HTTP_HTTP_BODY_H

struct http_request;

/* Reads it into request->body, then calls next, perhaps before this returns; or answers. */
void http_body_read(struct http_request *request, void (*next)(struct http_request *request));

#endif
