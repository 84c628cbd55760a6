/* SPDX-License-Identifier: MIT */
#include "core/changes/purge.h"

#include <stdlib.h>
#include <string.h>
#include "core/frame/store_slot.h"

struct purge {
	struct store_slot *slot;
	char *job;     /* owned; NULL: all */
	uint32_t upto; /* 0: all */
	bool more;     /* the last piece was not all */
	purge_done_fn done;
	void *context;
};

static void purge_end(struct purge *purge, int rc, const struct schedd_error *err)
{
	purge_done_fn done = purge->done;
	void *context = purge->context;

	free(purge->job);
	free(purge);
	done(rc, err, context);
}

static void purge_went(int rc, const struct schedd_error *err, void *context);

static void purge_go(struct purge *purge)
{
	struct store_batch *batch = store_batch_new(purge->slot->store);

	store_batch_purge_some(batch, purge->job, purge->upto, PURGE_PIECE, &purge->more);
	store_commit(purge->slot->store, batch, purge_went, purge);
}

static void purge_went(int rc, const struct schedd_error *err, void *context)
{
	struct purge *purge = context;
	struct schedd_scheduler *scheduler = purge->slot->scheduler;
	struct schedd_error stopped;

	scheduler_enter(scheduler);
	if (!rc && purge->more && scheduler->phase == SCHEDULER_STOPPED) {
		rc = schedd_error_set(
		    &stopped, SCHEDD_ECONFLICT, "schedd stops: a part of the history is left");
		err = &stopped;
	}
	if (!rc && purge->more)
		purge_go(purge);
	else
		purge_end(purge, rc, err);
	scheduler_leave(scheduler);
}

void purge_runs(struct store_slot *slot, const char *job, uint32_t upto, purge_done_fn done,
    void *context)
{
	struct purge *purge = calloc(1, sizeof(*purge));
	struct schedd_error err;

	if (purge && job)
		purge->job = strdup(job);
	if (!purge || (job && !purge->job)) {
		free(purge);
		schedd_error_nomem(&err);
		done(SCHEDD_ENOMEM, &err, context);
		return;
	}
	purge->slot = slot;
	purge->upto = upto;
	purge->done = done;
	purge->context = context;
	purge_go(purge);
}
