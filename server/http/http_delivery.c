/* SPDX-License-Identifier: MIT */
/*
 * Two tables of a day each, so that nothing has to be taken out of one: when a
 * day is over, the older one goes as a whole, and its file with it.
 */
#include "server/http/http_delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "server/http/http_sha256.h"

#define DELIVERY_ROOM_FIRST 64 /* places of a table, a power of two */

struct http_delivery {
	struct http_delivery_key key;
	int64_t seen; /* seconds since 1970 */
	uint32_t run; /* 0: the place is free */
};

struct http_delivery_day {
	struct http_delivery *places;
	size_t room; /* a power of two, or 0 */
	size_t count;
	int64_t began; /* of its first one; 0: there is none */
};

struct http_deliveries {
	struct http_delivery_day today, before;
	char path[PATH_MAX];
	char path_before[PATH_MAX];
};

/* ---- Keys ---- */

struct http_delivery_key http_delivery_key(const char *job, const char *delivery)
{
	struct http_delivery_key key = {{0, 0}};
	char digest[HTTP_SHA256_HEX], *text = NULL;

	/* A newline stands in no id. Without memory it is a key of its own, never found again. */
	if (asprintf(&text, "%s\n%s", job, delivery) < 0)
		return key;
	http_sha256(text, strlen(text), digest);
	free(text);
	sscanf(digest, "%16" SCNx64 "%16" SCNx64, &key.part[0], &key.part[1]);
	return key;
}

bool http_delivery_same(const struct http_delivery_key *a, const struct http_delivery_key *b)
{
	return a->part[0] == b->part[0] && a->part[1] == b->part[1];
}

/* ---- A day ---- */

/* Its place, or the free one where it belongs. There is always a free one. */
static struct http_delivery *delivery_place(
    struct http_delivery *places, size_t room, const struct http_delivery_key *key)
{
	size_t at = (size_t)key->part[0] & (room - 1);

	while (places[at].run && !http_delivery_same(&places[at].key, key))
		at = (at + 1) & (room - 1);
	return &places[at];
}

static bool delivery_grow(struct http_delivery_day *day)
{
	size_t room = day->room ? 2 * day->room : DELIVERY_ROOM_FIRST;
	struct http_delivery *places = calloc(room, sizeof(*places));

	if (!places)
		return false;
	for (size_t i = 0; i < day->room; i++)
		if (day->places[i].run)
			*delivery_place(places, room, &day->places[i].key) = day->places[i];
	free(day->places);
	day->places = places;
	day->room = room;
	return true;
}

static bool delivery_put(struct http_delivery_day *day, const struct http_delivery *delivery)
{
	struct http_delivery *place;

	if (4 * (day->count + 1) > 3 * day->room && !delivery_grow(day))
		return false;
	place = delivery_place(day->places, day->room, &delivery->key);
	day->count += place->run == 0;
	*place = *delivery;
	if (!day->began)
		day->began = delivery->seen;
	return true;
}

static uint32_t delivery_find(
    const struct http_delivery_day *day, const struct http_delivery_key *key, int64_t now)
{
	const struct http_delivery *place;

	if (!day->room)
		return 0;
	place = delivery_place(day->places, day->room, key);
	return place->run && now - place->seen < HTTP_DELIVERY_MEMORY ? place->run : 0;
}

static void delivery_clear(struct http_delivery_day *day)
{
	free(day->places);
	*day = (struct http_delivery_day){0};
}

/* ---- Files ---- */

static int delivery_read(
    struct http_delivery_day *day, const char *path, int64_t now, struct schedd_error *err)
{
	FILE *file = fopen(path, "re");
	struct http_delivery delivery;
	char line[HTTP_DELIVERY_LINE];
	int rc = 0;

	while (!rc && file && day->count < HTTP_DELIVERY_MOST && fgets(line, sizeof(line), file)) {
		/* A line that a crash cut off is not one. */
		if (sscanf(line, "%" SCNd64 " %" SCNu32 " %16" SCNx64 "%16" SCNx64, &delivery.seen,
			&delivery.run, &delivery.key.part[0], &delivery.key.part[1]) == 4 &&
		    line[strlen(line) - 1] == '\n' && delivery.run && delivery.seen <= now &&
		    now - delivery.seen < 2 * HTTP_DELIVERY_MEMORY && !delivery_put(day, &delivery))
			rc = schedd_error_nomem(err);
	}
	if (file)
		fclose(file);
	return rc;
}

/* What is appended to a cut-off line would be lost with it. */
static void delivery_mend(const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	struct stat st;
	char last;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 &&
	    last != '\n')
		(void)!write(fd, "\n", 1);
	close(fd);
}

int http_deliveries_open(const char *directory, int64_t now, struct http_deliveries **out,
    struct schedd_error *err)
{
	struct http_deliveries *deliveries = calloc(1, sizeof(*deliveries));
	int rc;

	if (!deliveries)
		return schedd_error_nomem(err);
	snprintf(deliveries->path, sizeof(deliveries->path), "%s/hooks.seen", directory);
	snprintf(deliveries->path_before, sizeof(deliveries->path_before), "%s/hooks.seen.before",
	    directory);
	delivery_mend(deliveries->path);
	rc = delivery_read(&deliveries->before, deliveries->path_before, now, err);
	if (!rc)
		rc = delivery_read(&deliveries->today, deliveries->path, now, err);
	if (rc)
		http_deliveries_close(deliveries);
	else
		*out = deliveries;
	return rc;
}

void http_deliveries_close(struct http_deliveries *deliveries)
{
	if (!deliveries)
		return;
	delivery_clear(&deliveries->today);
	delivery_clear(&deliveries->before);
	free(deliveries);
}

int http_delivery_write(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600), error = 0;
	size_t length = strlen(line);

	if (fd < 0)
		return errno;
	if (write(fd, line, length) != (ssize_t)length || fdatasync(fd) < 0)
		error = errno ? errno : ENOSPC;
	close(fd);
	return error;
}

/* ---- All ---- */

uint32_t http_deliveries_find(const struct http_deliveries *deliveries,
    const struct http_delivery_key *key, int64_t now)
{
	uint32_t run = delivery_find(&deliveries->today, key, now);

	return run ? run : delivery_find(&deliveries->before, key, now);
}

bool http_deliveries_room(struct http_deliveries *deliveries, int64_t now)
{
	struct http_delivery_day *today = &deliveries->today;

	if (today->began && now - today->began >= HTTP_DELIVERY_MEMORY) {
		delivery_clear(&deliveries->before);
		deliveries->before = *today;
		*today = (struct http_delivery_day){0};
		rename(deliveries->path, deliveries->path_before);
	}
	return today->count < HTTP_DELIVERY_MOST;
}

bool http_deliveries_add(struct http_deliveries *deliveries, const struct http_delivery_key *key,
    uint32_t run, int64_t now, char line[HTTP_DELIVERY_LINE])
{
	struct http_delivery delivery = {.key = *key, .seen = now, .run = run};

	snprintf(line, HTTP_DELIVERY_LINE, "%" PRId64 " %" PRIu32 " %016" PRIx64 "%016" PRIx64 "\n",
	    now, run, key->part[0], key->part[1]);
	return delivery_put(&deliveries->today, &delivery);
}

const char *http_deliveries_path(const struct http_deliveries *deliveries)
{
	return deliveries->path;
}
