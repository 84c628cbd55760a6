/* SPDX-License-Identifier: MIT */
/* A group of batches on its way to become statements, and those statements. */
#ifndef SCHEDD_STORE_MODULES_STORE_MYSQL_GATHER_H
#define SCHEDD_STORE_MODULES_STORE_MYSQL_GATHER_H

#include "base/strmap.h"
#include "store/modules/store_mysql.h"
#include "store/modules/store_mysql_sql.h"

/* Why a statement of ours fails. */
enum commit_reason {
	REASON_NONE,
	REASON_FENCED,
	REASON_LOST,
	REASON_CHANGED,
	REASON_REMOVED,
	REASON_RUNS,
	REASON_RUNS_ON,
	REASON_THERE,
	REASON_TAKEN,
	REASON_NODE,
	REASON_LIVES,
};

/* A statement of the transaction. */
struct commit_sent {
	struct commit_sent *next;
	void (*take)(struct commit_sent *sent, MYSQL_RES *rows, uint64_t changed);
	struct store_op **ops; /* claims or adds */
	uint32_t count;
	int64_t ticket;        /* of the claims */
	bool partly;           /* not all claims held */
	enum commit_reason reason;
	const char *id;
};

/* Statements that go in one packet. */
struct commit_packet {
	struct commit_packet *next;
	struct strbuf text;
	struct commit_sent *first;
};

struct commit_rows {
	struct strbuf text;
	uint32_t count;
	unsigned column; /* of the row that is being written */
};

/* What `seen` holds. */
struct commit_key {
	const char *text;
};

struct commit {
	struct store_link *link;
	struct commit_packet *packets, *packet; /* all, the last */
	struct commit_sent **last;              /* where the next statement is linked */
	struct commit_sent *at;                 /* while answers are read */
	struct commit_rows sets[MY_SETS];
	struct strmap seen; /* ids and runs in the sets: none may stand in one statement twice */
	struct arena arena;
	struct store_op **claims, **adds; /* of the sets, so many each as rows */
	uint32_t claim_count, add_count;
	uint64_t order; /* of rows whose order matters */
	struct strbuf feed; /* rows of lines for the other nodes */
	int64_t lines;      /* so many */
	bool given;         /* slots have changed hands */
	int64_t ticket; /* of the claims that are being gathered */
	int rc;         /* of filling it */
	struct schedd_error err;
};

/* ---- store_mysql_gather_sets.c ---- */

#define COMMIT_ROWS 5000 /* in one statement */

/* Where the next statements go; NULL: no memory. */
struct commit_packet *store_mysql_new_packet(struct commit *commit);
/* A statement, in my_add()'s format. */
struct commit_sent *store_mysql_say(struct commit *commit, const char *format, ...);
/* The same of what is written already. */
struct commit_sent *store_mysql_add_text(struct commit *commit, const struct strbuf *text);
/* For a statement that says MY_RAISE. */
void store_mysql_because(struct commit_sent *sent, enum commit_reason reason, const char *id);
/* Columns of a set's next row, and its end. */
void store_mysql_row_text(struct commit *commit, enum my_set set, const char *text);
void store_mysql_row_number(struct commit *commit, enum my_set set, int64_t number);
/* NULL where the number is that. */
void store_mysql_row_unless(struct commit *commit, enum my_set set, int64_t number, int64_t nothing);
void store_mysql_row_time(struct commit *commit, enum my_set set, schedd_time when);
void store_mysql_row_end(struct commit *commit, enum my_set set);
/* What was gathered goes before what follows. */
void store_mysql_flush(struct commit *commit);
/* The same, where a set has become large. */
void store_mysql_room(struct commit *commit, enum my_set set);
/* Stands that in the sets? False: it does already. */
bool store_mysql_note(struct commit *commit, const char *text);
/* Flushes if it does: a statement must not touch a row twice. */
void store_mysql_once(struct commit *commit, const char *text);

/* ---- store_mysql_gather_alone.c ---- */

void store_mysql_delete_job(struct commit *commit, struct store_op *op);
void store_mysql_expect_job(struct commit *commit, struct store_op *op);
void store_mysql_purge_runs(struct commit *commit, struct store_op *op);

/* ---- store_mysql_gather_share.c: of a store that is shared ---- */

/* Its guard: the node's row under the epoch, locked until the commit. */
void store_mysql_guard(struct commit *commit, uint64_t serial);
/* A line for the other nodes; nothing where it is not shared. */
void store_mysql_line(struct commit *commit, const char *kind, const char *id, uint32_t target,
    const char *body);
/* Numbers them, last of all: whoever numbers lines waits here for the one before. */
void store_mysql_send_feed(struct commit *commit);
void store_mysql_expect_same(struct commit *commit, struct store_op *op);
void store_mysql_expect_idle(struct commit *commit, struct store_op *op);
void store_mysql_put_output(struct commit *commit, struct store_op *op);
void store_mysql_give(struct commit *commit, struct store_op *op);
void store_mysql_tell(struct commit *commit, struct store_op *op);
void store_mysql_node(struct commit *commit, struct store_op *op);

/* The whole transaction, from its begin and the owner's guard to its end. */
int store_mysql_gather(struct commit *commit, struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err);
/* After a failure as well. */
void store_mysql_gather_clear(struct commit *commit);

#endif
