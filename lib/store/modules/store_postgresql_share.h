/* SPDX-License-Identifier: MIT */
/* A PostgreSQL store that several daemons share: nodes, slots, the feed of what they write. */
#ifndef SCHEDD_STORE_MODULES_STORE_POSTGRESQL_SHARE_H
#define SCHEDD_STORE_MODULES_STORE_POSTGRESQL_SHARE_H

#include "store/modules/store_postgresql.h"

/* The server's clock in microseconds; now() would stand still in a transaction. */
#define PG_CLOCK "(extract(epoch from clock_timestamp()) * 1000000)::bigint"

/* The writer's link: takes our name's lease, sets link->node and epoch. */
int store_postgresql_join(struct store_link *link, struct schedd_error *err);
int store_postgresql_renew(struct store_link *link, struct store_renewing *renewing,
    struct schedd_error *err);
/* What others wrote since, and whose lease is over. */
int store_postgresql_listen(struct store_link *link, struct store_watching *watching,
    struct schedd_error *err);
/* While everything is loaded, in its transaction: the slots, and where the feed stands. */
int store_postgresql_load_slots(struct store_link *link, struct store_loading *loading,
    struct schedd_error *err);
/* Takes all that a node has whose lease is over; *taken: it was, and we did. */
int store_postgresql_take(struct store_link *link, int64_t node, int64_t epoch,
    struct store_watching *watching, bool *taken, struct schedd_error *err);

#endif
