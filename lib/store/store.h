/* SPDX-License-Identifier: MIT */
/*
 * A job store remembers jobs, runs and changes, in this process, in a file, or
 * on a server that may be slow, away, or somebody else's for a while.
 *
 * The scheduler keeps all jobs in memory and reads them once, when the store
 * has been opened. Writes are batches: a batch is durable as a whole or not at
 * all, batches take effect in the order they were committed. Nothing here
 * blocks but store_flush() and store_close(), which have a limit: every answer
 * comes through the mailbox, on the loop's thread, never inside the call that
 * asked, and each call is answered exactly once.
 *
 * Three outcomes are told apart. A batch may fail (nothing of it is stored). A
 * claim in it may be lost while the rest is stored: the job in the store was
 * not what the claim expected. And an outcome may be unknown for a while (the
 * connection ended after the commit was sent): the store itself finds out by
 * the batch's id, and answers when it knows.
 *
 * How a type is written: README.md in this folder.
 */
#ifndef SCHEDD_STORE_STORE_H
#define SCHEDD_STORE_STORE_H

#include <schedd/log.h>
#include <schedd/loop.h>
#include "base/value.h"
#include "loop/mailbox.h"
#include "model/job.h"
#include "model/run.h"

struct store;
struct store_batch;
struct store_ops;

/* rc 0: durable. Otherwise nothing of the batch is stored and err says why. */
typedef void (*store_done_fn)(int rc, const struct schedd_error *err, void *context);

/* Whether it can be used. */
enum store_state {
	STORE_CONNECTING, /* being opened, or not reached yet */
	STORE_OK,
	STORE_AWAY,      /* it was there and is being looked for */
	STORE_READ_ONLY, /* there, and takes no writes */
	STORE_HELD,      /* another daemon owns it; taken over when that one is gone */
	STORE_REFUSED,   /* does not get better by itself: a newer schema, a wrong password */
};

/* What outbox may say: runs that wait for a server with their output. */
#define STORE_OUTBOX_MAX 200000

/* An option of a type by its name; the last has the name NULL. */
struct store_option {
	const char *name; /* "prefix", "connect_timeout", … */
	const char *text; /* as it stands in the config */
};

/*
 * The state has changed, on the loop's thread. why is NULL for STORE_OK. Called
 * for the first time after store_open() returned.
 */
typedef void (*store_state_fn)(struct store *store, enum store_state state,
    const struct schedd_error *why, void *context);

struct store_config {
	const char *name; /* alias: "default" */
	const char *type; /* "sqlite", "memory", or a module's */
	const char *path; /* sqlite: the database file */
	const char *url;  /* of a server; may hold a password: never shown, see store_address() */
	const struct store_option *options; /* NULL: none */
	const char *state_dir;              /* where the daemon's identity is; NULL: none */
	const struct schedd_log *log;
	const struct schedd_clock *clock;      /* NULL: the machine's */
	struct schedd_loop *loop;              /* NULL: none */
	struct mailbox *mailbox;               /* for all answers */
	const struct trigger_context *trigger; /* zones and cache, for reading jobs back */
	struct store *history; /* keeps its runs and changes, and outlives it; NULL: it does itself */
	int64_t max_runs;  /* memory: runs kept in all, the oldest make room; 0: 100,000 */
	store_state_fn changed; /* may be NULL */
	void *context;          /* passed back, not owned */
};

/* ---- Life ---- */

/*
 * Begins to open (create, migrate, reach) it, which goes on in the background
 * until the state changes. Refuses at once only what no waiting can mend: an
 * unknown type, a module that is not installed, a config that is wrong.
 */
