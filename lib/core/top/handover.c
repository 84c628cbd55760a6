/* SPDX-License-Identifier: MIT */
/*
 * The rows of such runs are in their store. What is nowhere else goes from hand
 * to hand as a list of maps: delays (the monotonic clock goes on), the output
 * kept so far, and the executor's pipes. Members that end in _fd are open
 * descriptors.
 */
#include "core/top/handover.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/jobs/entry.h"
#include "core/runs/admission.h"
#include "core/runs/dispatch.h"
#include "core/runs/output_place.h"
#include "core/runs/retry.h"
#include "core/runs/run_note.h"

/* Stages, as they are told from program to program. */
#define HANDOVER_WAITS 1
#define HANDOVER_RETRYING 6

struct handover {
	struct arena arena;
	struct value runs; /* those that were taken up are nil */
};

bool handover_can(const struct run_live *live)
{
	if (!live->entry || !live->store->durable || live->stage == RUN_LIVE_CLAIMING ||
	    live->stage == RUN_LIVE_ENDED)
		return false;
	if (run_live_waits(live))
		return true;
	/* One whose start is under way has no process yet that could be handed over. */
	return live->stage == RUN_LIVE_RUNNING && live->task &&
	       executor_can_release(live->executor->executor);
}

/* ---- Out of the old program ---- */

static struct value handover_run(struct run_live *live, struct arena *arena)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct value map = value_map(), output;

	value_put(arena, &map, "run", value_string(arena, live->id));
	value_put(arena, &map, "stage",
	    value_int(live->stage == RUN_LIVE_RETRYING ? HANDOVER_RETRYING : HANDOVER_WAITS));
	value_put(arena, &map, "held", value_bool(live->held));
	value_put(arena, &map, "noted", value_bool(live->noted));
	value_put(arena, &map, "stop", value_int(live->stop));
	value_put(arena, &map, "stop_reason", value_string(arena, live->stop_reason));
	value_put(arena, &map, "forced", value_bool(live->forced));
	value_put(arena, &map, "announced", value_bool(live->announced));
	value_put(arena, &map, "killing", value_bool(live->killing));
	value_put(arena, &map, "due_at", value_int(live->due_at));
	value_put(arena, &map, "attempt_started", value_int(live->run.attempt_started));
	if (timer_is_set(&live->timer))
		value_put(arena, &map, "timer",
		    value_int(timers_when(&scheduler->timers, &live->timer).us));
	value_put(arena, &map, "env", run_note_env(live, arena));
	if (live->output && output_release(live->output, arena, &output))
		value_put(arena, &map, "output", output);
	if (live->task)
		value_put(arena, &map, "task", run_live_let_go(live, arena));
	timers_unset(&scheduler->timers, &live->timer);
	return map;
}

struct value scheduler_hand_over(struct schedd_scheduler *scheduler, struct arena *arena)
{
	struct value map = value_map(), runs = value_array();

	for (struct run_live *live = run_live_first(scheduler); live; live = live->next)
		if (!live->held_by_dead && handover_can(live))
			value_append(arena, &runs, handover_run(live, arena));
	value_put(arena, &map, "runs", runs);
	value_put(arena, &map, "nofile", value_int((int64_t)scheduler->inherit.nofile.rlim_cur));
	return map;
}

/* ---- Into the new one ---- */

int scheduler_take_over(
    struct schedd_scheduler *scheduler, const struct value *from, struct schedd_error *err)
{
	const struct value *runs = value_get(from, "runs");
	struct handover *handover = calloc(1, sizeof(*handover));

	if (!handover)
		return schedd_error_nomem(err);
	arena_init(&handover->arena);
	handover->runs =
	    runs && runs->type == VALUE_ARRAY ? value_copy(&handover->arena, runs) : value_array();
	if (arena_failed(&handover->arena)) {
		handover_free(handover);
		return schedd_error_nomem(err);
	}
	scheduler->top.handover = handover;
	/* The limit was raised by the program before, which knew what it had been. */
	scheduler->inherit.nofile.rlim_cur =
	    (rlim_t)value_get_int(from, "nofile", (int64_t)scheduler->inherit.nofile.rlim_cur);
	return 0;
}

