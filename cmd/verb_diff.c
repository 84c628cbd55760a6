/* SPDX-License-Identifier: MIT */
/* diff: what apply would change, field by field, from the daemon's own dry run. */
#include <string.h>

#include "cmd/job_set.h"
#include "cmd/job_view.h"
#include "cmd/out.h"
#include "cmd/say.h"
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

/* A job that would change. */
struct diff_item {
	const char *id;
	const struct value *fields; /* their names, as the dry run has them */
	const struct value *wanted; /* its map in the set */
};

struct diff {
	struct command *command;
	const struct jobfile *set;
	const struct value *result; /* of job.apply */
	struct strmap items;        /* of diff_item, in the command's arena */
	struct strbuf text;
	bool broken; /* nobody reads what is written */
};

static const char *diff_key(const void *item)
{
	return ((const struct diff_item *)item)->id;
}

static void diff_flush(struct diff *diff)
{
	if (!diff->broken && !out_write(strbuf_peek(&diff->text), diff->text.length))
		diff->broken = true;
	strbuf_reset(&diff->text);
}

/* The file's job in the form in which the daemon tells jobs: typed, defaults filled in. */
static struct schedd_job *diff_wanted(const struct diff *diff, const struct diff_item *item)
{
	struct trigger_context trigger = command_triggers(diff->command);
	const struct job_fields_context context = {.trigger = &trigger};
	struct schedd_job *job = job_new();
	struct job_state state;
	int rc;

	if (!job || !item->wanted) {
		job_unref(job);
		return NULL;
	}
	trigger.job_id = item->id;
	job_state_init(&state);
	rc = job_fields_read(
	    job, &state, item->wanted, JOB_FIELD_STATE | JOB_FIELD_ADD_ONLY, &context, NULL);
	job_state_clear(&state);
	if (!rc)
		return job;
	job_unref(job);
	return NULL;
}

/* Whose the jobs become. */
static const char *diff_owner(const struct diff *diff)
{
	const char *owner = args_get(&diff->command->args, "owner");

	return owner ? owner : diff->set->owner;
}

/* Of what is no part of a definition, as a pause: the file's own words. */
static struct value diff_said(const struct diff_item *item, const char *name)
{
	const struct value *said = item->wanted ? value_get(item->wanted, name) : NULL;

	return said ? *said : value_nil();
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

/* The fields that the dry run named, before and after, in the order of all fields. */
static void diff_fields(struct diff *diff, const struct diff_item *item, const struct value *before)
{
	struct schedd_job *wanted = diff_wanted(diff, item);
	struct arena arena;

	arena_init(&arena);
	for (const struct job_field *field = job_fields(); field->name; field++) {
		struct value after = value_nil();
		bool named = false;

		for (uint32_t i = 0; item->fields && i < item->fields->array.count; i++)
			named |= value_is_text(&item->fields->array.items[i], field->name);
		if (!named)
			continue;
		if (strcmp(field->name, "owner") == 0)
			after = value_string_ref(diff_owner(diff));
		else if (field->flags & JOB_FIELD_STATE)
			after = diff_said(item, field->name);
		else if (wanted)
			after = job_fields_get(wanted, NULL, field, &arena);
		diff_side(diff, '-', field, value_get(before, field->name));
		diff_side(diff, '+', field, &after);
	}
	arena_clear(&arena);
	job_unref(wanted);
}

static void diff_changed(
    struct command *command, const char *id, const struct value *result, void *context)
{
	struct diff *diff = context;
	const struct diff_item *item = strmap_get(&diff->items, id);

	strbuf_printf(&diff->text, "%schanged %s%s\n", out_color(command, "bold"), id,
	    out_color(command, NULL));
	if (item)
		diff_fields(diff, item, result);
	diff_flush(diff);
}

/* Notes a job that would change. */
static int diff_note(struct diff *diff, const struct value *entry, struct value *changed)
{
	struct arena *arena = &diff->command->arena;
	struct diff_item *item = arena_alloc(arena, sizeof(*item));

	if (!item)
		return SCHEDD_ENOMEM;
	item->id = value_get_string(entry, "id");
	item->fields = value_get(entry, "fields");
	if (!value_append(arena, changed, value_string_ref(item->id)))
		return SCHEDD_ENOMEM;
	return strmap_put(&diff->items, item);
}

/* Finds what the files say of the jobs noted. */
static void diff_find_wanted(struct diff *diff)
{
	for (uint32_t i = 0; i < diff->set->jobs.array.count; i++) {
		const struct value *map = &diff->set->jobs.array.items[i];
		struct diff_item *item = strmap_get(&diff->items, value_get_string(map, "id"));

		if (item)
			item->wanted = map;
	}
}

/* Added and removed jobs are lines; changed ones are asked for. */
static int diff_show(struct diff *diff)
{
	struct command *command = diff->command;
	struct value changed = value_array();
	struct schedd_error err;
	int status = EXIT_DONE, rc = 0;

	for (uint32_t i = 0; i < diff->result->array.count && !rc; i++) {
		const struct value *entry = &diff->result->array.items[i];
		const char *action = value_get_string(entry, "action");
		const char *id = value_get_string(entry, "id");

		if (!action || !id || strcmp(action, "unchanged") == 0)
			continue;
		if (strcmp(action, "changed") == 0)
			rc = diff_note(diff, entry, &changed);
		else
			strbuf_printf(&diff->text, "%s%s %s%s\n",
			    out_color(command, strcmp(action, "added") == 0 ? "good" : "bad"),
			    action, id, out_color(command, NULL));
	}
	if (rc) {
		schedd_error_nomem(&err);
		return say_error(command, &err);
	}
	diff_flush(diff);
	diff_find_wanted(diff);
	if (changed.array.count > 0)
		status = targets_call(command, &changed, "job.get", NULL, diff_changed, diff);
	if (job_set_count(diff->result, "unchanged") == diff->result->array.count)
		say(command, "Nothing differs.");
	return diff->broken ? EXIT_PIPE : status;
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
		status = say_error(command, &err);
		goto out;
	}
	if (out_is_json(command)) {
		status = out_json(command, &result);
	} else {
		struct diff diff = {.command = command, .set = &set, .result = &result};

		strmap_init(&diff.items, diff_key);
		status = diff_show(&diff);
		strmap_clear(&diff.items);
		strbuf_clear(&diff.text);
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