int store_open(const struct store_config *config, struct store **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * The same, and waits until it is there, refused, or limit has passed. A store
 * in this machine that is refused (SCHEDD_EFILE: corrupt or newer than this
 * program, and left untouched) is closed again and the reason returned; one on a
 * server is opened all the same and comes when it comes.
 */
int store_open_wait(const struct store_config *config, schedd_span limit, struct store **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The waiting alone: 0 when it is STORE_OK, else why it is not; SCHEDD_ETIMEOUT: not yet. */
int store_wait(struct store *store, schedd_span limit, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Commits what waits, answers it, closes; a server gets some seconds for it. NULL is fine. */
void store_close(struct store *store);
/*
 * Begins to close it, and waits for nobody: nothing more is asked of it, nor told but answers. What
 * was asked is answered meanwhile, or given up after some seconds where a server does not answer.
 * Then left is called on the loop's thread, never inside this call, and store_close() is short; if
 * that comes earlier, left is not called.
 */
void store_leave(struct store *store, void (*left)(void *context), void *context);
const char *store_name(const struct store *store);
const char *store_type(const struct store *store);
/* The file it is kept in; NULL: none. */
const char *store_path(const struct store *store);
/* Where its server is, without any secret; NULL: no server. */
const char *store_address(const struct store *store);
enum store_state store_state(const struct store *store);
/* Can nothing be asked of it now? */
bool store_is_away(const struct store *store);
/* "ok", "away": the word for a state. */
const char *store_state_word(enum store_state state);
/* Why it is not STORE_OK; "": it is. */
const char *store_state_why(const struct store *store);
/* The owner's epoch that this process writes under; another one: another owner came between. */
uint64_t store_epoch(const struct store *store);
/*
 * Did this epoch begin as another server took the place of the one before? It may lack what that one had answered,
 * and whoever knows a job as it was later writes it there again, before anything of it is claimed.
 */
bool store_behind(const struct store *store);
/*
 * Likewise, and what a life of this node before ours had done last may be gone, which nobody remembers: what it had
 * is not gone on with by itself.
 */
bool store_unsure(const struct store *store);
/* Does what it keeps outlive the process? */
bool store_durable(const struct store *store);
/* Is the disk full, but for what is in reserve for batches of store_batch_ends()? */
bool store_on_reserve(const struct store *store);
/* The store that keeps its runs and changes; NULL: it does itself. */
struct store *store_history(const struct store *store);
/* Is it on a server, which may be away? */
bool store_remote(const struct store *store);
/* How long the oldest batch that is not answered has been under way; 0: none is. */
schedd_span store_lag(const struct store *store);
/*
 * {"name","type","path","address","state","why","since","durable","durability","round_trip",
 * "runs","bytes","commits","pending","lag","errors","last_error","last_error_at"} for stores and status;
 * jobs are the scheduler's to count. Types add members. Never waits.
 */
struct value store_status(struct store *store, struct arena *arena);
/* The types that are known, NULL-terminated: those built in, then those in modules. */
const char *const *store_types(void);
/* false: a store of that type needs another one that keeps its runs, if it is to have jobs that
 * run. */
bool store_type_keeps_history(const char *type);
/* The type that a url of that scheme is for; NULL: its scheme does not
 * tell, and err says which do. */
const char *store_type_of_url(const char *url, struct schedd_error *err);
/* 0, or SCHEDD_EINVAL: no type is called so. */
int store_type_check(const char *type, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Blocks until everything asked so far was answered. SCHEDD_EFAILED: it was not within limit. */
int store_flush(struct store *store, schedd_span limit);

/* ---- Reading back, when it was opened ---- */

/*
 * Takes the record (and frees it). A row that cannot be read comes as a job
 * with its id alone, its counters, state.invalid set and all that is stored of
 * it in raw; it stays as it is in the store.
 */
typedef int (*store_load_fn)(struct job_record *record, void *context);

/* What stands beside the jobs; read-only, the receiver's to free. */
struct store_snapshot;

/*
 * Takes the snapshot: numbers, texts, runs that have not ended, all as of the same moment as the
 * jobs. rc < 0: it is NULL, and the jobs that came are not all.
 */
typedef void (*store_loaded_fn)(
    int rc, const struct schedd_error *err, struct store_snapshot *snapshot, void *context);

/* In pieces of some milliseconds: all jobs, then the snapshot. */
void store_load(
    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context);

void store_snapshot_free(struct store_snapshot *snapshot);
/* A number kept under a key; fallback where there is none. */
int64_t store_snapshot_number(
    const struct store_snapshot *snapshot, const char *key, int64_t fallback);
/* Groups' limits and other small texts, for each key that begins with prefix, in their order. */
typedef void (*store_text_fn)(const char *key, const char *text, void *context);
void store_snapshot_texts(const struct store_snapshot *snapshot, const char *prefix,
    store_text_fn call, void *context);
/* Runs that had not ended when it was last written, oldest first. */
const struct run *store_snapshot_runs(const struct store_snapshot *snapshot, size_t *count);
/* Asks of each of them, in their order, whether it is to stay among them. */
void store_snapshot_sift(struct store_snapshot *snapshot,
    bool (*stays)(const struct run *run, void *context), void *context);

/*
 * The highest run number ever given to an id; 0: never seen. Sees what was committed before,
 * answered or not.
 */
typedef void (*store_number_fn)(
    int rc, const struct schedd_error *err, int64_t number, void *context);
void store_last_run(struct store *store, const char *id, store_number_fn call, void *context);

/* ---- Changes of others ---- */

enum store_change_kind {
	STORE_CHANGE_JOB,  /* record is how the job is now */
	STORE_CHANGE_GONE, /* the job was removed */
	STORE_CHANGE_TEXT, /* text of a key; NULL: removed */
};

struct store_change {
	enum store_change_kind kind;
	const char *id;            /* of the job, or the key */
	struct job_record *record; /* STORE_CHANGE_JOB: the receiver's */
	const char *text;
};

/* On the loop's thread, in the order in which they were made. */
typedef void (*store_watch_fn)(const struct store_change *change, void *context);
/*
 * What others write from the moment on that store_load() read; to be called
 * before it. A store that belongs to one daemon alone calls only for what it
 * found changed behind the daemon's back (a claim that was lost).
 */
void store_watch(struct store *store, store_watch_fn call, void *context);

/* Tells, as a change, how the job is stored now: to be asked of a store that others write too. */
void store_reread(struct store *store, const char *id);

/* ---- Writing ---- */

/*
 * NULL: no memory. Failure inside a batch is sticky and fails the commit, so that
 * only the answer of store_commit() has to be looked at; a NULL batch may be
 * filled and committed like any other and is answered with SCHEDD_ENOMEM.
 */
struct store_batch *store_batch_new(struct store *store);
void store_batch_free(struct store_batch *batch);
/* It belongs to what began before: a full disk has something in reserve for it. */
void store_batch_ends(struct store_batch *batch);
/*
 * Something would be done twice without it: it waits until the store can be reached and written, however long that
 * takes, and fails with the store's epoch alone, or as any other for what is in it.
 */
void store_batch_owed(struct store_batch *batch);
/* Nobody waits for it: a store whose commits are dear may keep it for some milliseconds, to commit more with it. */
void store_batch_late(struct store_batch *batch);
/* The whole record, new or changed. The state is copied at once; the definition, which does not
 * change any more, is shared: the batch holds a reference. */
void store_batch_put_job(
    struct store_batch *batch, const struct schedd_job *job, const struct job_state *state);
/*
 * The same for an id that may have been used before: its numbers go on from the
 * highest ever given, which is in *last_run (the caller's until the answer) when
 * the batch is durable.
 */
void store_batch_add_job(struct store_batch *batch, const struct schedd_job *job,
    const struct job_state *state, uint32_t *last_run);
/*
 * The batch is good only while the stored job stands at that revision; else the whole of it
 * fails with SCHEDD_ECONFLICT.
 */
void store_batch_expect(struct store_batch *batch, const char *id, uint32_t revision);

/* What became of a claim in a batch that was stored. */
enum store_verdict {
	STORE_CLAIM_DONE,
	STORE_CLAIM_LOST,    /* the job is not as expected: another claimed it, or it is gone */
	STORE_CLAIM_REFUSED, /* the epoch is over: the store has another owner */
};

/*
 * Of an existing job only what a claim changes: next_fire, next_run_time, run_count, last_run.
 * It holds if the stored job has the last run that is expected (and the store is still owned
 * under the epoch of the batch). Runs of that job put into the batch behind it stand and fall
 * with it. *verdict (the caller's until the answer) says so when the batch is durable; NULL: a
 * claim that does not hold fails the batch with SCHEDD_ECONFLICT.
 */
void store_batch_claim(struct store_batch *batch, const char *id, uint32_t expected,
    const struct job_state *state, enum store_verdict *verdict);
/* Its runs stay. last_run is remembered for an id that comes back; 0: nothing to remember, as for
 * an id the server made and never gives out again. */
void store_batch_delete_job(struct store_batch *batch, const char *id, uint32_t last_run);
/* Inserts or replaces JOB/N. */
void store_batch_put_run(struct store_batch *batch, const struct run *run);
/*
 * The same for one who puts many runs of a job: known is what the call before for that job
 * answered, at first 0. It saves a history in memory the search; otherwise it says nothing.
 */
uint32_t store_batch_put_known_run(
    struct store_batch *batch, const struct run *run, uint32_t known);
/* Runs of a job (NULL: of all): all, or JOB/number. */
void store_batch_purge_runs(struct store_batch *batch, const char *job, uint32_t number);
/*
 * Runs of a job (NULL: of all), those up to that number (0: all), but where that is long work so
 * many at most: *more (the caller's until the answer) says that there are others; NULL: of no
 * interest. A store that knows no pieces deletes all at once.
 */
void store_batch_purge_some(
    struct store_batch *batch, const char *job, uint32_t upto, uint32_t most, bool *more);
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
 * For who waits at the other end: called at most once, before the answer, when the outcome is
 * not known for the time being. err says so.
 */
void store_batch_on_unknown(
    struct store_batch *batch, void (*call)(const struct schedd_error *err, void *context));
/* A run of the job of that number comes soon: what that takes is fetched from memory meanwhile. */
void store_expect_run(const struct store *store, uint32_t known);
/* Takes the batch. done (may be NULL) is called exactly once. */
void store_commit(
    struct store *store, struct store_batch *batch, store_done_fn done, void *context);

/* ---- Asking ---- */

struct store_run_query {
	const char *const *jobs; /* ids or globs, NULL-terminated; NULL: all */
	uint32_t states;         /* set of 1 << enum run_state; 0: all */
	schedd_time since;       /* scheduled, started or ended at or after; NONE: ever */
	schedd_time until;       /* scheduled at or before; NONE: no limit */
	uint32_t number;         /* with one job: that run alone; 0: any */
	bool here; /* what another store keeps for it is left out: that one is asked, too */
	uint64_t limit;          /* at most this many, newest first; 0: 100 */
	const char *after; /* continue behind this cursor, as answered; NULL: from the newest */
};

#define STORE_CURSOR_MAX 64 /* bytes, with the NUL; what is in them is the type's business */

/* The cursor behind one run of an answer to that query, for who did not take all of it. */
void store_run_cursor(struct store *store, const struct store_run_query *from,
    const struct run *run, char cursor[STORE_CURSOR_MAX]);

/* Runs are the store's and valid during the call. cursor NULL: there are no more. */
typedef void (*store_runs_fn)(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context);
/* The query is copied. With one job given by its id: by number, newest first; otherwise in the
 * order in which runs came to be. */
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

/*
 * For a program in which nobody but the stores uses SQLite, before it opens the
 * first: SQLite need not count its memory then, which takes a lock each time.
 */
void store_own_sqlite(void);

#endif
