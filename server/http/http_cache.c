/* SPDX-License-Identifier: MIT */
/* A table of fixed size: what hashes to a taken place takes it over. */
#include "server/http/http_cache.h"

#include <stdlib.h>
#include <string.h>

static size_t http_cache_index(const struct web_identity *identity, const char *id)
{
	size_t hash = (uintptr_t)identity >> 4;

	for (; *id; id++)
		hash = hash * 33 + (unsigned char)*id;
	return hash % HTTP_CACHE_PLACES;
}

const struct http_cached *http_cache_find(
    const struct web *web, const struct web_identity *identity, const char *id)
{
	const struct http_cached *cached;

	if (!web->cache)
		return NULL;
	cached = &web->cache->places[http_cache_index(identity, id)];
	return cached->id && cached->identity == identity &&
		       cached->generation == web->host->generation(web->host->context) &&
		       strcmp(cached->id, id) == 0
		   ? cached
		   : NULL;
}

void http_cache_put(struct web *web, const struct web_identity *identity, const char *id,
    int64_t revision, const char *body, size_t length)
{
	size_t name = strlen(id) + 1;
	struct http_cached *cached;
	char *copy;

	if (length > HTTP_CACHE_BODY)
		return;
	if (!web->cache)
		web->cache = calloc(1, sizeof(*web->cache));
	copy = web->cache ? malloc(name + length) : NULL;
	if (!copy)
		return;
	memcpy(copy, id, name);
	memcpy(copy + name, body, length);
	cached = &web->cache->places[http_cache_index(identity, id)];
	free(cached->id);
	*cached = (struct http_cached){.identity = identity,
	    .generation = web->host->generation(web->host->context),
	    .revision = revision,
	    .id = copy,
	    .body = copy + name,
	    .length = length};
}

void http_cache_clear(struct web *web)
{
	for (size_t i = 0; web->cache && i < HTTP_CACHE_PLACES; i++)
		free(web->cache->places[i].id);
	free(web->cache);
	web->cache = NULL;
}
