/* SPDX-License-Identifier: MIT */
/*
 * A live job store of APScheduler's, read and never written: a table of
 * SQLAlchemy's in SQLite, PostgreSQL or MySQL, a hash in Redis, a collection in
 * MongoDB or nodes in ZooKeeper. What it keeps of a job is a pickle, which is
 * handed on as it is.
 */
#ifndef SCHEDD_CMD_APSCHEDULER_SOURCE_H
#define SCHEDD_CMD_APSCHEDULER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <schedd/error.h>
#include "cmd/apscheduler_url.h"

struct apscheduler_source {
	const char *place;    /* a URL, or the path of an SQLite file */
	/* Of SQL, may have a schema before it: "s.apscheduler_jobs"; MongoDB's collection; NULL: as
	 * APScheduler names it. */
	const char *table;
	const char *jobs_key; /* of Redis */
};

/* One job; all valid during the call. Not 0 ends the reading with it. */
typedef int (*apscheduler_source_fn)(
    const char *id, const void *pickle, size_t length, void *context);

/* Is it a store, not a file of JSON? */
bool apscheduler_source_is(const char *place);
/*
 * SCHEDD_EINVAL: it is no place that can be read, and what to do instead;
 * SCHEDD_ENOTFOUND: there is no such file, table, hash or client library;
 * SCHEDD_EPERM; SCHEDD_EFAILED: it does not answer.
 */
int apscheduler_source_read(const struct apscheduler_source *source, apscheduler_source_fn call,
    void *context, struct schedd_error *err) __attribute__((warn_unused_result));

/* ---- One a kind ---- */

int apscheduler_sqlite_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));
int apscheduler_postgres_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));
int apscheduler_mysql_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));
int apscheduler_redis_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));
int apscheduler_mongodb_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));
int apscheduler_zookeeper_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
