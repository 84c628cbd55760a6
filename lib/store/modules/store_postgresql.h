/* SPDX-License-Identifier: MIT */
/* The parts of type "postgresql": one link's connection, its statements, rows on their way. */
#ifndef SCHEDD_STORE_MODULES_STORE_POSTGRESQL_H
#define SCHEDD_STORE_MODULES_STORE_POSTGRESQL_H

#include <libpq-fe.h>
#include "store/modules/store_nodes.h"

/* Statements of commits that the server keeps for the connection once they come again. */
#define PG_KEPT 32

struct pg_kept {
	const char *text; /* one of ours, which are always at the same place */
	bool ready;
};

/* Hosts whose names are looked up within the deadline; names of others are left to libpq. */
#define PG_LOOKUPS 8
struct store_lookup;

struct pg_link {
	PGconn *conn; /* NULL: none */
	bool sent;    /* the end of a transaction was handed to the server */
	struct pg_kept kept[PG_KEPT];
	int kept_count;
	int commits; /* so far */
	struct store_lookup *lookups[PG_LOOKUPS]; /* by host; NULL: none is under way */
	struct nodes_feed feed; /* the writer's, where the store is shared */
	struct nodes_place place; /* likewise; a server is its timeline */
};

/* Text parameters of one statement; results are text, too. */
struct pg_params {
	const char *texts[64];
	int count;
	struct arena arena; /* holds numbers written out */
};

/* ---- store_postgresql_talk.c: everything that waits ---- */

static inline struct pg_link *pg_of(const struct store_link *link)
{
	return link->state;
}

/* Connects within the deadline. */
int store_postgresql_talk_connect(struct store_link *link, struct schedd_error *err);
void store_postgresql_talk_close(struct store_link *link);
/* That statement, a constant, comes again and again outside a pipeline, too: it is planned once a connection. */
void store_postgresql_talk_again(struct store_link *link, const char *text);
/* Queues a statement; texts as pg_params. After a failure the next wait says why. */
int store_postgresql_talk_send(struct store_link *link, const char *text,
    const struct pg_params *params, struct schedd_error *err);
/*
 * Leaves the pipeline. After a commit that was stored it now and then has the server keep the
 * statements that were sent so far: what fails of that shows with the next one.
 */
void store_postgresql_talk_leave(struct store_link *link, bool stored);
/*
 * One statement outside any pipeline, waited for. *out may be NULL; else it is the caller's to
 * PQclear.
 */
int store_postgresql_talk_ask(struct store_link *link, const char *text,
    const struct pg_params *params, PGresult **out, struct schedd_error *err);
/* Row after row of a long answer. call returns false to stop: what is left is read and dropped. */
typedef bool (*pg_row_fn)(PGresult *row, void *context);
int store_postgresql_talk_rows(struct store_link *link, const char *text,
    const struct pg_params *params, pg_row_fn call, void *context, struct schedd_error *err);
/* The next result of the pipeline; the caller's. NULL: failed. */
PGresult *store_postgresql_talk_next(struct store_link *link, struct schedd_error *err);
/* Ends the pipeline: reads what is left. The first failure of any statement in it. */
int store_postgresql_talk_end(struct store_link *link, struct schedd_error *err);
/* What a failed result means: the fault and the sentence. SCHEDD_ECONFLICT etc. where it is no
 * fault. */
int store_postgresql_talk_failed(
    struct store_link *link, const PGresult *result, struct schedd_error *err);

void pg_params_init(struct pg_params *params);
void pg_params_clear(struct pg_params *params);
void pg_params_text(struct pg_params *params, const char *text);
void pg_params_number(struct pg_params *params, int64_t number);
/* SCHEDD_TIME_NONE is NULL. */
void pg_params_time(struct pg_params *params, schedd_time when);

/* ---- store_postgresql_schema.c ---- */

/* The server may be far away: each of these is one or two round trips. */

/* Makes it where none of its tables are there; refuses what is newer or foreign. Sets *version. */
int store_postgresql_schema(
    struct store_link *link, int64_t tables, int64_t *version, struct schedd_error *err);
/* Brings an older schema up to date, once it is ours to do. */
int store_postgresql_migrate(struct store_link *link, int64_t version, struct schedd_error *err);
/* The lock that those who share it hold together, so that nobody has it for himself. */
int store_postgresql_own_shared(struct store_link *link, struct schedd_error *err);
/* The owner alone: nodes that shared it before are over. */
int store_postgresql_own_nodes(struct store_link *link, struct schedd_error *err);
/* Takes the owner's lock; sets link->epoch, and *nodes where others may have shared it. */
int store_postgresql_own(struct store_link *link, bool *nodes, struct schedd_error *err);
/*
 * link->durability from the server's settings, and *tables: how many of ours there are; refuses
 * what takes no writes.
 */
int store_postgresql_promise(struct store_link *link, int64_t *tables, struct schedd_error *err);

/* Of a run r and its job j, as store_postgresql_read_run() takes them; result is a column or NULL. */
#define PG_RUN_COLUMNS(result)                                                                     \
	"j.id, r.serial, r.number, r.state, r.\"trigger\", r.attempt, r.scheduled_at, "            \
	"r.started_at, r.ended_at, r.until, r.count, r.coalesced, r.exit_code, r.signal, "         \
	"r.reason, r.max_rss, r.cpu_us, r.output_bytes, r.output_dropped, r.pid, r.pid_start, "    \
	"r.attempts, r.actor, " result ", "
/* Behind them the node it ran on; who owns a store alone may have no right to look at nodes. */
#define PG_RUN_NODE "(SELECT n.name FROM schedd_nodes n WHERE n.node = r.ran) AS ran_on "
#define PG_RUN_NO_NODE "NULL::text AS ran_on "

/* ---- store_postgresql_commit.c, _resolve.c, _read.c: the driver's functions ---- */

int store_postgresql_commit(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err);
int store_postgresql_resolve(struct store_link *link, struct store_batch *first,
    struct store_batch *end, bool *stored, struct schedd_error *err);
/* before: called first in its transaction, where the store is shared. */
int store_postgresql_load(struct store_link *link, struct store_loading *loading,
    int (*before)(struct store_link *, struct store_loading *, struct schedd_error *),
    struct schedd_error *err);
int store_postgresql_reread(struct store_link *link, const char *id,
    struct store_watching *watching, struct schedd_error *err);
/* One of the columns of PG_RUN_COLUMNS. */
void store_postgresql_read_run(const PGresult *result, int line, struct run *run);
int store_postgresql_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err);
int store_postgresql_runs(struct store_link *link, const struct store_query *query,
    struct store_asked *asked, struct schedd_error *err);
int store_postgresql_changes(struct store_link *link, const char *job, schedd_time since,
    uint64_t limit, struct store_asked *asked, struct schedd_error *err);
int store_postgresql_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err);
int store_postgresql_retain(struct store_link *link, const struct store_rules *rules,
    uint32_t budget, schedd_time now, uint32_t *deleted, struct schedd_error *err);
int store_postgresql_sizes(
    struct store_link *link, int64_t *runs, int64_t *bytes, struct schedd_error *err);

#endif
