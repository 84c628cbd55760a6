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
	strbuf_add(out, ", coalesce(");
	text_list(out, text_uncommon, text_add_name);
	strbuf_add(out, ") IS NOT NULL FROM jobs");
}

void sql_text_jobs_put(struct strbuf *out)
{
	strbuf_add(out, "INSERT OR REPLACE INTO jobs (");
	text_list(out, sql_text_stored, text_add_name);
	strbuf_add(out, ") VALUES (");
	text_list(out, sql_text_stored, text_add_parameter);
	strbuf_add(out, ")");
}

/*
 * runs.id counts runs as they came to be. done_at is when a run was over by
 * whatever is known of it, NULL while it is not: retention, windows and the
 * search for unfinished runs go by it.
 */
static const char text_tables[] =
    "CREATE TABLE runs (\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  job TEXT NOT NULL,\n"
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
    "CREATE UNIQUE INDEX runs_job ON runs (job, number);\n"
    "CREATE INDEX runs_done ON runs (done_at);\n"
    "CREATE INDEX runs_trouble ON runs (id, state)\n"
    "  WHERE state NOT IN ('queued', 'running', 'retrying', 'success');\n"
    "CREATE TABLE changes (\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  time INTEGER NOT NULL,\n"
    "  job TEXT,\n"
    "  change TEXT NOT NULL\n"
    ");\n"
    "CREATE INDEX changes_job ON changes (job);\n"
    /* What is counted on from when an id that was removed comes back. */
    "CREATE TABLE removed (\n"
    "  id TEXT NOT NULL PRIMARY KEY,\n"
    "  last_run INTEGER NOT NULL\n"
    ") WITHOUT ROWID;\n"
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value) WITHOUT ROWID;\n"
    "INSERT INTO meta (key, value) VALUES ('store.runs', 0);\n";

const char *sql_text_tables(void)
{
	return text_tables;
}

#define UTC(column) "strftime('%Y-%m-%dT%H:%M:%fZ', \"" column "\" / 1e6, 'unixepoch')"
#define LOCAL(column)                                                                              \
	"strftime('%Y-%m-%d %H:%M:%S', \"" column "\" / 1e6, 'unixepoch', 'localtime')"

static const char text_views[] =
    "DROP VIEW IF EXISTS job_list;\n"
    "CREATE VIEW job_list AS SELECT id, name,\n"
    "  CASE WHEN finished THEN 'finished' WHEN paused THEN 'paused' ELSE 'waiting' END\n"
    "    AS state,\n"
    "  " UTC(
	"next_run_time") " AS next_run_utc,\n"
			 "  " LOCAL(
			     "next_run_time") " AS next_run_local,\n"
					      "  \"trigger\", coalesce(shell, command, "
					      "call, http) AS runs, run_count,\n"
					      "  " UTC(
						  "created_at") " AS created_utc,\n"
								"  " UTC(
								    "updated_at") " AS "
										  "updat"
										  "ed_"
										  "utc\n"
										  "  "
										  "FROM "
										  "jobs "
										  "ORDER"
										  " BY "
										  "next_"
										  "run_"
										  "time "
										  "IS "
										  "NULL,"
										  " next"
										  "_run_"
										  "time;"
										  "\n"
										  "DROP "
										  "VIEW "
										  "IF "
										  "EXIST"
										  "S "
										  "run_"
										  "list;"
										  "\n"
										  "CREAT"
										  "E "
										  "VIEW "
										  "run_"
										  "list "
										  "AS "
										  "SELEC"
										  "T "
										  "job "
										  "|| "
										  "'/' "
										  "|| "
										  "numbe"
										  "r AS "
										  "run, "
										  "state"
										  ",\n"
										  " "
										  " " UTC(
										      "s"
										      "c"
										      "h"
										      "e"
										      "d"
										      "u"
										      "l"
										      "e"
										      "d"
										      "_"
										      "a"
										      "t") " AS "
											   "schedul"
											   "ed_utc,"
											   "\n"
											   " "
											   " " LOCAL(
											       "sch"
											       "edu"
											       "led"
											       "_a"
											       "t") " AS scheduled_local,\n"
												    "  " UTC(
													"started_at") " AS started_utc,\n"
														      "  " LOCAL(
															  "started_at") " AS started_local,\n"
																	"  " UTC(
																	    "ended_at") " AS ended_utc,\n"
																			"  " LOCAL(
																			    "ended_at") " AS ended_local,\n"
																					"  (ended_at - started_at) / 1e6 AS seconds,\n"
																					"  exit_code, signal, reason, coalesce(count, 1) AS count, \"trigger\"\n"
																					"  FROM runs ORDER BY id DESC;\n";

const char *sql_text_views(void)
{
	return text_views;
}
