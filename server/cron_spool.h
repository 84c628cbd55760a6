/* SPDX-License-Identifier: MIT */
/* The accounts' own tables of cron, as crontab(1) keeps them. */
#ifndef SCHEDD_SERVER_CRON_SPOOL_H
#define SCHEDD_SERVER_CRON_SPOOL_H

#include <stddef.h>
#include <sys/types.h>
#include <schedd/error.h>

/* Lines that are put above a table when it is written. */
#define CRON_SPOOL_HEAD_LINES 3

/*
 * May the account have a table? root is the directory in the place of /. By
 * cron.allow, or else cron.deny; without either everybody may. SCHEDD_EPERM.
 */
int cron_spool_allowed(const char *root, const char *account, uid_t uid, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * The table without the head that crontab(1) puts there; *text is to be freed.
 * SCHEDD_ENOTFOUND: there is none. SCHEDD_EFAILED, SCHEDD_ENOMEM.
 */
int cron_spool_read(const char *spool, const char *account, char **text, size_t *length,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Puts a whole new table in the old one's place, durably. source is named in its head. */
int cron_spool_write(const char *spool, const char *account, uid_t uid, const char *source,
    const char *text, size_t length, struct schedd_error *err) __attribute__((warn_unused_result));
/* SCHEDD_ENOTFOUND: there is none. */
int cron_spool_remove(const char *spool, const char *account, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
