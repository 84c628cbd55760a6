/* SPDX-License-Identifier: MIT */
/*
 * The socket: every wait is a poll() until the link's deadline, looking up the
 * host's name and the TLS handshake included.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "store/modules/store_redis.h"
#include "store/store_lookup.h"

int store_redis_wire_gone(struct store_link *link, const char *why, struct schedd_error *err)
{
	const struct redis_link *redis = redis_of(link);

	return store_link_fail(link, redis->sent ? STORE_FAULT_UNKNOWN : STORE_FAULT_GONE, err,
	    "%s%s", why,
	    redis->sent ? "; whether the last change was stored is not known yet" : "");
}

static int wire_wait(struct store_link *link, short events, struct schedd_error *err)
{
	struct pollfd fd = {.fd = redis_of(link)->fd, .events = events};

	for (;;) {
		int left = store_link_left(link), rc = left > 0 ? poll(&fd, 1, left) : 0;

		if (rc > 0)
			return 0;
		if (rc == 0)
			return store_redis_wire_gone(link,
			    redis_of(link)->heard
				? "the server does not answer"
				: "the server does not answer; is it Redis that listens there?",
			    err);
		if (errno != EINTR)
			return store_redis_wire_gone(link, strerror(errno), err);
	}
}

/* ---- Connecting ---- */

static int wire_socket(struct store_link *link, int family, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, idle = 5, interval = 2, count = 3;
	unsigned most = (unsigned)(link->config->lease / 1000);

	if (fd < 0)
		return store_link_fail(
		    link, STORE_FAULT_GONE, err, "no socket: %s", strerror(errno));
	redis->fd = fd;
	redis->open = true;
	if (family == AF_UNIX)
		return 0;
	/* A dead connection must not be trusted for longer than the lease. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof(most));
	return 0;
}

static void wire_where(const struct sockaddr *address, socklen_t length, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN], port[8];

	if (address->sa_family == AF_UNIX)
		snprintf(text, size, "%s", ((const struct sockaddr_un *)address)->sun_path);
	else if (getnameinfo(address, length, host, sizeof(host), port, sizeof(port),
		     NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(text, size, "%s port %s", host, port);
	else
		snprintf(text, size, "the server");
}

static int wire_connect(struct store_link *link, const struct sockaddr *address, socklen_t length,
    struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	socklen_t size = sizeof(int);
	int code = 0, rc = wire_socket(link, address->sa_family, err);
	char where[sizeof(struct sockaddr_un)];

	if (rc)
		return rc;
	if (connect(redis->fd, address, length) < 0) {
		code = errno;
		/* A Unix socket whose queue is full says so at once, and only then. */
		if (code == EINPROGRESS || code == EINTR) {
			rc = wire_wait(link, POLLOUT, err);
			if (rc)
				return rc;
			if (getsockopt(redis->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
				code = errno;
		}
	}
	if (code == 0)
		return 0;
	wire_where(address, length, where, sizeof(where));
	return store_link_fail(link, STORE_FAULT_GONE, err, "%s: %s", where, strerror(code));
}

static int wire_open_unix(struct store_link *link, struct schedd_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct schedd_error why;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", link->config->url.path);
	if (wire_connect(link, (const struct sockaddr *)&address, sizeof(address), &why) == 0)
		return 0;
	*err = why;
	return SCHEDD_EFAILED;
}

/* The addresses of a host one after the other; the time that is left is shared out. */
static int wire_open_tcp(struct store_link *link, struct schedd_error *err)
{
	struct addrinfo *list = NULL;
	int64_t deadline = link->deadline;
	const struct store_url_host *host = &link->config->url.hosts[0];
	int rc = store_lookup_host(link, &redis_of(link)->lookup,
	    host->name[0] ? host->name : "127.0.0.1", host->port ? host->port : 6379, &list, err);
	int count = 0;

	for (struct addrinfo *at = list; at; at = at->ai_next)
		count++;
	if (rc == 0)
		rc = SCHEDD_EFAILED;
	for (struct addrinfo *at = list; at && rc; at = at->ai_next, count--) {
		link->deadline -= store_link_left(link) * 1000LL * (count - 1) / count;
		rc = wire_connect(link, at->ai_addr, at->ai_addrlen, err);
		link->deadline = deadline;
		if (rc && redis_of(link)->open) {
			close(redis_of(link)->fd);
			redis_of(link)->open = false;
		}
	}
	if (list)
		freeaddrinfo(list);
	return rc;
}

/* ---- TLS ---- */

static int wire_tls_failed(struct store_link *link, struct schedd_error *err)
{
	const struct redis_link *redis = redis_of(link);
	long verify = redis->ssl ? SSL_get_verify_result(redis->ssl) : X509_V_OK;
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	if (verify != X509_V_OK)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "the server's certificate is not good: %s",
		    X509_verify_cert_error_string(verify));
	if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "the server does not speak TLS there: write redis://, or name its TLS port");
	return store_link_fail(link, code ? STORE_FAULT_REFUSED : STORE_FAULT_GONE, err, "TLS: %s",
	    reason ? reason : "the server closed the connection; does it speak TLS there?");
}

