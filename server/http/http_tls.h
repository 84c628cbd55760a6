/* SPDX-License-Identifier: MIT */
/*
 * TLS of the listeners. A module of its own (schedd_web_tls): OpenSSL costs
 * megabytes, which only those pay who configure it.
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_TLS_H
#define SCHEDD_SERVER_HTTP_HTTP_TLS_H

#include <event2/bufferevent.h>
#include <schedd/error.h>

struct http_tls;

/* What schedd_web_tls offers; in schedd_module.service. */
struct http_tls_ops {
	/* Certificate chain and key from PEM files. SCHEDD_EFILE names the file and the reason. */
	int (*open)(const char *certificate, const char *key, void **out, struct schedd_error *err);
	void (*close)(void *context);
	/* For one accepted connection. NULL: no memory. */
	struct bufferevent *(*bufferevent)(void *context, struct event_base *base);
	/* Sends what waits, as far as it goes at once. */
	void (*flush)(struct bufferevent *bufferevent);
};

int http_tls_open(const char *certificate, const char *key, struct http_tls **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* NULL is fine. Connections that are open go on. */
void http_tls_close(struct http_tls *tls);
struct bufferevent *http_tls_bufferevent(struct http_tls *tls, struct event_base *base);
void http_tls_flush(struct http_tls *tls, struct bufferevent *bufferevent);

#endif
