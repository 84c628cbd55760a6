/* SPDX-License-Identifier: MIT */
/*
 * A file becomes a list of changes that are checked together, written in one
 * batch per store and settled together. While a commit of one of its jobs is
 * under way the file waits; it holds nothing meanwhile.
 */
#include "core/changes/scheduler_apply.h"

#include <stdlib.h>
#include <string.h>
#include "core/changes/apply_commit.h"
#include "core/changes/job_add.h"
#include "core/changes/job_change.h"
#include "core/jobs/owners.h"
#include "core/jobs/change_log.h"
#include "core/jobs/job_needs.h"
#include "model/job_fields.h"

#define APPLY_LOOK 1024 /* jobs of a file that are looked at together */
#define APPLY_STRIDE 64 /* jobs between two looks at the clock, where most are passed over */

static const char *apply_id(const struct value *job)
{
	return value_get_string(job, "id");
}

static const char *apply_key(const void *item)
{
	return item;
}

/* Each id once, so that a file of many jobs costs no more than its length. */
static int apply_note(struct apply *apply, const char *id)
{
	char *copy = arena_strdup(&apply->arena, id);
	int rc = copy ? strmap_put(&apply->ids, copy) : SCHEDD_ENOMEM;

	if (rc == SCHEDD_ECONFLICT)
		return schedd_error_set(
		    &apply->err, SCHEDD_EINVAL, "job %.128s stands in the file twice", id);
	return rc ? schedd_error_nomem(&apply->err) : 0;
}

/* Is it a job of the owner that the file is applied with? */
static bool apply_owns(const struct apply *apply, const struct entry *entry)
{
	const char *owner = job_details(entry->job)->owner;

	const char *account = apply->actor.account;
	size_t length = job_id_account(entry->job->id);

	if (!owner || !apply->owner || strcmp(owner, apply->owner) != 0)
		return false;
	/* Owners are names that everybody may use: other accounts' jobs are meant by nobody. */
	if (account)
		return strlen(account) == length &&
		       memcmp(entry->job->id, account, length) == 0;
	return length == 0 || entry->state.created_by == geteuid();
}

/* What is in such a file is looked at one by one when it is its turn, never all at once. */
static bool apply_is_large(const struct apply *apply)
{
	return apply->jobs.array.count > APPLY_LOOK;
}

/* May there be jobs of the owner beside those of the file? Mostly not, and nobody is looked for. */
static bool apply_has_others(const struct apply *apply)
{
	uint32_t count, known = 0;

	if (!apply->prune || !apply->owner)
		return false;
	count = owners_count(apply->scheduler, apply->owner);
	if (apply_is_large(apply))
		return count > 0;
	for (uint32_t i = 0; count > 0 && count != UINT32_MAX && i < apply->jobs.array.count; i++) {
		const char *id = apply_id(&apply->jobs.array.items[i]);
		const struct entry *entry = id ? entry_find(apply->scheduler, id) : NULL;

		known += entry && apply_owns(apply, entry);
	}
	return count > known;
}

/* Is a commit under way for a job that the file touches? */
static bool apply_must_wait(const struct apply *apply)
{
	const struct schedd_scheduler *scheduler = apply->scheduler;
	uint32_t position = 0;
	const struct entry *entry;

	/* One after the other: two that change the same jobs would wait for each other. */
	if (scheduler->changes.applying)
		return true;
	if (apply_is_large(apply))
		return false;
	for (uint32_t i = 0; i < apply->jobs.array.count; i++) {
		const char *id = apply_id(&apply->jobs.array.items[i]);

		entry = id ? entry_find(scheduler, id) : NULL;
		if (entry && entry->busy)
			return true;
	}
	if (!apply_has_others(apply))
		return false;
	while ((entry = entry_walk(scheduler, &position)))
		if (entry->busy && apply_owns(apply, entry))
			return true;
	return false;
}

