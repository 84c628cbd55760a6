/* SPDX-License-Identifier: MIT */
/*
 * Jobs as they were last answered, each to whom: a page and a dashboard ask for
 * the same ones over and over. An answer is valid until anything has happened in
 * the scheduler.
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_CACHE_H
#define SCHEDD_SERVER_HTTP_HTTP_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include "server/http/http_state.h"

#define HTTP_CACHE_PLACES 64
#define HTTP_CACHE_BODY 4096 /* bytes of an answer, at most */

struct http_cached {
	const struct web_identity *identity;
	uint64_t generation; /* of the daemon, when it was answered */
	int64_t revision;    /* of the job */
	char *id;            /* owned, with the body behind it */
	const char *body;
	size_t length;
};

struct http_cache {
	struct http_cached places[HTTP_CACHE_PLACES];
};

/* NULL: it is to be asked for. */
const struct http_cached *http_cache_find(
    const struct web *web, const struct web_identity *identity, const char *id);
/* Does nothing where it is too long, or there is no memory. */
void http_cache_put(struct web *web, const struct web_identity *identity, const char *id,
    int64_t revision, const char *body, size_t length);
/* Identities are not what they were, or the web is closed. */
void http_cache_clear(struct web *web);

#endif
