/* SPDX-License-Identifier: MIT */
/* diff: what apply would change, field by field, from the daemon's own dry run. */
#include <string.h>

#include "cmd/job_set.h"
#include "cmd/job_view.h"
#include "cmd/out.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"

static const struct option diff_options[] = {
    {.name = "owner",
	.value = "NAME",
	.section = "Options",
	.doc = "whose jobs these are (default: what the files say)"},
    {.name = "prune", .doc = "show the owner's jobs that are not in the files as removed"},
    {0},
};

static const struct option *const diff_sets[] = {option_files, diff_options, NULL};

struct diff {
	struct command *command;
	const struct jobfile *set;
	const struct value *result; /* of job.apply */
	struct strbuf text;
};

/* The file's job in the form in which the daemon tells jobs: typed, defaults filled in. */
static struct schedd_job *diff_wanted(const struct diff *diff, const char *id)
{
	struct command *command = diff->command;
	struct trigger_context trigger = command_triggers(command);
	const struct job_fields_context context = {.trigger = &trigger};
	struct schedd_job *job = job_new();
	struct job_state state;

	trigger.job_id = id;
	job_state_init(&state);
	for (uint32_t i = 0; job && i < diff->set->jobs.array.count; i++) {
		const struct value *map = &diff->set->jobs.array.items[i];

		if (value_is_text(value_get(map, "id"), id) &&
		    job_fields_read(job, &state, map, JOB_FIELD_STATE | JOB_FIELD_ADD_ONLY,
			&context, NULL) == 0) {
			job_state_clear(&state);
			return job;
		}
	}
	job_state_clear(&state);
	job_unref(job);
	return NULL;
}

/* Whose the jobs become. */
static const char *diff_owner(const struct diff *diff)
{
	const char *owner = args_get(&diff->command->args, "owner");

	return owner ? owner : diff->set->owner;
}

static void diff_side(
    struct diff *diff, char sign, const struct job_field *field, const struct value *value)
{
	const char *color = out_color(diff->command, sign == '+' ? "good" : "bad");

	if (!value || value->type == VALUE_NIL)
		return;
	strbuf_printf(&diff->text, "%s  %c %s: ", color, sign, field->name);
	job_view_field(diff->command, &diff->text, field, value);
	strbuf_printf(&diff->text, "%s\n", out_color(diff->command, NULL));
}

/* The fields that the dry run named, before and after. */
static void diff_fields(struct diff *diff, const char *id, const struct value *before)
{
	struct schedd_job *wanted = diff_wanted(diff, id);

	for (const struct job_field *field = job_fields(); field->name; field++) {
		bool named = false;
		struct value after = value_nil();

		for (uint32_t i = 0; i < diff->result->array.count && !named; i++) {
			const struct value *entry = &diff->result->array.items[i];
			const struct value *fields = value_get(entry, "fields");

			if (!value_is_text(value_get(entry, "id"), id))
				continue;
			for (uint32_t f = 0; fields && f < fields->array.count; f++)
				named |= value_is_text(&fields->array.items[f], field->name);
		}
		if (!named)
			continue;
		if (strcmp(field->name, "owner") == 0)
			after = value_string_ref(diff_owner(diff));
		else if (wanted)
			after = job_fields_get(wanted, NULL, field, &diff->command->arena);
		diff_side(diff, '-', field, value_get(before, field->name));
		diff_side(diff, '+', field, &after);
	}
	job_unref(wanted);
}

static void diff_changed(
    struct command *command, const char *id, const struct value *result, void *context)
{
	struct diff *diff = context;

	strbuf_printf(&diff->text, "%schanged %s%s\n", out_color(command, "bold"), id,
	    out_color(command, NULL));
	diff_fields(diff, id, result);
}

/* Added and removed jobs are lines; changed ones are asked for. */
static int diff_show(struct diff *diff)
{
	struct command *command = diff->command;
	struct value changed = value_array();
	int status;
	bool written;

	for (uint32_t i = 0; i < diff->result->array.count; i++) {
		const struct value *entry = &diff->result->array.items[i];
		const char *action = value_get_string(entry, "action");
		const char *id = value_get_string(entry, "id");

		if (!action || !id || strcmp(action, "unchanged") == 0)
			continue;
		if (strcmp(action, "changed") == 0)
			value_append(&command->arena, &changed, value_string_ref(id));
		else
			strbuf_printf(&diff->text, "%s%s %s%s\n",
			    out_color(command, strcmp(action, "added") == 0 ? "good" : "bad"),
			    action, id, out_color(command, NULL));
	}
	status = targets_call(command, &changed, "job.get", NULL, diff_changed, diff);
	written = out_write(strbuf_peek(&diff->text), diff->text.length);
	strbuf_clear(&diff->text);
	return written ? status : EXIT_PIPE;
}

static int diff_run(struct command *command)
{
	struct schedd_error err = {0};
	struct jobfile set;
	struct value result;
	int status = job_set_load(command, &set);

	if (status)
		goto out;
	if (job_set_apply(command, &set, true, &result, &err) != 0) {
		status = command_fail(command, &err);
		goto out;
	}
	if (out_is_json(command)) {
		status = out_json(command, &result);
	} else {
		struct diff diff = {.command = command, .set = &set, .result = &result};

		status = diff_show(&diff);
	}
	if (!status && job_set_count(&result, "unchanged") != result.array.count)
		status = EXIT_FAILED;
out:
	jobfile_clear(&set);
	return status;
}

const struct verb verb_diff = {
    .name = "diff",
    .group = "Files",
    .summary = "show what apply would change; exit 1 if anything",
    .usage = "-f FILE|DIR|-… [--prune --owner NAME]",
    .examples = "schedctl diff -f jobs.yaml\n"
		"schedctl diff -f jobs.yaml && echo nothing to do",
    .options = diff_sets,
    .complete = COMPLETE_FILE,
    .max_words = -1,
    .run = diff_run,
};
