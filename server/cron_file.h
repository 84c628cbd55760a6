/* SPDX-License-Identifier: MIT */
/* One table of cron as a file: whether cron would take it, and what stands in it. */
#ifndef SCHEDD_SERVER_CRON_FILE_H
#define SCHEDD_SERVER_CRON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <schedd/error.h>

enum cron_place {
	CRON_PLACE_SYSTEM, /* /etc/crontab, /etc/cron.d: root's, with a column for the user */
	CRON_PLACE_SPOOL,  /* an account's own, called like it */
};

/* Would cron look at a file of that name in such a directory? Others it passes over in silence. */
bool cron_file_is_name(enum cron_place place, const char *name);
/*
 * Reads the table at path; account is whose it is in the spool. *text is to be
 * freed; *status is the file's. SCHEDD_EFILE: cron would not take it, as it
 * belongs to another, is writable by others, is a link or no regular file, or
 * goes on changing. SCHEDD_EFAILED: the system's databases have not said yet whose it is. SCHEDD_ENOMEM.
 */
int cron_file_read(const char *path, enum cron_place place, const char *account, char **text,
    size_t *length, struct stat *status, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* Is it the same file, unchanged? */
bool cron_file_same(const struct stat *a, const struct stat *b);

#endif
