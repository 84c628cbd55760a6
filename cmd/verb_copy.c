/* SPDX-License-Identifier: MIT */
/* copy: a job's definition under another id, with changes if options name any. */
#include <string.h>

#include "cmd/job_export.h"
#include "cmd/job_spec.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct option *const copy_sets[] = {option_trigger, option_action, option_job, NULL};

/* A member of the copy that the options replace: itself, or another thing to do. */
static bool copy_replaced(const struct value *changes, const char *key)
{
	static const char *const actions[] = {"command", "shell", "call", "http"};
	bool is_action = false, new_action = false;

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		is_action |= strcmp(actions[i], key) == 0;
		new_action |= value_get(changes, actions[i]) != NULL;
	}
	return value_get(changes, key) != NULL || (is_action && new_action);
}

static int copy_changes(struct command *command, struct value *changes, struct schedd_error *err)
{
	struct value trigger;
	int rc = job_spec_trigger(command, &trigger, err);

	*changes = value_map();
	if (!rc)
		rc = job_spec_fields(command, changes, err);
	if (!rc && trigger.type != VALUE_NIL)
		value_put(&command->arena, changes, "trigger", trigger);
	return rc;
}

static int copy_run(struct command *command)
{
	const char *to = command->args.word_count > 1 ? command->args.words[1] : NULL;
	struct schedd_error err = {.offset = -1};
	struct value changes, job, answer;
	int status;

	if (copy_changes(command, &changes, &err) != 0) {
		status = say_error(command, &err);
		job_spec_caret(command, &err);
		return status;
	}
	if (to && value_get(&changes, "id"))
		return say_usage(command, "the new id is given twice");
	if (job_export_one(command, command->args.words[0], &job, &err) != 0)
		return say_error(command, &err);
	if (to)
		value_put(&command->arena, &changes, "id", value_string_ref(to));
	for (uint32_t i = 0; i < job.map.count; i++) {
		const struct value_member *member = &job.map.members[i];

		if (strcmp(member->key, "id") != 0 && strcmp(member->key, "owner") != 0 &&
		    !copy_replaced(&changes, member->key))
			value_put(&command->arena, &changes, member->key, member->value);
	}
	if (command_call(command, "job.add", &changes, &answer, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &answer);
	to = value_get_string(&answer, "id");
	status = out_write(to, strlen(to)) && out_write("\n", 1) ? EXIT_DONE : EXIT_PIPE;
	command_zone(command);
	job_spec_say_next(command, &answer);
	return status;
}

const struct verb verb_copy = {
    .name = "copy",
    .alias = "cp",
    .group = "Jobs",
    .summary = "add a job like another one",
    .usage = "JOB [NEW-ID] [OPTIONS of add]",
    .examples = "schedctl copy backup backup-test --paused\n"
		"schedctl copy backup backup-week --cron '0 4 * * sun' --timeout 6h",
    .notes = "History, run numbers and owner stay with the first job.",
    .options = copy_sets,
    .complete = COMPLETE_JOB,
    .min_words = 1,
    .max_words = 2,
    .rest = true,
    .run = copy_run,
};
