/* SPDX-License-Identifier: MIT */
/* Counts and gauges, stores, executors and groups as values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/duration.h"
#include "core/changes/place_check.h"
#include "core/frame/store_slot.h"
#include "core/frame/store_parcel.h"
#include "core/jobs/accounts.h"
#include "core/jobs/change_log.h"
#include "core/jobs/entry.h"
#include "core/jobs/executors.h"
#include "core/keep/notify.h"
#include "core/runs/admission.h"
#include "core/runs/run_live.h"

static void scheduler_status_phase(
    const struct schedd_scheduler *scheduler, struct value *map, struct arena *arena)
{
	static const char *const names[] = {"new", "running", "draining", "stopped"};
	schedd_time next = scheduler->paused ? SCHEDD_TIME_NONE : entry_next_due(scheduler);

	value_put(arena, map, "state",
	    value_string_ref(scheduler->paused && scheduler->phase == SCHEDULER_RUNNING
				 ? "paused"
				 : names[scheduler->phase]));
	value_put(arena, map, "paused_by", value_string(arena, scheduler->paused_why));
	value_put(arena, map, "started_at",
	    scheduler->started_at == SCHEDD_TIME_NONE ? value_nil()
						      : value_int(scheduler->started_at));
	value_put(arena, map, "timezone", value_string_ref(zone_name(scheduler->zone.zone)));
	value_put(arena, map, "timezone_origin", value_string_ref(scheduler->zone.origin));
	value_put(arena, map, "timezone_conflict",
	    scheduler->zone.conflict[0] ? value_string_ref(scheduler->zone.conflict) : value_nil());
	value_put(arena, map, "next_run_time",
	    next == SCHEDD_TIME_NONE ? value_nil() : value_int(next));
	value_put(arena, map, "event_seq", value_int((int64_t)scheduler->events.seq));
}

static void scheduler_status_runs(
    const struct schedd_scheduler *scheduler, struct value *map, struct arena *arena)
{
	const struct scheduler_counts *counts = &scheduler->counts;
	struct value ended = value_map();
	int64_t queued = 0, retrying = 0;

	for (const struct run_live *live = run_live_first(scheduler); live; live = run_live_next(live)) {
		queued += run_live_run(live)->state == RUN_QUEUED;
		retrying += run_live_run(live)->state == RUN_RETRYING;
	}
	for (int state = RUN_SUCCESS; state <= RUN_LOST; state++)
		value_put(arena, &ended, run_state_name((enum run_state)state),
		    value_int((int64_t)counts->ended[state]));
	value_put(arena, map, "running", value_int(run_live_attempts(scheduler)));
	value_put(arena, map, "queued", value_int(queued));
	value_put(arena, map, "retrying", value_int(retrying));
	value_put(arena, map, "ended", ended);
	value_put(arena, map, "fires", value_int((int64_t)counts->fires));
	value_put(arena, map, "starts", value_int((int64_t)counts->started));
	value_put(arena, map, "missed_times", value_int((int64_t)counts->missed_times));
	value_put(arena, map, "skipped_times", value_int((int64_t)counts->skipped_times));
	value_put(arena, map, "coalesced_times", value_int((int64_t)counts->coalesced));
	value_put(arena, map, "ticks", value_int((int64_t)counts->ticks));
	value_put(arena, map, "lateness_max",
	    value_real((double)counts->lateness_max / (double)SCHEDD_SECOND));
	value_put(arena, map, "lateness_sum",
	    value_real((double)counts->lateness_sum / (double)SCHEDD_SECOND));
	value_put(arena, map, "delays", histogram_value(&counts->delays, arena));
	value_put(arena, map, "durations", histogram_value(&counts->durations, arena));
	value_put(arena, map, "notify_failed", value_int((int64_t)counts->notify_failed));
	value_put(arena, map, "notify_error",
	    value_string(arena, notify_last_error(scheduler)));
	value_put(arena, map, "notify_dropped", value_int((int64_t)counts->notify_dropped));
}

/* Accounts whose jobs do not run. */
static struct value scheduler_status_held(
    const struct schedd_scheduler *scheduler, struct arena *arena)
{
	struct value list = value_array();
	const struct account_slot *slot;

	for (uint32_t position = 0; (slot = accounts_walk(scheduler, &position));) {
		const char *why = slot->jobs ? accounts_held(slot) : NULL;
		struct value row = value_map();

		if (!why && slot->may.tables && slot->jobs > slot->tables)
			why = slot->may.why;
		if (!why)
			continue;
		value_put(arena, &row, "account", value_string(arena, slot->name));
		value_put(arena, &row, "why", value_string(arena, why));
		value_append(arena, &list, row);
	}
	return list;
}

