/* SPDX-License-Identifier: MIT */
/*
 * The rows of such runs are in their store. What is nowhere else goes from hand
 * to hand as a list of maps: delays (the monotonic clock goes on), the output
 * kept so far, and the executor's pipes. Members that end in _fd are open
 * descriptors.
 */
#include "core/top/handover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/jobs/entry.h"
#include "core/runs/admission.h"
#include "core/runs/dispatch.h"
#include "core/runs/retry.h"
#include "core/runs/run_live_pass.h"

struct handover {
	struct arena arena;
	struct value runs; /* those that were taken up are nil */
};

bool handover_can(const struct run_live *live)
{
	if (!run_live_entry(live) || !run_live_store(live)->durable || run_live_stage(live) == RUN_LIVE_CLAIMING ||
	    run_live_stage(live) == RUN_LIVE_ENDED)
		return false;
	if (run_live_waits(live))
		return true;
	/* One whose start is under way has no process yet that could be handed over. */
	return run_live_can_let_go(live);
}

/* ---- Out of the old program ---- */

struct value scheduler_hand_over(struct schedd_scheduler *scheduler, struct arena *arena)
{
	struct value map = value_map(), runs = value_array();

	for (struct run_live *live = run_live_first(scheduler); live; live = run_live_next(live))
		if (!run_live_is_left(live) && handover_can(live))
			value_append(arena, &runs, run_live_pass(live, arena));
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

/* Through the gates that it had passed already. */
static int handover_enter(struct run_live *live, const struct value *from, struct schedd_error *err)
{
	struct schedd_mono timer = {value_get_int(from, "timer", INT64_MAX)};
	const struct value *task = value_get(from, "task");
	int64_t stage = value_get_int(from, "stage", RUN_LIVE_PASS_WAITS);

	if (stage == RUN_LIVE_PASS_RETRYING) {
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
	snprintf(id, sizeof(id), "%s", run_live_id(live));
	from = handover_find(scheduler->top.handover, id);
	rc = from ? run_live_pass_take(live, from, run) : SCHEDD_ENOTFOUND;
	taken = rc == 0 && run_live_executor(live);
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
