/* SPDX-License-Identifier: MIT */
/* Requests about single jobs: each becomes a change. */
#include <string.h>
#include "core/changes/job_add.h"
#include "core/changes/job_change.h"
#include "core/changes/job_switch.h"
#include "core/changes/scheduler_add.h"
#include "core/jobs/job_plan.h"

/* "alice:" alone: that account's, and the server makes the rest of the id. */
static bool scheduler_is_account(const struct value *given)
{
	const char *text = given->type == VALUE_STRING ? given->string.text : "";
	char name[JOB_ACCOUNT_MAX + 1];
	size_t length = job_id_account(text);

	if (length == 0 || length > JOB_ACCOUNT_MAX || text[length + 1])
		return false;
	memcpy(name, text, length);
	name[length] = '\0';
	return job_account_valid(name);
}

/* The fields as given, but for an id that is made. */
static const struct value *scheduler_without_id(struct arena *arena, const struct value *fields)
{
	struct value *rest = arena_alloc(arena, sizeof(*rest));

	if (!rest)
		return fields;
	*rest = value_map();
	for (uint32_t i = 0; i < fields->map.count; i++)
		if (strcmp(fields->map.members[i].key, "id") != 0)
			value_put(arena, rest, fields->map.members[i].key,
			    fields->map.members[i].value);
	return rest;
}

void scheduler_add(struct schedd_scheduler *scheduler, const struct value *fields, unsigned flags,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	const struct value *given = value_get(fields, "id");
	struct schedd_error err;
	struct change *change;
	char id[JOB_ID_MAX + 1];
	const char *use = id;

	if (given && scheduler_is_account(given)) {
		job_plan_id(scheduler, given->string.text, id, sizeof(id));
	} else if (given && given->type != VALUE_NIL) {
		use = given->type == VALUE_STRING ? given->string.text : NULL;
		if (!use) {
			schedd_error_set(&err, SCHEDD_EINVAL, "id: %s is not a text",
			    value_type_name(given->type));
			scheduler_answer(reply, SCHEDD_EINVAL, &err, NULL);
			return;
		}
		if (strlen(use) != given->string.length || !job_id_valid(use)) {
			schedd_error_set(&err, SCHEDD_EINVAL,
			    "id: '%s' is no job id: use letters, digits, '_', '.' and '-', at "
			    "most %d, not beginning with '.' or '-'",
			    use, JOB_ALIAS_MAX);
			scheduler_answer(reply, SCHEDD_EINVAL, &err, NULL);
			return;
		}
	} else {
		job_plan_id(scheduler, "", id, sizeof(id));
	}
	change = change_new(scheduler, &job_add_ops, use, actor, reply);
	if (!change)
		return;
	change->fields = use == id ? scheduler_without_id(&change->arena, fields) : fields;
	change->flags = flags;
	change->made_id = use == id;
	change_submit(change);
}

void scheduler_add_job(struct schedd_scheduler *scheduler, struct schedd_job *job, unsigned flags,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct schedd_error err;
	struct change *change;
	char id[JOB_ID_MAX + 1];
	bool made = !job->id;

	if (made) {
		job_plan_id(scheduler, "", id, sizeof(id));
		job->id = strdup(id);
	}
	if (!job->id) {
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	change = change_new(scheduler, &job_add_ops, job->id, actor, reply);
	if (!change)
		return;
	change->given = job_ref(job);
	change->flags = flags;
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
	struct change *change = change_new(scheduler, &job_switch_pause_ops, id, actor, reply);

	if (!change)
		return;
	change->when = until;
	change->text = reason ? arena_strdup(&change->arena, reason) : NULL;
	change_submit(change);
}

void scheduler_resume_job(struct schedd_scheduler *scheduler, const char *id, bool run_missed,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct change *change = change_new(scheduler, &job_switch_resume_ops, id, actor, reply);

	if (!change)
		return;
	change->run_missed = run_missed;
	change_submit(change);
}

void scheduler_run_job(struct schedd_scheduler *scheduler, const char *id,
    const struct scheduler_run_options *options, const struct scheduler_actor *actor,
    struct scheduler_reply reply)
{
	struct change *change = change_new(scheduler, &job_switch_run_ops, id, actor, reply);
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
