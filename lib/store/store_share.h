/* SPDX-License-Identifier: MIT */
/*
 * A store that several daemons share: its nodes, and which of them has which
 * slot of its jobs.
 *
 * A node holds a lease, renewed on a thread of its own and judged by the
 * store's clock, under an epoch that rises whenever somebody else may have
 * become the owner. What is written counts only while the epoch stands, which
 * the store compares in the transaction that writes. So nothing depends on the
 * lease's time but how soon a dead node is noticed.
 *
 * A slot is given away by its owner alone, or taken by who ends his epoch.
 */
#ifndef SCHEDD_STORE_STORE_SHARE_H
#define SCHEDD_STORE_STORE_SHARE_H

#include "model/node.h"
#include "store/store.h"

/* For sentences: those of which several daemons can share one. */
#define STORE_SHARE_TYPES "postgresql, mysql or redis"

/* Kinds of messages between nodes; what they say is the scheduler's business. */
#define STORE_TELL_ASK "ask"
#define STORE_TELL_ANSWER "answer"

struct store_node {
	uint32_t number;        /* in its store, for good; from 1 */
	const char *name;
	const char *labels;     /* as node_labels_read() */
	const char *version;    /* of its program */
	const char *address;    /* for people: host and pid */
	uint32_t protocol;      /* what it says to others: NODE_PROTOCOL of its program */
	uint64_t epoch;
	schedd_span left;       /* of its lease when it was looked at; 0 or less: over */
	bool draining;          /* it takes nothing more */
	schedd_time started_at; /* by the store's clock, as all times of it */
	schedd_time seen_at;
	bool unheard;           /* it has not come since another server took the place of the one it knew, or not settled yet;
				   also when it is dead, which a beat may tell before what was taken from it is told */
	schedd_time dead_since; /* its slots were taken, or it has left; SCHEDD_TIME_NONE: it has them */
	int64_t jobs;           /* as it said with its last beat */
	int64_t running;
	double load;
	schedd_span offset;     /* its clock less the store's */
};

/*
 * Jobs that say where they may run have slots of their own, as node_job_slot()
 * numbers them: from NODE_SLOTS on, few of very many. A number that was never
 * given is nobody's.
 */
struct store_place {
	uint32_t slot;
	uint32_t node; /* 0: nobody */
};

/* What claims have changed of a job that was another's. */
struct store_counted {
	const char *id;
	schedd_time next_fire;
	schedd_time next_run_time;
	uint64_t run_count;
	uint32_t last_run;
	uint32_t revision;
	uint32_t running;  /* runs of it, elsewhere */
	uint32_t queued;   /* likewise, that wait */
	int last_state;    /* enum run_state of the last run that ended; -1: none */
};

enum store_share_kind {
	STORE_SHARE_NODES,    /* all nodes, at every beat */
	STORE_SHARE_COUNTERS, /* of jobs of others, or of slots that are just becoming ours */
	STORE_SHARE_SLOTS,    /* who has which */
	STORE_SHARE_TAKEN,    /* what a dead node left open is ours now */
	STORE_SHARE_TOLD,     /* a message for us */
	STORE_SHARE_TEXT,     /* another wrote a text that concerns all */
};

/* Valid during the call. */
struct store_share_news {
	enum store_share_kind kind;
	uint32_t own;                    /* our number */
	const struct store_node *nodes;  /* NODES, by name */
	uint32_t node_count;
	const struct store_counted *jobs; /* COUNTERS */
	uint32_t job_count;
	const uint32_t *owners;          /* SLOTS: NODE_SLOTS numbers of nodes, 0: nobody */
	const char *labels;              /* SLOTS: our own; valid as long as the store */
	const struct store_place *places; /* SLOTS: those of places that were ever given */
	uint32_t place_count;
	const char *from;                /* TAKEN: the dead node's name */
	struct store_snapshot *snapshot; /* TAKEN: its open runs and all texts; the receiver's */
	uint32_t origin;                 /* TOLD: the node that says it */
	const char *what;                /* TOLD: STORE_TELL_ASK, … */
	const char *id;                  /* TOLD: of the request; TEXT: the key */
	const char *text;                /* likewise: what it says; NULL: the text is gone */
};

/* On the loop's thread, in the order in which it happened in the store. */
typedef void (*store_share_fn)(const struct store_share_news *news, void *context);

/* Where the news go; before store_load(). Nothing comes of a store that is not shared. */
void store_share(struct store *store, store_share_fn call, void *context);
bool store_shared(const struct store *store);
/* How long a dead node keeps what it has. */
schedd_span store_lease(const struct store *store);
/* Our name among its nodes; NULL: it is not shared. */
const char *store_node_name(const struct store *store);
/*
 * May what needs the store be begun under that epoch? Always, of a store that
 * is not shared; else while our lease is good, by our own monotonic clock from
 * before it was asked for, less a fifth. From any thread.
 */
bool store_leased(const struct store *store, uint64_t epoch);
/* Had our lease been over, by that clock, when this epoch began? Others may have had what we had. */
bool store_late(const struct store *store);
/*
 * Tells what others have written until now, and what claims have changed of
 * that job (NULL: of all that are others'); then calls done.
 */
void store_share_refresh(
    struct store *store, const char *id, store_done_fn done, void *context);
/* What store_batch_put_output() kept of a run. length 0: nothing is kept. */
typedef void (*store_output_fn)(int rc, const struct schedd_error *err, const char *bytes,
    size_t length, void *context);
void store_share_output(struct store *store, const char *job, uint32_t number, store_output_fn call,
    void *context);
/* What the next beat says of us. */
void store_share_report(struct store *store, int64_t jobs, int64_t running);

/*
 * The slot is that node's from now on; 0: nobody's. Where it is ours or nobody's: else nothing. Also
 * one of a place, which may not have been given before.
 */
void store_batch_give(struct store_batch *batch, uint32_t slot, uint32_t node);
/*
 * The end of what a run wrote, which has its row already or in the same batch; it goes with the
 * row. Where nobody else reads the store: nothing.
 */
void store_batch_put_output(struct store_batch *batch, const char *job, uint32_t number,
    const char *bytes, size_t length);
/* A message for a node. */
void store_batch_tell(struct store_batch *batch, uint32_t node, const char *what, const char *id,
    const char *text);
/*
 * Removes a text. Of a store that is shared the batch fails with
 * SCHEDD_ECONFLICT where another has removed it: what it stood for is done.
 */
void store_batch_take_text(struct store_batch *batch, const char *key);
enum store_node_verb {
	STORE_NODE_DRAIN,
	STORE_NODE_RESUME,
	STORE_NODE_FORGET, /* one whose lease is over; SCHEDD_ECONFLICT: it lives */
	STORE_NODE_LEAVE,  /* ourselves, in good order: nobody has to wait for the lease */
	/* Ourselves: what a server that took the other's place lacks is written again, or held, as far as it is known here
	 * (struct store_node's unheard). */
	STORE_NODE_SETTLE,
};
/* SCHEDD_ENOTFOUND: there is no such node. */
void store_batch_node(struct store_batch *batch, const char *name, enum store_node_verb verb);
/*
 * As store_batch_expect(), and no claim came between either. Of a store that is
 * not shared: nothing, for there nobody else writes.
 */
void store_batch_expect_same(
    struct store_batch *batch, const char *id, const struct job_state *state);
/* Behind that: nor is a run of it open, wherever. Else SCHEDD_ECONFLICT. */
void store_batch_expect_idle(struct store_batch *batch, const char *id);

#endif
