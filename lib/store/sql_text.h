/* SPDX-License-Identifier: MIT */
/*
 * The schema and the statements about jobs, written out from the table of job
 * fields: a field that is stored is a column of its own name, NULL while it is
 * at its default. Scalars are columns of their kind (times as microseconds,
 * spans as seconds), anything else is JSON text.
 */
#ifndef SCHEDD_STORE_SQL_TEXT_H
#define SCHEDD_STORE_SQL_TEXT_H

#include "base/strbuf.h"
#include "model/job_fields.h"

/* "schd": what PRAGMA application_id says of our databases. */
#define SQL_TEXT_APPLICATION 0x73636864
/* PRAGMA user_version; columns of jobs follow the table of fields and need no new one. */
#define SQL_TEXT_VERSION 4
/*
 * Of runs: neither unfinished nor successful. Not with IN: its list becomes a
 * table of its own with each row that is written, which takes longer than the row.
 */
#define SQL_TEXT_TROUBLE                                                                           \
	"state <> 'success' AND state <> 'running' AND state <> 'queued' AND state <> 'retrying'"
/* The index of the jobs that have more than what most have. */
#define SQL_TEXT_JOBS_INDEX "jobs_uncommon"

/* Is it a column? Derived fields are not, nor is why a row could not be read. */
bool sql_text_stored(const struct job_field *field);
/* Is the column JSON text? */
bool sql_text_json(const struct job_field *field);
/* "priority" INTEGER: how the column is declared. */
void sql_text_column(struct strbuf *out, const struct job_field *field);
/* CREATE TABLE of jobs with all its columns. */
void sql_text_jobs_table(struct strbuf *out);
/* Is it a column that most jobs have something in, or that the scheduler writes? */
bool sql_text_common(const struct job_field *field);
/* SELECT of all columns in the table's order, of the job whose id is ?1. */
void sql_text_jobs_select(struct strbuf *out);
/* SELECT of the common columns in the table's order, of all jobs by id. */
void sql_text_jobs_common(struct strbuf *out);
/* SELECT of all columns of those that have more, likewise; no other row is looked at for it. */
void sql_text_jobs_uncommon(struct strbuf *out);
/* What stands behind CREATE INDEX for that. */
void sql_text_jobs_index(struct strbuf *out);
/* INSERT OR REPLACE with one parameter a column, in that order. */
void sql_text_jobs_put(struct strbuf *out);
/* INSERT OR IGNORE, likewise; and with those columns alone that most jobs have something in. */
void sql_text_jobs_new(struct strbuf *out);
void sql_text_jobs_new_common(struct strbuf *out);
/* The same of so many rows. */
#define SQL_TEXT_MANY 8
void sql_text_jobs_new_many(struct strbuf *out);
/* The tables of ids, runs and changes. */
const char *sql_text_history(void);
/* Their indexes, each made unless it is there; NULL-terminated. */
const char *const *sql_text_indexes(void);
/* The table of numbers and texts. */
const char *sql_text_meta(void);
/* DROP and CREATE of the views for people. */
const char *sql_text_views(void);

#endif
