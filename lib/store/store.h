/* SPDX-License-Identifier: MIT */
/*
 * A job store remembers jobs, runs and changes.
 *
 * The scheduler keeps all jobs in memory and is the store's only writer; it
 * reads jobs once, at start. Writes are batches: a batch is durable as a whole
 * or not at all, batches take effect in the order they were committed, and the
 * answer comes on the loop's thread when the batch is on disk. A store with a
 * thread of its own gathers all batches that wait into one transaction.
 *
 * A backend is a const struct store_ops (see the end of each store_*.c).
 */
#ifndef SCHEDD_STORE_STORE_H
#define SCHEDD_STORE_STORE_H

#include <schedd/log.h>
#include "base/value.h"
#include "loop/mailbox.h"
#include "model/job.h"
#include "model/run.h"

struct store;
struct store_batch;
struct store_ops;

/* rc 0: durable. Otherwise nothing of the batch is stored and err says why. */
typedef void (*store_done_fn)(int rc, const struct schedd_error *err, void *context);

struct store_config {
	const char *name; /* alias: "default" */
	const char *type; /* "sqlite", "memory" */
	const char *path; /* sqlite: the database file */
	const struct schedd_log *log;
	const struct schedd_clock *clock;      /* NULL: the machine's */
	struct mailbox *mailbox;               /* for answers of its thread */
	const struct trigger_context *trigger; /* zones and cache, for reading jobs back */
	int64_t max_runs; /* memory: runs kept in all, the oldest make room; 0: 100,000 */
};

/* ---- Life ---- */

/*
 * Opens (creates, migrates) it. A database that is corrupt or newer than this
 * program is refused (SCHEDD_EFILE) and left untouched. Blocks.
 */
