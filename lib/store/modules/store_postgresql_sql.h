/* SPDX-License-Identifier: MIT */
/* The statements of a commit: those over sets of rows by their set, the others by name. */
#ifndef SCHEDD_STORE_MODULES_STORE_POSTGRESQL_SQL_H
#define SCHEDD_STORE_MODULES_STORE_POSTGRESQL_SQL_H

#include "store/modules/store_postgresql.h"

/*
 * The fence: the node's row under the epoch, locked so that a beat goes on and
 * whoever would end the epoch waits for this commit. A guard that only looks
 * would let a claim pass behind a take-over.
 */
#define PG_NODE_GUARD                                                                              \
	"SELECT 1 FROM schedd_nodes WHERE node = $1::int AND epoch = $2::bigint AND life = $3 FOR KEY SHARE"
/* n is it, b the batch that is noted under it: one row, or none. */
#define PG_GUARD_SHARED                                                                            \
	"WITH n AS MATERIALIZED (" PG_NODE_GUARD "), b AS (UPDATE schedd_batches SET batch = $4::bigint "  \
	"WHERE node = $1::int AND EXISTS (SELECT FROM n) RETURNING 1)"

enum pg_set {
	PG_SET_ADDS,
	PG_SET_PUTS,
	PG_SET_ENSURE, /* ids that runs and changes need a row for */
	PG_SET_CLAIMS, /* with the runs: two sets of rows of one statement */
	PG_SET_FIRES,  /* claims with a run that has but begun: in one statement */
	PG_SET_RUNS,
	PG_SET_OUTPUT, /* of runs that have their rows by then */
	PG_SET_CHANGES,
	PG_SET_META,
	PG_SETS,
};

extern const char *const pg_sql_sets[PG_SETS];
extern const char pg_sql_guard[];
extern const char pg_sql_guard_shared[]; /* node, epoch, life, batch */
extern const char pg_sql_add[]; /* PG_SET_ADDS of one row */
extern const char pg_sql_adds_shared[];
extern const char pg_sql_runs_shared[];
extern const char pg_sql_meta_shared[];
extern const char pg_sql_expect_same[];
extern const char pg_sql_expect_idle[];
extern const char pg_sql_feed[];
extern const char pg_sql_give[];
extern const char *const pg_sql_node[];
/* Node, epoch and life; the others as store_postgresql_take.c says. */
extern const char pg_sql_guard_take[];
extern const char pg_sql_take_fence[];
extern const char pg_sql_take_unsettled[];
extern const char pg_sql_take_slots[];
extern const char pg_sql_take_runs[];
extern const char pg_sql_take_texts[];
extern const char pg_sql_take_tell[];
extern const char pg_sql_delete[];
extern const char pg_sql_remember[];
extern const char pg_sql_expect[];
extern const char pg_sql_rename_check[];
extern const char pg_sql_rename_room[];
extern const char pg_sql_rename[];
extern const char pg_sql_rename_remember[];
extern const char pg_sql_purge[];
extern const char pg_sql_purge_all[];
extern const char pg_sql_meta_delete[];
extern const char pg_sql_meta_take[];

/* The reason that one of them gives by its first word, into err; 0: it failed for another. */
int store_postgresql_reason(
    const struct store_link *link, const PGresult *result, struct schedd_error *err);

#endif
