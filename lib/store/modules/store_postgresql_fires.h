/* SPDX-License-Identifier: MIT */
/*
 * Claims that come with one run each, which has but begun: nearly all that a
 * scheduler writes. They are one statement, in which a claim that does not hold
 * leaves no run behind; one alone on a store that is shared is that with its guard.
 */
#ifndef SCHEDD_STORE_MODULES_STORE_POSTGRESQL_FIRES_H
#define SCHEDD_STORE_MODULES_STORE_POSTGRESQL_FIRES_H

#include "store/modules/store_postgresql_array.h"

/* Is the entry such a claim? Its run is the next one then. */
bool pg_fire_is(const struct store_op *claim);
/* The one, if there is nothing else in the group, and it can go without a guard before it; else NULL. */
struct store_op *pg_fire_only(
    const struct store_link *link, const struct store_batch *first, const struct store_batch *end);
/* One row for pg_fires_text(); shared: its revision counts. */
void pg_rows_fire(struct pg_rows *rows, const struct store_op *claim, bool shared);
/* The statement over rows, behind a guard. */
const char *pg_fires_text(const struct store_link *link);
/* What it answers about those rows' claims. */
void pg_take_fires(struct store_op **ops, uint32_t count, const PGresult *result);
/* One with its guard; serial: its batch's. */
int pg_fire_send(struct store_link *link, const struct store_op *claim, uint64_t serial,
    struct schedd_error *err);
void pg_take_fire(struct store_op *claim, const PGresult *result);

#endif
