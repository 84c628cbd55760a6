/* SPDX-License-Identifier: MIT */
/*
 * Redis by its own protocol (RESP), of which three kinds of answers are
 * needed: a status, an error, a list of texts. redis://user:password@host/0 or
 * unix://user:password@/run/redis.sock?db=0
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include "base/strbuf.h"
#include "cmd/apscheduler_source.h"

#define REDIS_TIMEOUT 10 /* seconds for one answer */
#define REDIS_BYTES_MAX ((size_t)256 << 20)

struct redis {
	int fd;
	struct strbuf in; /* all that has come */
	size_t at;        /* and how far it is read */
};

static int redis_fail(const char *what, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EFAILED, "Redis: %s: %s", what,
	    errno == EAGAIN ? "no answer in time" : strerror(errno));
}

static int redis_open_unix(const char *path, struct schedd_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	redis_fail(path, err);
	if (fd >= 0)
		close(fd);
	return -1;
}

static int redis_open_host(const char *host, const char *port, struct schedd_error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int fd = -1, rc = getaddrinfo(host, port, &hints, &list);

	if (rc) {
		schedd_error_set(
		    err, SCHEDD_EFAILED, "Redis: %s: %s", host, gai_strerror(rc));
		return -1;
	}
	for (struct addrinfo *one = list; one && fd < 0; one = one->ai_next) {
		fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) == 0)
			break;
		redis_fail(host, err);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

/* A command of words; NULL ends them. */
static int redis_send(struct redis *redis, const char *const *words, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	size_t count = 0, done = 0;
	int rc = 0;

	while (words[count])
		count++;
	strbuf_printf(&text, "*%zu\r\n", count);
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&text, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
	if (strbuf_failed(&text))
		rc = schedd_error_nomem(err);
	while (rc == 0 && done < text.length) {
		ssize_t n = send(redis->fd, text.data + done, text.length - done, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			rc = redis_fail(words[0], err);
		done += n > 0 ? (size_t)n : 0;
	}
	strbuf_clear(&text);
	return rc;
}

static int redis_more(struct redis *redis, struct schedd_error *err)
{
	ssize_t got;

	if (redis->in.length > REDIS_BYTES_MAX)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "Redis: its answer is longer than %zu bytes",
		    REDIS_BYTES_MAX);
	if (!strbuf_reserve(&redis->in, 65536))
		return schedd_error_nomem(err);
	do
		got = recv(redis->fd, redis->in.data + redis->in.length, 65536, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return redis_fail("reading", err);
	if (got == 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "Redis: it closed the connection");
	redis->in.length += (size_t)got;
	redis->in.data[redis->in.length] = '\0';
	return 0;
}

/* One line without its end, as an offset: what is there moves when more comes. */
static int redis_line(struct redis *redis, size_t *line, struct schedd_error *err)
{
	size_t from = redis->at;
	char *end;
	int rc;

	while (!redis->in.data ||
	       !(end = memmem(redis->in.data + from, redis->in.length - from, "\r\n", 2))) {
		rc = redis_more(redis, err);
		if (rc)
			return rc;
	}
	*line = from;
	*end = '\0';
	redis->at = (size_t)(end - redis->in.data) + 2;
	if (redis->in.data[from] == '-')
		return schedd_error_set(err,
		    strncmp(redis->in.data + from, "-NOAUTH", 7) == 0 ||
			    strncmp(redis->in.data + from, "-WRONGPASS", 10) == 0
			? SCHEDD_EPERM
			: SCHEDD_EFAILED,
		    "Redis: %.200s", redis->in.data + from + 1);
	return 0;
}

/* The number behind the mark of a line: of items, or of bytes. */
static int redis_count(struct redis *redis, char mark, long long *out, struct schedd_error *err)
{
	size_t line;
	int rc = redis_line(redis, &line, err);
	char *end;

	if (rc)
		return rc;
	*out = strtoll(redis->in.data + line + 1, &end, 10);
	if (redis->in.data[line] != mark || *end || *out < 0 || *out > (long long)REDIS_BYTES_MAX)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "Redis: it does not answer as Redis does");
	return 0;
}

static int redis_text(struct redis *redis, size_t *text, size_t *length, struct schedd_error *err)
{
	long long bytes;
	int rc = redis_count(redis, '$', &bytes, err);

	while (rc == 0 && redis->in.length - redis->at < (size_t)bytes + 2)
		rc = redis_more(redis, err);
	if (rc)
		return rc;
	*text = redis->at;
	*length = (size_t)bytes;
	redis->in.data[redis->at + (size_t)bytes] = '\0';
	redis->at += (size_t)bytes + 2;
	return 0;
}

static int redis_simple(struct redis *redis, const char *const *words, struct schedd_error *err)
{
	size_t line;
	int rc = redis_send(redis, words, err);

	return rc ? rc : redis_line(redis, &line, err);
}

/* The hash: a field a job. */
static int redis_rows(struct redis *redis, const char *key, apscheduler_source_fn call,
    void *context, struct schedd_error *err)
{
	const char *const words[] = {"HGETALL", key, NULL};
	long long count = 0;
	int rc = redis_send(redis, words, err);

	if (rc == 0)
		rc = redis_count(redis, '*', &count, err);
	if (rc == 0 && count == 0)
		rc = schedd_error_set(err, SCHEDD_ENOTFOUND,
		    "Redis: there is no hash '%s' in that database: which jobs_key has the store? "
		    "(--jobs-key)",
		    key);
	for (long long i = 0; rc == 0 && i + 1 < count; i += 2) {
		size_t id, id_length, pickle, length;

		rc = redis_text(redis, &id, &id_length, err);
		if (rc == 0)
			rc = redis_text(redis, &pickle, &length, err);
		if (rc == 0 && call(redis->in.data + id, redis->in.data + pickle, length, context))
			rc = schedd_error_nomem(err);
	}
	return rc;
}

static int redis_login(struct redis *redis, const struct apscheduler_url *url,
    const char *database, struct schedd_error *err)
{
	const char *const two[] = {"AUTH", url->user, url->password, NULL};
	const char *const one[] = {"AUTH", url->password, NULL};
	const char *const select[] = {"SELECT", database, NULL};
	int rc = 0;

	if (url->password)
		rc = redis_simple(redis, url->user ? two : one, err);
	if (rc == 0 && database)
		rc = redis_simple(redis, select, err);
	return rc;
}

int apscheduler_redis_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err)
{
	const struct timeval timeout = {.tv_sec = REDIS_TIMEOUT};
	bool local = strcmp(url->scheme, "unix") == 0;
	struct redis redis = {.fd = -1};
	struct arena arena;
	const char *database;
	int rc;

	arena_init(&arena);
	database = local ? NULL : url->path;
	if (!database)
		database = apscheduler_url_option(url, "db", &arena);
	if (local)
		redis.fd = redis_open_unix(
		    arena_printf(&arena, "/%s", url->path ? url->path : ""), err);
	else
		redis.fd = redis_open_host(url->host ? url->host : "localhost",
		    url->port ? url->port : "6379", err);
	rc = redis.fd < 0 ? err->code : 0;
	if (rc == 0) {
		setsockopt(redis.fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
		rc = redis_login(&redis, url, database, err);
	}
	if (rc == 0)
		rc = redis_rows(&redis, source->jobs_key, call, context, err);
	if (redis.fd >= 0)
		close(redis.fd);
	strbuf_clear(&redis.in);
	arena_clear(&arena);
	return rc;
}
