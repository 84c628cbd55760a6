/* SPDX-License-Identifier: MIT */
/*
 * One round: the highest number of the id is read, the next one and what else
 * a store keeps are written and read back, and all but the number is removed.
 * The number stays: it shows that what is read is what this round wrote.
 */
#include "store/store_check.h"

#include <stdlib.h>
#include <string.h>
#include "base/duration.h"
#include "store/store_remote.h"

/* Begins with a dot, which no id of a job does. */
#define STORE_CHECK_ID ".check"

struct store_check {
	struct store *store;
	store_value_fn call;
	void *context;
	uint32_t number; /* that this round writes */
	int64_t begun;   /* of the step under way, mono microseconds */
	schedd_span write, read;
};

static int64_t check_mono(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

/* How long the step took; the next one begins. */
static schedd_span check_lap(struct store_check *check)
{
	int64_t now = check_mono();
	schedd_span took = now - check->begun;

	check->begun = now;
	return took;
}

static bool check_history(const struct store *store)
{
	const struct store_driver *driver = store->ops->driver;

	return !driver || !driver->jobs_alone;
}

static void check_fail(struct store_check *check, const char *doing, const struct schedd_error *why)
{
	struct schedd_error err;

	schedd_error_set(&err, why->code, "%s: %s", doing, why->message);
	check->call(err.code, &err, NULL, check->context);
	free(check);
}

static void check_removed(int rc, const struct schedd_error *why, void *context)
{
	struct store_check *check = context;
	struct value result = value_map();
	struct arena arena;

	if (rc) {
		check_fail(check, "removing does not work", why);
		return;
	}
	arena_init(&arena);
	value_put(&arena, &result, "write", duration_to_value(check->write));
	value_put(&arena, &result, "read", duration_to_value(check->read));
	value_put(&arena, &result, "remove", duration_to_value(check_lap(check)));
	check->call(0, NULL, &result, check->context);
	arena_clear(&arena);
	free(check);
}

static void check_remove(struct store_check *check)
{
	struct store_batch *batch = store_batch_new(check->store);

	store_batch_put_text(batch, STORE_CHECK_ID, NULL);
	if (check_history(check->store))
		store_batch_purge_runs(batch, STORE_CHECK_ID, 0);
	store_commit(check->store, batch, check_removed, check);
}

static void check_strange(struct store_check *check, const char *what)
{
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_EFAILED,
	    "store '%s': %s that was written is not what is read: does another write it, or is "
	    "this a replica?",
	    check->store->name, what);
	check_fail(check, "reading does not work", &err);
}

static void check_read_runs(int rc, const struct schedd_error *why, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct store_check *check = context;

	(void)cursor;
	if (rc) {
		check_fail(check, "reading does not work", why);
	} else if (count != 1 || runs[0].number != check->number) {
		check_strange(check, "the run");
	} else {
		check->read = check_lap(check);
		check_remove(check);
	}
}

static void check_read(int rc, const struct schedd_error *why, int64_t number, void *context)
{
	static const char *const jobs[] = {STORE_CHECK_ID, NULL};
	const struct store_run_query query = {
	    .jobs = jobs, .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE, .limit = 1};
	struct store_check *check = context;

	if (rc) {
		check_fail(check, "reading does not work", why);
	} else if (number != check->number) {
		check_strange(check, "the number");
	} else if (check_history(check->store)) {
		store_query_runs(check->store, &query, check_read_runs, check);
	} else {
		check->read = check_lap(check);
		check_remove(check);
	}
}

static void check_written(int rc, const struct schedd_error *why, void *context)
{
	struct store_check *check = context;

	if (rc) {
		check_fail(check, "writing does not work", why);
		return;
	}
	check->write = check_lap(check);
	store_last_run(check->store, STORE_CHECK_ID, check_read, check);
}

static void check_write(int rc, const struct schedd_error *why, int64_t number, void *context)
{
	struct store_check *check = context;
	struct store_batch *batch;
	struct run run;

	if (rc) {
		check_fail(check, "reading does not work", why);
		return;
	}
	check->number = (uint32_t)number + 1;
	check->begun = check_mono();
	batch = store_batch_new(check->store);
	store_batch_delete_job(batch, STORE_CHECK_ID, check->number);
	store_batch_put_text(batch, STORE_CHECK_ID, "written by a check");
	if (check_history(check->store)) {
		run_init(&run);
		run.job = (char *)(uintptr_t)STORE_CHECK_ID;
		run.number = check->number;
		run.state = RUN_SUCCESS;
		run.scheduled_at = run.started_at = run.ended_at =
		    check->store->clock->wall(check->store->clock->context);
		store_batch_put_run(batch, &run);
	}
	store_commit(check->store, batch, check_written, check);
}

void store_check(struct store *store, store_value_fn call, void *context)
{
	struct store_check *check = calloc(1, sizeof(*check));
	struct schedd_error err;

	if (!check) {
		schedd_error_nomem(&err);
		call(SCHEDD_ENOMEM, &err, NULL, context);
		return;
	}
	check->store = store;
	check->call = call;
	check->context = context;
	/* What is not there answers by itself, with its reason. */
	store_last_run(store, STORE_CHECK_ID, check_write, check);
}

