/* SPDX-License-Identifier: MIT */
/* The module schedd_web: its life, and what it exports. */
#include <stdlib.h>
#include <schedd/module.h>
#include "server/http/http_arrival.h"
#include "server/http/http_auth.h"
#include "server/http/http_cache.h"
#include "server/http/http_hook.h"
#include "server/http/http_listen.h"
#include "server/http/http_peer.h"
#include "server/http/http_routes.h"
#include "server/http/http_tls.h"

/* evhttp answers what is longer with a page of its own; http_arrival.c has the limits that are ours. */
#define HTTP_HEADERS_MAX (128 << 10)
#define HTTP_BODY_MAX (8 << 20)

static void web_close(struct web *web)
{
	if (!web)
		return;
	http_listen_close(web);
	http_peer_flush_all(web); /* who asked for the end is told of it */
	if (web->evhttp)
		evhttp_free(web->evhttp); /* closes connections, which tells their peers */
	http_peer_free_all(web);
	http_hooks_close(web->hooks);
	http_cache_clear(web);
	http_auth_close(web->auth);
	http_tls_close(web->tls);
	free(web);
}

/* One that evhttp knows nothing of is answered 501 by itself. */
static void web_set_up(struct web *web)
{
	struct evhttp *evhttp = web->evhttp;

	evhttp_set_allowed_methods(evhttp,
	    EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
		EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
	evhttp_set_max_headers_size(evhttp, HTTP_HEADERS_MAX);
	evhttp_set_max_body_size(evhttp, HTTP_BODY_MAX);
	evhttp_set_timeout(evhttp, HTTP_IDLE_SECONDS);
	evhttp_set_bevcb(evhttp, http_peer_make, web);
	evhttp_set_gencb(evhttp, http_arrival, web);
}

static int web_open(const struct web_config *config, const struct web_host *host, struct web **out,
    struct schedd_error *err)
{
	struct web *web = calloc(1, sizeof(*web));
	int rc = 0;

	if (!web)
		return schedd_error_nomem(err);
	web->config = config;
	web->host = host;
	web->peer_ops = &http_arrival_ops;
	web->routes = http_routes_all();
	web->evhttp = evhttp_new(host->base);
	if (!web->evhttp)
		rc = schedd_error_nomem(err);
	if (!rc && config->certificate)
		rc = http_tls_open(config->certificate, config->key, &web->tls, err);
	if (!rc)
		rc = http_auth_open(web, &web->auth, err);
	if (!rc) {
		web_set_up(web);
		rc = http_listen_open(web, err);
	}
	if (rc)
		web_close(web);
	else
		*out = web;
	return rc;
}

/* Certificates and lists of users are read anew; addresses need a restart. */
static int web_reload(
    struct web *web, const struct web_config *config, struct schedd_error *err)
{
	const struct web_config *place = web->config;
	struct http_tls *tls = NULL;
	int rc = 0;

	if (web->tls && config->certificate)
		rc = http_tls_open(config->certificate, config->key, &tls, err);
	if (rc)
		return rc;
	web->config = config;
	rc = http_auth_reload(web->auth, err);
	web->config = place;
	if (rc) {
		http_tls_close(tls);
		return rc;
	}
	if (tls) {
		http_tls_close(web->tls);
		web->tls = tls;
	}
	return 0;
}

static int web_token_add(struct web *web, const char *name, const char *role, const char *account,
    struct arena *arena, struct value *answer, struct schedd_error *err)
{
	return http_auth_token_add(web->auth, name, role, account, arena, answer, err);
}

static int web_token_list(
    struct web *web, struct arena *arena, struct value *answer, struct schedd_error *err)
{
	return http_auth_token_list(web->auth, arena, answer, err);
}

static int web_token_remove(struct web *web, const char *name, struct schedd_error *err)
{
	return http_auth_token_remove(web->auth, name, err);
}

static void web_status(const struct web *web, struct arena *arena, struct value *map)
{
	const struct http_counters *counters = &web->counters;
	struct value listen = value_array();

	for (size_t i = 0; i < web->listener_count; i++)
		value_append(arena, &listen, value_string_ref(web->listeners[i].address));
	value_put(arena, map, "listen", listen);
	value_put(arena, map, "tls", value_bool(web->tls != NULL));
	value_put(arena, map, "connections", value_int(counters->connections));
	value_put(arena, map, "streams", value_int(counters->streams));
	value_put(arena, map, "accepted", value_int((int64_t)counters->accepted));
	value_put(arena, map, "refused", value_int((int64_t)counters->refused));
	value_put(arena, map, "requests", value_int((int64_t)counters->requests));
	value_put(arena, map, "unauthorized", value_int((int64_t)counters->unauthorized));
}

static const struct web_ops web_ops = {
    .open = web_open,
    .close = web_close,
    .reload = web_reload,
    .token_add = web_token_add,
    .token_list = web_token_list,
    .token_remove = web_token_remove,
    .status = web_status,
};

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "web",
    .version = SCHEDD_VERSION,
    .service = &web_ops,
};