static int wire_tls_files(struct store_link *link, SSL_CTX *context, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	const char *wrong = NULL;

	if (config->tls_ca ? !SSL_CTX_load_verify_locations(context, config->tls_ca, NULL)
			   : !SSL_CTX_set_default_verify_paths(context))
		wrong = config->tls_ca ? config->tls_ca : "the system's certificates";
	else if (config->tls_cert && SSL_CTX_use_certificate_chain_file(context, config->tls_cert) != 1)
		wrong = config->tls_cert;
	else if (config->tls_key &&
		 (SSL_CTX_use_PrivateKey_file(context, config->tls_key, SSL_FILETYPE_PEM) != 1 ||
		     SSL_CTX_check_private_key(context) != 1))
		wrong = config->tls_key;
	if (!wrong)
		return 0;
	store_link_fail(link, STORE_FAULT_REFUSED, err, "TLS: %s cannot be used: %s", wrong,
	    ERR_reason_error_string(ERR_peek_last_error()));
	ERR_clear_error();
	return SCHEDD_EFAILED;
}

/* Whom the certificate must name. */
static bool wire_tls_name(struct redis_link *redis, const char *host)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(redis->ssl), host) == 1;
	return SSL_set1_host(redis->ssl, host) == 1 &&
	       SSL_set_tlsext_host_name(redis->ssl, host) == 1;
}

