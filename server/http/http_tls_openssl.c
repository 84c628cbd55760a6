/* SPDX-License-Identifier: MIT */
/* The module schedd_web_tls: OpenSSL's side of http_tls.h. TLS 1.2 and later, the server's order. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <schedd/module.h>
#include "server/http/http_tls.h"

static int tls_fault(const char *file, struct schedd_error *err)
{
	char reason[256] = "unknown reason";
	unsigned long code = ERR_peek_last_error();

	if (code)
		ERR_error_string_n(code, reason, sizeof(reason));
	ERR_clear_error();
	return schedd_error_set(err, SCHEDD_EFILE, "http.tls: '%s': %s", file, reason);
}

static void tls_close(void *context)
{
	SSL_CTX_free(context);
}

static int tls_open(
    const char *certificate, const char *key, void **out, struct schedd_error *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int rc = 0;

	if (!context)
		return schedd_error_nomem(err);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		rc = tls_fault(certificate, err);
	else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		rc = tls_fault(key, err);
	else if (SSL_CTX_check_private_key(context) != 1)
		rc = tls_fault(key, err);
	if (rc)
		SSL_CTX_free(context);
	else
		*out = context;
	return rc;
}

static struct bufferevent *tls_bufferevent(void *context, struct event_base *base)
{
	SSL *ssl = SSL_new(context);
	struct bufferevent *bufferevent;

	if (!ssl)
		return NULL;
	bufferevent = bufferevent_openssl_socket_new(
	    base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bufferevent) {
		SSL_free(ssl);
		return NULL;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(bufferevent, 1);
	return bufferevent;
}

static void tls_flush(struct bufferevent *bufferevent)
{
	struct evbuffer *output = bufferevent_get_output(bufferevent);
	SSL *ssl = bufferevent_openssl_get_ssl(bufferevent);
	int length = (int)evbuffer_get_length(output);
	const unsigned char *bytes = evbuffer_pullup(output, length);

	if (bytes && SSL_is_init_finished(ssl))
		SSL_write(ssl, bytes, length);
}

static const struct http_tls_ops tls_ops = {
    .open = tls_open,
    .close = tls_close,
    .bufferevent = tls_bufferevent,
    .flush = tls_flush,
};

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "web_tls",
    .version = SCHEDD_VERSION,
    .service = &tls_ops,
};
