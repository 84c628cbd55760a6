/* SPDX-License-Identifier: MIT */
/* Through MariaDB's client library, loaded when it is asked for. */
#include <stdlib.h>
#include "base/dynlib.h"
#include "base/strbuf.h"
#include "cmd/apscheduler_source.h"

/* From mysql.h; these functions keep their shapes for good. */
struct mysql_calls {
	void *(*init)(void *connection);
	void *(*real_connect)(void *connection, const char *host, const char *user,
	    const char *password, const char *database, unsigned port, const char *socket,
	    unsigned long flags);
	int (*query)(void *connection, const char *text);
	void *(*store_result)(void *connection);
	char **(*fetch_row)(void *result);
	unsigned long *(*fetch_lengths)(void *result);
	void (*free_result)(void *result);
	const char *(*error)(void *connection);
	void (*close)(void *connection);
};

static int mysql_load(struct mysql_calls *calls, struct schedd_error *err)
{
	static const char *const names[] = {
	    "libmariadb.so.3", "libmysqlclient.so.21", "libmariadb.so", NULL};
	const struct dynlib_symbol symbols[] = {
	    {"mysql_init", (void **)&calls->init},
	    {"mysql_real_connect", (void **)&calls->real_connect},
	    {"mysql_query", (void **)&calls->query},
	    {"mysql_store_result", (void **)&calls->store_result},
	    {"mysql_fetch_row", (void **)&calls->fetch_row},
	    {"mysql_fetch_lengths", (void **)&calls->fetch_lengths},
	    {"mysql_free_result", (void **)&calls->free_result},
	    {"mysql_error", (void **)&calls->error},
	    {"mysql_close", (void **)&calls->close},
	    {NULL, NULL},
	};

	return dynlib_library("MySQL (libmariadb3)", names, symbols, err);
}

static int mysql_rows(const struct mysql_calls *calls, void *connection, const char *question,
    apscheduler_source_fn call, void *context, struct schedd_error *err)
{
	void *result;
	char **row;
	int rc = 0;

	if (calls->query(connection, question))
		return schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "MySQL: %s", calls->error(connection));
	result = calls->store_result(connection);
	if (!result)
		return schedd_error_set(err, SCHEDD_EFAILED, "MySQL: %s", calls->error(connection));
	while (rc == 0 && (row = calls->fetch_row(result)))
		rc = call(row[0] ? row[0] : "", row[1], calls->fetch_lengths(result)[1], context);
	calls->free_result(result);
	return rc ? schedd_error_nomem(err) : 0;
}

int apscheduler_mysql_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err)
{
	struct strbuf question = STRBUF_EMPTY;
	struct mysql_calls calls;
	struct arena arena;
	void *connection;
	int rc = mysql_load(&calls, err);

	if (rc)
		return rc;
	arena_init(&arena);
	strbuf_printf(&question,
	    "SELECT id, job_state FROM %s ORDER BY next_run_time IS NULL, next_run_time, id",
	    source->table);
	connection = calls.init(NULL);
	if (!connection || strbuf_failed(&question))
		rc = schedd_error_nomem(err);
	else if (!calls.real_connect(connection, url->host, url->user, url->password, url->path,
		     url->port ? (unsigned)strtoul(url->port, NULL, 10) : 0,
		     apscheduler_url_option(url, "unix_socket", &arena), 0))
		rc = schedd_error_set(err, SCHEDD_EFAILED, "MySQL: %s", calls.error(connection));
	else
		rc = mysql_rows(&calls, connection, strbuf_peek(&question), call, context, err);
	if (connection)
		calls.close(connection);
	strbuf_clear(&question);
	arena_clear(&arena);
	return rc;
}
