/* SPDX-License-Identifier: MIT */
/*
 * SQLite would copy the log within the commit that makes it too long, and that
 * commit may be the claim of a job. Nothing resets a log to which somebody
 * writes all the time, so the writer copies what is left once it is little.
 */
#include "store/store_sqlite_log.h"

#include <signal.h>

#define LOG_PAGES 1000 /* so many are copied at a time */
#define LOG_PART 100   /* likewise while a chore fills the log, so that the disk is free soon */
#define LOG_PAGES_LONG 3000 /* from here on the writer copies the rest, to begin anew */
#define LOG_PAGES_MAX 16000 /* no longer than that: the commit waits */
#define LOG_REST 64         /* pages that the writer copies itself */

/* ---- On the log's thread ---- */

/* Opened without a look at the schema: this connection copies pages and nothing else. */
static void log_copy(struct sqlite_log *log)
{
	unsigned resets = log->resets;
	int pages = 0, copied = 0, rc;

	log->wanted = false;
	log->busy = true;
	pthread_mutex_unlock(&log->lock);
	rc = sqlite3_wal_checkpoint_v2(
	    log->copier.db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
	pthread_mutex_lock(&log->lock);
	log->busy = false;
	log->failed = rc != SQLITE_OK && rc != SQLITE_BUSY;
	if (rc == SQLITE_OK && resets == log->resets)
		log->copied = copied;
}

static void *log_main(void *context)
{
	struct sqlite_log *log = context;
	struct schedd_error err;
	bool open = sql_open_beside(&log->copier, log->writer, SQLITE_OPEN_READWRITE, &err) == 0 &&
		    sql_exec(&log->copier, "PRAGMA cache_size = -100", &err) == 0;

	pthread_mutex_lock(&log->lock);
	while (!log->stopping) {
		if (!log->wanted)
			pthread_cond_wait(&log->work, &log->lock);
		else if (open)
			log_copy(log);
		else
			log->wanted = false, log->failed = true;
		if (!log->wanted)
			pthread_cond_signal(&log->idle);
	}
	pthread_mutex_unlock(&log->lock);
	sql_close(&log->copier);
	return NULL;
}

/* ---- On the worker's thread ---- */

/* Signals are the host's business: none is delivered here. */
static void log_start(struct sqlite_log *log)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	log->started = pthread_create(&log->thread, NULL, log_main, log) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (log->started)
		pthread_setname_np(log->thread, "store-log");
}

static void log_request(struct sqlite_log *log)
{
	pthread_mutex_lock(&log->lock);
	log->before = log->copied;
	log->wanted = true;
	pthread_cond_signal(&log->work);
	pthread_mutex_unlock(&log->lock);
}

static void log_reset(struct sqlite_log *log)
{
	pthread_mutex_lock(&log->lock);
	log->copied = 0;
	log->resets++;
	pthread_mutex_unlock(&log->lock);
	log->before = -1;
}

/* The next commit after that begins the log anew, unless a reader needs it as it is. */
static void log_finish(struct sqlite_log *log)
{
	int pages = 0, copied = 0;

	if (sqlite3_wal_checkpoint_v2(
		log->writer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied) == SQLITE_OK &&
	    pages == copied) {
		log->pages = 0;
		log_reset(log);
	}
}

/* Likewise, and its file is emptied; at once or not at all. */
static void log_empty(struct sqlite_log *log)
{
	log_finish(log);
	sqlite3_busy_timeout(log->writer->db, 0);
	if (sqlite3_wal_checkpoint_v2(
		log->writer->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK)
		log->emptied = true;
	sqlite3_busy_timeout(log->writer->db, SQL_BUSY_MS);
}

/* How many pages are still to be copied; -1: the thread is at it. */
static int log_rest(struct sqlite_log *log, bool await)
{
	int rest;

	pthread_mutex_lock(&log->lock);
	while (await && (log->wanted || log->busy))
		pthread_cond_wait(&log->idle, &log->lock);
	rest = log->wanted || log->busy ? -1 : log->failed ? 0 : log->pages - log->copied;
	pthread_mutex_unlock(&log->lock);
	return rest;
}

/* After each commit. What fails here is tried again after the next one. */
static int log_committed(void *context, sqlite3 *db, const char *name, int pages)
{
	struct sqlite_log *log = context;
	bool full = pages >= LOG_PAGES_MAX, lengthy = pages >= LOG_PAGES_LONG;
	int rest;

	(void)db, (void)name;
	if (pages < log->pages || log->pages == 0)
		log_reset(log);
	log->pages = pages;
	if (pages < LOG_PAGES)
		return SQLITE_OK;
	if (!log->started)
		log_start(log);
	rest = log->started ? log_rest(log, full) : 0;
	if (full || !log->started || (lengthy && rest >= 0 && rest <= LOG_REST))
		log_finish(log);
	else if (rest >= LOG_PAGES || (lengthy && rest > 0))
		log_request(log);
	return SQLITE_OK;
}

bool store_sqlite_log_wait(struct sqlite_log *log, int most)
{
	int rest;

	if (log->pages <= LOG_PART && most > 0)
		return false;
	if (!log->started)
		log_start(log);
	rest = log->started ? log_rest(log, false) : 0;
	if (most > 0 && log->pages <= most) {
		if (rest >= LOG_PART)
			log_request(log);
		return false;
	}
	if (rest >= 0 && rest <= LOG_REST) {
		if (most > 0)
			log_finish(log);
		else
			log_empty(log);
		return false;
	}
	if (rest > 0 && log->pages - rest <= log->before)
		return false;
	if (rest > 0)
		log_request(log);
	return true;
}

/* ---- On the loop's thread ---- */

void store_sqlite_log_init(struct sqlite_log *log, const struct sql *writer)
{
	log->writer = writer;
	log->before = -1;
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->work, NULL);
	pthread_cond_init(&log->idle, NULL);
	sqlite3_wal_hook(writer->db, log_committed, log);
}

void store_sqlite_log_clear(struct sqlite_log *log)
{
	if (!log->writer)
		return;
	if (log->started) {
		pthread_mutex_lock(&log->lock);
		log->stopping = true;
		pthread_cond_signal(&log->work);
		pthread_mutex_unlock(&log->lock);
		pthread_join(log->thread, NULL);
	}
	pthread_cond_destroy(&log->idle);
	pthread_cond_destroy(&log->work);
	pthread_mutex_destroy(&log->lock);
	log->writer = NULL;
}