static void apply_report(struct apply *apply, const char *id, const char *action,
    const struct value *fields, const char *warning)
{
	struct value row = value_map();

	value_put(&apply->arena, &row, "id", value_string(&apply->arena, id));
	value_put(&apply->arena, &row, "action", value_string_ref(action));
	value_put(&apply->arena, &row, "fields", fields ? *fields : value_array());
	if (warning)
		value_put(&apply->arena, &row, "warning", value_string(&apply->arena, warning));
	value_append(&apply->arena, &apply->result, row);
}

static struct apply_batch *apply_batch_of(struct apply *apply, struct store_slot *store)
{
	struct apply_batch *batch = apply->batches;

	while (batch->store && batch->store != store)
		batch++;
	if (!batch->store) {
		batch->apply = apply;
		batch->store = store;
		batch->batch = store_batch_new(store->store);
		batch->end = &batch->changes;
	}
	return batch;
}

static void apply_take(struct apply *apply, struct change *change)
{
	struct apply_batch *batch = apply_batch_of(apply, change->store);

	change->shared_batch = true;
	change->batch = batch->batch;
	change->next = NULL;
	*batch->end = change;
	batch->end = &change->next;
}

static struct change *apply_change(
    struct apply *apply, const struct change_ops *ops, const char *id)
{
	return change_new_in(&apply->arena, apply->scheduler, ops, id, &apply->actor);
}

/* Lets a new job begin paused, unless the file says it already, and why. */
static void apply_pause(struct apply *apply, struct value *job)
{
	/* The map is the apply's own, or lent to it. */
	struct value_member *said = (struct value_member *)(uintptr_t)value_find(job, "paused");

	if (value_get_bool(job, "paused", false))
		return;
	if (said)
		said->value = value_bool(true);
	else
		value_put(&apply->arena, job, "paused", value_bool(true));
	value_put(&apply->arena, job, "paused_reason",
	    value_string_ref(apply->elsewhere ? "imported paused" : "applied paused"));
}

/*
 * The owner a file is applied with is a field of each of its jobs. A file that
 * names none leaves the owners of jobs as they are. Jobs that are new may begin
 * paused.
 */
static void apply_own(struct apply *apply, const char *id, struct value *job)
{
	const struct schedd_job *known = scheduler_job_peek(apply->scheduler, id);
	const char *owner = apply->owner;

	if (!owner && known)
		owner = job_details(known)->owner;
	if (owner && !value_get(job, "owner"))
		value_put(&apply->arena, job, "owner", value_string(&apply->arena, owner));
	if (apply->paused && !known)
		apply_pause(apply, job);
}

/* The job cannot be: that is the end of the file, or a row of the answer. */
static int apply_refuse(struct apply *apply, const char *id, int rc)
{
	struct value row = value_map();

	if (!apply->skip || rc == SCHEDD_ENOMEM) {
		schedd_error_prefix(&apply->err, "job %s", id);
		return rc;
	}
	value_put(&apply->arena, &row, "id", value_string(&apply->arena, id));
	value_put(&apply->arena, &row, "action", value_string_ref("refused"));
	value_put(&apply->arena, &row, "fields", value_array());
	value_put(&apply->arena, &row, "error", value_string(&apply->arena, apply->err.message));
	value_append(&apply->arena, &apply->result, row);
	return 0;
}

/* The names of the fields that differ; what they hold is looked at and forgotten. */
static struct value apply_fields(struct apply *apply, const struct change *change)
{
	struct value names;
	struct arena arena;

	arena_init(&arena);
	names = change_log_fields(change->entry->job, change->job, &arena, NULL);
	names = value_copy(&apply->arena, &names);
	apply->arena.failed |= arena_failed(&arena);
	arena_clear(&arena);
	return names;
}

/* A paused job stays so, but why is what the file says. */
static void apply_reason(
    struct apply *apply, const struct change *change, const struct value *job, struct value *names)
{
	const struct job_state *state = &change->entry->state;
	const char *said = value_get_string(job, "paused_reason");

	if (said && state->paused &&
	    (!state->paused_reason || strcmp(said, state->paused_reason) != 0))
		value_append(&apply->arena, names, value_string_ref("paused_reason"));
}

