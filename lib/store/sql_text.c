/* SPDX-License-Identifier: MIT */
/* Names of fields are our own constants, so they are quoted but need no escaping. */
#include "store/sql_text.h"

#include <string.h>

bool sql_text_stored(const struct job_field *field)
{
	return field->place != JOB_NOWHERE && strcmp(field->name, "invalid") != 0;
}

/* The declared type of the column; NULL: JSON. */
static const char *text_affinity(const struct job_field *field)
{
	switch (field->type) {
	case JOB_FIELD_TEXT:
	case JOB_FIELD_ENUM:
	case JOB_FIELD_SIGNAL:
	case JOB_FIELD_MODE:
	case JOB_FIELD_SHELL:
		return "TEXT";
	case JOB_FIELD_BOOL:
	case JOB_FIELD_INT:
	case JOB_FIELD_TIME:
	case JOB_FIELD_SIZE:
		return "INTEGER";
	case JOB_FIELD_SPAN:
		return "NUMERIC";
	default:
		return NULL;
	}
}

bool sql_text_json(const struct job_field *field)
{
	return text_affinity(field) == NULL;
}

void sql_text_column(struct strbuf *out, const struct job_field *field)
{
	const char *affinity = text_affinity(field);

	strbuf_printf(out, "\"%s\" %s", field->name, affinity ? affinity : "TEXT");
	if (strcmp(field->name, "id") == 0)
		strbuf_add(out, " NOT NULL PRIMARY KEY");
}

bool sql_text_common(const struct job_field *field)
{
	static const char *const common[] = {"id", "name", "tags", "command", "shell", "trigger",
	    "next_run_time", "revision", "created_at", "updated_at", "created_by", "run_count",
	    "next_fire", "last_run"};

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (strcmp(field->name, common[i]) == 0)
			return true;
	return false;
}

static bool text_uncommon(const struct job_field *field)
{
	return sql_text_stored(field) && !sql_text_common(field);
}

/* Calls add for each field that is wanted, with commas between. */
static void text_list(struct strbuf *out, bool (*want)(const struct job_field *),
    void (*add)(struct strbuf *, const struct job_field *))
{
	bool first = true;

	for (const struct job_field *field = job_fields(); field->name; field++) {
		if (!want(field))
			continue;
		if (!first)
			strbuf_add(out, ", ");
		first = false;
		add(out, field);
	}
}

static void text_add_name(struct strbuf *out, const struct job_field *field)
{
	strbuf_printf(out, "\"%s\"", field->name);
}

static void text_add_parameter(struct strbuf *out, const struct job_field *field)
{
	(void)field;
	strbuf_add_char(out, '?');
}

void sql_text_jobs_table(struct strbuf *out)
{
	strbuf_add(out, "CREATE TABLE jobs (");
	text_list(out, sql_text_stored, sql_text_column);
	strbuf_add(out, ") WITHOUT ROWID;\n");
}

void sql_text_jobs_select(struct strbuf *out)
{
	strbuf_add(out, "SELECT ");
	text_list(out, sql_text_stored, text_add_name);
	strbuf_add(out, " FROM jobs WHERE id = ?1");
}

void sql_text_jobs_common(struct strbuf *out)
{
	strbuf_add(out, "SELECT ");
	text_list(out, sql_text_common, text_add_name);
	strbuf_add(out, " FROM jobs ORDER BY id");
}

static void text_is_uncommon(struct strbuf *out)
{
	strbuf_add(out, "coalesce(");
	text_list(out, text_uncommon, text_add_name);
	strbuf_add(out, ") IS NOT NULL");
}

void sql_text_jobs_index(struct strbuf *out)
{
	strbuf_add(out, SQL_TEXT_JOBS_INDEX " ON jobs (id) WHERE ");
	text_is_uncommon(out);
}

void sql_text_jobs_uncommon(struct strbuf *out)
{
	strbuf_add(out, "SELECT ");
	text_list(out, sql_text_stored, text_add_name);
	strbuf_add(out, " FROM jobs INDEXED BY " SQL_TEXT_JOBS_INDEX " WHERE ");
	text_is_uncommon(out);
	strbuf_add(out, " ORDER BY id");
}

/* Of so many rows. */
static void text_jobs_insert(
    struct strbuf *out, const char *otherwise, bool (*want)(const struct job_field *), int rows)
{
	strbuf_printf(out, "INSERT OR %s INTO jobs (", otherwise);
	text_list(out, want, text_add_name);
	strbuf_add(out, ") VALUES ");
	for (int i = 0; i < rows; i++) {
		strbuf_add(out, i ? ", (" : "(");
		text_list(out, want, text_add_parameter);
		strbuf_add(out, ")");
	}
}

void sql_text_jobs_put(struct strbuf *out)
{
	text_jobs_insert(out, "REPLACE", sql_text_stored, 1);
}

void sql_text_jobs_new(struct strbuf *out)
{
	text_jobs_insert(out, "IGNORE", sql_text_stored, 1);
}