static struct value *handover_find(struct handover *handover, const char *id)
{
	for (uint32_t i = 0; handover && i < handover->runs.array.count; i++) {
		const char *found = value_get_string(&handover->runs.array.items[i], "run");

		if (found && strcmp(found, id) == 0)
			return &handover->runs.array.items[i];
	}
	return NULL;
}

static int handover_take(struct run_live *live, const struct value *from, const struct run *run)
{
	const struct value *output = value_get(from, "output");
	const char *reason = value_get_string(from, "stop_reason");
	char path[4096];
	bool kept =
	    output_place_path(live->scheduler, live->job->id, run->number, path, sizeof(path));

	if (run_live_take(live, run))
		return SCHEDD_ENOMEM;
	live->stop = (enum run_live_stop)value_get_int(from, "stop", RUN_LIVE_GOES_ON);
	live->stop_reason = reason ? strdup(reason) : NULL;
	live->forced = value_get_bool(from, "forced", false);
	live->announced = value_get_bool(from, "announced", false);
	live->held = value_get_bool(from, "held", false);
	live->noted = value_get_bool(from, "noted", false);
	live->killing = value_get_bool(from, "killing", false);
	live->due_at = value_get_int(from, "due_at", SCHEDD_TIME_NONE);
	live->run.attempt_started = value_get_int(from, "attempt_started", run->started_at);
	if (output)
		live->output = output_resume(kept ? path : NULL, output);
	return run_note_take_env(live, value_get(from, "env"));
}

/* Through the gates that it had passed already. */
static int handover_enter(struct run_live *live, const struct value *from, struct schedd_error *err)
{
	struct schedd_mono timer = {value_get_int(from, "timer", INT64_MAX)};
	const struct value *task = value_get(from, "task");
	int64_t stage = value_get_int(from, "stage", HANDOVER_WAITS);

	if (stage == HANDOVER_RETRYING) {
		if (retry_resume(live, timer))
			return schedd_error_nomem(err);
		admission_resume(live, false);
		return 0;
	}
	if (!task) {
		admission_enter(live);
		return 0;
	}
	return dispatch_resume(live, task, timer, err);
}

static void handover_close(const struct value *value)
{
	if (value->type == VALUE_ARRAY)
		for (uint32_t i = 0; i < value->array.count; i++)
			handover_close(&value->array.items[i]);
	if (value->type != VALUE_MAP)
		return;
	for (uint32_t i = 0; i < value->map.count; i++) {
		const struct value_member *member = &value->map.members[i];
		size_t length = strlen(member->key);

		handover_close(&member->value);
		if (length > 3 && strcmp(member->key + length - 3, "_fd") == 0 &&
		    member->value.type == VALUE_INT && member->value.integer >= 0)
			close((int)member->value.integer);
	}
}

bool handover_resume(struct schedd_scheduler *scheduler, struct entry *entry, const struct run *run)
{
	char id[RUN_LIVE_ID_MAX];
	struct run_live *live;
	struct schedd_error err;
	const struct value *task;
	struct value *from;
	bool taken; /* the executor has taken the descriptors of the task */
	int rc;

	if (!entry || !scheduler->top.handover)
		return false;
	live = run_live_new(entry, run->number, run->trigger);
	if (!live)
		return false;
	memcpy(id, live->id, sizeof(id));
	from = handover_find(scheduler->top.handover, id);
	rc = from ? handover_take(live, from, run) : SCHEDD_ENOTFOUND;
	taken = rc == 0 && live->executor;
	task = from ? value_get(from, "task") : NULL;
	if (rc == SCHEDD_ENOMEM)
		schedd_error_nomem(&err);
	else if (rc == 0)
		rc = handover_enter(live, from, &err);
	if (rc)
		run_live_discard(live);
	if (rc && from)
		log_error(scheduler->log, "run %s cannot go on: %s", id, err.message);
	/* Nobody will read what the process writes: better it knows than waits for ever. */
	if (rc && task && !taken)
		handover_close(task);
	if (from)
		*from = value_nil();
	return rc == 0;
}

void handover_free(struct handover *handover)
{
	if (!handover)
		return;
	handover_close(&handover->runs);
	arena_clear(&handover->arena);
	free(handover);
}
