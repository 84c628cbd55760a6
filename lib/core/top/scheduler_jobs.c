/* SPDX-License-Identifier: MIT */
/* Requests about single jobs: each becomes a change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_change.h"
#include "core/changes/scheduler_add.h"
#include "core/changes/tick.h"
#include "core/jobs/change_log.h"
#include "core/jobs/job_plan.h"
#include "core/runs/admission.h"
#include "core/runs/run_live.h"
#include "core/top/scheduler_parts.h"
#include "model/job_fields.h"

void scheduler_add(struct schedd_scheduler *scheduler, const struct value *fields, unsigned flags,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	const struct value *given = value_get(fields, "id");
	struct schedd_error err;
	struct change *change;
	char id[JOB_ID_MAX + 1];
	const char *use = id;

	if (given && given->type != VALUE_NIL) {
		use = given->type == VALUE_STRING ? given->string.text : NULL;
		if (!use || strlen(use) != given->string.length || !job_id_valid(use)) {
			schedd_error_set(&err, SCHEDD_EINVAL,
			    "id: '%s' is no job id: use letters, digits, '_', '.' and '-', at "
			    "most %d, not beginning with '.' or '-'",
			    use ? use : value_type_name(given->type), JOB_ID_MAX);
			scheduler_answer(reply, SCHEDD_EINVAL, &err, NULL);
			return;
		}
	} else {
		job_plan_id(scheduler, id, sizeof(id));
	}
	change = change_new(scheduler, &job_change_add_ops, use, actor, reply);
	if (!change)
		return;
	change->fields = fields;
	change->flags = flags;
	change->made_id = use == id;
	change_submit(change);
}

void scheduler_add_job(struct schedd_scheduler *scheduler, struct schedd_job *job,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct schedd_error err;
	struct change *change;
	char id[JOB_ID_MAX + 1];
	bool made = !job->id;

	if (made) {
		job_plan_id(scheduler, id, sizeof(id));
		job->id = strdup(id);
	}
	if (!job->id) {
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	change = change_new(scheduler, &job_change_add_ops, job->id, actor, reply);
	if (!change)
		return;
	change->given = job_ref(job);
	change->made_id = made;
	change_submit(change);
}

void scheduler_modify(struct schedd_scheduler *scheduler, const char *id,
    const struct value *changes, uint32_t revision, const struct scheduler_actor *actor,
    struct scheduler_reply reply)
{
	struct change *change = change_new(scheduler, &job_change_modify_ops, id, actor, reply);

	if (!change)
		return;
	change->fields = changes;
	change->revision = revision;
	change_submit(change);
}

void scheduler_rename(struct schedd_scheduler *scheduler, const char *id, const char *to,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct change *change = change_new(scheduler, &job_change_rename_ops, id, actor, reply);

	if (!change)
		return;
	change->text = arena_strdup(&change->arena, to);
	if (!change->text)
		change->text = "";
	change_submit(change);
}

void scheduler_remove(struct schedd_scheduler *scheduler, const char *id, bool purge, bool kill,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct change *change = change_new(scheduler, &job_change_remove_ops, id, actor, reply);

	if (!change)
		return;
	change->purge = purge;
	change->kill = kill;
	change_submit(change);
}

void scheduler_pause_job(struct schedd_scheduler *scheduler, const char *id, schedd_time until,
    const char *reason, const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct change *change = change_new(scheduler, &job_change_pause_ops, id, actor, reply);

	if (!change)
		return;
	change->when = until;
	change->text = reason ? arena_strdup(&change->arena, reason) : NULL;
	change_submit(change);
}

void scheduler_resume_job(struct schedd_scheduler *scheduler, const char *id, bool run_missed,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct change *change = change_new(scheduler, &job_change_resume_ops, id, actor, reply);

	if (!change)
		return;
	change->run_missed = run_missed;
	change_submit(change);
}

void scheduler_run_job(struct schedd_scheduler *scheduler, const char *id,
    const struct scheduler_run_options *options, const struct scheduler_actor *actor,
    struct scheduler_reply reply)
{
	struct change *change = change_new(scheduler, &job_change_run_ops, id, actor, reply);
	struct schedd_error err;

	if (!change)
		return;
	change->trigger = options ? options->trigger : RUN_BY_HAND;
	if (change->trigger != RUN_BY_RETRY)
		change->trigger = RUN_BY_HAND;
	change->force = options && options->force;
	if (options && options->env && job_pairs_copy(&change->env, options->env)) {
		schedd_error_nomem(&err);
		change_abandon(change, SCHEDD_ENOMEM, &err);
		return;
	}
	change_submit(change);
}

/* ---- The scheduler as a whole ---- */

struct scheduler_pause_request {
	struct schedd_scheduler *scheduler;
	struct scheduler_reply reply;
	int64_t uid, pid;
	char *method;
	char *why; /* NULL: resume */
};

static void scheduler_pause_free(struct scheduler_pause_request *request)
{
	free(request->method);
	free(request->why);
	free(request);
}

