/* SPDX-License-Identifier: MIT */
/*
 * From an empty file or an older schema to the one this program writes. What
 * is not ours, newer than us or damaged is refused before it is opened for
 * writing. Before an older one is changed, a copy is put beside it.
 */
#ifndef SCHEDD_STORE_SQL_MIGRATE_H
#define SCHEDD_STORE_SQL_MIGRATE_H

#include "store/sql.h"

/* From version - 1 to version. */
struct sql_migrate_step {
	int version;
	const char *text; /* statements; NULL ends the list */
};

/*
 * Looks at the file without changing it: SCHEDD_EFILE for no database, a
 * foreign, newer or damaged one; SCHEDD_EPERM or SCHEDD_EFAILED where it
 * cannot be had. A file that is missing is made (mode 0600, empty).
 * look gets the connection it looked through, open unless it failed or there
 * was nothing to see. As long as it stays open the next one need not read the
 * whole log again, which after a crash takes as long as reading the jobs.
 */
int sql_migrate_inspect(struct sql *look, const char *store, const char *path,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Brings an inspected database up to date: in one transaction, and what has to
 * be done row by row in pieces behind it, where the next run goes on if this
 * one is killed. now names the copy.
 */
int sql_migrate_run(const struct sql *sql, schedd_time now, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The same with steps of the caller's and its version; for tests. */
int sql_migrate_steps(const struct sql *sql, const struct sql_migrate_step *steps, int version,
    schedd_time now, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
