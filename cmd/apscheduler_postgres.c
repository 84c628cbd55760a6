/* SPDX-License-Identifier: MIT */
/* Through libpq, loaded when it is asked for; it reads the URL itself. */
#include <string.h>
#include "base/dynlib.h"
#include "base/strbuf.h"
#include "cmd/apscheduler_source.h"

#define POSTGRES_TUPLES 2 /* PGRES_TUPLES_OK */
#define POSTGRES_BINARY 1

/* From libpq-fe.h; its functions keep these shapes for good. */
struct postgres_calls {
	void *(*connectdb)(const char *info);
	int (*status)(const void *connection);
	char *(*error_message)(const void *connection);
	void *(*exec_params)(void *connection, const char *text, int count, const unsigned *types,
	    const char *const *values, const int *lengths, const int *formats, int result_format);
	int (*result_status)(const void *result);
	int (*ntuples)(const void *result);
	char *(*getvalue)(const void *result, int row, int column);
	int (*getlength)(const void *result, int row, int column);
	void (*clear)(void *result);
	void (*finish)(void *connection);
};

static int postgres_load(struct postgres_calls *calls, struct schedd_error *err)
{
	static const char *const names[] = {"libpq.so.5", "libpq.so", NULL};
	const struct dynlib_symbol symbols[] = {
	    {"PQconnectdb", (void **)&calls->connectdb},
	    {"PQstatus", (void **)&calls->status},
	    {"PQerrorMessage", (void **)&calls->error_message},
	    {"PQexecParams", (void **)&calls->exec_params},
	    {"PQresultStatus", (void **)&calls->result_status},
	    {"PQntuples", (void **)&calls->ntuples},
	    {"PQgetvalue", (void **)&calls->getvalue},
	    {"PQgetlength", (void **)&calls->getlength},
	    {"PQclear", (void **)&calls->clear},
	    {"PQfinish", (void **)&calls->finish},
	    {NULL, NULL},
	};

	return dynlib_library("PostgreSQL (libpq5)", names, symbols, err);
}

/* Its messages end with a line's end, and may have several. */
static int postgres_fail(const struct postgres_calls *calls, void *connection, int code,
    struct schedd_error *err)
{
	const char *text = calls->error_message(connection);

	return schedd_error_set(err, code, "PostgreSQL: %.*s", (int)strcspn(text, "\n"), text);
}

static int postgres_rows(const struct postgres_calls *calls, void *result,
    apscheduler_source_fn call, void *context, struct schedd_error *err)
{
	int rc = 0;

	for (int row = 0; rc == 0 && row < calls->ntuples(result); row++)
		rc = call(calls->getvalue(result, row, 0), calls->getvalue(result, row, 1),
		    (size_t)calls->getlength(result, row, 1), context);
	return rc ? schedd_error_nomem(err) : 0;
}

int apscheduler_postgres_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err)
{
	struct strbuf info = STRBUF_EMPTY, question = STRBUF_EMPTY;
	void *connection = NULL, *result = NULL;
	struct postgres_calls calls;
	int rc = postgres_load(&calls, err);

	(void)url;
	if (rc)
		return rc;
	/* Without "+psycopg2". */
	strbuf_printf(&info, "postgresql%s", strstr(source->place, "://"));
	strbuf_printf(&question,
	    "SELECT id, job_state FROM %s ORDER BY next_run_time NULLS LAST, id", source->table);
	if (strbuf_failed(&info) || strbuf_failed(&question))
		rc = schedd_error_nomem(err);
	if (rc == 0)
		connection = calls.connectdb(strbuf_peek(&info));
	if (rc == 0 && calls.status(connection) != 0)
		rc = postgres_fail(&calls, connection, SCHEDD_EFAILED, err);
	if (rc == 0)
		result = calls.exec_params(
		    connection, strbuf_peek(&question), 0, NULL, NULL, NULL, NULL, POSTGRES_BINARY);
	if (rc == 0 && calls.result_status(result) != POSTGRES_TUPLES)
		rc = postgres_fail(&calls, connection, SCHEDD_ENOTFOUND, err);
	if (rc == 0)
		rc = postgres_rows(&calls, result, call, context, err);
	if (result)
		calls.clear(result);
	if (connection)
		calls.finish(connection);
	strbuf_clear(&info);
	strbuf_clear(&question);
	return rc;
}