void sql_text_jobs_new_common(struct strbuf *out)
{
	text_jobs_insert(out, "IGNORE", sql_text_common, 1);
}

void sql_text_jobs_new_many(struct strbuf *out)
{
	text_jobs_insert(out, "IGNORE", sql_text_common, SQL_TEXT_MANY);
}

/*
 * A job has a key of its own, which its runs and changes refer to, so that a
 * rename writes one row. last_run is NULL where no job of that id was removed
 * yet, else the number that a job of that id goes on from; a row of 0 is of no
 * use once nothing refers to it.
 *
 * runs.id counts runs as they came to be. done_at is when a run was over by
 * whatever is known of it, NULL while it is not: retention, windows and the
 * search for unfinished runs go by it.
 */
static const char text_tables[] =
    "CREATE TABLE ids (\n"
    "  key INTEGER PRIMARY KEY,\n"
    "  id TEXT NOT NULL UNIQUE,\n"
    "  last_run INTEGER\n"
    ");\n"
    "CREATE TABLE runs (\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  job INTEGER NOT NULL,\n"
    "  number INTEGER NOT NULL,\n"
    "  state TEXT NOT NULL,\n"
    "  \"trigger\" TEXT NOT NULL,\n"
    "  attempt INTEGER,\n"
    "  scheduled_at INTEGER,\n"
    "  started_at INTEGER,\n"
    "  ended_at INTEGER,\n"
    "  done_at INTEGER,\n"
    "  until INTEGER,\n"
    "  count INTEGER,\n"
    "  coalesced INTEGER,\n"
    "  exit_code INTEGER,\n"
    "  signal INTEGER,\n"
    "  reason TEXT,\n"
    "  max_rss INTEGER,\n"
    "  cpu_us INTEGER,\n"
    "  output_bytes INTEGER,\n"
    "  output_dropped INTEGER,\n"
    "  pid INTEGER,\n"
    "  pid_start INTEGER,\n"
    "  attempts TEXT,\n"
    "  actor TEXT,\n"
    "  result TEXT\n"
    ");\n"
    "CREATE TABLE changes (\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  time INTEGER NOT NULL,\n"
    "  job INTEGER,\n"
    "  change TEXT NOT NULL\n"
    ");\n";

const char *sql_text_history(void)
{
	return text_tables;
}

static const char *const text_indexes[] = {
    "CREATE UNIQUE INDEX IF NOT EXISTS runs_job ON runs (job, number);\n",
    "CREATE INDEX IF NOT EXISTS runs_done ON runs (done_at);\n",
    "CREATE INDEX IF NOT EXISTS runs_trouble ON runs (id, state) WHERE " SQL_TEXT_TROUBLE ";\n",
    "CREATE INDEX IF NOT EXISTS changes_job ON changes (job);\n",
    "CREATE INDEX IF NOT EXISTS ids_idle ON ids (key) WHERE last_run = 0;\n",
    NULL,
};

const char *const *sql_text_indexes(void)
{
	return text_indexes;
}

const char *sql_text_meta(void)
{
	return "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value) WITHOUT ROWID;\n"
	       "INSERT INTO meta (key, value) VALUES ('store.runs', 0);\n";
}

#define UTC(column) "strftime('%Y-%m-%dT%H:%M:%fZ', \"" column "\" / 1e6, 'unixepoch')"
#define LOCAL(column)                                                                              \
	"strftime('%Y-%m-%d %H:%M:%S', \"" column "\" / 1e6, 'unixepoch', 'localtime')"
#define TIMES(column, name) UTC(column) " AS " name "_utc, " LOCAL(column) " AS " name "_local,\n"

#define JOB_STATE "CASE WHEN finished THEN 'finished' WHEN paused THEN 'paused' ELSE 'waiting' END"

static const char text_views[] =
    "DROP VIEW IF EXISTS job_list;\n"
    "CREATE VIEW job_list AS SELECT id, name, " JOB_STATE " AS state,\n"
    TIMES("next_run_time", "next_run")                                  
    "  \"trigger\", coalesce(shell, command, call, http) AS runs, run_count,\n"
    UTC("created_at") " AS created_utc, " UTC("updated_at") " AS updated_utc\n" 
    "  FROM jobs ORDER BY next_run_time IS NULL, next_run_time;\n"
    "DROP VIEW IF EXISTS run_list;\n"
    "CREATE VIEW run_list AS SELECT ids.id || '/' || number AS run, state,\n"
    TIMES("scheduled_at", "scheduled") TIMES("started_at", "started") TIMES("ended_at", "ended")
    "  (ended_at - started_at) / 1e6 AS seconds,\n"
    "  exit_code, signal, reason, coalesce(count, 1) AS count, \"trigger\"\n"
    "  FROM runs JOIN ids ON ids.key = runs.job ORDER BY runs.id DESC;\n";

const char *sql_text_views(void)
{
	return text_views;
}
