/* SPDX-License-Identifier: MIT */
/*
 * The schema. Every name says schedd, so that a database may be shared with
 * something else. Times are microseconds since 1970 as bigint. Texts are bytes,
 * so no collation can take two ids for one, nor a character set refuse one; the
 * views show them as text.
 *
 * A job keeps its number for ever: runs and changes refer to it, a rename
 * changes one row, and a removed job leaves its row (without a definition) to
 * remember its last run.
 *
 * Each statement that makes a table is a transaction of its own here. So the
 * first table says that the others are being made, until all are there.
 */
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>
#include "store/modules/store_mysql.h"

#define SCHEMA_VERSION 1
/* Locks have names of the whole server's, at most 64 characters. */
#define SCHEMA_LOCK "concat('schedd.schema.', left(sha2(database(), 256), 40))"
#define SCHEMA_TABLE " ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4"
#define WORD "varchar(16) CHARACTER SET ascii COLLATE ascii_bin"

static const char schema_first[] =
    "CREATE TABLE IF NOT EXISTS schedd_meta (`key` varbinary(1024) NOT NULL PRIMARY KEY, "
    "number bigint, text longblob)" SCHEMA_TABLE;

static const char *const schema_rest[] = {
    "CREATE TABLE IF NOT EXISTS schedd_owner (one tinyint NOT NULL PRIMARY KEY, identity "
    "varbinary(64) NOT NULL, life varbinary(64) NOT NULL, holder varbinary(512) NOT NULL, since "
    "bigint NOT NULL, epoch bigint NOT NULL, connection bigint NOT NULL, batch bigint NOT "
    "NULL)" SCHEMA_TABLE,
    "CREATE TABLE IF NOT EXISTS schedd_jobs (`key` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, "
    "id varbinary(255) NOT NULL, definition longblob, next_fire bigint, next_run_time bigint, "
    "run_count bigint NOT NULL DEFAULT 0, last_run bigint NOT NULL DEFAULT 0, claim bigint NOT "
    "NULL DEFAULT 0, revision bigint NOT NULL DEFAULT 1, UNIQUE KEY schedd_jobs_id (id))" SCHEMA_TABLE,
    "CREATE TABLE IF NOT EXISTS schedd_runs (serial bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, "
    "job bigint NOT NULL, number bigint NOT NULL, state " WORD " NOT NULL, `trigger` " WORD " NOT "
    "NULL, attempt bigint, scheduled_at bigint, started_at bigint, ended_at bigint, done_at bigint, "
    "until bigint, count bigint, coalesced bigint, exit_code bigint, `signal` bigint, reason "
    "longblob, max_rss bigint, cpu_us bigint, output_bytes bigint, output_dropped bigint, pid "
    "bigint, pid_start bigint, attempts longblob, actor longblob, result longblob, UNIQUE KEY "
    "schedd_runs_job (job, number), KEY schedd_runs_done (done_at, serial))" SCHEMA_TABLE,
    "CREATE TABLE IF NOT EXISTS schedd_changes (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, "
    "at bigint NOT NULL, job bigint, `change` longblob NOT NULL, KEY schedd_changes_job (job, "
    "id))" SCHEMA_TABLE,
/* FROM_UNIXTIME() ends in 2038. */
#define WHEN(column) "timestampadd(MICROSECOND, " column ", TIMESTAMP '1970-01-01 00:00:00')"
#define TEXT(column) "convert(" column " USING utf8mb4)"
    "CREATE SQL SECURITY INVOKER VIEW schedd_job_list AS SELECT " TEXT("id") " AS id, "
    WHEN("next_run_time") " AS next_run_time, run_count, last_run, revision, " TEXT("definition")
    " AS definition FROM schedd_jobs WHERE definition IS NOT NULL ORDER BY "
    "schedd_jobs.next_run_time IS NULL, schedd_jobs.next_run_time",
    "CREATE SQL SECURITY INVOKER VIEW schedd_run_list AS SELECT concat(" TEXT("j.id")
    ", '/', r.number) AS run, r.state AS state, " WHEN("r.scheduled_at") " AS scheduled_at, "
    WHEN("r.started_at") " AS started_at, " WHEN("r.ended_at") " AS ended_at, (r.ended_at - "
    "r.started_at) / 1e6 AS seconds, r.exit_code AS exit_code, r.`signal` AS `signal`, "
    TEXT("r.reason") " AS reason, coalesce(r.count, 1) AS count, r.`trigger` AS `trigger` FROM "
    "schedd_runs r JOIN schedd_jobs j ON j.`key` = r.job ORDER BY r.serial DESC",
};

