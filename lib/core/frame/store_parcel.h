/* SPDX-License-Identifier: MIT */
/*
 * What goes to a store in one commit, in order, kept until it is known to be
 * durable: rows of runs, lines of the record of changes, texts.
 */
#ifndef SCHEDD_CORE_FRAME_STORE_PARCEL_H
#define SCHEDD_CORE_FRAME_STORE_PARCEL_H

#include "model/run.h"
#include "store/store.h"

struct store_parcel;
struct store_slot;

/* slot: whose it is; NULL: no memory. */
struct store_parcel *store_parcel_new(struct store_slot *slot);
/* NULL is fine. */
void store_parcel_free(struct store_parcel *parcel);
struct store_slot *store_parcel_slot(const struct store_parcel *parcel);
/* Which of its slot's commits it is. */
void store_parcel_number(struct store_parcel *parcel, uint64_t number);
uint64_t store_parcel_numbered(const struct store_parcel *parcel);
/* Each copies. 0 or SCHEDD_ENOMEM. text NULL: the text of that key is removed. */
int store_parcel_put_run(struct store_parcel *parcel, const struct run *run)
    __attribute__((warn_unused_result));
int store_parcel_put_change(struct store_parcel *parcel, schedd_time when, const char *job,
    const char *json) __attribute__((warn_unused_result));
int store_parcel_put_text(struct store_parcel *parcel, const char *key, const char *text)
    __attribute__((warn_unused_result));
struct store_parcel_limits {
	uint32_t items; /* all there may be: newer ones are lost */
	uint32_t runs;  /* ends of runs with their output among them: the oldest lose it */
	void (*strip)(struct store_slot *slot, struct run *run); /* takes it away */
	void (*refused)(struct store_slot *slot, const struct run *run); /* of one that goes on */
};
/*
 * Moves what may be written late behind what *to has, within the limits: ends
 * of runs, which are final, changes and texts. A row of a run that goes on would be
 * older than what is written of it meanwhile: it is told, and dropped.
 * Returns how many items are lost. Frees from.
 */
uint32_t store_parcel_move(struct store_parcel **to, struct store_parcel *from,
    const struct store_parcel_limits *limits);
/* Runs in it; NULL: none. */
uint32_t store_parcel_runs(const struct store_parcel *parcel);
/* The runs in it, one after the other; *position is 0 at first. NULL: that were all. */
const struct run *store_parcel_walk(const struct store_parcel *parcel, uint32_t *position);
/* Texts that newer has written since are taken out of parcel. */
void store_parcel_outdated(struct store_parcel *parcel, const struct store_parcel *newer);
/* Writes all of it. */
void store_parcel_write(const struct store_parcel *parcel, struct store_batch *batch);

#endif
