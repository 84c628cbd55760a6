/* SPDX-License-Identifier: MIT */
/* What the server of fake_store.c holds, and how an entry of a batch changes it. */
#ifndef TESTS_SUPPORT_FAKE_DATA_H
#define TESTS_SUPPORT_FAKE_DATA_H

#include <pthread.h>
#include "store/modules/store_nodes.h"

struct fake_job {
	struct fake_job *next;
	char *id;
	char *json; /* NULL: removed, its last run is remembered */
	struct store_counters counters;
	uint32_t revision;
	int64_t key; /* by which runs know it */
	uint32_t slot; /* shared: see node_job_slot() */
};

struct fake_run {
	struct fake_run *next; /* older */
	int64_t key;           /* of its job */
	struct run run;        /* job is NULL */
	uint32_t node;         /* shared: who has to end it */
	uint32_t ran;          /* shared: where it is or was, also of one that is lost */
	char *output;          /* shared: the end of what it wrote; NULL: none is kept */
};

struct fake_text {
	struct fake_text *next;
	char *key;
	char *text; /* NULL: a number */
	int64_t number;
};

struct fake_note {
	struct fake_note *next; /* older */
	schedd_time when;
	int64_t key; /* 0: none */
	char *json;
};

/* ---- Of a store that is shared ---- */

#define FAKE_NODES 8
#define FAKE_PLACES 64

struct fake_node {
	uint32_t number; /* 0: none */
	uint32_t protocol;
	char name[64], life[32], identity[64], address[160], labels[160], version[32];
	uint64_t epoch, batch;
	schedd_time expires_at, started_at, seen_at, dead_since; /* by the machine's clock */
	bool draining;
	int64_t jobs, running;
	double load;
	schedd_span offset;
};

struct fake_line {
	struct fake_line *next; /* newer */
	int64_t seq;
	uint32_t origin, target;
	char *kind, *id, *body;
};

struct fake_place {
	uint32_t slot, node;
};

/* What it holds; a commit works on a copy, which takes the place of this when all went well. */
struct fake_data {
	struct fake_job *jobs;
	struct fake_run *runs; /* newest first */
	struct fake_text *texts;
	struct fake_note *notes; /* newest first */
	int64_t keys, serials;
	uint64_t batch; /* the last group's */
	struct fake_node nodes[FAKE_NODES];
	uint32_t slots[NODE_SLOTS]; /* by their node; 0: nobody's */
	struct fake_place places[FAKE_PLACES];
	uint32_t place_count;
	struct fake_line *feed; /* oldest first */
	int64_t seq;            /* of the last line */
	bool given;             /* slots have changed hands in this group */
};

struct fake_server {
	char name[64];
	pthread_mutex_t lock;
	struct fake_data *data;
	char identity[64], life[32], holder[160]; /* of the owner; "": none */
	_Atomic bool owned;                       /* by a link */
	uint64_t epoch;
	_Atomic int64_t delay;
	int dies_before, dies_after;
	_Atomic bool frozen, down, read_only;
	bool shuffled;       /* answers over different links overtake each other */
	char barred[FAKE_NODES][64]; /* nodes that are not let in; "": none */
	uint64_t told;       /* answers given */
	struct fake_ear *ears; /* of those that share it */
	char stuck[64];        /* beats of that node stay on their way; "": of none */
	int stuck_beats, beats; /* that do, and that were answered */
	int commits;
};

/* Made when it is named for the first time. */
struct fake_server *fake_server(const char *name);
/* A beat sets out: returns when it arrives, see fake_server_stick(). */
void fake_server_beat(struct fake_server *server, struct store_link *link);
struct fake_data *fake_data_copy(const struct fake_data *from);
void fake_data_clear(struct fake_data *data);
/* NULL: it was never there. One that was removed has no json. */
struct fake_job *fake_find(struct fake_data *data, const char *id);
struct fake_job *fake_make(struct fake_data *data, const char *id);
struct fake_job *fake_by_key(struct fake_data *data, int64_t key);
uint32_t fake_last_run(struct fake_data *data, const char *id);
/* Runs of a job (0: of all): all, or one. */
void fake_purge(struct fake_data *data, int64_t key, uint32_t number);
/* ---- fake_nodes.c; each under the lock ---- */

/* A line of the feed, of a link whose store is shared; else nothing. */
void fake_feed(struct fake_data *data, const struct store_link *link, const char *kind,
    const char *id, uint32_t target, const char *body);
void fake_feed_clear(struct fake_data *data);
int fake_give(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err);
int fake_tell(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err);
int fake_change_node(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err);
int fake_put_output(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err);
/* Of a changer of a store that is shared: is it still as he knows it? */
int fake_expect_same(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err);

/* By the kind of entry. */
extern int (*const fake_verbs[STORE_OP_COUNT])(struct fake_data *, const struct store_link *,
    struct store_op *, struct schedd_error *);

#endif
