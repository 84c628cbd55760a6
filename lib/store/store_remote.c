/* SPDX-License-Identifier: MIT */
/* The calls of the scheduler, on the loop's thread: handed to one of the two ends. */
#include "store/store_remote.h"

#include <stdlib.h>
#include <string.h>
#include "base/duration.h"
#include "store/store_remote_parts.h"

_Static_assert(sizeof(struct remote_store) <= STORE_REMOTE_SIZE, "STORE_REMOTE_SIZE is too small");

static struct remote_store *remote_of(struct store *store)
{
	return (struct remote_store *)store;
}

static void remote_close(struct store *store)
{
	struct remote_store *remote = remote_of(store);

	/* They ring each other's bells until the last one has ended. */
	store_remote_lease_end(&remote->lease);
	store_remote_halt(&remote->asker);
	store_remote_halt(&remote->writer);
	store_remote_lease_stop(&remote->lease);
	store_remote_stop(&remote->asker);
	store_remote_stop(&remote->writer);
	/* Letters that are on their way know us. */
	mailbox_deliver(store->mailbox);
	store_secret_clear(&remote->secret);
	arena_clear(&remote->arena);
}

/* The writer's end ends the lease, which is needed until then. */
static void remote_leave(struct store *store)
{
	struct remote_store *remote = remote_of(store);
	int64_t by = store_remote_mono() + STORE_LEAVE_LIMIT;

	store_remote_stop_by(&remote->writer, by);
	store_remote_stop_by(&remote->asker, by);
}

static int remote_open(
    struct store *store, const struct store_config *config, struct schedd_error *err)
{
	struct remote_store *remote = remote_of(store);
	int rc;

	remote->driver = store->ops->driver;
	remote->writer.remote = remote->asker.remote = remote;
	remote->writer.link.writer = true;
	remote->writer.bell = remote->asker.bell = remote->lease.bell = -1;
	remote->lease.remote = remote;
	remote->round_trip = SCHEDD_SPAN_NONE;
	remote->runs = remote->bytes = -1;
	arena_init(&remote->arena);
	rc = store_remote_configure(remote, config, err);
	/* Before the writer, which gives it what is to be kept. */
	if (rc == 0 && store->shared)
		rc = store_remote_lease_start(&remote->lease, err);
	if (rc == 0)
		rc = store_remote_start(&remote->writer, store_remote_main, err);
	if (rc == 0)
		rc = store_remote_start(&remote->asker, store_remote_main, err);
	if (rc)
		remote_close(store);
	return rc;
}

static void remote_status(struct store *store, struct arena *arena, struct value *map)
{
	const struct remote_store *remote = remote_of(store);

	value_put(arena, map, "durability",
	    remote->durability[0] ? value_string(arena, remote->durability) : value_nil());
	value_put(arena, map, "round_trip",
	    remote->round_trip >= 0 ? duration_to_value(remote->round_trip) : value_nil());
	value_put(arena, map, "epoch", value_int((int64_t)store->epoch));
	value_put(arena, map, "runs", remote->runs >= 0 ? value_int(remote->runs) : value_nil());
	if (store->shared) {
		value_put(arena, map, "shared", value_bool(true));
		value_put(arena, map, "node", value_string(arena, remote->config.node));
		value_put(arena, map, "lease", duration_to_value(remote->config.lease));
	}
	value_put(
	    arena, map, "bytes", remote->bytes >= 0 ? value_int(remote->bytes) : value_nil());
}

static bool remote_may_hold(const struct remote_store *remote, const struct store_batch *batch,
    struct schedd_error *err)
{
	char text[256];

	for (const struct store_op *op = batch->first; op; op = op->next)
		if ((op->kind == STORE_OP_ADD_JOB || op->kind == STORE_OP_PUT_JOB) &&
		    store_remote_judge(remote, op->put_job.job, text, sizeof(text))) {
			schedd_error_set(err, SCHEDD_EPERM, "%s", text);
			return false;
		}
	return true;
}

static void remote_commit(struct store *store, struct store_batch *batch)
{
	struct remote_store *remote = remote_of(store);

	if (!batch->failed && !remote_may_hold(remote, batch, &batch->err)) {
		batch->rc = SCHEDD_EPERM;
		store_batch_put(batch);
		return;
	}
	batch->sent_by = batch->owed ? INT64_MAX : store_remote_mono() + remote->config.timeout;
	remote->given++;
	store_remote_give(&remote->writer, batch);
}

const struct job_store_ops store_remote_jobs = {
    .open = remote_open,
    .close = remote_close,
    .leave = remote_leave,
    .status = remote_status,
    .load = store_remote_load,
    .last_run = store_remote_last_run,
    .reread = store_remote_reread,
    .share = &store_remote_share,
    .commit = remote_commit,
};
