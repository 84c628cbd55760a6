/* SPDX-License-Identifier: MIT */
/*
 * What a type of store provides, and what all stores have in common. Only
 * files of lib/store/ and modules include this.
 *
 * Jobs and history are apart: a type may keep jobs alone (history NULL), whose
 * runs another store keeps then.
 */
#ifndef SCHEDD_STORE_STORE_OPS_H
#define SCHEDD_STORE_STORE_OPS_H

#include <stddef.h>
#include <stdatomic.h>
#include "base/strbuf.h"
#include "store/store.h"
#include "store/store_share.h"

/*
 * What the program does for a module, which carries a copy of the library of its
 * own: jobs are made by the program's, so that what jobs share is one thing.
 * Both on any thread but decode, which is for the loop's.
 */
struct store_host {
	/* The whole record as one line of JSON: definition and state. */
	int (*encode)(const struct schedd_job *job, const struct job_state *state,
	    struct strbuf *out, struct schedd_error *err);
	/* A text that cannot be read gives a record with id alone and state.invalid set. */
	int (*decode)(const struct trigger_context *trigger, const char *id, const char *json,
	    size_t length, struct job_record *record, struct schedd_error *err);
};

/* A store that uses another one. */
struct store_listener {
	struct store_listener *next;
	void (*changed)(struct store *store, void *context);
	void *context;
};

/* How long closing waits for a server. */
#define STORE_LEAVE_LIMIT (5 * SCHEDD_SECOND)

/* Of a store that is being left, see store_leave(). */
struct store_leaving {
	struct mailbox_letter letter;           /* looks whether all was answered */
	bool posted;                            /* it is on its way */
	bool begun;                             /* nothing more may be asked */
	void (*settled)(struct store *store);   /* waits for that; NULL: nobody does */
	void (*left)(void *context);            /* waits for the end; NULL: nobody does */
	void *context;
};

/* First member of every backend's own struct. Touched on the loop's thread only. */
struct store {
	const struct store_ops *ops;
	char *name;                                /* alias */
	char *path;                                /* NULL for types without a file */
	char *address;                             /* of the server, fit to be shown; NULL: none */
	const struct schedd_log *log;              /* may be NULL */
	const struct schedd_clock *clock;          /* never NULL */
	struct schedd_loop *loop;                  /* NULL: none */
	struct mailbox *mailbox;                   /* how everything is answered */
	const struct trigger_context *trigger;     /* for reading jobs back */
	const struct store_host *host;             /* never NULL */
	store_state_fn changed;                    /* told of every state; NULL: nobody */
	void *context;                             /* passed back, not owned */
	struct store_listener *listeners;          /* told of states, too: who uses it from within */
	store_watch_fn watch;                      /* told of others' changes; NULL: nobody */
	void *watch_context;                       /* passed back, not owned */
	bool shared;                               /* with other daemons, by config and type */
	bool keeps_output;                         /* of runs that ended, for other nodes to read */
	store_share_fn share;                      /* told of nodes and slots; NULL: nobody */
	void *share_context;                       /* passed back, not owned */
	enum store_state state;
	schedd_time state_since;
	struct schedd_error state_err;             /* why it is not STORE_OK */
	uint64_t epoch;                            /* under which it is owned; 0: not (yet) */
	uint64_t behind;                           /* see store_behind(); 0: under none */
	uint64_t unsure;                           /* see store_unsure(); 0: none was */
	uint64_t life;                             /* random: of this opening; part of batches' ids */
	uint64_t serial;                           /* of the last batch made */
	_Atomic bool on_reserve;                   /* the disk is full, ends of runs can be written */
	uint64_t pending;                          /* asked and not answered yet; see store_answered() */
	struct store_leaving leave;
	struct store_batch *oldest, *newest;       /* of those that are not answered */
	uint64_t commits;                          /* batches that are durable */
	uint64_t errors;                           /* batches that were refused */
	schedd_time last_error_at;                 /* SCHEDD_TIME_NONE: never */
	char last_error[SCHEDD_ERROR_MESSAGE_MAX]; /* sentence of the last refusal; "": none */
};

/* What the functions of store_share.h ask of a store that is shared. */
struct store_share_ops {
	schedd_span (*lease)(const struct store *store);
	const char *(*node_name)(const struct store *store);
	bool (*leased)(const struct store *store, uint64_t epoch);
	bool (*late)(const struct store *store, uint64_t epoch);
	void (*report)(struct store *store, int64_t jobs, int64_t running);
	void (*refresh)(
	    struct store *store, const char *id, store_done_fn done, void *context);
	void (*output)(struct store *store, const char *job, uint32_t number, store_output_fn call,
	    void *context);
};

/*
 * Slots mean what the function of the same name in store.h says. All that is
 * not said to be optional is set. What is asked counts in store->pending until
 * it was answered.
 */