#define SCHEMA_REST (sizeof(schema_rest) / sizeof(schema_rest[0]))

static const char schema_count[] =
    "SELECT count(*) FROM information_schema.tables WHERE table_schema = database() AND table_name "
    "IN ('schedd_meta', 'schedd_owner', 'schedd_jobs', 'schedd_runs', 'schedd_changes')";

static int schema_meta(
    struct store_link *link, const char *key, int64_t *out, struct schedd_error *err)
{
	return store_mysql_talk_number(
	    link, out, err, "SELECT number FROM schedd_meta WHERE `key` = ?t", key);
}

/* Goes on where another has died, which the first table says. */
static int schema_make(struct store_link *link, struct schedd_error *err)
{
	int rc = store_mysql_talk_ask(link, NULL, err, schema_first);

	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "INSERT IGNORE INTO schedd_meta (`key`, number) VALUES (?t, 1)", "schema.making");
	for (size_t i = 0; i < SCHEMA_REST && rc == 0; i++) {
		rc = store_mysql_talk_ask(link, NULL, err, schema_rest[i]);
		/* A view that is there; to replace it would take one right more. */
		if (rc && mysql_errno(my_of(link)->mysql) == ER_TABLE_EXISTS_ERROR)
			rc = 0;
	}
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "UPDATE schedd_meta SET `key` = ?t, number = ?n WHERE `key` = ?t",
		    "schema.version", (int64_t)SCHEMA_VERSION, "schema.making");
	return rc;
}

static int schema_check(struct store_link *link, int64_t tables, struct schedd_error *err)
{
	int64_t version = -1;
	int rc = tables == 5 ? schema_meta(link, "schema.version", &version, err) : 0;

	if (rc)
		return rc;
	if (tables != 5 || version < 1)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "its tables are not all there (%lld of 5) or another program's; they are left as "
		    "they are, use another database",
		    (long long)tables);
	if (version > SCHEMA_VERSION)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "it was written by a newer schedd (schema %lld, known is %d); it is left as it is",
		    (long long)version, SCHEMA_VERSION);
	return 0;
}

/* Is it all there, or to be made? */
static int schema_state(
    struct store_link *link, int64_t *tables, bool *make, struct schedd_error *err)
{
	int64_t making = -1, meta = 0;
	int rc = store_mysql_talk_number(link, tables, err, schema_count);

	*make = *tables == 0;
	if (rc || *tables == 0)
		return rc;
	rc = store_mysql_talk_number(link, &meta, err,
	    "SELECT count(*) FROM information_schema.columns WHERE table_schema = database() AND "
	    "table_name = ?t AND column_name IN (?t, ?t)",
	    "schedd_meta", "key", "number");
	if (rc == 0 && meta == 2)
		rc = schema_meta(link, "schema.making", &making, err);
	/* The first table alone, and empty: it died between the two. */
	if (rc == 0 && meta == 2 && *tables == 1 && making < 0) {
		rc = store_mysql_talk_number(
		    link, &making, err, "SELECT count(*) = 0 FROM schedd_meta");
		making = making == 1 ? 1 : -1;
	}
	*make = making == 1;
	return rc;
}

/* Two that come at once do it once. */
static int schema_locked(struct store_link *link, int64_t *tables, struct schedd_error *err)
{
	bool make = false;
	int64_t locked = 0;
	int rc = store_mysql_talk_number(link, &locked, err, "SELECT get_lock(" SCHEMA_LOCK ", ?n)",
	    (int64_t)(store_link_left(link) / 1000));

	if (rc)
		return rc;
	if (locked != 1)
		return store_link_fail(link, STORE_FAULT_HELD, err,
		    "another schedd is just making its tables");
	rc = schema_state(link, tables, &make, err);
	if (rc == 0 && make) {
		rc = schema_make(link, err);
		*tables = 5;
	}
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err, "SELECT release_lock(" SCHEMA_LOCK ")");
	return rc;
}

int store_mysql_schema(struct store_link *link, struct schedd_error *err)
{
	bool make = false;
	int64_t tables = 0;
	int rc = schema_state(link, &tables, &make, err);

	if (rc == 0 && make)
		rc = schema_locked(link, &tables, err);
	if (rc == 0)
		rc = schema_check(link, tables, err);
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_REFUSED;
	return rc;
}