/* What a job from elsewhere does not find here; NULL: nothing. */
static const char *apply_warning(
    struct apply *apply, const struct change *change, struct schedd_error *err)
{
	const struct schedd_job *old = change->entry ? change->entry->job : NULL;

	return apply->elsewhere && job_needs_check(apply->scheduler, change->job, old, err)
		   ? err->message
		   : NULL;
}

/* Nobody else changes it until the file is done. */
static void apply_hold(struct change *change)
{
	change->entry->busy = true;
	entry_unplan(change->scheduler, change->entry);
}

static int apply_job(struct apply *apply, struct value *job)
{
	const char *id = apply_id(job);
	struct schedd_error warning = {0};
	struct change *change;
	struct value fields;
	bool known;
	int rc;

	if (!id || !job_id_valid(id))
		return schedd_error_set(&apply->err, SCHEDD_EINVAL,
		    "a job of the file has no valid id%s%s", id ? ": " : "", id ? id : "");
	change = apply_change(apply, &job_add_ops, id);
	if (!change)
		return schedd_error_nomem(&apply->err);
	apply_own(apply, id, job);
	change->fields = job;
	change->flags = SCHEDULER_ADD_REPLACE | (apply->elsewhere ? SCHEDULER_ADD_UNSEEN : 0);
	rc = job_add_prepare(change, &apply->err);
	if (rc) {
		change_free(change);
		return apply_refuse(apply, id, rc);
	}
	known = change->entry != NULL;
	fields = known ? apply_fields(apply, change) : value_array();
	if (known)
		apply_reason(apply, change, job, &fields);
	apply_report(apply, id,
	    !known               ? "added"
	    : fields.array.count ? "changed"
				 : "unchanged",
	    &fields, apply_warning(apply, change, &warning));
	if (apply->dry_run || (known && !fields.array.count)) {
		change_free(change);
		return 0;
	}
	/* What is not said in a file stays as it is: a pause, a planned time. */
	if (known)
		job_add_keep_state(change, job);
	apply_take(apply, change);
	if (known)
		apply_hold(change);
	rc = job_add_write(change, &apply->err);
	change->fields = NULL;
	return rc;
}

/* Takes a job away that its owner's file has no longer. */
static int apply_remove(struct apply *apply, struct entry *entry)
{
	struct change *change;
	int rc;

	apply_report(apply, entry->job->id, "removed", NULL, NULL);
	if (apply->dry_run)
		return 0;
	change = apply_change(apply, &job_change_remove_ops, entry->job->id);
	if (!change)
		return schedd_error_nomem(&apply->err);
	change->store = entry->store;
	apply_take(apply, change);
	rc = job_change_remove_ops.begin(change, &apply->err);
	if (!rc && change->entry)
		apply_hold(change);
	return rc;
}

/* Is it for the file to take away? */
static bool apply_lacks(const struct apply *apply, const struct entry *entry)
{
	return apply_owns(apply, entry) && !strmap_get(&apply->ids, entry->job->id);
}

/* False: the rest comes later. */
static bool apply_prune(struct apply *apply, int64_t begun)
{
	struct schedd_scheduler *scheduler = apply->scheduler;
	struct entry *entry, *before = NULL;
	uint32_t steps = 0;

	for (entry = entry_first(scheduler, apply->behind); entry && !apply->rc;
	     entry = entry_next(scheduler, entry)) {
		bool lacks = apply_lacks(apply, entry);
		bool held = lacks && entry->busy;

		if (before)
			memcpy(apply->behind, before->job->id, strlen(before->job->id) + 1);
		if ((held || (++steps % APPLY_STRIDE == 0 && apply_over(apply, begun))) &&
		    apply_later(apply, &apply->slice, held ? APPLY_PAUSE : 0))
			return false;
		if (lacks)
			apply->rc = apply_remove(apply, entry);
		before = entry;
	}
	return true;
}

/* Is a commit under way for the next job? */
static bool apply_is_held(const struct apply *apply)
{
	const char *id = apply_id(&apply->jobs.array.items[apply->at]);
	const struct entry *entry = id ? entry_find(apply->scheduler, id) : NULL;

	return entry && entry->busy && !strmap_get(&apply->ids, id);
}

