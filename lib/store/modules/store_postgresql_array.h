/* SPDX-License-Identifier: MIT */
/* Columns of many rows as array literals, for statements that take a set of rows by unnest(). */
#ifndef SCHEDD_STORE_MODULES_STORE_POSTGRESQL_ARRAY_H
#define SCHEDD_STORE_MODULES_STORE_POSTGRESQL_ARRAY_H

#include "store/modules/store_postgresql.h"

#define PG_ROWS_COLUMNS 25

struct pg_rows {
	struct strbuf columns[PG_ROWS_COLUMNS];
	bool filled[PG_ROWS_COLUMNS]; /* not all of it is NULL: else the whole array is, which costs nothing */
	int column; /* the next to be filled in this row */
	uint32_t count;
};

/* Each fills the row's next column. */
void pg_rows_text(struct pg_rows *rows, const char *text);
/* Of any value, for bytea. */
void pg_rows_bytes(struct pg_rows *rows, const char *bytes, size_t length);
void pg_rows_number(struct pg_rows *rows, int64_t number);
/* NULL where the number is that. */
void pg_rows_unless(struct pg_rows *rows, int64_t number, int64_t nothing);
void pg_rows_time(struct pg_rows *rows, schedd_time when);
/* All of a run but its job, which ends the row. */
void pg_rows_run(struct pg_rows *rows, const struct run *run);
/* The row is complete. */
void pg_rows_end(struct pg_rows *rows);
/* Sends the statement with a parameter a column, and empties the rows. */
int pg_rows_send(struct pg_rows *rows, struct store_link *link, const char *text,
    struct schedd_error *err);
void pg_rows_clear(struct pg_rows *rows);

#endif