struct job_store_ops {
	/*
	 * The common part is filled in. Checks the config, begins, and calls store_set_state() on the
	 * loop's thread when it is there or refused, never inside this call. After a failure nothing
	 * but the common part is left to free.
	 */
	int (*open)(
	    struct store *store, const struct store_config *config, struct schedd_error *err);
	/* Everything was answered, or its time is over: answers the rest with an error, frees all but
	 * the common part. */
	void (*close)(struct store *store);
	/*
	 * Nothing more is asked. Sees to it, without waiting, that threads end and files are closed, and
	 * calls store_gone() then: close() comes later and has nobody to wait for. NULL: that is so as
	 * soon as all was answered.
	 */
	void (*leave)(struct store *store);
	/* Adds the backend's members to the map of store_status(). */
	void (*status)(struct store *store, struct arena *arena, struct value *map);
	void (*load)(
	    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context);
	void (*last_run)(
	    struct store *store, const char *id, store_number_fn call, void *context);
	/* A claim of the job was lost: tells store->watch how the job is now, always. NULL: nobody
	 * else can write it. */
	void (*reread)(struct store *store, const char *id);
	/* Of one that can be shared; NULL: it never is. */
	const struct store_share_ops *share;
	/* Takes the batch and sees to it that store_batch_answer() is called on the loop's thread,
	 * later. */
	void (*commit)(struct store *store, struct store_batch *batch);
	/* What it keeps back for a moment (store_batch_late()) goes now. NULL: it keeps nothing back. */
	void (*hurry)(struct store *store);
};

struct history_ops {
	void (*runs)(struct store *store, const struct store_run_query *query, store_runs_fn call,
	    void *context);
	/* The cursor behind a run of an answer. */
	void (*cursor)(const struct store_run_query *query, const struct run *run,
	    char cursor[STORE_CURSOR_MAX]);
	void (*changes)(struct store *store, const char *job, schedd_time since, uint64_t limit,
	    store_value_fn call, void *context);
	void (*stats)(struct store *store, const char *job, schedd_time since, store_value_fn call,
	    void *context);
	void (*retain)(struct store *store, const char *job,
	    const struct store_retention *retention, uint32_t budget, store_done_fn done,
	    void *context);
	void (*backup)(struct store *store, const char *path, store_done_fn done, void *context);
	/*
	 * Of a history in this process's memory; NULL: runs are copied into the batch. The row of a
	 * run that is put into a batch, made at once so that nothing is copied twice, behind *rows
	 * (NULL: there are none yet); false: no memory. *known as in store_batch_put_known_run().
	 * The rows become part of the history with their batch, as the op's prepared, or are given
	 * back.
	 */
	bool (*make_row)(struct store *store, const struct run *run, uint32_t *known, void **rows);
	void (*drop_rows)(struct store *store, void *rows);
	/* One of that job is made soon; only with make_row. */
	void (*fetch_row)(const struct store *store, uint32_t known);
};

struct store_ops {
	const char *type;
	bool durable;    /* what it keeps outlives the process */
	bool needs_path; /* config must name a file */
	bool needs_url;  /* config must name a server; such a store may be away */
	bool keeps_jobs; /* false: batches need not carry jobs and claims */
	size_t size;     /* of the backend's struct, which begins with struct store */
	const struct job_store_ops *jobs;
	const struct history_ops *history; /* NULL: another store has to keep its runs */
	const void *driver; /* for store_remote.c: struct store_driver; NULL: it is none of those */
};

/* store_open() for a type that is at hand; for tests. */
int store_open_as(const struct store_ops *ops, const struct store_config *config,
    struct store **out, struct schedd_error *err) __attribute__((warn_unused_result));
/* On the loop's thread: notes and tells the state. err NULL with STORE_OK. */
void store_set_state(struct store *store, enum store_state state, const struct schedd_error *err);

/* On the loop's thread: one thing less is pending. */
void store_answered(struct store *store);
/* Calls it once, by a letter, when nothing is pending; takes the place of an earlier call. */
void store_when_settled(struct store *store, void (*settled)(struct store *store));
/* Of a store that is being left: nothing of it goes on but what is pending. */
void store_gone(struct store *store);

/* The same without a history elsewhere. */
int store_open_alone(const struct store_ops *ops, const struct store_config *config,
    struct store **out, struct schedd_error *err) __attribute__((warn_unused_result));
/* Fills in the common part, of which ops is set. store_release() also after a failure. */
int store_fill(struct store *store, const struct store_config *config, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Frees the common part and the store itself. */
void store_release(struct store *store);
/* Adds or removes who is told of every state; context tells them apart. SCHEDD_ENOMEM. */
int store_listen(struct store *store, void (*changed)(struct store *store, void *context),
    void *context, bool listen);

/* The types that are built in, at the end of their store_<type>.c. */
extern const struct store_ops store_memory_ops;
extern const struct store_ops store_sqlite_ops;

#endif