/* Takes up the next job. */
static int apply_next(struct apply *apply)
{
	struct value *job = &apply->jobs.array.items[apply->at++];
	const char *id = apply_id(job);
	int rc = apply->each ? apply->each(job, apply->each_context, &apply->err) : 0;

	if (rc > 0)
		return 0; /* it is left out */
	if (!rc && id)
		rc = apply_note(apply, id);
	return rc ? rc : apply_job(apply, job);
}

/* Nothing of it is to be. */
static void apply_give_up(struct apply *apply, int64_t begun)
{
	apply->given_up = true;
	if (!apply_undo(apply, begun))
		return;
	apply->scheduler->changes.applying = NULL;
	apply_answer(apply);
}

static void apply_go_on(struct apply *apply)
{
	int64_t begun = scheduler_mono(apply->scheduler).us;

	while (!apply->rc && !apply->given_up && apply->at < apply->jobs.array.count) {
		if (apply_is_held(apply) && apply_later(apply, &apply->slice, APPLY_PAUSE))
			return;
		if (apply_over(apply, begun) && apply_later(apply, &apply->slice, 0))
			return;
		apply->rc = apply_next(apply);
	}
	if (!apply->rc && !apply->given_up && (apply->behind[0] || apply_has_others(apply)) &&
	    !apply_prune(apply, begun))
		return;
	if (apply->rc || apply->dry_run) {
		apply_give_up(apply, begun);
		return;
	}
	apply->scheduler->changes.applying = NULL;
	apply_commit(apply);
}

static void apply_go_on_later(struct timer *timer)
{
	apply_go_on((struct apply *)(void *)((char *)timer - offsetof(struct apply, slice)));
}

static void apply_begin(struct apply *apply)
{
	apply->result = value_array();
	timer_init(&apply->slice, apply_go_on_later);
	apply->scheduler->changes.applying = apply;
	apply_go_on(apply);
}

void scheduler_apply(struct schedd_scheduler *scheduler, const struct scheduler_apply *request,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct apply *apply = calloc(1, sizeof(*apply));
	struct schedd_error err;

	if (!apply) {
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	arena_init(&apply->arena);
	strmap_init(&apply->ids, apply_key);
	apply->scheduler = scheduler;
	apply->reply = reply;
	apply->actor = actor ? *actor : (struct scheduler_actor){-1, -1, NULL, NULL};
	if (apply->actor.method)
		apply->actor.method = arena_strdup(&apply->arena, apply->actor.method);
	if (apply->actor.account)
		apply->actor.account = arena_strdup(&apply->arena, apply->actor.account);
	apply->jobs = request->lent ? *request->jobs : value_copy(&apply->arena, request->jobs);
	apply->owner = request->owner ? arena_strdup(&apply->arena, request->owner) : NULL;
	apply->prune = request->prune;
	apply->skip = request->skip;
	apply->elsewhere = request->elsewhere;
	apply->paused = request->paused;
	apply->dry_run = request->dry_run;
	apply->each = request->each;
	apply->each_context = request->each_context;
	if (arena_failed(&apply->arena) || apply->jobs.type != VALUE_ARRAY) {
		apply->rc = arena_failed(&apply->arena)
				? schedd_error_nomem(&apply->err)
				: schedd_error_set(&apply->err, SCHEDD_EINVAL,
				      "jobs: a list of jobs is needed");
		apply_answer(apply);
		return;
	}
	scheduler_enter(scheduler);
	if (apply_must_wait(apply)) {
		apply->next = scheduler->changes.applies;
		scheduler->changes.applies = apply;
	} else {
		apply_begin(apply);
	}
	scheduler_leave(scheduler);
}

void scheduler_apply_review(struct schedd_scheduler *scheduler)
{
	struct apply **at = &scheduler->changes.applies;

	while (*at) {
		struct apply *apply = *at;

		if (apply_must_wait(apply)) {
			at = &apply->next;
			continue;
		}
		*at = apply->next;
		apply_begin(apply);
		at = &scheduler->changes.applies;
	}
}
