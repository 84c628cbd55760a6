/* SPDX-License-Identifier: MIT */
/*
 * The indexes of a database. They say nothing that the tables do not say, so
 * one that is missing or stands for other columns than today's is made anew at
 * any opening, without a copy or a version.
 */
#ifndef SCHEDD_STORE_SQL_INDEX_H
#define SCHEDD_STORE_SQL_INDEX_H

#include "store/sql.h"

/* Each by itself: the next run goes on where this one is killed. All as they should be: writes nothing. */
int sql_index_run(const struct sql *sql, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
