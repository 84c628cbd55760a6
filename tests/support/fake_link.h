/* SPDX-License-Identifier: MIT */
/* A link to the server of fake_store.c, and how it is asked; for the fake's own files. */
#ifndef TESTS_SUPPORT_FAKE_LINK_H
#define TESTS_SUPPORT_FAKE_LINK_H

#include "store/modules/store_nodes.h"
#include "support/fake_data.h"

/* What is asked: done by the server's thread, unless it was taken back before. */
struct fake_request {
	int (*call)(struct fake_server *server, struct fake_request *request);
	struct store_link *link;
	struct store_batch *first, *end;
	void *context;
	const void *argument;
	uint64_t limit;
	schedd_time since;
	bool commits;   /* the ends of commits are for it */
	bool taken;     /* by the server, or back by who asked */
	bool answered;
	int refs; /* of who asked and of the server's thread; under the server's lock */
	int rc;
	enum store_fault fault;
	struct schedd_error err;
};

struct fake_link {
	struct fake_server *server;
	pthread_t thread;
	int ours, theirs; /* ends of the socket pair */
	bool owns;
	struct nodes_feed feed; /* shared: where it stands */
	struct fake_ear *ear;   /* shared: rung when others write; NULL: none */
};

/* ---- fake_store.c ---- */

/* Done under the server's lock. An answer that does not come in time is a fault of the link. */
int fake_ask(struct store_link *base, const struct fake_request *asked, struct schedd_error *err);
/* What a call of the server's fails with. */
int fake_fail(struct fake_request *request, enum store_fault fault, const char *why);

/* ---- fake_history.c, fake_share.c: the driver's functions ---- */

int fake_runs(struct store_link *link, const struct store_query *query, struct store_asked *asked,
    struct schedd_error *err);
int fake_changes(struct store_link *link, const char *job, schedd_time since, uint64_t limit,
    struct store_asked *asked, struct schedd_error *err);
int fake_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err);
int fake_retain(struct store_link *link, const struct store_rules *rules, uint32_t budget,
    schedd_time now, uint32_t *deleted, struct schedd_error *err);
int fake_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err);

extern const struct store_share_driver fake_share;
/* Of a link whose store is shared: joins the nodes, listens, says who has what before jobs are loaded. */
int fake_share_join(struct store_link *link, struct schedd_error *err);
int fake_share_listen(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err);
void fake_share_load(struct fake_data *data, struct store_link *link, struct store_loading *loading);
/* Behind the end of a link. */
void fake_share_part(struct store_link *link);
/* There are lines that were not there before. Under the lock. */
void fake_share_ring(const struct fake_server *server);
int fake_share_fd(const struct store_link *link);

/* ---- fake_nodes.c; under the lock ---- */

/* The clock of the server. */
schedd_time fake_now(void);
struct fake_node *fake_node_named(struct fake_data *data, const char *name);
/* NULL: there is none, or number is 0. */
struct fake_node *fake_node_numbered(struct fake_data *data, uint32_t number);
/* Its epoch is over, and its lease. */
void fake_node_end(struct fake_node *node);
/* May the link's node write? NULL: no. */
struct fake_node *fake_share_seat(struct fake_data *data, const struct store_link *link);

#endif