struct value scheduler_status(struct schedd_scheduler *scheduler, struct arena *arena)
{
	struct value map = value_map();
	uint64_t failures = 0;
	const char *error = NULL;

	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		failures += scheduler->stores[i]->failures;
		if (scheduler->stores[i]->failing)
			error = scheduler->stores[i]->last_error;
	}
	scheduler_status_phase(scheduler, &map, arena);
	value_put(arena, &map, "jobs", value_int((int64_t)scheduler_job_count(scheduler)));
	value_put(arena, &map, "paused_jobs", value_int(entry_paused_count(scheduler)));
	scheduler_status_runs(scheduler, &map, arena);
	value_put(arena, &map, "store_errors", value_int((int64_t)failures));
	value_put(arena, &map, "store_error", value_string(arena, error));
	value_put(arena, &map, "held", scheduler_status_held(scheduler, arena));
	return map;
}

static void scheduler_status_replace(struct value *map, const char *key, struct value with)
{
	for (uint32_t i = 0; i < map->map.count; i++)
		if (strcmp(map->map.members[i].key, key) == 0)
			map->map.members[i].value = with;
}

/* What the store itself does not know, which could be reached. */
static void scheduler_status_store(
    const struct store_slot *slot, struct value *map, struct arena *arena)
{
	if ((store_remote(slot->store) || slot->waited) && !slot->taken_up) {
		scheduler_status_replace(map, "state", value_string_ref("reading"));
	} else if (slot->failing) {
		const struct value *since = value_get(map, "last_error_at");

		scheduler_status_replace(map, "state", value_string_ref("failing"));
		scheduler_status_replace(map, "why", value_string(arena, slot->last_error));
		if (since)
			scheduler_status_replace(map, "since", *since);
	}
}

struct value scheduler_stores(struct schedd_scheduler *scheduler, struct arena *arena)
{
	struct value list = value_array();

	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct store_slot *slot = scheduler->stores[i];
		struct value map = store_status(slot->store, arena);

		if (store_state(slot->store) == STORE_OK)
			scheduler_status_store(slot, &map, arena);
		value_put(arena, &map, "jobs", value_int(slot->entries));
		scheduler_status_replace(&map, "lag", duration_to_value(store_slot_lag(slot)));
		value_put(arena, &map, "failing", value_bool(slot->failing));
		value_put(arena, &map, "kept", value_int(store_parcel_runs(slot->unwritten)));
		value_put(arena, &map, "dropped", value_int((int64_t)slot->dropped));
		value_append(arena, &list, map);
	}
	return list;
}

struct value scheduler_executors(struct schedd_scheduler *scheduler, struct arena *arena)
{
	struct value list = value_array();

	for (uint32_t i = 0; i < executors_count(scheduler); i++) {
		const struct executor_slot *slot = executors_at(scheduler, i);
		struct value map;

		if (slot->removed)
			continue;
		map = executor_status(slot->executor, arena);
		value_put(arena, &map, "queued", value_int(slot->ready.count));
		value_put(arena, &map, "jobs", value_int(slot->entries));
		value_append(arena, &list, map);
	}
	return list;
}

