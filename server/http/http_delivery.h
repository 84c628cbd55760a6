/* SPDX-License-Identifier: MIT */
/*
 * Deliveries of webhooks that were seen within a day, and the run that each
 * began: a sender that repeats one is told of that run. They survive a restart
 * in two files, one of this day and one of the day before, of a line each:
 * "SECONDS NUMBER KEY".
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_DELIVERY_H
#define SCHEDD_SERVER_HTTP_HTTP_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/error.h>

#define HTTP_DELIVERY_MEMORY 86400 /* seconds */
#define HTTP_DELIVERY_MOST 262144  /* of a day; beyond, none is taken that would have to be remembered */
#define HTTP_DELIVERY_LINE 80      /* bytes, with the NUL */

struct http_deliveries;

/* Of a job and what its sender calls the delivery. */
struct http_delivery_key {
	uint64_t part[2];
};

struct http_delivery_key http_delivery_key(const char *job, const char *delivery);
bool http_delivery_same(const struct http_delivery_key *a, const struct http_delivery_key *b);

/* Reads what the directory has of them. What cannot be read is as if it were not there. */
int http_deliveries_open(const char *directory, int64_t now, struct http_deliveries **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* NULL is fine. */
void http_deliveries_close(struct http_deliveries *deliveries);
/* The number of the run that it began; 0: it was not seen, or longer ago. */
uint32_t http_deliveries_find(const struct http_deliveries *deliveries,
    const struct http_delivery_key *key, int64_t now);
/* Is there room for one more? May begin a new day. */
bool http_deliveries_room(struct http_deliveries *deliveries, int64_t now);
/*
 * Remembers it, and says what is to be written, by http_delivery_write(), so
 * that it is remembered after a restart too. False: no memory.
 */
bool http_deliveries_add(struct http_deliveries *deliveries, const struct http_delivery_key *key,
    uint32_t run, int64_t now, char line[HTTP_DELIVERY_LINE]);
/* The file of this day. */
const char *http_deliveries_path(const struct http_deliveries *deliveries);
/* Appends a line and waits until it is on disk; on any thread. 0, or an errno. */
int http_delivery_write(const char *path, const char *line);

#endif
