/* SPDX-License-Identifier: MIT */
/* Where requests come in. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_ARRIVAL_H
#define SCHEDD_SERVER_HTTP_HTTP_ARRIVAL_H

#include "server/http/http_peer.h"

/* evhttp's callback for everything; context is the web. */
void http_arrival(struct evhttp_request *evhttp, void *context);
/* What peers tell of their requests. */
extern const struct http_peer_ops http_arrival_ops;

#endif
