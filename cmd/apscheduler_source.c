/* SPDX-License-Identifier: MIT */
#include "cmd/apscheduler_source.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *scheme;
	int (*read)(const struct apscheduler_source *source, const struct apscheduler_url *url,
	    apscheduler_source_fn call, void *context, struct schedd_error *err);
} source_kinds[] = {
    {"sqlite", apscheduler_sqlite_read},
    {"postgresql", apscheduler_postgres_read},
    {"postgres", apscheduler_postgres_read},
    {"mysql", apscheduler_mysql_read},
    {"mariadb", apscheduler_mysql_read},
    {"redis", apscheduler_redis_read},
    {"unix", apscheduler_redis_read},
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

/* It is put into a question as it is. */
static int source_check_table(const char *table, struct schedd_error *err)
{
	for (const char *c = table; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.')
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "--table: '%.60s' is no name of a table: letters, digits, '_', and '.' "
			    "behind a schema",
			    table);
	return *table ? 0 : schedd_error_set(err, SCHEDD_EINVAL, "--table: it is empty");
}

int apscheduler_source_read(const struct apscheduler_source *source, apscheduler_source_fn call,
    void *context, struct schedd_error *err)
{
	struct apscheduler_url url = {0};
	struct arena arena;
	int rc = source_check_table(source->table, err);

	if (rc)
		return rc;
	if (!strstr(source->place, "://"))
		return apscheduler_sqlite_read(source, NULL, call, context, err);
	arena_init(&arena);
	rc = apscheduler_url_parse(source->place, &arena, &url, err);
	for (size_t i = 0; rc == 0 && i < SOURCE_KINDS; i++)
		if (strcmp(source_kinds[i].scheme, url.scheme) == 0) {
			rc = source_kinds[i].read(source, &url, call, context, err);
			goto out;
		}
	if (rc == 0)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "stores at %s:// cannot be read from here, only sqlite, postgresql, mysql and "
		    "redis; let APScheduler 3.11 write them: scheduler.export_jobs('jobs.json'), "
		    "then schedctl import apscheduler jobs.json",
		    url.scheme);
out:
	arena_clear(&arena);
	return rc;
}
