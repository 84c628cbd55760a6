/* SPDX-License-Identifier: MIT */
/*
 * From schema 2 to 3, where runs and changes refer to a job by its key. All
 * rows have to be written anew: in pieces, each one transaction that moves some
 * from the old table to the new one. Whoever is killed meanwhile loses nothing,
 * and the next one goes on.
 */
#ifndef SCHEDD_STORE_SQL_REKEY_H
#define SCHEDD_STORE_SQL_REKEY_H

#include "store/sql.h"

/* Statements that put the old tables aside and make the new ones, whose indexes come last. */
#define SQL_REKEY_BEGIN                                                                            \
	"DROP VIEW IF EXISTS run_list;\n"                                                          \
	"DROP INDEX IF EXISTS runs_job; DROP INDEX IF EXISTS runs_done;\n"                         \
	"DROP INDEX IF EXISTS runs_trouble; DROP INDEX IF EXISTS changes_job;\n"                   \
	"ALTER TABLE runs RENAME TO old_runs;\n"                                                   \
	"ALTER TABLE changes RENAME TO old_changes;\n"                                             \
	"CREATE TABLE ids (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, last_run INTEGER);\n" \
	"CREATE TABLE runs (id INTEGER PRIMARY KEY, job INTEGER NOT NULL, number INTEGER NOT "     \
	"NULL, state TEXT NOT NULL, \"trigger\" TEXT NOT NULL, attempt INTEGER, scheduled_at "     \
	"INTEGER, started_at INTEGER, ended_at INTEGER, done_at INTEGER, until INTEGER, count "    \
	"INTEGER, coalesced INTEGER, exit_code INTEGER, signal INTEGER, reason TEXT, max_rss "     \
	"INTEGER, cpu_us INTEGER, output_bytes INTEGER, output_dropped INTEGER, pid INTEGER, "     \
	"pid_start INTEGER, attempts TEXT, actor TEXT, result TEXT);\n"                            \
	"CREATE TABLE changes (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, job INTEGER, "       \
	"change TEXT NOT NULL);\n"                                                                 \
	"INSERT INTO ids (id, last_run) SELECT id, last_run FROM removed; DROP TABLE removed;\n"

/* Moves what is left in the old tables, however many runs it takes; nothing to do: does nothing. */
int sql_rekey_run(const struct sql *sql, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
