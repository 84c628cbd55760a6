/* SPDX-License-Identifier: MIT */
/*
 * The ground that all rooms stand on: what is random, how an answer goes out,
 * and the pulse: enter and leave around every callback.
 */
#include "core/frame/scheduler_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "executor/function_table.h"

void scheduler_settings_init(struct scheduler_settings *settings)
{
	*settings = (struct scheduler_settings){.misfire_grace_time = SCHEDD_SPAN_NONE,
	    .max_instances = 1,
	    .catchup_max = 100,
	    .output_max = 1 << 20,
	    .retention = {.keep_runs = -1,
		.keep_for = SCHEDD_SPAN_NONE,
		.max_runs = -1,
		.max_bytes = -1,
		.max_changes = 100000},
	    .output_total_max = -1,
	    .low_disk = 64 << 20,
	    .claim_backoff_max = 30 * SCHEDD_SECOND,
	    .event_ring = 10000};
}

/* splitmix64, begun with the kernel's random numbers. */
uint64_t scheduler_random(struct schedd_scheduler *scheduler)
{
	uint64_t z = scheduler->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void scheduler_answer(struct scheduler_reply reply, int rc, const struct schedd_error *err,
    const struct value *result)
{
	struct value nil = value_nil();

	if (reply.call)
		reply.call(rc, err, result ? result : &nil, reply.context);
}

void scheduler_answer_done(struct scheduler_reply reply, int rc, const struct schedd_error *err,
    const struct value *result, const struct arena *arena)
{
	scheduler_answer(reply, rc, err, rc || arena_failed(arena) ? NULL : result);
}

void scheduler_answer_built(
    struct scheduler_reply reply, const struct value *result, const struct arena *arena)
{
	struct schedd_error err;

	if (arena_failed(arena))
		scheduler_answer(reply, schedd_error_nomem(&err), &err, NULL);
	else
		scheduler_answer(reply, 0, NULL, result);
}

struct zone_cache *scheduler_zones(struct schedd_scheduler *scheduler)
{
	return scheduler->zones;
}

const struct zone_local *scheduler_zone(const struct schedd_scheduler *scheduler)
{
	return &scheduler->zone;
}

const char *scheduler_socket(const struct schedd_scheduler *scheduler)
{
	return scheduler->socket;
}

const struct trigger_context *scheduler_trigger_context(struct schedd_scheduler *scheduler)
{
	scheduler->trigger = (struct trigger_context){.zones = scheduler->zones,
	    .zone = scheduler->zone.zone,
	    .now = scheduler_now(scheduler),
	    .host = scheduler->host,
	    .cache = scheduler->triggers};
	return &scheduler->trigger;
}

struct function_table *scheduler_functions(struct schedd_scheduler *scheduler)
{
	return scheduler->functions;
}

struct mailbox *scheduler_mailbox(struct schedd_scheduler *scheduler)
{
	return scheduler->mailbox;
}

const struct spawn_inherit *scheduler_inherit(const struct schedd_scheduler *scheduler)
{
	return &scheduler->inherit;
}

struct spawner_pool *scheduler_spawners(struct schedd_scheduler *scheduler)
{
	const struct spawner_pool_config config = {
	    .loop = scheduler->loop, .log = scheduler->log, .inherit = &scheduler->inherit};
	struct schedd_error err;

	/* Without: each executor has its own, or says that it cannot. */
	if (!scheduler->spawners && spawner_pool_new(&config, &scheduler->spawners, &err) < 0)
		log_warn(scheduler->log, "%s", err.message);
	return scheduler->spawners;
}

int scheduler_set_cgroup(
    struct schedd_scheduler *scheduler, const char *directory, struct schedd_error *err)
{
	char *copy = directory ? strdup(directory) : NULL;

	if (directory && !copy)
		return schedd_error_nomem(err);
	free(scheduler->cgroup);
	scheduler->cgroup = copy;
	return 0;
}

void scheduler_enter(struct schedd_scheduler *scheduler)
{
	scheduler->touched++;
	if (scheduler->depth++ == 0)
		mailbox_hold(scheduler->mailbox);
}

static void scheduler_rest(struct schedd_scheduler *scheduler)
{
	for (const scheduler_rest_fn *rest = scheduler->rest; rest && *rest; rest++)
		(*rest)(scheduler);
}

uint64_t scheduler_touched(const struct schedd_scheduler *scheduler)
{
	return scheduler->touched;
}

void scheduler_leave(struct schedd_scheduler *scheduler)
{
	scheduler->touched++;
	if (scheduler->depth > 1) {
		scheduler->depth--;
		return;
	}
	(void)mailbox_settle(scheduler->mailbox);
	scheduler_rest(scheduler);
	/* A store in memory has answered meanwhile: what it set free need not wait for the loop. */
	if (mailbox_settle(scheduler->mailbox))
		scheduler_rest(scheduler);
	event_ring_settle(&scheduler->events);
	scheduler->depth--;
	mailbox_release(scheduler->mailbox);
}

const char *scheduler_actor_text(const struct scheduler_actor *actor, char *text, size_t size)
{
	if (actor->uid < 0)
		snprintf(text, size, "the scheduler");
	else
		snprintf(text, size, "uid %lld", (long long)actor->uid);
	return text;
}
