/* SPDX-License-Identifier: MIT */
/* A PostgreSQL store that several daemons share: nodes, slots, the feed of what they write. */
#ifndef SCHEDD_STORE_MODULES_STORE_POSTGRESQL_SHARE_H
#define SCHEDD_STORE_MODULES_STORE_POSTGRESQL_SHARE_H

#include <stdlib.h>
#include "store/modules/store_postgresql.h"

/* The server's clock in microseconds; now() would stand still in a transaction. */
#define PG_CLOCK "(extract(epoch from clock_timestamp()) * 1000000)::bigint"

/* Which server it is: one that is promoted counts another. schedd_meta has that of node N as timeline.N, 0: not settled. */
#define PG_TIMELINE "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint"

/*
 * The node n has something to be taken: also one that left may, a slot that another gave it in the
 * instant in which it went.
 */
#define PG_NODE_HAS                                                                                \
	"(n.dead_since IS NULL OR EXISTS (SELECT 1 FROM schedd_slots s WHERE s.node = n.node))"

/* NULL is 0. */
static inline int64_t share_number(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column)
		   ? 0
		   : strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static inline int share_ask(struct store_link *link, const char *text, const struct pg_params *params,
    PGresult **result, struct schedd_error *err)
{
	return store_postgresql_talk_ask(link, text, params, result, err);
}

/* ---- store_postgresql_slots.c ---- */

int store_postgresql_read_slots(struct store_link *link, uint32_t owners[NODE_SLOTS],
    struct store_places *places, struct schedd_error *err);
/* Counters of the jobs of those slots, and of those of places. */
int store_postgresql_read_gained(struct store_link *link, const bool slots[NODE_SLOTS],
    struct store_watching *watching, struct schedd_error *err);
/* Counters of that job, or (NULL) of all that are others'. */
int store_postgresql_read_others(struct store_link *link, const char *id,
    struct store_watching *watching, struct schedd_error *err);

/* ---- store_postgresql_share.c ---- */

/* The writer's link: takes our name's lease, sets link->node and epoch. */
int store_postgresql_join(struct store_link *link, struct schedd_error *err);
int store_postgresql_renew(struct store_link *link, struct store_renewing *renewing,
    struct schedd_error *err);
/* What others wrote since, and whose lease is over. */
int store_postgresql_listen(struct store_link *link, struct store_watching *watching,
    struct schedd_error *err);
/* The same, and what claims have changed of a job of another's; id NULL: of all. */
int store_postgresql_refresh(struct store_link *link, const char *id,
    struct store_watching *watching, struct schedd_error *err);
/* What commits kept of a run's output. */
int store_postgresql_output(struct store_link *link, const char *job, uint32_t number,
    struct store_kept *kept, struct schedd_error *err);
/* While everything is loaded, in its transaction: the slots, and where the feed stands. */
int store_postgresql_load_slots(struct store_link *link, struct store_loading *loading,
    struct schedd_error *err);
/* Takes all that a node has whose lease is over; *taken: it was, and we did. */
int store_postgresql_take(struct store_link *link, uint32_t node, uint64_t epoch,
    struct store_watching *watching, bool *taken, struct schedd_error *err);

#endif