int store_open(const struct store_config *config, struct store **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Commits what waits, answers it, closes. NULL is fine. */
void store_close(struct store *store);
const char *store_name(const struct store *store);
const char *store_type(const struct store *store);
/* The file it is kept in; NULL: none. */
const char *store_path(const struct store *store);
/* Does what it keeps outlive the process? */
bool store_durable(const struct store *store);
/*
 * {"name","type","path","durable","runs","bytes","commits","pending","errors","last_error",
 * "last_error_at"} for stores and status; jobs are the scheduler's to count. sqlite adds
 * "transactions" and "longest_piece". Never waits for the disk's writers.
 */
struct value store_status(struct store *store, struct arena *arena);
/* The types that are built in, NULL-terminated. */
const char *const *store_types(void);
/* 0, or SCHEDD_EINVAL: no type is called so. */
int store_type_check(const char *type, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* ---- Reading back, at start: blocks ---- */

/*
 * Takes the record (and frees it). A row that cannot be read comes as a job
 * with its id alone and state.invalid set; it stays as it is in the store.
 */
typedef int (*store_load_fn)(struct job_record *record, void *context);
int store_load(struct store *store, store_load_fn call, void *context, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Runs that had not ended when the last process died; array to free with run_clear + free. */
int store_load_unfinished(struct store *store, struct run **out, size_t *count,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* A number kept under a key; fallback where there is none. */
int64_t store_load_number(struct store *store, const char *key, int64_t fallback);
/* Groups' limits and other small texts: calls back for each key that begins with prefix. */
typedef void (*store_text_fn)(const char *key, const char *text, void *context);
int store_load_texts(struct store *store, const char *prefix, store_text_fn call, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));

/* ---- Writing ---- */

/*
 * NULL: no memory. Failure inside a batch is sticky and fails the commit, so that
 * only the answer of store_commit() has to be looked at; a NULL batch may be
 * filled and committed like any other and is answered with SCHEDD_ENOMEM.
 */
struct store_batch *store_batch_new(struct store *store);
void store_batch_free(struct store_batch *batch);
/* The whole record, new or changed. The state is copied at once; the definition, which does not
 * change any more, is shared: the batch holds a reference. */
void store_batch_put_job(
    struct store_batch *batch, const struct schedd_job *job, const struct job_state *state);
/* Of an existing job only what a claim changes: next_fire, next_run_time, run_count, last_run. */
void store_batch_claim(struct store_batch *batch, const char *id, const struct job_state *state);
/* Its runs stay. last_run is remembered for an id that comes back; 0: nothing to remember, as for
 * an id the server made and never gives out again. */
void store_batch_delete_job(struct store_batch *batch, const char *id, uint32_t last_run);
/* Inserts or replaces JOB/N. */
void store_batch_put_run(struct store_batch *batch, const struct run *run);
/* Runs of a job (NULL: of all): all, or JOB/number. */
void store_batch_purge_runs(struct store_batch *batch, const char *job, uint32_t number);
/* Job, runs and changes follow. SCHEDD_ECONFLICT if runs of a removed job stand under the new id.
 */
void store_batch_rename(struct store_batch *batch, const char *from, const char *to);
void store_batch_put_number(struct store_batch *batch, const char *key, int64_t number);
/* text NULL removes the key. */
void store_batch_put_text(struct store_batch *batch, const char *key, const char *text);
/* One line of the record of changes (who did what): an event as JSON. */
void store_batch_put_change(
    struct store_batch *batch, schedd_time when, const char *job, const char *json);
/*
 * Takes the batch. done (may be NULL) is called exactly once on the loop's thread, never inside
 * this call by a store with a thread, always inside it by one without (memory).
 */
void store_commit(
    struct store *store, struct store_batch *batch, store_done_fn done, void *context);
/* Blocks until everything committed so far was answered. */
void store_flush(struct store *store);
/*
 * The highest run number ever given to an id that is not a job now; 0: never seen. Sees what was
 * committed before, answered or not. Blocks for some microseconds.
 */
uint32_t store_last_run(struct store *store, const char *id);

/* ---- Asking ---- */

struct store_run_query {
	const char *const *jobs; /* ids or globs, NULL-terminated; NULL: all */
	uint32_t states;         /* set of 1 << enum run_state; 0: all */
	schedd_time since;       /* scheduled, started or ended at or after; NONE: ever */
	schedd_time until;       /* scheduled at or before; NONE: no limit */
	uint32_t number;         /* with one job: that run alone; 0: any */
	uint64_t limit;          /* at most this many, newest first; 0: 100 */
	const char *after; /* continue behind this cursor, as answered; NULL: from the newest */
};

#define STORE_CURSOR_MAX 24 /* bytes, with the NUL */

/* The cursor behind one run of an answer to that query, for who did not take all of it. */
int store_run_cursor(const struct store_run_query *from, const struct run *run,
    char cursor[STORE_CURSOR_MAX], struct schedd_error *err) __attribute__((warn_unused_result));

/* Runs are the store's and valid during the call. cursor NULL: there are no more. */
typedef void (*store_runs_fn)(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context);
/* Answers once, on the loop's thread (memory: inside the call). The query is copied. With one job
 * given by its id: by number, newest first; otherwise in the order in which runs came to be. */
void store_query_runs(
    struct store *store, const struct store_run_query *query, store_runs_fn call, void *context);

/* Answers a JSON-able value, valid during the call: for changes of a job, counts, percentiles. */
typedef void (*store_value_fn)(
    int rc, const struct schedd_error *err, const struct value *value, void *context);
/* The latest changes of a job (NULL: of all), newest first. */
void store_query_changes(struct store *store, const char *job, schedd_time since, uint64_t limit,
    store_value_fn call, void *context);
/*
 * A list of {"job","runs","failures","states":{"success":n,…},"duration_p50","duration_p95",
 * "delay_p50","delay_p95"} by job id: of one job (NULL: of all), of what ended since then
 * (SCHEDD_TIME_NONE: ever). Seconds; null where nothing ran. A row that stands for several fire
 * times counts as many.
 */
void store_query_stats(
    struct store *store, const char *job, schedd_time since, store_value_fn call, void *context);

/* ---- Housekeeping ---- */

struct store_retention {
	int64_t keep_runs;    /* per job; -1: no limit */
	schedd_span keep_for; /* since they ended; SCHEDD_SPAN_NONE: no limit. Without a job, of
				 changes too */
	int64_t max_runs;     /* in all (only without a job); -1: no limit */
	int64_t max_bytes;    /* taken by all of it (only without a job); 0: no limit */
	int64_t max_changes;  /* kept in the record of changes (only without a job); 0: no limit */
	/* Without a job: ids to which keep_runs and keep_for do not apply, because they have their
	 * own; in strcmp's order, NULL-terminated, copied; NULL: none. */
	const char *const *except;
};
/*
 * A piece of the work, in the background: deletes at most budget rows of one job (NULL: of all),
 * oldest first, never one that has not ended, and gives their space back. done gets how many in rc;
 * less than budget: there is nothing more to do for now.
 */
void store_retain(struct store *store, const char *job, const struct store_retention *retention,
    uint32_t budget, store_done_fn done, void *context);
/* A consistent copy into a new file (mode 0600) while running. SCHEDD_ECONFLICT if the file exists;
 * SCHEDD_EINVAL for a type that has nothing to copy (memory). */
void store_backup(struct store *store, const char *path, store_done_fn done, void *context);

#endif
