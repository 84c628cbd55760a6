/* SPDX-License-Identifier: MIT */
/*
 * The parts of a store on a server. Two ends, each a thread with a link of its
 * own: the writer (batches, loading, what others write) and the asker
 * (questions), so that no question delays a claim.
 */
#ifndef SCHEDD_STORE_STORE_REMOTE_PARTS_H
#define SCHEDD_STORE_STORE_REMOTE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include "store/store_letter.h"
#include "store/store_remote.h"
#include "store/store_retention.h"
#include "store/store_secret.h"

struct remote_store;
struct remote_end;

/* A question, or loading: done by an end's thread, told by its letter. */
struct remote_task {
	struct store_letter base;
	struct remote_task *next; /* in the queue */
	struct remote_store *remote;
	uint64_t mark;    /* batches that must be settled before it is looked into */
	int64_t deadline; /* mono microseconds: then it fails */
	int rc;
	struct schedd_error err;
	/* On the thread, connected. */
	int (*step)(struct remote_task *task, struct store_link *link, struct schedd_error *err);
	/* On the loop's thread; the task is freed afterwards. */
	void (*tell)(struct remote_task *task);
};

struct remote_end {
	struct remote_store *remote;
	struct store_link link;
	struct store_remote_config config; /* the link's, with a password of its own */
	struct store_secret secret;
	pthread_t thread;
	bool started;
	int bell; /* eventfd: there is something in the queues */

	pthread_mutex_t lock;       /* guards what follows, down to the gap */
	pthread_cond_t settled;     /* signalled when done or room changes */
	struct store_batch *queued; /* the writer's, oldest first */
	struct store_batch **queue_end;
	struct remote_task *tasks; /* oldest first */
	struct remote_task **task_end;
	uint64_t done; /* batches settled */
	int pieces;    /* of loading, on their way to the loop */
	bool stopping;   /* nothing more is taken */
	int64_t stop_by; /* mono microseconds: it stops then, or as soon as it has nothing to do; 0: it goes on */

	/* The thread's own. */
	struct store_batch *waiting; /* taken from the queue, not stored yet */
	struct store_batch **waiting_end;
	struct store_batch *doubt; /* sent, and not known whether stored; NULL-terminated group */
	struct remote_task *asked;  /* taken from the queue */
	struct remote_task **asked_end;
	bool connected;
	bool ever; /* it was, at least once */
	int64_t next_try;
	int64_t wake_by; /* as stop_by */
	int64_t next_beat;
	int64_t turned_at; /* last looked for anything else than commits */
	int64_t next_tell; /* of how long commits take */
	int64_t eager_until; /* of a store that is shared and polls: others answer, or go on */
	schedd_span backoff;
	enum store_state state; /* as told last */
	struct schedd_error why;
	unsigned seed;
};

/* The lease of a store that is shared: a thread and a link of its own. */
struct remote_lease {
	struct remote_store *remote;
	struct store_link link;
	struct store_remote_config config; /* the link's, with a password of its own */
	struct store_secret secret;
	pthread_t thread;
	bool started;
	int bell; /* eventfd */

	pthread_mutex_t lock; /* guards what follows, down to the gap */
	bool stopping;
	uint64_t epoch; /* to be renewed; 0: none */
	uint32_t node;
	schedd_span offset; /* our clock less the store's */
	uint64_t joined;    /* the epoch that was begun last */
	bool lapsed;        /* it was over for a while since then, though nobody took it here */

	_Atomic uint64_t holds; /* the epoch that is good until then; 0: none */
	_Atomic int64_t until;  /* mono microseconds, a fifth of a lease early */
	_Atomic uint64_t lost;  /* an epoch that is over */
	_Atomic uint64_t late;  /* the epoch that began when the one before had lapsed; 0: none */
	_Atomic bool seen; /* the nodes were told, since this was opened */
	_Atomic int64_t look_at; /* mono microseconds when another's lease may be over */
	_Atomic int64_t jobs, running;
};

struct remote_store {
	struct store base;
	const struct store_driver *driver;
	struct store_remote_config config;
	struct arena arena;   /* what is configured */
	struct store_secret secret;
	const char *password_file; /* NULL: none */
	char identity[40];    /* of this daemon */
	char life[24];        /* of this opening */
	char holder[160];     /* for people */
	const char **run_as;  /* accounts, NULL-terminated; NULL: none was named */
	char account[64];     /* the daemon's own; not touched any more once it is known */
	atomic_bool knows_account;
	struct remote_end writer;
	struct remote_end asker;
	struct remote_lease lease;
	uint64_t given; /* batches handed to the writer; the loop's */
	_Atomic int threads;          /* that have not ended */
	struct mailbox_letter ended;  /* posted by the last of them, as the last thing it does */

