/* SPDX-License-Identifier: MIT */
/* Loads schedd_web_tls when the config has tls, and passes on to it. */
#include "server/http/http_tls.h"

#include <stdlib.h>
#include "base/dynlib.h"

struct http_tls {
	const struct http_tls_ops *ops;
	void *context;
};

int http_tls_open(const char *certificate, const char *key, struct http_tls **out,
    struct schedd_error *err)
{
	const struct schedd_module *module;
	struct http_tls *tls;
	int rc = dynlib_module("web_tls", &module, err);

	if (rc)
		return schedd_error_prefix(err, "http.tls needs the module schedd_web_tls");
	tls = calloc(1, sizeof(*tls));
	if (!tls)
		return schedd_error_nomem(err);
	tls->ops = module->service;
	rc = tls->ops->open(certificate, key, &tls->context, err);
	if (rc) {
		free(tls);
		return rc;
	}
	*out = tls;
	return 0;
}

void http_tls_close(struct http_tls *tls)
{
	if (tls)
		tls->ops->close(tls->context);
	free(tls);
}

struct bufferevent *http_tls_bufferevent(struct http_tls *tls, struct event_base *base)
{
	return tls->ops->bufferevent(tls->context, base);
}

void http_tls_flush(struct http_tls *tls, struct bufferevent *bufferevent)
{
	tls->ops->flush(bufferevent);
}
