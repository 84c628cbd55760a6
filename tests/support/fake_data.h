/* SPDX-License-Identifier: MIT */
/* What the server of fake_store.c holds, and how an entry of a batch changes it. */
#ifndef TESTS_SUPPORT_FAKE_DATA_H
#define TESTS_SUPPORT_FAKE_DATA_H

#include <pthread.h>
#include "store/store_remote.h"

struct fake_job {
	struct fake_job *next;
	char *id;
	char *json; /* NULL: removed, its last run is remembered */
	struct store_counters counters;
	uint32_t revision;
	int64_t key; /* by which runs know it */
};

struct fake_run {
	struct fake_run *next; /* older */
	int64_t key;           /* of its job */
	struct run run;        /* job is NULL */
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

/* What it holds; a commit works on a copy, which takes the place of this when all went well. */
struct fake_data {
	struct fake_job *jobs;
	struct fake_run *runs; /* newest first */
	struct fake_text *texts;
	struct fake_note *notes; /* newest first */
	int64_t keys, serials;
	uint64_t batch; /* the last group's */
};

struct fake_server {
	char name[64];
	pthread_mutex_t lock;
	struct fake_data *data;
	char identity[64], life[32], holder[160]; /* of the owner; "": none */
	bool owned;                               /* by a link */
	uint64_t epoch;
	int64_t delay;
	int dies_before, dies_after;
	bool frozen, down, read_only;
	int commits;
};

/* Made when it is named for the first time. */
struct fake_server *fake_server(const char *name);
struct fake_data *fake_data_copy(const struct fake_data *from);
void fake_data_clear(struct fake_data *data);
/* NULL: it was never there. One that was removed has no json. */
struct fake_job *fake_find(struct fake_data *data, const char *id);
struct fake_job *fake_make(struct fake_data *data, const char *id);
struct fake_job *fake_by_key(struct fake_data *data, int64_t key);
uint32_t fake_last_run(struct fake_data *data, const char *id);
/* Runs of a job (0: of all): all, or one. */
void fake_purge(struct fake_data *data, int64_t key, uint32_t number);
/* By the kind of entry. */
extern int (*const fake_verbs[STORE_OP_COUNT])(struct fake_data *, const struct store_link *,
    struct store_op *, struct schedd_error *);

#endif