	/* The loop's, from the writer's news. */
	char durability[STORE_DURABILITY_MAX];
	schedd_span round_trip; /* of the last commit or beat; SCHEDD_SPAN_NONE: none yet */
	int64_t runs, bytes;    /* -1: not known */
};

/* ---- store_remote_config.c ---- */

/* Reads url, options, password file; makes or reads the daemon's identity. */
int store_remote_configure(struct remote_store *remote, const struct store_config *config,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Finds out the name of the daemon's own account. SCHEDD_EFAILED: the system's databases have not said it yet. */
int store_remote_know_account(struct remote_store *remote, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* May the store hold this job? NULL: yes; else why not, into text. */
const char *store_remote_judge(
    const struct remote_store *remote, const struct schedd_job *job, char *text, size_t size);

/* ---- store_remote_link.c ---- */

/* The writer's state as it is now; round_trip negative: nothing was measured. */
void store_remote_tell_state(struct remote_end *end, schedd_span round_trip);
/* The batch's outcome is not known for the time being; before its answer. */
void store_remote_tell_doubt(
    struct remote_end *end, struct store_batch *batch, const struct schedd_error *err);
int64_t store_remote_mono(void);

/* ---- store_remote_end.c ---- */

/* The thread of an end. */
void *store_remote_main(void *context);

/* ---- store_remote_queue.c: for that thread ---- */

void store_remote_settle(
    struct remote_end *end, struct store_batch *batch, int rc, const struct schedd_error *err);
void store_remote_settle_all(
    struct remote_end *end, struct store_batch *chain, int rc, const struct schedd_error *err);
/* The oldest that wait, as one group. */
struct store_batch *store_remote_take_group(struct remote_end *end);
/* Puts the chain back before everything else; there may be nothing in it. */
void store_remote_wait_again(struct remote_end *end, struct store_batch *chain);
/* The server would not store them: settled so, but for those that are owed, which wait again. */
void store_remote_refuse(
    struct remote_end *end, struct store_batch *group, const struct schedd_error *err);
/* What has waited too long for a connection, or for one that will not come. */
void store_remote_expire(struct remote_end *end);
/* When there is such; INT64_MAX: never. */
int64_t store_remote_expires_at(const struct remote_end *end);

/* ---- store_remote_life.c ---- */

/* thread: store_remote_main(). */
int store_remote_start(struct remote_end *end, void *(*thread)(void *), struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Ends the thread; what waits is answered with an error. */
void store_remote_halt(struct remote_end *end);
/* The same, and frees what belongs to the end. */
void store_remote_stop(struct remote_end *end);
/* The thread is to end by itself: when it has nothing to do, at that time at the latest. */
void store_remote_stop_by(struct remote_end *end, int64_t by);
/* The last that a thread of the store does. */
void store_remote_ended(struct remote_store *remote);
void store_remote_ask(struct remote_end *end, struct remote_task *task);
void store_remote_give(struct remote_end *end, struct store_batch *batch);

/* Wakes the thread: there is something to look at. */
void store_remote_ring(const struct remote_end *end);

/* ---- store_remote_lease.c ---- */

int store_remote_lease_start(struct remote_lease *lease, struct schedd_error *err)
    __attribute__((warn_unused_result));
void store_remote_lease_stop(struct remote_lease *lease);
/* The same without waiting for it; it may not have been started. */
void store_remote_lease_end(struct remote_lease *lease);
/* The writer has joined; begin: mono microseconds before it asked. */
void store_remote_lease_set(
    struct remote_lease *lease, uint32_t node, uint64_t epoch, int64_t begin);
/* The epoch is over, or is given up. */
void store_remote_lease_drop(struct remote_lease *lease);
extern const struct store_share_ops store_remote_share;

/* ---- store_remote_load.c, _ask.c: the ops ---- */

void store_remote_load(
    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context);
void store_remote_reread(struct store *store, const char *id);
void store_remote_last_run(
    struct store *store, const char *id, store_number_fn call, void *context);
/* What the writer's idle() hands over. */
struct store_watching {
	struct remote_store *remote;
	struct remote_share_news *counted; /* being filled; NULL: none */
	struct remote_share_news *taken;   /* likewise */
};
/* Posts what is being filled. */
void store_watching_end(struct store_watching *watching);
/* See store_share_refresh(). */
void store_remote_refresh(
    struct store *store, const char *id, store_done_fn done, void *context);
/* See store_share_output(). */
void store_remote_output(struct store *store, const char *job, uint32_t number, store_output_fn call,
    void *context);
void store_remote_tell_slots(struct remote_store *remote, const uint32_t owners[NODE_SLOTS],
    const struct store_places *places);

/* A task of size bytes for an end; NULL: no memory. */
void *store_remote_task(struct store *store, size_t size,
    int (*step)(struct remote_task *, struct store_link *, struct schedd_error *),
    void (*tell)(struct remote_task *));

#endif
