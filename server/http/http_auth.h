/* SPDX-License-Identifier: MIT */
/*
 * Who asks: tokens and passwords from the files of the config, read anew when
 * they change. A token is known by its SHA-256 alone; a password's slow hash is
 * computed on another thread, two at a time, and remembered for a minute.
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_AUTH_H
#define SCHEDD_SERVER_HTTP_HTTP_AUTH_H

#include <schedd/error.h>
#include "base/value.h"
#include "server/web.h"

struct http_auth;
struct http_request;

/* Who a webhook is for the daemon; in no list. */
extern const struct web_identity http_auth_webhook;

/* Reads the files. SCHEDD_EFILE: "FILE:LINE: reason". */
int http_auth_open(struct web *web, struct http_auth **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
void http_auth_close(struct http_auth *auth);
/* Reads the files anew. On failure all stays as it was. */
int http_auth_reload(struct http_auth *auth, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * Finds out who sent the request and goes on with it: sets identity and calls
 * next, now or once the password is checked; or answers 401 or 429.
 */
void http_auth_check(
    struct http_auth *auth, struct http_request *request, void (*next)(struct http_request *));
/*
 * The same for requests that prove themselves: does the address have to wait?
 * Then it was answered. What came of it: the proof was right, or the request is
 * answered 401; wrong: there was one, and it counts.
 */
bool http_auth_waits(struct http_auth *auth, struct http_request *request);
void http_auth_right(struct http_auth *auth, const struct http_request *request);
void http_auth_unsigned(struct http_auth *auth, struct http_request *request, bool wrong);
/* Is the role of the identity at least that one? */
bool http_auth_may(const struct web_identity *identity, const char *role);

int http_auth_token_add(struct http_auth *auth, const char *name, const char *role,
    const char *account, struct arena *arena, struct value *answer, struct schedd_error *err);
int http_auth_token_list(
    struct http_auth *auth, struct arena *arena, struct value *answer, struct schedd_error *err);
int http_auth_token_remove(struct http_auth *auth, const char *name, struct schedd_error *err);

#endif
