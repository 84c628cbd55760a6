/* SPDX-License-Identifier: MIT */
#include "cmd/apscheduler_source.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SOURCE_TABLE "apscheduler_jobs"

static const struct {
	const char *scheme;
	const char *table; /* that SQLAlchemy's store makes; NULL: it is no SQL */
	int (*read)(const struct apscheduler_source *source, const struct apscheduler_url *url,
	    apscheduler_source_fn call, void *context, struct schedd_error *err);
} source_kinds[] = {
    {"sqlite", SOURCE_TABLE, apscheduler_sqlite_read},
    {"postgresql", SOURCE_TABLE, apscheduler_postgres_read},
    {"postgres", SOURCE_TABLE, apscheduler_postgres_read},
    {"mysql", SOURCE_TABLE, apscheduler_mysql_read},
    {"mariadb", SOURCE_TABLE, apscheduler_mysql_read},
    {"redis", NULL, apscheduler_redis_read},
    {"unix", NULL, apscheduler_redis_read},
    {"mongodb", NULL, apscheduler_mongodb_read},
    {"zookeeper", NULL, apscheduler_zookeeper_read},
};

#define SOURCE_KINDS (sizeof(source_kinds) / sizeof(source_kinds[0]))

static bool source_is_sqlite(const char *path)
{
	char head[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool is;

	if (fd < 0)
		return false;
	is = read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
	     memcmp(head, "SQLite format 3", sizeof(head)) == 0;
	close(fd);
	return is;
}

bool apscheduler_source_is(const char *place)
{
	return strstr(place, "://") || source_is_sqlite(place);
}

/* A table's name is put into a question as it is. */
static int source_check_table(const char *table, bool sql, struct schedd_error *err)
{
	if (!*table)
		return schedd_error_set(err, SCHEDD_EINVAL, "--table: it is empty");
	for (const char *c = table; sql && *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.')
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "--table: '%.60s' is no name of a table: letters, digits, '_', and '.' "
			    "behind a schema",
			    table);
	return 0;
}

static int source_read(const struct apscheduler_source *source, const struct apscheduler_url *url,
    apscheduler_source_fn call, void *context, struct schedd_error *err)
{
	struct apscheduler_source own = *source;
	size_t i = 0;
	int rc;

	while (i < SOURCE_KINDS && strcmp(source_kinds[i].scheme, url ? url->scheme : "sqlite") != 0)
		i++;
	if (i == SOURCE_KINDS)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "stores at %s:// cannot be read from here, only sqlite, postgresql, mysql, redis, "
		    "mongodb and zookeeper; let APScheduler 3.11 write them: "
		    "scheduler.export_jobs('jobs.json'), then schedctl import apscheduler jobs.json",
		    url->scheme);
	if (!own.table)
		own.table = source_kinds[i].table;
	rc = own.table ? source_check_table(own.table, source_kinds[i].table, err) : 0;
	return rc ? rc : source_kinds[i].read(&own, url, call, context, err);
}

int apscheduler_source_read(const struct apscheduler_source *source, apscheduler_source_fn call,
    void *context, struct schedd_error *err)
{
	struct apscheduler_url url = {0};
	struct arena arena;
	int rc;

	if (!strstr(source->place, "://"))
		return source_read(source, NULL, call, context, err);
	arena_init(&arena);
	rc = apscheduler_url_parse(source->place, &arena, &url, err);
	if (rc == 0)
		rc = source_read(source, &url, call, context, err);
	arena_clear(&arena);
	return rc;
}
