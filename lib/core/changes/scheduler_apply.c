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
	return apply->count > APPLY_LOOK;
}

/* That job of all; of a small file. */
static const struct value *apply_job_at(const struct apply *apply, uint32_t at)
{
	const struct value *list = apply->lists;

	while (at >= list->array.count)
		at -= list++->array.count;
	return &list->array.items[at];
}

/* The one that is next; NULL: all were taken up. */
static struct value *apply_job_next(struct apply *apply)
{
	while (apply->list < apply->list_count && apply->at == apply->lists[apply->list].array.count) {
		apply->list++;
		apply->at = 0;
	}
	return apply->list < apply->list_count ? &apply->lists[apply->list].array.items[apply->at] : NULL;
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
	for (uint32_t i = 0; count > 0 && count != UINT32_MAX && i < apply->count; i++) {
		const char *id = apply_id(apply_job_at(apply, i));
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
	for (uint32_t i = 0; i < apply->count; i++) {
		const char *id = apply_id(apply_job_at(apply, i));

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

/* A row of the answer, with more beside if text is given; what is scratch is forgotten. */
static void apply_report(struct apply *apply, const char *id, const char *action,
    const struct value *fields, const char *more, const char *text)
{
	struct value row = value_map();

	value_put(&apply->scratch, &row, "id", value_string_ref(id));
	value_put(&apply->scratch, &row, "action", value_string_ref(action));
	value_put(&apply->scratch, &row, "fields", fields ? *fields : value_array());
	if (text)
		value_put(&apply->scratch, &row, more, value_string_ref(text));
	apply->arena.failed |= arena_failed(&apply->scratch);
	if (apply->row && !arena_failed(&apply->scratch) && !apply->row(&row, apply->each_context))
		apply->arena.failed = true;
	arena_reset(&apply->scratch);
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
	if (!apply->skip || rc == SCHEDD_ENOMEM) {
		schedd_error_prefix(&apply->err, "job %s", id);
		return rc;
	}
	apply_report(apply, id, "refused", NULL, "error", apply->err.message);
	return 0;
}

/* A paused job stays so, but why is what the file says. */
static void apply_reason(
    struct apply *apply, const struct change *change, const struct value *job, struct value *names)
{
	const struct job_state *state = &change->entry->state;
	const char *said = value_get_string(job, "paused_reason");

	if (said && state->paused &&
	    (!state->paused_reason || strcmp(said, state->paused_reason) != 0))
		value_append(&apply->scratch, names, value_string_ref("paused_reason"));
}

/*
 * A pause that the file speaks of is as it says, also where nothing else is new.
 * A next run time is for new jobs: each apply would run the job once more.
 */
static void apply_pauses(
    struct apply *apply, const struct change *change, const struct value *job, struct value *names)
{
	const struct job_state *old = &change->entry->state, *state = &change->state;
	const struct value_member *next = value_find(job, "next_run_time");
	const char *name = NULL;

	if (value_get(job, "paused") && state->paused != old->paused)
		name = "paused";
	else if (value_get(job, "paused_until") && state->paused_until != old->paused_until &&
		 state->paused_until > scheduler_now(apply->scheduler))
		name = "paused_until";
	else if (next && next->value.type == VALUE_NIL && !old->paused)
		name = "next_run_time";
	if (name)
		value_append(&apply->scratch, names, value_string_ref(name));
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
	uint32_t differ;
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
	fields = known ? change_log_fields(change->entry->job, change->job, &apply->scratch, NULL)
		       : value_array();
	if (known) {
		apply_pauses(apply, change, job, &fields);
		apply_reason(apply, change, job, &fields);
	}
	differ = fields.array.count;
	apply_report(apply, id,
	    !known   ? "added"
	    : differ ? "changed"
		     : "unchanged",
	    &fields, "warning", apply_warning(apply, change, &warning));
	if (apply->dry_run || (known && !differ)) {
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

	apply_report(apply, entry->job->id, "removed", NULL, NULL, NULL);
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

/* Is a commit under way for it? */
static bool apply_is_held(const struct apply *apply, const struct value *job)
{
	const char *id = apply_id(job);
	const struct entry *entry = id ? entry_find(apply->scheduler, id) : NULL;

	return entry && entry->busy && !strmap_get(&apply->ids, id);
}

/* Takes up the next job. */
static int apply_next(struct apply *apply, struct value *job)
{
	const char *id = apply_id(job);
	int rc = apply->each ? apply->each(job, apply->each_context, &apply->err) : 0;

	apply->at++;
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
	struct value *job;

	while (!apply->rc && !apply->given_up && (job = apply_job_next(apply))) {
		if (apply_is_held(apply, job) && apply_later(apply, &apply->slice, APPLY_PAUSE))
			return;
		apply->rc = apply_next(apply, job);
		if (!apply->rc && apply_over(apply, begun) && apply_later(apply, &apply->slice, 0))
			return;
	}
	if (!apply->rc && arena_failed(&apply->arena))
		apply->rc = schedd_error_nomem(&apply->err);
	if (!apply->rc && !apply->given_up && apply->others && !apply_prune(apply, begun))
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
	apply->others = apply_has_others(apply);
	timer_init(&apply->slice, apply_go_on_later);
	apply->scheduler->changes.applying = apply;
	apply_go_on(apply);
}

/* What is no list holds no jobs. */
static void apply_take_lists(struct apply *apply, const struct scheduler_apply *request)
{
	uint32_t count = request->lists ? request->lists : 1;

	apply->lists = arena_alloc(&apply->arena, count * sizeof(apply->lists[0]));
	for (uint32_t i = 0; apply->lists && i < count; i++) {
		const struct value *list = &request->jobs[i];

		if (list->type != VALUE_ARRAY)
			continue;
		apply->lists[apply->list_count++] =
		    request->lent ? *list : value_copy(&apply->arena, list);
		apply->count += list->array.count;
	}
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
	arena_init(&apply->scratch);
	apply_take_lists(apply, request);
	apply->owner = request->owner ? arena_strdup(&apply->arena, request->owner) : NULL;
	apply->prune = request->prune;
	apply->skip = request->skip;
	apply->elsewhere = request->elsewhere;
	apply->paused = request->paused;
	apply->dry_run = request->dry_run;
	apply->each = request->each;
	apply->row = request->row;
	apply->each_context = request->each_context;
	if (arena_failed(&apply->arena)) {
		apply->rc = schedd_error_nomem(&apply->err);
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
