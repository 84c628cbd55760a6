/* SPDX-License-Identifier: MIT */
/*
 * A batch from the inside: the list of what is to be written, in order, in one
 * arena. Jobs are shared by reference (an accepted definition never changes),
 * everything else is copied.
 */
#ifndef SCHEDD_STORE_STORE_BATCH_H
#define SCHEDD_STORE_STORE_BATCH_H

#include "store/store_ops.h"
#include "store/store_share.h"

enum store_op_kind {
	STORE_OP_PUT_JOB,
	STORE_OP_ADD_JOB, /* put_job as well */
	STORE_OP_EXPECT,
	STORE_OP_CLAIM,
	STORE_OP_DELETE_JOB,
	STORE_OP_PUT_RUN,
	STORE_OP_PURGE_RUNS,
	STORE_OP_RENAME,
	STORE_OP_PUT_NUMBER,
	STORE_OP_PUT_TEXT,
	STORE_OP_PUT_CHANGE,
	/* Of a store that is shared alone. */
	STORE_OP_GIVE,
	STORE_OP_TELL,
	STORE_OP_NODE,
	STORE_OP_PUT_OUTPUT,
	STORE_OP_COUNT,
};

/* Strings live in the batch. Only the member that belongs to the kind is allocated. */
struct store_op {
	struct store_op *next;
	enum store_op_kind kind;
	void *prepared; /* a backend's own note between its passes */
	union {
		struct {
			struct schedd_job *job; /* one reference */
			struct job_state state; /* its strings are the batch's */
			uint32_t *last_run;     /* add: the caller's, set when it is answered; may be NULL */
			uint32_t given;         /* add: what the backend found */
		} put_job;
		struct {
			const char *id;
			uint32_t revision;
			bool same; /* shared: nor have claims come between */
			bool idle; /* shared: and none of its runs is open */
			uint32_t last_run;
			schedd_time next_fire;
		} expect;
		struct {
			const char *id;
			schedd_time next_fire;
			schedd_time next_run_time;
			uint64_t run_count;
			uint32_t last_run;
			uint32_t expected;           /* last run before it */
			uint32_t revision;           /* shared: of the definition it was made by; 0: any */
			enum store_verdict *verdict; /* the caller's, set when it is answered; NULL */
			enum store_verdict given;    /* what the backend came to */
		} claim;
		struct {
			const char *id;
			uint32_t last_run; /* 0: nothing to remember */
		} delete_job;
		struct {
			const char *id; /* the old one */
			const char *to;
		} rename;
		struct {
			struct run run;                 /* its strings are the batch's */
			const struct store_op *claim;   /* with which it stands; NULL: by itself */
		} run;
		struct {
			const char *job; /* NULL: all */
			uint32_t number; /* 0: all */
			uint32_t upto;   /* of all: those up to it; 0: no limit */
			uint32_t most;   /* of all: rows at most; 0: no limit */
			bool *more;      /* the caller's, set when it is answered; NULL */
			bool left;       /* there are others */
		} purge;
		struct {
			const char *key;
			int64_t number;
		} number;
		struct {
			const char *key;
			const char *text; /* NULL: remove */
			bool must;        /* shared: it is there to be removed, or the batch fails */
		} text;
		struct {
			schedd_time when;
			const char *job; /* NULL: none */
			const char *json;
		} change;
		struct {
			uint32_t slot;
			uint32_t node; /* 0: nobody */
		} give;
		struct {
			uint32_t node;
			const char *what;
			const char *id;
			const char *text;
		} tell;
		struct {
			const char *name;
			enum store_node_verb verb;
		} node;
		struct {
			const char *job;
			uint32_t number;
			const char *bytes;
			size_t length;
		} output;
	};
};

struct store_batch {
	struct mailbox_letter letter; /* how its answer travels */
	struct store_batch *next;     /* in a worker's queue */
	bool joined;                  /* likewise: not to be parted from the one behind it */
	struct store_batch *older, *newer; /* among the store's that are not answered */
	int64_t asked_at; /* monotonic microseconds; 0: it is not among them */
	struct store *store;
	uint64_t serial; /* with the store's life its id: the same batch is the same for ever */
	uint64_t epoch;  /* the owner's when it was made */
	schedd_time sent_by; /* monotonic microseconds at which it fails if it was not sent; a remote's
			      */
	struct store_op *first;
	struct store_op **last;    /* where the next one is linked */
	struct store_op *claim;    /* the latest */
	struct store_op *rows;     /* the last op, if it is rows that the history has made, in prepared */
	uint32_t count;            /* of ops */
	bool failed;               /* memory ran out while it was filled */
	bool jobs;                 /* it shares jobs */
	bool tells;                /* some of it tells the caller what became of it */
	bool makes_rows;           /* such rows are among its ops, and in no history yet */
	bool ends;                 /* may use what a full disk keeps in reserve */
	bool late;                 /* may be durable some milliseconds later, together with others */
	bool owed;                 /* see store_batch_owed() */
	bool same;                 /* what it expects is compared already: its claims need not */
	int rc;                    /* the outcome */
	const struct store_op *untold; /* of those that tell it, the first that has not */
	struct mailbox *mailbox;   /* by which the rest of it is freed; its store may be gone by then */
	struct arena arena;
	store_done_fn done; /* may be NULL */
	void (*unknown)(const struct schedd_error *err, void *context); /* may be NULL */
	bool told;          /* that it is unknown */
	void *context;      /* passed back, not owned */
	struct schedd_error err;
};

/* On the loop's thread: hands out the verdicts, counts the outcome, tells the owner, frees the
 * batch. Uncounts it in the store's pending. */
void store_batch_answer(struct store_batch *batch);
/* From here to its answer it is what the store lags behind by. */
void store_batch_asked(struct store_batch *batch);
/* Posts the letter that calls it; from any thread. */
void store_batch_post(struct store_batch *batch);
/* Likewise those of all that are linked by next, at once. */
void store_batch_post_chain(struct store_batch *chain);
/* The same from the loop's thread. */
void store_batch_put(struct store_batch *batch);
/* On the loop's thread: its outcome is not known for the time being. */
void store_batch_unknown(struct store_batch *batch, const struct schedd_error *err);
/* Has the claim it belongs to been lost, so that the entry is passed over? */
bool store_op_void(const struct store_op *op);
/*
 * For a claim that does not hold: takes the verdict down. Negative (and err set) where the claim
 * has none to take and the batch fails.
 */
int store_op_verdict(const struct store *store, struct store_op *op, enum store_verdict verdict,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* SCHEDD_ENOMEM if the batch could not be filled. */
int store_batch_check(const struct store_batch *batch, struct schedd_error *err);

#endif
