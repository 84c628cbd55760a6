/* SPDX-License-Identifier: MIT */
/*
 * A consistent copy of a database that is in use, made in pieces on the
 * thread that writes to it: what it writes meanwhile goes into the copy too.
 * The copy gets its name when it is complete and on disk.
 */
#ifndef SCHEDD_STORE_SQL_BACKUP_H
#define SCHEDD_STORE_SQL_BACKUP_H

#include "store/sql.h"

struct sql_backup;

/* SCHEDD_ECONFLICT: path exists. source stays the caller's and open until the end. */
int sql_backup_new(const struct sql *source, const char *path, struct sql_backup **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Copies so many pages (-1: all). 1: there is more to do; 0: done, it stands at path; or an error.
 */
int sql_backup_step(struct sql_backup *backup, int pages, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* What is not done leaves nothing behind. NULL is fine. */
void sql_backup_free(struct sql_backup *backup);
/* All in one call. */
int sql_backup_all(const struct sql *source, const char *path, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
