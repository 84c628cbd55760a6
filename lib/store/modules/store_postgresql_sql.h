/* SPDX-License-Identifier: MIT */
/* The statements of a commit: those over sets of rows by their set, the others by name. */
#ifndef SCHEDD_STORE_MODULES_STORE_POSTGRESQL_SQL_H
#define SCHEDD_STORE_MODULES_STORE_POSTGRESQL_SQL_H

enum pg_set {
	PG_SET_ADDS,
	PG_SET_PUTS,
	PG_SET_ENSURE, /* ids that runs and changes need a row for */
	PG_SET_CLAIMS, /* with the runs: two sets of rows of one statement */
	PG_SET_RUNS,
	PG_SET_CHANGES,
	PG_SET_META,
	PG_SETS,
};

extern const char *const pg_sql_sets[PG_SETS];
extern const char pg_sql_guard[];
extern const char pg_sql_delete[];
extern const char pg_sql_remember[];
extern const char pg_sql_expect[];
extern const char pg_sql_rename_check[];
extern const char pg_sql_rename_room[];
extern const char pg_sql_rename[];
extern const char pg_sql_rename_remember[];
extern const char pg_sql_purge[];
extern const char pg_sql_meta_delete[];

#endif
