/* SPDX-License-Identifier: MIT */
/*
 * A store and what is on its way to it: rows of runs gather in an outbox and go
 * out as one commit; whether it can be written now is decided here alone.
 */
#ifndef SCHEDD_CORE_FRAME_STORE_SLOT_H
#define SCHEDD_CORE_FRAME_STORE_SLOT_H

#include "core/frame/scheduler_state.h"

/* Number in the default store: when a scheduler was last seen alive. */
#define STORE_SLOT_ALIVE_KEY "scheduler.alive"

/* NULL: none of that name. */
struct store_slot *store_slot_find(struct schedd_scheduler *scheduler, const char *name);
/* Where what concerns the scheduler as a whole stands: the first that is shared, else the default. */
struct store_slot *store_slot_common(struct schedd_scheduler *scheduler);
void store_slot_init(struct store_slot *slot, struct schedd_scheduler *scheduler);
/*
 * May it be written now by what is tried again by itself? The one place that
 * knows: not while it fails, but for an attempt when its back-off is over.
 */
bool store_slot_ready(const struct store_slot *slot, struct schedd_mono now);
/* The same for what belongs to a run's end, for which a full disk has a reserve. */
bool store_slot_takes_ends(const struct store_slot *slot);
/* When it may be, by the wall clock: now or later. */
schedd_time store_slot_retry_time(const struct store_slot *slot);
/* A commit failed: counted, told by an event, logged if that is news; the next waits longer. */
void store_slot_failed(struct store_slot *slot, const struct schedd_error *err);
/* A commit went well: ends a failure. */
void store_slot_worked(struct store_slot *slot);

/* Puts the row in the store's outbox; it is committed when the scheduler comes to rest. */
void store_slot_put_run(struct store_slot *store, const struct run *run);
/* The same, as store_batch_put_known_run(). */
uint32_t store_slot_put_known_run(
    struct store_slot *store, const struct run *run, uint32_t known);
/* Puts the end of its output beside it, where nodes share the store; behind its row. */
void store_slot_put_output(
    struct store_slot *store, const struct run *run, const struct output *output);
/* Puts a line of the record of changes there likewise. */
void store_slot_put_change(
    struct store_slot *store, schedd_time when, const char *job, const char *json);
/* And a text; NULL removes it. */
void store_slot_put_text(struct store_slot *store, const char *key, const char *text);
/* Commits its outbox: before what must not overtake it. */
void store_slot_flush(struct store_slot *store);
/*
 * Likewise, and calls, as store_await(), when all that was put so far is on disk. A store that outlives nothing has
 * nothing to wait for.
 */
void store_slot_await(struct store_slot *store, struct store_await *await,
    void (*call)(struct store_await *await, bool stored));
/* Commits all outboxes. */
void store_slot_flush_all(struct schedd_scheduler *scheduler);
/* The same for what nobody waits for: it may go with what comes in the next moment. */
void store_slot_rest(struct schedd_scheduler *scheduler);
/* What it refused is put before it once more. */
void store_slot_again(struct store_slot *store);
/* How long the oldest write that is not stored has waited; 0: none does. */
schedd_span store_slot_lag(const struct store_slot *slot);
/* Is something put that is neither on disk nor refused yet? */
bool store_slot_pending(const struct store_slot *slot);
/* The end of a run that it refused so far; NULL: none that is known. */
const struct run *store_slot_refused(
    const struct store_slot *slot, const char *job, uint32_t number);
/* Does nothing wait that it refused? */
bool store_slot_settled(const struct store_slot *slot);
/* Closes its store; what is in the outbox by then is given up. */
void store_slot_close(struct store_slot *store);
/* Gives up what was not written. */
void store_slot_clear(struct store_slot *store);

#endif
