/* SPDX-License-Identifier: MIT */
/*
 * Connections as libmongoc asks for them, made here: its own look-up of a host
 * takes as long as a server of names lets it, this one ends with the link's
 * deadline. That goes for members of a replica set, too, of which only the
 * servers tell.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include "store/modules/store_mongodb.h"
#include "store/store_lookup.h"

#define STREAM_BUFFER 1024

/* The library puts it into a longer sentence. */
static void stream_failed(struct store_link *link, bson_error_t *error, const char *why)
{
	struct mo_link *mo = mo_of(link);

	snprintf(mo->why, sizeof(mo->why), "%.*s", (int)sizeof(mo->why) - 1, why);
	bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "%s", why);
}

/* The look-up of that host which is under way, or a place for one. */
static struct store_lookup **stream_lookup(struct mo_link *mo, const char *name)
{
	struct mo_lookup *free_one = NULL;

	for (int i = 0; i < MO_LOOKUPS; i++) {
		struct mo_lookup *one = &mo->lookups[i];

		if (one->lookup && strcmp(one->name, name) == 0)
			return &one->lookup;
		if (!one->lookup && !free_one)
			free_one = one;
	}
	if (!free_one)
		return NULL;
	snprintf(free_one->name, sizeof(free_one->name), "%s", name);
	return &free_one->lookup;
}

static mongoc_stream_t *stream_connect(struct store_link *link, const char *where,
    const struct sockaddr *address, socklen_t length, bson_error_t *error)
{
	int family = address->sa_family;
	char text[256];
	mongoc_socket_t *socket = mongoc_socket_new(family, SOCK_STREAM, 0);
	int64_t until = bson_get_monotonic_time() + store_link_left(link) * 1000LL;

	if (!socket) {
		stream_failed(link, error, strerror(errno));
		return NULL;
	}
	if (mongoc_socket_connect(socket, address, length, until) == 0)
		return mongoc_stream_socket_new(socket);
	snprintf(text, sizeof(text), "%.180s: %s", where, strerror(mongoc_socket_errno(socket)));
	stream_failed(link, error, text);
	mongoc_socket_destroy(socket);
	return NULL;
}

static mongoc_stream_t *stream_unix(
    struct store_link *link, const char *path, bson_error_t *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		stream_failed(link, error, "the path of the socket is too long");
		return NULL;
	}
	memcpy(address.sun_path, path, strlen(path));
	return stream_connect(
	    link, path, (const struct sockaddr *)&address, sizeof(address), error);
}

/* The addresses of a host one after the other; the time that is left is shared out. */
static mongoc_stream_t *stream_tcp(
    struct store_link *link, const mongoc_host_list_t *host, bson_error_t *error)
{
	struct store_lookup **lookup = stream_lookup(mo_of(link), host->host);
	int64_t deadline = link->deadline;
	struct addrinfo *list = NULL;
	mongoc_stream_t *stream = NULL;
	struct schedd_error why;
	const char *words;
	int count = 0;

	if (!lookup) {
		stream_failed(link, error, "too many hosts are being looked up");
		return NULL;
	}
	if (store_lookup_host(link, lookup, host->host, host->port, &list, &why)) {
		/* It is the library's to say whether another member is found. */
		link->fault = STORE_FAULT_NONE;
		words = strstr(why.message, "the host '");
		stream_failed(link, error, words ? words : why.message);
		return NULL;
	}
	for (const struct addrinfo *at = list; at; at = at->ai_next)
		count++;
	for (const struct addrinfo *at = list; at && !stream; at = at->ai_next, count--) {
		link->deadline -= store_link_left(link) * 1000LL * (count - 1) / count;
		stream =
		    stream_connect(link, host->host_and_port, at->ai_addr, at->ai_addrlen, error);
		link->deadline = deadline;
	}
	freeaddrinfo(list);
	return stream;
}

static mongoc_stream_t *stream_tls(struct store_link *link, mongoc_stream_t *plain,
    const char *name, bson_error_t *error)
{
	mongoc_ssl_opt_t options = {
	    .ca_file = link->config->tls_ca, .pem_file = link->config->tls_cert};
	mongoc_stream_t *stream = mongoc_stream_tls_new_with_hostname(plain, name, &options, 1);
	char text[256];

	if (!stream) {
		stream_failed(link, error, "TLS: its files cannot be used");
		mongoc_stream_destroy(plain);
		return NULL;
	}
	if (mongoc_stream_tls_handshake_block(stream, name, store_link_left(link), error))
		return stream;
	mo_of(link)->trust = strstr(error->message, "certificate") != NULL;
	snprintf(text, sizeof(text), "%.180s%s", error->message,
	    mo_of(link)->trust ? "" : "; does the server speak TLS there?");
	stream_failed(link, error, text);
	mongoc_stream_destroy(stream);
	return NULL;
}

/* context is the link, whose thread alone uses the client. */
static mongoc_stream_t *stream_open(const mongoc_uri_t *uri, const mongoc_host_list_t *host,
    void *context, bson_error_t *error)
{
	struct store_link *link = context;
	bool local = host->family == AF_UNIX;
	mongoc_stream_t *stream;

	mo_of(link)->why[0] = '\0';
	mo_of(link)->trust = false;
	stream = local ? stream_unix(link, host->host, error) : stream_tcp(link, host, error);
	if (stream && mongoc_uri_get_tls(uri))
		stream = stream_tls(link, stream, host->host, error);
	return stream ? mongoc_stream_buffered_new(stream, STREAM_BUFFER) : NULL;
}

void store_mongodb_stream(struct store_link *link)
{
	mongoc_client_set_stream_initiator(mo_of(link)->client, stream_open, link);
}
