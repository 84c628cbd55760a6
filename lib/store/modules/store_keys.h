/* SPDX-License-Identifier: MIT */
/*
 * Jobs on a server that knows keys and values, with transactions that compare
 * versions: what etcd and ZooKeeper have in common. It keeps jobs alone; the
 * rows of runs are those on hand for the store that keeps the history.
 *
 *	job/ID       the job as one line of JSON
 *	state/ID     what claims change: next_fire, next_run_time, run_count, last_run, revision
 *	gone/ID      of a removed id the last run
 *	run/ID/N     a run on hand
 *	meta/KEY     "n" and a number, or "t" and a text
 *	journal/…    a batch that does not fit into one transaction
 *	batch        the last that was stored
 *
 * The writer is the only one who writes as long as it owns the store, so it
 * knows the versions of all that it has read; each transaction compares the
 * owner's mark and the connection's, and for claims the version of the state it
 * was judged by. If that is another, somebody wrote by hand: it is judged anew.
 */
#ifndef SCHEDD_STORE_MODULES_STORE_KEYS_H
#define SCHEDD_STORE_MODULES_STORE_KEYS_H

#include "base/strmap.h"
#include "store/store_remote.h"

#define KEYS_UNKNOWN (-2) /* not looked at */
#define KEYS_ABSENT (-1)  /* no such key */
#define KEYS_STORED 1024   /* batches in a group at most, and some */

/* One key that is read: name is given, the rest is filled in. */
struct keys_read {
	struct keys_read *next;
	const char *name;
	const char *text; /* in arena; NULL: absent */
	size_t length;
	int64_t version;
};

/* One key that is written. */
struct keys_write {
	struct keys_write *next;
	const char *name;
	const char *text; /* NULL: deleted, if it is there */
	size_t length;
	int64_t *slot;      /* the version as it is known, and is when it was written */
	bool check;         /* that it is that version */
	bool found_another; /* answered: it was not */
	struct keys_row *row; /* to be forgotten when it was deleted; NULL: none */
	uint32_t unit;      /* those of a unit belong together */
};

/* False: stop. */
typedef bool (*keys_seen_fn)(
    const char *name, const char *text, size_t length, int64_t version, void *context);

/* What a type brings along. */
struct keys_server {
	const char *limit; /* "etcd takes at most" */
	uint32_t writes;   /* in one transaction */
	size_t bytes;      /* of names and texts in one */
	uint32_t jobs;     /* it may hold; 0: no limit */
	int (*get)(struct store_link *link, struct keys_read *first, struct arena *arena,
	    struct schedd_error *err);
	/* All whose name begins with folder, which ends with '/', in the order of names. */
	int (*list)(struct store_link *link, const char *folder, keys_seen_fn seen, void *context,
	    struct schedd_error *err);
	/*
	 * All or none, under the owner's and the connection's mark (STORE_FAULT_FENCED). *held false:
	 * none, as a checked version is another.
	 */
	int (*change)(struct store_link *link, struct keys_write *first, bool *held,
	    struct schedd_error *err);
};

/* A job as it is on the server. */
struct keys_job {
	int64_t definition, state, gone; /* versions */
	bool there;                      /* as if what was built were stored */
	struct store_counters counters;
	uint32_t revision;
	uint32_t remembered; /* in gone */
	char id[];
};

/* A key of run/ or meta/ that is there. */
struct keys_row {
	int64_t version;
	bool there; /* as if what was built were stored */
	char name[];
};

/* First member of what a driver's link keeps. */
struct keys_link {
	const struct keys_server *server;
	bool known;          /* rows are */
	bool all;            /* so are all jobs */
	uint32_t job_count;  /* while all is */
	struct strmap jobs;  /* struct keys_job by id */
	struct strmap rows;  /* struct keys_row by name */
	int64_t batch;       /* version of the mark */
	uint64_t stored[KEYS_STORED]; /* batches of the group that are stored, by serial */
	uint32_t stored_count;
	uint64_t partial;        /* the batch that is stored by half; 0: none */
	uint32_t partial_units;  /* of it */
};

static inline struct keys_link *keys_of(const struct store_link *link)
{
	return link->state;
}

/* ---- store_keys.c: what is known ---- */

void store_keys_init(struct keys_link *keys, const struct keys_server *server);
/* Nothing is known any more; stored batches are. Nothing is left to free. */
void store_keys_forget(struct keys_link *keys);
/* Rows, if they are not known. */
int store_keys_know(struct store_link *link, struct schedd_error *err);
/* The job, looked at; NULL: failed. */
struct keys_job *store_keys_job(
    struct store_link *link, const char *id, struct schedd_error *err);
/* The same for many at once. */
int store_keys_jobs(struct store_link *link, const char *const *ids, uint32_t count,
    struct schedd_error *err);
/* As it was read; NULL: no memory. */
struct keys_job *store_keys_take(
    struct keys_link *keys, const char *id, const struct keys_read *reads);
/* The row, made if it is not there; NULL: no memory. */
struct keys_row *store_keys_row(struct keys_link *keys, const char *name);
/* "run/ID/N" into its parts: the length of ID; 0: it is none. */
size_t store_keys_run(const char *name, uint32_t *number);
/* The highest number of the id's rows. */
uint32_t store_keys_highest(const struct keys_link *keys, const char *id);
/* Counters and revision as text and back. */
void store_keys_write_state(
    struct strbuf *out, const struct store_counters *counters, uint32_t revision);
bool store_keys_read_state(
    const char *text, size_t length, struct store_counters *counters, uint32_t *revision);

/* ---- store_keys_build.c: entries become keys ---- */

/* Writes by name, in the order of the first of each. */
struct keys_set {
	struct strmap map;
	struct keys_write *first, **last;
	uint32_t count;
	size_t bytes;
	bool loose;     /* it may be stored unit by unit */
	uint32_t units;
	struct arena *arena;
};

struct keys_build {
	struct store_link *link;
	struct keys_link *keys;
	struct keys_set set;
	const struct keys_set *pending; /* of batches before it, not sent yet */
	uint32_t skip;     /* units that are stored */
	struct arena arena; /* texts of the group */
};

void store_keys_set_init(struct keys_set *set, struct arena *arena);
void store_keys_set_clear(struct keys_set *set);
/* Later writes of a name replace earlier ones. */
void store_keys_set_put(struct keys_set *set, const struct keys_write *write);
/* Looks at what the group needs, all at once. */
int store_keys_prepare(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err);
/* The batch's writes go to build->set. */
int store_keys_build(
    struct keys_build *build, struct store_batch *batch, struct schedd_error *err);

/* ---- store_keys_commit.c, _read.c: the driver's functions ---- */

int store_keys_commit(struct store_link *link, struct store_batch *first, struct store_batch *end,
    struct schedd_error *err);
int store_keys_resolve(struct store_link *link, struct store_batch *first, struct store_batch *end,
    bool *stored, struct schedd_error *err);
/* Puts an end to what the owner of before was about. */
int store_keys_recover(struct store_link *link, struct schedd_error *err);
int store_keys_load(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err);
int store_keys_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err);
int store_keys_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err);

/* ---- store_keys_owner.c ---- */

/* Fails: another has it, as that record of his says. */
int store_keys_owner_held(
    struct store_link *link, const struct value *owner, struct schedd_error *err);
/* Our own record. */
void store_keys_owner_write(struct strbuf *out, const struct store_link *link);

#endif
