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
#include <string.h>
#include "store/modules/store_mysql.h"

#define SCHEMA_VERSION 2
/* Locks have names of the whole server's, at most 64 characters. */
#define SCHEMA_LOCK "concat('schedd.schema.', left(sha2(database(), 256), 40))"
#define SCHEMA_TABLE " ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4"
#define WORD "varchar(16) CHARACTER SET ascii COLLATE ascii_bin"

#define FOUR "(SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3)"

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
    "NULL DEFAULT 0, revision bigint NOT NULL DEFAULT 1, slot smallint, UNIQUE KEY schedd_jobs_id (id), KEY "
    "schedd_jobs_slot (slot))" SCHEMA_TABLE,
    "CREATE TABLE IF NOT EXISTS schedd_runs (serial bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, "
    "job bigint NOT NULL, number bigint NOT NULL, state " WORD " NOT NULL, `trigger` " WORD " NOT "
    "NULL, attempt bigint, scheduled_at bigint, started_at bigint, ended_at bigint, done_at bigint, "
    "until bigint, count bigint, coalesced bigint, exit_code bigint, `signal` bigint, reason "
    "longblob, max_rss bigint, cpu_us bigint, output_bytes bigint, output_dropped bigint, pid "
    "bigint, pid_start bigint, attempts longblob, actor longblob, result longblob, node int, ran "
    "int, output longblob, UNIQUE KEY schedd_runs_job (job, number), KEY schedd_runs_done (done_at, serial), KEY "
    "schedd_runs_node (node, done_at))" SCHEMA_TABLE,
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

/*
 * From 1 to 2: what daemons need that share it. Each may be there already, of one that died on the
 * way. A node's lease is a row of its own, for commits hold the node's, and a beat must not wait.
 */
static const char *const schema_to_2[] = {
    "CREATE TABLE IF NOT EXISTS schedd_nodes (node int NOT NULL PRIMARY KEY, name varbinary(512) NOT NULL, "
    "epoch bigint NOT NULL, life varbinary(64) NOT NULL, identity varbinary(64) NOT NULL, address "
    "varbinary(512) NOT NULL, labels longblob NOT NULL, version varbinary(64) NOT NULL, protocol int NOT "
    "NULL, started_at bigint NOT NULL, draining tinyint NOT NULL, dead_since bigint, connection bigint NOT "
    "NULL, UNIQUE KEY schedd_nodes_name (name))" SCHEMA_TABLE,
    "CREATE TABLE IF NOT EXISTS schedd_beats (node int NOT NULL PRIMARY KEY, expires_at bigint NOT NULL, "
    "seen_at bigint NOT NULL, jobs bigint, running bigint, `load` bigint, clock bigint)" SCHEMA_TABLE,
    "CREATE TABLE IF NOT EXISTS schedd_batches (node int NOT NULL PRIMARY KEY, life varbinary(64) NOT NULL, "
    "batch bigint NOT NULL)" SCHEMA_TABLE,
    "CREATE TABLE IF NOT EXISTS schedd_slots (slot int NOT NULL PRIMARY KEY, node int)" SCHEMA_TABLE,
    "INSERT IGNORE INTO schedd_slots (slot) SELECT a.n + 4 * b.n + 16 * c.n + 64 * d.n FROM " FOUR " a, " FOUR
    " b, " FOUR " c, " FOUR " d",
    "CREATE TABLE IF NOT EXISTS schedd_feed (seq bigint NOT NULL PRIMARY KEY, at bigint NOT NULL, origin int "
    "NOT NULL, target int, kind varbinary(32) NOT NULL, id varbinary(1024), body longblob)" SCHEMA_TABLE,
    "INSERT IGNORE INTO schedd_meta (`key`, number) VALUES ('feed.seq', 0)",
};

/* What tables of before lack: where it is there already, nobody needs the right to ALTER them. */
static const struct {
	const char *table, *column, *text;
} schema_columns[] = {
    {"schedd_jobs", "slot",
	"ALTER TABLE schedd_jobs ADD slot smallint, ADD KEY schedd_jobs_slot (slot)"},
    {"schedd_runs", "output",
	"ALTER TABLE schedd_runs ADD node int, ADD ran int, ADD output longblob, ADD KEY schedd_runs_node (node, "
	"done_at)"},
};

#define SCHEMA_TO_2 (sizeof(schema_to_2) / sizeof(schema_to_2[0]))

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
		    "schema.version", (int64_t)1, "schema.making");
	return rc;
}

