/* SPDX-License-Identifier: MIT */
/* modify, reschedule and rename: changes of jobs that are there. */
#include <string.h>

#include "cmd/job_input.h"
#include "cmd/job_spec.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"
#include "model/job_fields.h"

static const struct option modify_options[] = {
    {.name = "unset",
	.value = "FIELD",
	.complete = COMPLETE_FIELD,
	.section = "Changing",
	.repeat = true,
	.doc = "put a field back to its default"},
    {.name = "revision", .value = "N", .doc = "only if nobody changed the job since that revision"},
    {0},
};

static const struct option *const modify_sets[] = {
    option_trigger, option_action, option_job, option_target, modify_options, option_yes, NULL};

static int modify_unset(struct command *command, struct value *params, struct schedd_error *err)
{
	const char *name;
	int position = 0;

	while ((name = args_next(&command->args, "unset", &position))) {
		const char *closest = job_fields_suggest(name);

		if (!job_fields_find(name))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "--unset: there is no field '%s'%s%s%s", name,
			    closest ? ", did you mean '" : "", closest ? closest : "",
			    closest ? "'?" : "");
		if (strcmp(name, "id") == 0 || strcmp(name, "trigger") == 0)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "--unset: a job has always %s%s", strcmp(name, "id") ? "a " : "an ",
			    strcmp(name, "id") ? "trigger; --manual is the one that never fires"
					       : "id");
		if (value_find(params, name))
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "%s is set and unset at once", name);
		value_put(&command->arena, params, name, value_nil());
	}
	return 0;
}

static int modify_params(struct command *command, struct value *params, struct schedd_error *err)
{
	const char *revision = args_get(&command->args, "revision");
	struct value trigger;
	int rc = job_spec_trigger(command, &trigger, err);

	*params = value_map();
	if (!rc && args_has(&command->args, "id"))
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "--id: a job gets another id by schedctl rename");
	if (!rc)
		rc = job_spec_fields(command, params, err);
	if (!rc)
		rc = modify_unset(command, params, err);
	if (rc)
		return rc;
	if (trigger.type != VALUE_NIL)
		value_put(&command->arena, params, "trigger", trigger);
	if (params->map.count == 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "nothing to change was given");
	if (revision) {
		struct value number;

		rc = job_input_integer("revision", revision, &number, err);
		if (!rc)
			value_put(&command->arena, params, "revision", number);
	}
	return rc;
}

static void modify_done(
    struct command *command, const char *id, const struct value *result, void *context)
{
	(void)context;
	if (out_is_json(command))
		return;
	say(command, "Changed %s.", id);
	job_spec_say_next(command, result);
}

static int modify_run(struct command *command)
{
	struct schedd_error err = {.offset = -1};
	struct value ids, params;
	int status;

	if (modify_params(command, &params, &err) != 0) {
		status = say_error(command, &err);
		job_spec_caret(command, &err);
		return status;
	}
	if (targets_resolve(command, &ids, &err) != 0)
		return say_error(command, &err);
	if (ids.array.count > 1 && targets_are_bulk(command) &&
	    !say_confirm(command, &status, "change %u jobs", ids.array.count))
		return status;
	return targets_call(command, &ids, "job.modify", &params, modify_done, NULL);
}

const struct verb verb_modify = {
    .name = "modify",
    .alias = "set",
    .group = "Jobs",
    .summary = "change fields of jobs",
    .usage = "JOB… | --state STATE | --all | - [OPTIONS of add] [--unset FIELD] [-- CMD ARG…]",
    .examples = "schedctl modify backup --timeout 3h --retry 2\n"
		"schedctl set backup --unset timeout\n"
		"schedctl set backup --cron '0 3 * * *' -- /usr/local/bin/backup --full",
    .notes =
	"What is not named stays as it is; the next run changes only with the trigger or --next.",
    .options = modify_sets,
    .complete = COMPLETE_JOB,
    .max_words = -1,
    .rest = true,
    .run = modify_run,
};

static const struct option *const reschedule_sets[] = {
    option_trigger, option_label, option_target, option_yes, NULL};

static int reschedule_run(struct command *command)
{
	struct schedd_error err = {.offset = -1};
	struct value ids, trigger, params = value_map();
	int status;

	if (job_spec_trigger(command, &trigger, &err) == 0 && trigger.type == VALUE_NIL)
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "when should it run? give a trigger: --every, --cron, --at, …");
	if (err.code) {
		status = say_error(command, &err);
		job_spec_caret(command, &err);
		return status;
	}
	if (targets_resolve(command, &ids, &err) != 0)
		return say_error(command, &err);
	if (ids.array.count > 1 && targets_are_bulk(command) &&
	    !say_confirm(command, &status, "reschedule %u jobs", ids.array.count))
		return status;
	value_put(&command->arena, &params, "trigger", trigger);
	return targets_call(command, &ids, "job.reschedule", &params, modify_done, NULL);
}

const struct verb verb_reschedule = {
    .name = "reschedule",
    .group = "Jobs",
    .summary = "give jobs another trigger and plan them anew",
    .usage = "JOB… | -t TAG | -g GROUP | --state STATE | --all | - TRIGGER…",
    .examples = "schedctl reschedule backup --cron '0 4 * * *'",
    .options = reschedule_sets,
    .complete = COMPLETE_JOB,
    .max_words = -1,
    .run = reschedule_run,
};

static int rename_run(struct command *command)
{
	struct value params = value_map(), result;
	struct schedd_error err = {0};

	value_put(&command->arena, &params, "id", value_string_ref(command->args.words[0]));
	value_put(&command->arena, &params, "to", value_string_ref(command->args.words[1]));
	if (command_call(command, "job.rename", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	say(command, "%s is now %s; its history went with it.", command->args.words[0],
	    command->args.words[1]);
	return EXIT_DONE;
}

const struct verb verb_rename = {
    .name = "rename",
    .group = "Jobs",
    .summary = "give a job another id",
    .usage = "JOB NEW-ID",
    .examples = "schedctl rename bakcup backup",
    .complete = COMPLETE_JOB,
    .min_words = 2,
    .max_words = 2,
    .run = rename_run,
};
