/* SPDX-License-Identifier: MIT */
/* Is a body signed with the secret in a file? Found out on a thread: files may be slow, bodies long. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_HOOK_CHECK_H
#define SCHEDD_SERVER_HTTP_HTTP_HOOK_CHECK_H

#include <stddef.h>
#include "server/http/http_state.h"

struct http_hook_check;

enum http_hook_verdict { HTTP_HOOK_SIGNED, HTTP_HOOK_FORGED, HTTP_HOOK_UNREADABLE };

/*
 * job: its id, whose account must own the file. signature: 64 hexadecimal
 * digits, of any case. done is called once, unless it is left; reason: why the
 * file could not be read. NULL: too many are under way, or no memory.
 */
struct http_hook_check *http_hook_check(const struct web_host *host, const char *job,
    const char *file, const void *body, size_t length, const char *signature,
    void (*done)(enum http_hook_verdict verdict, const char *reason, void *context), void *context);
/* Nobody wants to know any more. */
void http_hook_check_leave(const struct web_host *host, struct http_hook_check *check);

#endif
