/* SPDX-License-Identifier: MIT */
/*
 * The write-ahead log is brought into the database by a thread and a
 * connection of their own, so that no commit waits for it: the thread copies
 * the bulk, and what was committed meanwhile, a few pages, the writer copies
 * itself, whereupon the log begins anew.
 */
#ifndef SCHEDD_STORE_STORE_SQLITE_LOG_H
#define SCHEDD_STORE_STORE_SQLITE_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include "store/sql.h"

struct sqlite_log {
	/* The worker's thread. */
	const struct sql *writer; /* NULL: not initialised */
	int pages;                /* of the log after the last commit; 0: all of it was copied */
	int before;               /* what had been copied at the last request; -1: none yet */
	bool emptied;             /* its file was, by us; who notices sets it back */
	bool started;             /* otherwise the writer copies by itself */
	pthread_t thread;

	/* Everybody's, under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t work; /* signalled when wanted or stopping */
	pthread_cond_t idle; /* signalled when neither wanted nor busy */
	bool wanted;         /* the thread has to copy */
	bool busy;           /* it does */
	bool stopping;
	bool failed;     /* it could not: the writer has to */
	int copied;      /* pages of the log that are in the database, as the thread left it */
	unsigned resets; /* how often the log began anew */

	/* The log's thread. */
	struct sql copier;
};

/* Watches the commits of the writer, which must stay where it is. */
void store_sqlite_log_init(struct sqlite_log *log, const struct sql *writer);
/* Stops the thread; before the writer is closed. Fine for one that was not initialised. */
void store_sqlite_log_clear(struct sqlite_log *log);
/*
 * On the worker's thread, between two pieces of a chore. True: the log is longer
 * than most pages and is being copied, the chore should let that go on and rest
 * meanwhile. With most 0 the database is as short as it
 * can be when this answers false, and the log empty. A reader that keeps the log from being
 * copied is not waited for.
 */
bool store_sqlite_log_wait(struct sqlite_log *log, int most);

#endif