/* What a call on the TLS connection waits for, if it is nothing worse. */
static int wire_tls_wait(struct store_link *link, int rc, struct schedd_error *err)
{
	switch (SSL_get_error(redis_of(link)->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return wire_wait(link, POLLIN, err);
	case SSL_ERROR_WANT_WRITE:
		return wire_wait(link, POLLOUT, err);
	default:
		return SCHEDD_ECONFLICT;
	}
}

static int wire_tls(struct store_link *link, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	const char *host = link->config->url.hosts[0].name;
	int rc, done;

	ERR_clear_error();
	redis->context = SSL_CTX_new(TLS_client_method());
	if (!redis->context)
		return schedd_error_nomem(err);
	SSL_CTX_set_min_proto_version(redis->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(redis->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(redis->context,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	rc = wire_tls_files(link, redis->context, err);
	if (rc)
		return rc;
	redis->ssl = SSL_new(redis->context);
	if (!redis->ssl || SSL_set_fd(redis->ssl, redis->fd) != 1 ||
	    !wire_tls_name(redis, host[0] ? host : "127.0.0.1"))
		return schedd_error_nomem(err);
	while ((done = SSL_connect(redis->ssl)) != 1) {
		rc = wire_tls_wait(link, done, err);
		if (rc == SCHEDD_ECONFLICT)
			return wire_tls_failed(link, err);
		/* Redis without it waits for the end of a line. */
		if (rc)
			return store_link_fail(link, STORE_FAULT_GONE, err,
			    "the server does not answer; does it speak TLS there?");
	}
	return 0;
}

int store_redis_wire_open(struct store_link *link, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	const char *scheme = link->config->url.scheme;
	int rc;

	redis->sent = redis->heard = false;
	redis->reader = redisReaderCreate();
	if (!redis->reader)
		return schedd_error_nomem(err);
	rc = strcmp(scheme, "unix") == 0 ? wire_open_unix(link, err) : wire_open_tcp(link, err);
	if (rc == 0 && strcmp(scheme, "rediss") == 0)
		rc = wire_tls(link, err);
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	return rc;
}

void store_redis_wire_close(struct store_link *link)
{
	struct redis_link *redis = redis_of(link);

	SSL_free(redis->ssl);
	SSL_CTX_free(redis->context);
	redis->ssl = NULL;
	redis->context = NULL;
	if (redis->reader)
		redisReaderFree(redis->reader);
	redis->reader = NULL;
	if (redis->open)
		close(redis->fd);
	redis->open = false;
}

/* ---- Bytes ---- */

static int wire_ended(struct store_link *link, struct schedd_error *err)
{
	const struct redis_link *redis = redis_of(link);

	if (redis->heard)
		return store_redis_wire_gone(link, "the server closed the connection", err);
	return store_redis_wire_gone(link,
	    redis->ssl ? "the server closed the connection before it answered anything; is it a Redis "
			 "server?"
		       : "the server closed the connection before it answered anything; is it a Redis "
			 "server, and does it speak without TLS there (else write rediss://)?",
	    err);
}

/* Negative: failed; 0: waited, try again. */
static ssize_t wire_write_some(
    struct store_link *link, const char *bytes, size_t length, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	ssize_t count;
	int rc;

	if (redis->ssl) {
		ERR_clear_error();
		count = SSL_write(redis->ssl, bytes, length < INT32_MAX ? (int)length : INT32_MAX);
		if (count > 0)
			return count;
		rc = wire_tls_wait(link, (int)count, err);
		return rc == SCHEDD_ECONFLICT
			   ? store_redis_wire_gone(link, "the server closed the connection", err)
			   : rc;
	}
	count = send(redis->fd, bytes, length, MSG_NOSIGNAL);
	if (count > 0)
		return count;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return wire_wait(link, POLLOUT, err);
	if (errno == EPIPE || errno == ECONNRESET)
		return wire_ended(link, err);
	return errno == EINTR ? 0 : store_redis_wire_gone(link, strerror(errno), err);
}

int store_redis_wire_write(
    struct store_link *link, const char *bytes, size_t length, struct schedd_error *err)
{
	while (length > 0) {
		ssize_t count = wire_write_some(link, bytes, length, err);

		if (count < 0)
			return SCHEDD_EFAILED;
		bytes += count;
		length -= (size_t)count;
	}
	return 0;
}

void store_redis_wire_throw(struct store_link *link, const char *bytes, size_t length)
{
	struct redis_link *redis = redis_of(link);

	if (redis->ssl)
		(void)SSL_write(redis->ssl, bytes, (int)length);
	else if (send(redis->fd, bytes, length, MSG_NOSIGNAL) < 0)
		return; /* others wait for the lease to end */
}

int store_redis_wire_read(struct store_link *link, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	char bytes[65536];

	for (;;) {
		ssize_t count;
		int rc = 0;

		if (redis->ssl) {
			ERR_clear_error();
			count = SSL_read(redis->ssl, bytes, sizeof(bytes));
			if (count <= 0)
				rc = wire_tls_wait(link, (int)count, err);
			if (rc == SCHEDD_ECONFLICT)
				return wire_ended(link, err);
		} else {
			count = recv(redis->fd, bytes, sizeof(bytes), 0);
			if (count == 0 || (count < 0 && errno == ECONNRESET))
				return wire_ended(link, err);
			if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
				rc = wire_wait(link, POLLIN, err);
			else if (count < 0 && errno != EINTR)
				return store_redis_wire_gone(link, strerror(errno), err);
		}
		if (rc)
			return rc;
		if (count > 0)
			return redisReaderFeed(redis->reader, bytes, (size_t)count)
				   ? store_redis_wire_gone(link, "out of memory", err)
				   : 0;
	}
}
