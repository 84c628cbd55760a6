/* SPDX-License-Identifier: MIT */
/* The addresses of http.listen: "127.0.0.1:8630", "[::1]:8630", "host:8630", "unix:/path". */
#ifndef SCHEDD_SERVER_HTTP_HTTP_LISTEN_H
#define SCHEDD_SERVER_HTTP_HTTP_LISTEN_H

#include <schedd/error.h>
#include "server/http/http_state.h"

/* Listens at all of them, or at none. SCHEDD_EFILE: the config is wrong. */
int http_listen_open(struct web *web, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Sockets of unix: addresses are removed. */
void http_listen_close(struct web *web);

#endif