/* The old state goes into the record of changes, for looking back. */
static void scheduler_pause_record(
    struct schedd_scheduler *scheduler, const struct scheduler_actor *actor, bool pause)
{
	struct value more = value_map(), before = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &before, "paused",
	    pause ? value_nil() : value_string_ref(scheduler->paused_why));
	value_put(&arena, &more, "before", before);
	change_log_scheduler(
	    scheduler, pause ? "scheduler_paused" : "scheduler_resumed", actor, &more, &arena);
	arena_clear(&arena);
}

static void scheduler_pause_done(int rc, const struct schedd_error *err, void *context)
{
	struct scheduler_pause_request *request = context;
	struct schedd_scheduler *scheduler = request->scheduler;
	struct scheduler_actor actor = {request->uid, request->pid, request->method};
	bool pause = request->why != NULL;

	scheduler_enter(scheduler);
	if (!rc && pause != scheduler->paused) {
		scheduler->paused = pause;
		scheduler_pause_record(scheduler, &actor, pause);
		if (pause) {
			free(scheduler->paused_why);
			scheduler->paused_why = request->why;
			request->why = NULL;
			scheduler->paused_at = scheduler_now(scheduler);
		}
		scheduler_parts_event(scheduler,
		    pause ? SCHEDD_EVENT_SCHEDULER_PAUSED : SCHEDD_EVENT_SCHEDULER_RESUMED, NULL,
		    NULL, &actor);
	}
	scheduler_answer(request->reply, rc, err, NULL);
	scheduler_pause_free(request);
	/* What fell due meanwhile is treated as after downtime. */
	if (!rc && !pause) {
		scheduler_tick(scheduler);
		free(scheduler->paused_why);
		scheduler->paused_why = NULL;
	}
	scheduler_leave(scheduler);
}

void scheduler_set_paused(struct schedd_scheduler *scheduler, bool paused,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct scheduler_pause_request *request = calloc(1, sizeof(*request));
	struct store_slot *slot = scheduler_store_slot(scheduler, "default");
	struct store_batch *batch;
	struct schedd_error err;
	char who[64], why[128];

	if (!request || !slot) {
		free(request);
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	request->scheduler = scheduler;
	request->reply = reply;
	request->uid = actor ? actor->uid : -1;
	request->pid = actor ? actor->pid : -1;
	request->method = actor && actor->method ? strdup(actor->method) : NULL;
	if (paused) {
		snprintf(why, sizeof(why), "scheduler paused by %s",
		    actor ? change_actor_text(actor, who, sizeof(who)) : "its host");
		request->why = strdup(why);
	}
	batch = store_batch_new(slot->store);
	store_batch_put_text(batch, "scheduler.paused", request->why);
	scheduler_enter(scheduler);
	store_commit(slot->store, batch, scheduler_pause_done, request);
	scheduler_leave(scheduler);
}

/*
 * Is what is planned the trigger's own next time? What was asked for in its
 * stead stays, and so does what is due or being claimed: its time has come by
 * the old rules.
 */
static bool zones_follow(const struct entry *entry, schedd_time now)
{
	const struct job_state *state = &entry->state;

	return !entry->busy && !entry->hidden && !state->invalid && state->next_fire > now &&
	       trigger_next(entry->job->trigger, now) == state->next_fire;
}

/* Jobs whose trigger names another next time by the new rules are planned anew. */
static void zones_replan(struct schedd_scheduler *scheduler, const bool *follow, schedd_time now)
{
	uint32_t position = 0, index = 0;
	struct entry *entry;

	scheduler_enter(scheduler);
	while ((entry = strmap_next(&scheduler->entries, &position))) {
		struct job_state *state = &entry->state;
		schedd_time fire =
		    follow[index++] ? trigger_next(entry->job->trigger, now) : state->next_fire;

		if (fire == state->next_fire)
			continue;
		state->next_fire = fire;
		if (!state->paused)
			state->next_run_time = tick_run_time(scheduler, entry->job, fire, now);
		entry_plan(scheduler, entry);
	}
	scheduler_leave(scheduler);
}

int scheduler_refresh_zones(struct schedd_scheduler *scheduler)
{
	const struct zone *old = scheduler->zone.zone;
	bool *follow = calloc(scheduler->entries.count + 1, sizeof(*follow));
	schedd_time now = scheduler_now(scheduler);
	uint32_t position = 0, index = 0;
	struct entry *entry;
	int changed;

	while (follow && (entry = strmap_next(&scheduler->entries, &position)))
		follow[index++] = zones_follow(entry, now);
	changed = zone_cache_refresh(scheduler->zones);
	if (zone_local_find(scheduler->zones, scheduler->timezone, getenv("TZ"), "",
		&scheduler->zone, NULL) == 0 &&
	    scheduler->zone.zone != old)
		changed++;
	scheduler_trigger_context(scheduler);
	if (changed && follow)
		zones_replan(scheduler, follow, now);
	free(follow);
	return changed;
}