static int schema_step(struct store_link *link, struct schedd_error *err)
{
	int rc = 0;

	/* Large tables take their time, and are not begun with twice. */
	link->deadline += SCHEDD_MINUTE;
	for (size_t i = 0; i < SCHEMA_TO_2 && rc == 0; i++)
		rc = store_mysql_talk_ask(link, NULL, err, schema_to_2[i]);
	for (size_t i = 0; i < sizeof(schema_columns) / sizeof(schema_columns[0]) && rc == 0; i++) {
		int64_t there = 0;

		rc = store_mysql_talk_number(link, &there, err,
		    "SELECT count(*) FROM information_schema.columns WHERE table_schema = database() AND table_name = ?t "
		    "AND column_name = ?t",
		    schema_columns[i].table, schema_columns[i].column);
		if (rc == 0 && there == 0)
			rc = store_mysql_talk_ask(link, NULL, err, schema_columns[i].text);
	}
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "UPDATE schedd_meta SET number = ?n WHERE `key` = ?t", (int64_t)SCHEMA_VERSION, "schema.version");
	return rc;
}

struct schema_state {
	int64_t tables, version, making, rows;
};

static void schema_take(uint32_t place, MYSQL_RES *rows, uint64_t changed, void *context)
{
	struct schema_state *state = context;
	struct my_row row;

	(void)place;
	(void)changed;
	while (rows && (row.fields = mysql_fetch_row(rows))) {
		int64_t number = my_row_number(&row, 1, -1);

		if (strcmp(row.fields[0], "schema.version") == 0)
			state->version = number;
		else if (strcmp(row.fields[0], "schema.making") == 0)
			state->making = number;
		else
			state->rows = number;
	}
}

/* What the first table says, if it is one of ours. */
static int schema_look(
    struct store_link *link, struct schema_state *state, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	uint32_t done;
	int rc;

	*state = (struct schema_state){my_of(link)->found.tables, -1, -1, -1};
	if (my_of(link)->found.meta_columns != 2)
		return 0;
	strbuf_add(&text,
	    "SELECT `key`, number FROM schedd_meta WHERE `key` IN ('schema.version', 'schema.making'); "
	    "SELECT 'rows', count(*) FROM schedd_meta");
	rc = store_mysql_talk_packet(link, &text, schema_take, state, &done, err);
	strbuf_clear(&text);
	return rc;
}

/* Nothing is there, or one that was making it has died, perhaps before it could say so. */
static bool schema_to_be_made(const struct schema_state *state)
{
	return state->tables == 0 || state->making == 1 ||
	       (state->tables == 1 && state->rows == 0);
}

static int schema_check(
    struct store_link *link, const struct schema_state *state, struct schedd_error *err)
{
	if (state->tables != 5 || state->version < 1)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "its tables are not all there (%lld of 5) or another program's; they are left as "
		    "they are, use another database",
		    (long long)state->tables);
	if (state->version > SCHEMA_VERSION)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "it was written by a newer schedd (schema %lld, known is %d); it is left as it is: run that version here",
		    (long long)state->version, SCHEMA_VERSION);
	return 0;
}

/* Two that come at once do it once: what was seen before the lock is looked at again. */
static int schema_locked(
    struct store_link *link, struct schema_state *state, struct schedd_error *err)
{
	int64_t locked = 0;
	int rc = store_mysql_talk_number(link, &locked, err, "SELECT get_lock(" SCHEMA_LOCK ", ?n)",
	    (int64_t)(store_link_left(link) / 1000));

	if (rc)
		return rc;
	if (locked != 1)
		return store_link_fail(link, STORE_FAULT_HELD, err,
		    "another schedd is just making its tables");
	rc = store_mysql_session(link, err);
	if (rc == 0)
		rc = schema_look(link, state, err);
	if (rc == 0 && schema_to_be_made(state)) {
		rc = schema_make(link, err);
		if (rc == 0)
			rc = schema_step(link, err);
		*state = (struct schema_state){5, SCHEMA_VERSION, -1, 1};
	}
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err, "SELECT release_lock(" SCHEMA_LOCK ")");
	return rc;
}

/* Two that come at once do it once; the owner's lock says that nobody of before writes. */
int store_mysql_migrate(struct store_link *link, struct schedd_error *err)
{
	struct schema_state state;
	int64_t locked = 0;
	int rc;

	if (my_of(link)->schema >= SCHEMA_VERSION)
		return 0;
	rc = store_mysql_talk_number(link, &locked, err, "SELECT get_lock(" SCHEMA_LOCK ", ?n)",
	    (int64_t)(store_link_left(link) / 1000));
	if (rc == 0 && locked != 1)
		rc = store_link_fail(link, STORE_FAULT_HELD, err, "another schedd is just changing its tables");
	if (rc == 0)
		rc = schema_look(link, &state, err);
	if (rc == 0 && state.version < SCHEMA_VERSION)
		rc = schema_step(link, err);
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err, "SELECT release_lock(" SCHEMA_LOCK ")");
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_REFUSED;
	return rc;
}

int store_mysql_schema(struct store_link *link, struct schedd_error *err)
{
	struct schema_state state;
	int rc = schema_look(link, &state, err);

	if (rc == 0 && schema_to_be_made(&state))
		rc = schema_locked(link, &state, err);
	if (rc == 0)
		rc = schema_check(link, &state, err);
	my_of(link)->schema = state.version;
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_REFUSED;
	return rc;
}
