/* SPDX-License-Identifier: MIT */
/* Databases as older versions left them. */
#ifndef TESTS_SUPPORT_SQL_OLD_H
#define TESTS_SUPPORT_SQL_OLD_H

/* Makes schema 2 of a new database: the history in which jobs stand by their ids. */
#define SQL_OLD_2                                                                                  \
	"DROP VIEW run_list; DROP TABLE runs; DROP TABLE changes; DROP TABLE ids;"                 \
	"CREATE TABLE runs (id INTEGER PRIMARY KEY, job TEXT NOT NULL, number INTEGER NOT NULL, "  \
	"state TEXT NOT NULL, \"trigger\" TEXT NOT NULL, attempt INTEGER, scheduled_at INTEGER, "  \
	"started_at INTEGER, ended_at INTEGER, done_at INTEGER, until INTEGER, count INTEGER, "    \
	"coalesced INTEGER, exit_code INTEGER, signal INTEGER, reason TEXT, max_rss INTEGER, "     \
	"cpu_us INTEGER, output_bytes INTEGER, output_dropped INTEGER, pid INTEGER, "              \
	"pid_start INTEGER, attempts TEXT, actor TEXT, result TEXT);"                              \
	"CREATE UNIQUE INDEX runs_job ON runs (job, number);"                                      \
	"CREATE INDEX runs_done ON runs (done_at);"                                                \
	"CREATE INDEX runs_trouble ON runs (id, state) WHERE state NOT IN "                        \
	"('queued', 'running', 'retrying', 'success');"                                            \
	"CREATE TABLE changes (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, job TEXT, "          \
	"change TEXT NOT NULL); CREATE INDEX changes_job ON changes (job);"                        \
	"CREATE TABLE removed (id TEXT NOT NULL PRIMARY KEY, last_run INTEGER NOT NULL) WITHOUT "  \
	"ROWID; CREATE VIEW run_list AS SELECT job || '/' || number AS run FROM runs;"             \
	"PRAGMA user_version = 2;"

#endif
