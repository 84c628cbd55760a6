/* SPDX-License-Identifier: MIT */
/* What cron_tables.c does is kept in this; for it, cron_reading.c and cron_status.c alone. */
#ifndef SCHEDD_SERVER_CRON_STATE_H
#define SCHEDD_SERVER_CRON_STATE_H

#include <limits.h>
#include <sys/stat.h>
#include "base/diagnostics.h"
#include "base/strmap.h"
#include "jobfile/cron_table.h"
#include "server/cron_tables.h"

#define CRON_TAKEN_MAX 8 /* lines of a table that directories are run in the place of */

/* One file, and the jobs of its owner. */
struct cron_tab {
	struct cron_tab *next;
	char *path;  /* as it is opened */
	char *shown; /* without the root: in words, ids, the owner */
	char *owner;
	char *account;      /* NULL: a system table */
	int parts;          /* a directory of scripts: which, from 1; 0: a table */
	struct stat status; /* of what was read; all zero: nothing was */
	bool pending;       /* to be read */
	bool reading;       /* its jobs are being applied */
	bool seen;          /* by the scan that goes on */
	bool gone;          /* its jobs go, and then this */
	bool unsaid;        /* the system's databases have not said whose it is */
	uint32_t jobs;
	uint32_t taken[CRON_TAKEN_MAX]; /* lines in the place of which the directories are run */
	uint32_t taken_count;
	struct diagnostics faults;
};

struct event;

#define CRON_READINGS 16 /* tables that are being applied at a time */
#define CRON_CHECKS 4    /* tables that are looked at before they are put there, at a time */

/* One of those that are being applied. */
struct cron_reading {
	struct cron_tables *tables;
	struct cron_tab *tab; /* NULL: none */
	struct value jobs;    /* of that, in arena */
	struct value refused; /* {id, error} of those that the scheduler does not take, in arena */
	struct arena arena;
	struct cron_table table;
	struct cron_table_reader *reader; /* in the middle of it; NULL: it is read */
	char *text;                       /* that reader is in; NULL: it is read */
};

struct cron_waiter {
	struct cron_waiter *next;
	char *account;
	cron_tables_fn done;
	void *context;
};

struct cron_tables {
	struct schedd_scheduler *scheduler;
	const struct schedd_log *log;
	struct cron_watch *watch;
	bool asked; /* the config has turned it on at least once */
	bool on;
	bool dirs;
	char
	    *schedules[CRON_TABLE_PARTS]; /* of the directories, by a line of a table; NULL: none */
	bool turning;                     /* within cron_reading_next() */
	bool closed;
	char root[PATH_MAX / 2]; /* "": / */
	char spool[PATH_MAX];
	char beside[128]; /* the other cron, "": none */
	struct cron_tab *tabs, *last; /* in the order in which they were found */
	struct cron_tab *from; /* where to look for the next one that is pending; NULL: at the first */
	struct strmap by_path; /* the same, by what is shown of them */
	struct cron_reading readings[CRON_READINGS];
	uint32_t reading_count;
	struct event *turn; /* goes on with those in the middle of their tables */
	uint32_t last_turn; /* whose it was */
	struct cron_waiter *waiters;
	unsigned checks; /* tables that are looked at before they are put there */
};

#endif
