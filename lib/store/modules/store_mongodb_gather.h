/* SPDX-License-Identifier: MIT */
/* A group of batches, judged: what each document that it touches becomes. */
#ifndef SCHEDD_STORE_MODULES_STORE_MONGODB_GATHER_H
#define SCHEDD_STORE_MODULES_STORE_MONGODB_GATHER_H

#include "base/strmap.h"
#include "store/modules/store_mongodb.h"

/* A job as it is stored, then as the group leaves it. */
struct mo_job {
	const char *id;
	int64_t key;            /* 0: it has no document */
	bool live;              /* it has a definition: not what remembers a removed one */
	bool changed;           /* by the group */
	bool whole;             /* not its counters alone */
	const char *definition; /* NULL: as it is */
	uint32_t last_run, revision;
	uint64_t run_count;
	schedd_time next_fire, next_run_time;
};

struct mo_run {
	struct mo_run *next;
	const char *id; /* as text, for the map */
	int64_t key, serial;
	const struct run *run;
	bool gone;
};

struct mo_meta {
	const char *key, *text; /* text NULL: a number */
	int64_t number;
	bool gone;
};

struct mo_purge {
	struct mo_purge *next;
	int64_t key;     /* 0: of all jobs */
	uint32_t number; /* 0: all */
};

struct mo_change {
	struct mo_change *next;
	const struct store_op *op;
	int64_t key; /* 0: of no job */
	int64_t serial;
};

struct mo_gather {
	struct store_link *link;
	int64_t stamp; /* of the group: later ones have greater ones */
	struct arena arena;
	struct strmap jobs, runs, meta;
	struct mo_run *first_run, **last_run;
	struct mo_purge *purges;
	struct mo_change *first_change, **last_change;
};

/* Negative: a batch of it cannot be stored. Clear it in any case. */
int store_mongodb_gather(struct mo_gather *gather, struct store_link *link,
    struct store_batch *first, struct store_batch *end, struct schedd_error *err);
void store_mongodb_gather_clear(struct mo_gather *gather);

#endif
