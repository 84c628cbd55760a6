/* SPDX-License-Identifier: MIT */
/*
 * The parts of type "mongodb". Collections: schedd_owner (one document: who owns
 * the store, and the latest group of changes as a whole), schedd_jobs (by id),
 * schedd_runs (by the job's number and the run's), schedd_changes, schedd_meta.
 */
#ifndef SCHEDD_STORE_MODULES_STORE_MONGODB_H
#define SCHEDD_STORE_MODULES_STORE_MONGODB_H

#include <mongoc/mongoc.h>
#include "store/store_remote.h"

#define MO_LOOKUPS 16

struct store_lookup;

struct mo_lookup {
	struct store_lookup *lookup; /* under way; NULL: none */
	char name[256];
};

struct mo_link {
	struct mo_lookup lookups[MO_LOOKUPS];
	mongoc_client_t *client; /* NULL: none */
	char *database;
	bool sent;           /* the group's document was handed to the server */
	bool set;            /* of replicas, not a server that stands alone */
	uint32_t code;       /* of the last error that the server answered */
	char why[256];       /* the last connection could not be made; "": it could */
	bool trust;          /* for want of a good certificate */
	int64_t session;     /* of this connection: what a former one sent late does not count */
	int64_t next_key;    /* of the next new job */
	int64_t next_serial; /* of the next run or change */
	uint64_t seen_beat;  /* of another owner's, as it was seen first … */
	int64_t seen_at;     /* … then, by our own clock; 0: never */
	char seen_life[64];
};

static inline struct mo_link *mo_of(const struct store_link *link)
{
	return link->state;
}

#define MO_OWNER "schedd_owner"
#define MO_JOBS "schedd_jobs"
#define MO_RUNS "schedd_runs"
#define MO_CHANGES "schedd_changes"
#define MO_META "schedd_meta"

/* Runs of a job lie together, in the order of their numbers. */
static inline int64_t mo_run_id(int64_t key, uint32_t number)
{
	return key << 32 | number;
}

/* ---- store_mongodb_stream.c ---- */

/* The client's connections are made within the link's deadline. */
void store_mongodb_stream(struct store_link *link);

/* ---- store_mongodb_talk.c: everything else that waits ---- */

int store_mongodb_check(const struct store_remote_config *config, struct schedd_error *err);
int store_mongodb_talk_connect(struct store_link *link, struct schedd_error *err);
void store_mongodb_talk_close(struct store_link *link);
/* Consumes the command. *reply (may be NULL) is the caller's to bson_destroy, after 0 alone. */
int store_mongodb_talk_command(struct store_link *link, bson_t *command, bson_t *reply,
    struct schedd_error *err);
struct mo_write {
	bool sure;      /* the answer waits until it is durable */
	int64_t *found; /* how many documents were met or made; NULL: nobody asks */
	bool *there;    /* by statement: its document was there already; NULL likewise */
};

/*
 * "update", "insert" or "delete" on a collection, of an array of such statements: those whose
 * documents are there already or are newer are passed over.
 */
int store_mongodb_talk_write(struct store_link *link, const char *verb, const char *collection,
    const bson_t *array, struct mo_write how, struct schedd_error *err);
/* Consumes filter and options. call returns false to stop. */
typedef bool (*mo_row_fn)(const bson_t *row, void *context);
int store_mongodb_talk_find(struct store_link *link, const char *collection, bson_t *filter,
    bson_t *options, mo_row_fn call, void *context, struct schedd_error *err);

/* Fields of a document. */
int64_t mo_number(const bson_t *row, const char *field, int64_t nothing);
const char *mo_text(const bson_t *row, const char *field);
bool mo_true(const bson_t *row, const char *field);

/* ---- store_mongodb_own.c ---- */

/* Makes what is missing; refuses what is newer or foreign. */
int store_mongodb_schema(struct store_link *link, struct schedd_error *err);
/* Takes the store, and brings the latest group of changes to its end. */
int store_mongodb_own(struct store_link *link, struct schedd_error *err);
int store_mongodb_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err);
/* Carries out a group as it was written down: whatever of it was done before is not undone. */
int store_mongodb_carry_out(
    struct store_link *link, const bson_t *group, struct schedd_error *err);

/* ---- store_mongodb_commit.c, _read.c, _retain.c: the driver's functions ---- */

int store_mongodb_commit(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err);
int store_mongodb_resolve(struct store_link *link, struct store_batch *first,
    struct store_batch *end, bool *stored, struct schedd_error *err);
int store_mongodb_load(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err);
int store_mongodb_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err);
int store_mongodb_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err);
int store_mongodb_runs(struct store_link *link, const struct store_query *query,
    struct store_asked *asked, struct schedd_error *err);
int store_mongodb_changes(struct store_link *link, const char *job, schedd_time since,
    uint64_t limit, struct store_asked *asked, struct schedd_error *err);
int store_mongodb_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err);
int store_mongodb_retain(struct store_link *link, const struct store_rules *rules,
    uint32_t budget, schedd_time now, uint32_t *deleted, struct schedd_error *err);
int store_mongodb_sizes(
    struct store_link *link, int64_t *runs, int64_t *bytes, struct schedd_error *err);
/* The number of a job; -1: there is none. */
int store_mongodb_key(
    struct store_link *link, const char *id, int64_t *key, struct schedd_error *err);
/* The highest number of its runs; 0: none. */
int store_mongodb_highest(
    struct store_link *link, int64_t key, int64_t *number, struct schedd_error *err);

#endif
