/* SPDX-License-Identifier: MIT */
/* Loads schedd_web_tls when the config has tls, and passes on to it. */
#include "server/http/http_tls.h"

#include <stdlib.h>
#include <string.h>
#include "base/dynlib.h"
#include "base/file.h"

#define HTTP_TLS_FILE_MAX (1 << 20) /* bytes */

struct http_tls {
	const struct http_tls_ops *ops;
	void *context;
};

/*
 * What others may write is no proof of who we are, and what is no regular file
 * would hold OpenSSL, and with it the loop, for ever.
 */
static int http_tls_check(const char *path, const char *setting, struct schedd_error *err)
{
	size_t length;
	char *text;
	int rc = file_read_trusted(path, HTTP_TLS_FILE_MAX, &text, &length, err);

	if (rc) {
		schedd_error_prefix(err, "%s", setting);
		rc = rc == SCHEDD_ENOMEM ? rc : SCHEDD_EFILE;
		if (err)
			err->code = rc;
		return rc;
	}
	if (text)
		explicit_bzero(text, length);
	free(text);
	return 0;
}

int http_tls_open(const char *certificate, const char *key, struct http_tls **out,
    struct schedd_error *err)
{
	const struct schedd_module *module;
	struct http_tls *tls;
	int rc = dynlib_module("web_tls", &module, err);

	if (rc)
		return schedd_error_prefix(err, "http.tls needs the module schedd_web_tls");
	rc = http_tls_check(certificate, "http.tls.certificate", err);
	if (!rc)
		rc = http_tls_check(key, "http.tls.key", err);
	if (rc)
		return rc;
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
