/* SPDX-License-Identifier: MIT */
/* A commit from the inside, in parts: what is gathered and sent, and what concerns the other nodes. */
#ifndef SCHEDD_STORE_MODULES_STORE_POSTGRESQL_COMMIT_H
#define SCHEDD_STORE_MODULES_STORE_POSTGRESQL_COMMIT_H

#include "base/strmap.h"
#include "store/modules/store_postgresql_fires.h"
#include "store/modules/store_postgresql_sql.h"

#define COMMIT_ROWS 5000 /* in one statement */

/* What a statement under way answers. */
struct commit_sent {
	struct commit_sent *next;
	void (*take)(const struct commit_sent *sent, const PGresult *result);
	struct store_op **ops;
	uint32_t count;
	uint32_t place; /* of the first claim */
	int64_t *last;  /* of the feed: the number of its last line */
};

struct commit_key {
	const char *text;
};

struct commit {
	struct store_link *link;
	struct pg_rows sets[PG_SETS];
	struct pg_rows feed; /* sent last of all */
	struct strmap seen; /* ids and runs in the sets: none may stand in one statement twice */
	struct arena arena;
	struct store_op **claims, **fires, **adds; /* of the sets, COMMIT_ROWS each */
	uint32_t claim_count, fire_count, add_count;
	const struct store_op *fired; /* the run that went with its claim */
	uint32_t place; /* of the next claim, from 1 */
	struct commit_sent *first, **last;
	bool given;  /* slots have changed hands */
	uint32_t told;  /* lines that were sent */
	bool own;       /* some of them say something to this node, too */
	int64_t line;   /* the number of the last one */
	bool failed; /* the connection is gone: nothing more is sent */
	struct schedd_error err;
};

/* ---- store_postgresql_commit_send.c ---- */

void pg_commit_put_sent(struct commit *commit, const struct commit_sent *from);
void pg_commit_fail(struct commit *commit, int rc);
/* Sends what was gathered, in an order in which each finds what it needs. */
void pg_commit_flush(struct commit *commit);
void pg_commit_send(struct commit *commit, const char *text, const struct pg_params *params);
/* A statement of its own about one or two texts; what was gathered goes before it. */
void pg_commit_alone(struct commit *commit, const char *text, const char *first, const char *second,
    const int64_t *number);

/* Flushes if that stands in the sets already: a statement must not touch a row twice. */
void pg_commit_once(struct commit *commit, const char *text);
/* As an answer is taken of pg_fire_send(). */
void pg_commit_take_fire(const struct commit_sent *sent, const PGresult *result);

/* ---- store_postgresql_commit_share.c ---- */

void pg_commit_guard(struct commit *commit, uint64_t serial);
/* A line for the other nodes. */
void pg_commit_feed(struct commit *commit, const char *kind, const char *id, uint32_t target,
    const char *body);
/* The lines, last of all. */
void pg_commit_send_feed(struct commit *commit);
void pg_commit_give(struct commit *commit, struct store_op *op);
void pg_commit_tell(struct commit *commit, struct store_op *op);
void pg_commit_node(struct commit *commit, struct store_op *op);
/* Has the commit told the others something, or they us? Then the feed is to be read. */
bool pg_commit_told(const struct commit *commit);

#endif
