/* SPDX-License-Identifier: MIT */
/*
 * schedd in cron's place: /etc/crontab, /etc/cron.d and the accounts' own tables
 * as jobs. A table that changes is read again, the others are not; what cannot
 * be taken is said in the log, by an event and in the status.
 */
#ifndef SCHEDD_SERVER_CRON_TABLES_H
#define SCHEDD_SERVER_CRON_TABLES_H

#include <stdbool.h>
#include <schedd/error.h>
#include "base/value.h"

struct cron_tables;
struct event_base;
struct schedd_log;
struct schedd_scheduler;

/* What the config says. */
struct cron_config {
	bool tables;      /* jobs of the tables are run */
	bool dirs;        /* so are the scripts of /etc/cron.daily and such */
	bool beside;      /* even while another cron runs them, too */
	const char *root; /* directory in the place of /; NULL: / */
};

int cron_tables_new(struct event_base *base, struct schedd_scheduler *scheduler,
    const struct schedd_log *log, struct cron_tables **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Nothing is read any more; the scheduler may still answer. NULL is fine. */
void cron_tables_close(struct cron_tables *tables);
/* After the scheduler. NULL is fine. */
void cron_tables_free(struct cron_tables *tables);
/* Begins, goes on otherwise, or takes back all jobs of tables. The scheduler is started by now. */
void cron_tables_configure(struct cron_tables *tables, const struct cron_config *config);
/* Are the jobs of tables run? */
bool cron_tables_on(const struct cron_tables *tables);
/* Where the accounts' tables are, without a '/' at the end; "" while they are not run. */
const char *cron_tables_spool(const struct cron_tables *tables);
/* Calls done once the account's table, which has changed, has been read. */
typedef void (*cron_tables_fn)(void *context);
void cron_tables_read(
    struct cron_tables *tables, const char *account, cron_tables_fn done, void *context);
/* Forgets that somebody waits. */
void cron_tables_forget(struct cron_tables *tables, void *context);
/* {tables, beside, files, jobs, faults: [{file, line, message}]}; nil: it was never asked for. */
struct value cron_tables_status(const struct cron_tables *tables, struct arena *arena);

/*
 * May one more table that somebody wants to put there be looked at now? What is
 * made of its lines is large, so they are few at a time. Then checked() ends it.
 */
bool cron_tables_check(struct cron_tables *tables);
void cron_tables_checked(struct cron_tables *tables);

#endif
