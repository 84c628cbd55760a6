/* SPDX-License-Identifier: MIT */
#include "server/http/http_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/log.h"

#define HTTP_BACKLOG 1024

static int http_listen_wrong(const char *address, const char *reason, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EFILE, "http.listen: '%s': %s", address, reason);
}

static bool http_listen_is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >>
			   24 ==
		       127;
	return IN6_IS_ADDR_LOOPBACK(
	    &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static int http_listen_take(struct web *web, int fd, const char *address, char *path,
    struct schedd_error *err)
{
	struct http_listener *listener = &web->listeners[web->listener_count];

	listener->bound = evhttp_accept_socket_with_handle(web->evhttp, fd);
	listener->address = listener->bound ? strdup(address) : NULL;
	if (!listener->address) {
		if (!listener->bound)
			close(fd);
		free(path);
		return schedd_error_nomem(err);
	}
	listener->path = path;
	web->listener_count++;
	return 0;
}

/* ---- TCP ---- */

/* "[::1]:8630" into host and port, in place. */
static bool http_listen_split(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');

	if (!colon || colon == text || !colon[1])
		return false;
	*colon = '\0';
	*host = text;
	*port = colon + 1;
	if (text[0] != '[')
		return strchr(text, ':') == NULL;
	if (colon[-1] != ']')
		return false;
	colon[-1] = '\0';
	*host = text + 1;
	return true;
}

static int http_listen_bind(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
	int fault;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, HTTP_BACKLOG) == 0)
		return fd;
	fault = errno;
	close(fd);
	errno = fault;
	return -1;
}

static int http_listen_tcp(struct web *web, const char *address, struct schedd_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *info = NULL;
	char text[300], *host, *port;
	int rc, fd;

	if (snprintf(text, sizeof(text), "%s", address) >= (int)sizeof(text) ||
	    !http_listen_split(text, &host, &port))
		return http_listen_wrong(
		    address, "write ADDRESS:PORT, as 127.0.0.1:8630 or [::1]:8630, or unix:/PATH", err);
	rc = getaddrinfo(host, port, &hints, &info);
	if (rc)
		return http_listen_wrong(address, gai_strerror(rc), err);
	if (!http_listen_is_loopback(info->ai_addr) && !web->tls && !web->config->insecure) {
		freeaddrinfo(info);
		return http_listen_wrong(address,
		    "others can reach this address: set http.tls, or http.insecure: true if "
		    "something in front of schedd encrypts",
		    err);
	}
	fd = http_listen_bind(info);
	rc = fd < 0 ? http_listen_wrong(address, strerror(errno), err) : 0;
	freeaddrinfo(info);
	return rc ? rc : http_listen_take(web, fd, address, NULL, err);
}

/* ---- Unix ---- */

/* A socket that nobody listens at any more is in the way; a live one is somebody's. */
static bool http_listen_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;
	bool dead = fd >= 0 && lstat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
		    connect(fd, (const struct sockaddr *)(const void *)address,
			sizeof(*address)) < 0 &&
		    errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return dead;
}

static int http_listen_unix(struct web *web, const char *address, struct schedd_error *err)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	const char *path = address + strlen("unix:");
	char *copy = strdup(path);
	mode_t mask;
	int fd, rc;

	if (!copy)
		return schedd_error_nomem(err);
	if (path[0] != '/' || strlen(path) >= sizeof(where.sun_path)) {
		free(copy);
		return http_listen_wrong(address, "write an absolute path of at most 107 bytes", err);
	}
	memcpy(where.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && http_listen_stale(&where))
		unlink(path);
	mask = umask(~(mode_t)web->config->mode & 0777);
	rc = fd < 0 || bind(fd, (struct sockaddr *)&where, sizeof(where)) < 0 ||
	     listen(fd, HTTP_BACKLOG) < 0;
	umask(mask);
	if (!rc)
		return http_listen_take(web, fd, address, copy, err);
	rc = http_listen_wrong(address, strerror(errno), err);
	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

/* ---- All ---- */

int http_listen_open(struct web *web, struct schedd_error *err)
{
	int rc = 0;

	for (const char *const *address = web->config->listen; !rc && *address; address++) {
		if (web->listener_count == HTTP_LISTENERS_MAX)
			rc = http_listen_wrong(*address, "there are 16 addresses already", err);
		else if (strncmp(*address, "unix:", 5) == 0)
			rc = http_listen_unix(web, *address, err);
		else
			rc = http_listen_tcp(web, *address, err);
		if (!rc)
			log_info(web->host->log, "http: listening at %s%s", *address,
			    web->tls ? " with TLS" : "");
	}
	return rc;
}

void http_listen_close(struct web *web)
{
	for (size_t i = 0; i < web->listener_count; i++) {
		if (web->listeners[i].path)
			unlink(web->listeners[i].path);
		free(web->listeners[i].path);
		free(web->listeners[i].address);
	}
	web->listener_count = 0;
}
