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
	int64_t ticket; /* of the claims that are being gathered */
	int rc;         /* of filling it */
	struct schedd_error err;
};

/* The whole transaction, from its begin and the owner's guard to its end. */
int store_mysql_gather(struct commit *commit, struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err);
/* After a failure as well. */
void store_mysql_gather_clear(struct commit *commit);

#endif