struct value scheduler_groups(struct schedd_scheduler *scheduler, struct arena *arena)
{
	struct value list = value_array();
	uint32_t position = 0;
	const struct group_slot *group;

	while ((group = admission_group_walk(scheduler, &position))) {
		struct value map = value_map();

		value_put(arena, &map, "name", value_string_ref(group->name));
		value_put(arena, &map, "parallel",
		    group->parallel ? value_int(group->parallel) : value_nil());
		value_put(arena, &map, "running", value_int(group->running));
		value_put(arena, &map, "queued", value_int(group->waiting.count));
		value_append(arena, &list, map);
	}
	return list;
}

/* ---- The limit of a group ---- */

struct scheduler_group_request {
	struct schedd_scheduler *scheduler;
	struct scheduler_reply reply;
	struct group_slot *group;
	uint32_t parallel;
	int64_t uid, pid; /* who asks; -1: unknown */
	char method[32];
};

/* The old limit goes into the record of changes, for looking back. */
static void scheduler_group_record(const struct scheduler_group_request *request)
{
	const struct group_slot *group = request->group;
	struct scheduler_actor actor = {
	    .uid = request->uid, .pid = request->pid, .method = request->method};
	struct value more = value_map(), before = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &before, "parallel",
	    group->parallel ? value_int(group->parallel) : value_nil());
	value_put(&arena, &more, "group", value_string_ref(group->name));
	value_put(&arena, &more, "parallel", value_int(request->parallel));
	value_put(&arena, &more, "before", before);
	change_log_scheduler(request->scheduler, "group_set", &actor, &more, &arena);
	arena_clear(&arena);
}

static void scheduler_group_stored(int rc, const struct schedd_error *err, void *context)
{
	struct scheduler_group_request *request = context;
	struct schedd_scheduler *scheduler = request->scheduler;
	struct value map = value_map();
	struct arena arena;

	scheduler_enter(scheduler);
	arena_init(&arena);
	if (!rc) {
		scheduler_group_record(request);
		request->group->parallel = request->parallel;
		admission_group_review(request->group);
		value_put(&arena, &map, "name", value_string_ref(request->group->name));
		value_put(&arena, &map, "parallel", value_int(request->parallel));
	}
	scheduler_answer_done(request->reply, rc, err, &map, &arena);
	arena_clear(&arena);
	free(request);
	scheduler_leave(scheduler);
}

void scheduler_group_set(struct schedd_scheduler *scheduler, const char *name, uint32_t parallel,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct scheduler_group_request *request = calloc(1, sizeof(*request));
	struct group_slot *group = parallel ? admission_group(scheduler, name) : NULL;
	struct store_slot *slot = store_slot_common(scheduler);
	struct schedd_error err = {0};
	char key[512], text[16];

	if (!parallel || strlen(name) > 256)
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "group %s: parallel must be 1 or more, it says how many runs may go on", name);
	else if (!request || !group || !slot)
		schedd_error_nomem(&err);
	else
		(void)!place_check_group(scheduler, name, &err);
	if (err.code) {
		free(request);
		scheduler_answer(reply, err.code, &err, NULL);
		return;
	}
	request->scheduler = scheduler;
	request->reply = reply;
	request->group = group;
	request->parallel = parallel;
	request->uid = actor ? actor->uid : -1;
	request->pid = actor ? actor->pid : -1;
	snprintf(request->method, sizeof(request->method), "%s",
	    actor && actor->method ? actor->method : "");
	snprintf(key, sizeof(key), "group.%s", name);
	snprintf(text, sizeof(text), "%u", parallel);
	scheduler_enter(scheduler);
	{
		struct store_batch *batch = store_batch_new(slot->store);

		store_batch_put_text(batch, key, text);
		store_commit(slot->store, batch, scheduler_group_stored, request);
	}
	scheduler_leave(scheduler);
}

bool scheduler_check(const struct schedd_scheduler *scheduler)
{
	return entry_check(scheduler) && run_live_check(scheduler) &&
	       heap_check(&scheduler->timers.heap);
}
