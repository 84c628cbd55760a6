/* SPDX-License-Identifier: MIT */
/* Webhooks: POST /hooks/JOB runs a job that has a hook, for who can sign the body. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_HOOK_H
#define SCHEDD_SERVER_HTTP_HTTP_HOOK_H

#include "server/http/http_state.h"

struct http_hooks;

/* Runs that were asked for and not answered; after all requests have ended. NULL is fine. */
void http_hooks_close(struct http_hooks *hooks);

#endif
