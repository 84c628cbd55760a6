/* SPDX-License-Identifier: MIT */
/* why: the daemon's recorded facts about a job at a time, on one screen. */
#include <string.h>

#include "cmd/columns.h"
#include "cmd/out.h"
#include "cmd/out_json.h"
#include "cmd/run_output.h"
#include "cmd/run_view.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"
#include "trigger/when.h"

static const struct option why_options[] = {
    {.name = "at",
	.value = "TIME",
	.section = "Options",
	.complete = COMPLETE_TIME,
	.doc = "the time in question (default: lately)"},
    {0},
};

static const struct option *const why_sets[] = {why_options, NULL};

/* "next_run_time" → "next run time". */
static void why_label(struct strbuf *out, const char *key)
{
	for (; *key; key++)
		strbuf_add_char(out, *key == '_' ? ' ' : *key);
}

/* Is the integer under that key an instant? (JSON shows those as texts.) */
static bool why_is_time(struct command *command, const char *key, const struct value *value)
{
	struct value shown;

	if (value->type != VALUE_INT)
		return false;
	shown = out_json_times(command, &command->arena, key, value);
	return shown.type == VALUE_STRING;
}

static void why_scalar(
    struct command *command, struct strbuf *out, const char *key, const struct value *value)
{
	if (why_is_time(command, key, value))
		out_cell(command, out, OUT_WHEN, value);
	else if (value->type == VALUE_BOOL)
		out_cell(command, out, OUT_BOOL, value);
	else
		out_cell(command, out, OUT_TEXT, value);
}

/* A map in one line: its time first, then texts, then what else there is. */
static void why_line(struct command *command, struct strbuf *out, const struct value *map)
{
	bool first = true;

	for (uint32_t i = 0; i < map->map.count; i++) {
		const struct value_member *member = &map->map.members[i];

		if (member->value.type == VALUE_NIL || member->value.type == VALUE_MAP ||
		    member->value.type == VALUE_ARRAY)
			continue;
		if (!first)
			strbuf_add(out, "  ");
		first = false;
		if (member->value.type != VALUE_STRING &&
		    !why_is_time(command, member->key, &member->value)) {
			why_label(out, member->key);
			strbuf_add_char(out, ' ');
		}
		why_scalar(command, out, member->key, &member->value);
	}
	strbuf_add_char(out, '\n');
}

static void why_heading(struct command *command, struct strbuf *out, const char *text)
{
	strbuf_printf(
	    out, "\n%s%s%s\n", out_color(command, "bold"), text, out_color(command, NULL));
}

/* Texts, or maps in a line each. */
static void why_list(
    struct command *command, struct strbuf *out, const char *heading, const struct value *list)
{
	if (!list || list->type != VALUE_ARRAY || list->array.count == 0)
		return;
	why_heading(command, out, heading);
	for (uint32_t i = 0; i < list->array.count; i++) {
		const struct value *item = &list->array.items[i];

		strbuf_add(out, "  ");
		if (item->type == VALUE_MAP) {
			why_line(command, out, item);
		} else {
			why_scalar(command, out, "", item);
			strbuf_add_char(out, '\n');
		}
	}
}

/* What was said with it, or the fields that it changed. */
static void why_details(struct command *command, struct strbuf *out, const struct value *change)
{
	const struct value *fields = value_get(change, "fields");

	if (value_get_string(change, "error")) {
		strbuf_add(out, ": ");
		out_cell(command, out, OUT_TEXT, value_get(change, "error"));
	}
	for (uint32_t i = 0; fields && fields->type == VALUE_ARRAY && i < fields->array.count;
	     i++) {
		strbuf_add(out, i ? ", " : ": ");
		out_cell(command, out, OUT_TEXT, &fields->array.items[i]);
	}
}

/* "2026-11-21 02:10:00  job_modified by uid 1000 (job.modify): trigger" */
static void why_changes(struct command *command, struct strbuf *out, const struct value *list)
{
	if (!list || list->type != VALUE_ARRAY || list->array.count == 0)
		return;
	why_heading(command, out, "What was done to it");
	for (uint32_t i = 0; i < list->array.count; i++) {
		const struct value *item = &list->array.items[i];

		strbuf_add(out, "  ");
		out_cell(command, out, OUT_WHEN, value_get(item, "time"));
		strbuf_add(out, "  ");
		out_cell(command, out, OUT_TEXT, out_path(item, "event"));
		if (out_path(item, "uid")) {
			strbuf_add(out, " by uid ");
			out_cell(command, out, OUT_INT, out_path(item, "uid"));
		}
		if (out_path(item, "method")) {
			strbuf_add(out, " (");
			out_cell(command, out, OUT_TEXT, out_path(item, "method"));
			strbuf_add(out, ")");
		}
		why_details(command, out, item);
		strbuf_add_char(out, '\n');
	}
}

/* What is one value comes first, then the facts and the changes; the runs follow. */
static void why_text(struct command *command, struct strbuf *out, const struct value *answer)
{
	for (uint32_t i = 0; i < answer->map.count; i++) {
		const struct value_member *member = &answer->map.members[i];

		if (member->value.type == VALUE_NIL || member->value.type == VALUE_ARRAY)
			continue;
		strbuf_add(out, out_color(command, "bold"));
		why_label(out, member->key);
		strbuf_printf(out, ":%s%*s", out_color(command, NULL),
		    strlen(member->key) < 20 ? (int)(20 - strlen(member->key)) : 1, "");
		if (member->value.type == VALUE_MAP) {
			why_line(command, out, &member->value);
		} else {
			why_scalar(command, out, member->key, &member->value);
			strbuf_add_char(out, '\n');
		}
	}
	why_list(command, out, "What holds or held it", value_get(answer, "facts"));
	why_changes(command, out, value_get(answer, "changes"));
}

static int why_runs(struct command *command, const struct value *runs)
{
	struct command shown = *command;
	struct schedd_error err = {0};
	struct out_list *list;

	if (!runs || runs->array.count == 0)
		return EXIT_DONE;
	shown.out.format = OUT_TABLE;
	shown.out.sort = shown.out.columns = NULL;
	list = out_list_begin(&shown, columns_run, "id", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; i < runs->array.count; i++)
		out_list_row(list, &runs->array.items[i]);
	return out_list_end(list);
}

/* Why it failed is told by its own words: those of the newest run, unless it went well. */
static int why_output(struct command *command, const struct value *runs)
{
	static const char *const failures[] = {"failed", "timeout", "killed", "lost", NULL};

	for (uint32_t i = 0; runs && i < runs->array.count; i++) {
		const struct value *run = &runs->array.items[i];
		const char *state = value_get_string(run, "state");

		for (const char *const *failure = failures; state && *failure; failure++)
			if (strcmp(state, *failure) == 0)
				return run_output_last(command, run);
		if (state && strcmp(state, "success") == 0)
			break;
	}
	return EXIT_DONE;
}

/* A job of which nothing is left, not even a run, was never there. */
static bool why_unknown(const struct value *answer)
{
	static const char *const traces[] = {"runs", "changes"};
	const char *state = value_get_string(answer, "state");

	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		const struct value *list = value_get(answer, traces[i]);

		if (list && list->type == VALUE_ARRAY && list->array.count > 0)
			return false;
	}
	return state && strcmp(state, "removed") == 0;
}

/* All about a run is why it ended so. */
static int why_one_run(struct command *command, const char *id)
{
	struct schedd_error err = {0};
	struct value run;

	if (args_has(&command->args, "at"))
		return say_usage(command, "'%s' is a run; --at asks about a job", id);
	if (run_view_get(command, id, &run, &err) != 0)
		return say_error(command, &err);
	return out_is_json(command) ? out_json(command, &run) : run_view(command, &run);
}

static int why_run(struct command *command)
{
	const char *at = args_get(&command->args, "at");
	const struct when_context context = command_times(command);
	struct value params = value_map(), answer;
	struct strbuf text = STRBUF_EMPTY;
	struct schedd_error err = {0};
	schedd_time when;
	bool written;
	int status;

	if (run_view_names(command->args.words[0]))
		return why_one_run(command, command->args.words[0]);
	value_put(&command->arena, &params, "id", value_string_ref(command->args.words[0]));
	if (at && when_parse(at, &context, &when, &err) != 0) {
		schedd_error_prefix(&err, "--at");
		return say_error(command, &err);
	}
	if (at)
		value_put(&command->arena, &params, "at", value_int(when));
	if (command_call(command, "job.why", &params, &answer, &err) != 0)
		return say_error(command, &err);
	/* The daemon's own words for a job that is not there, with what may be meant. */
	if (why_unknown(&answer)) {
		params.map.count = 1;
		if (command_call(command, "job.get", &params, &answer, &err) != 0)
			return say_error(command, &err);
	}
	if (out_is_json(command))
		return out_json(command, &answer);
	why_text(command, &text, &answer);
	if (value_get(&answer, "runs") && value_get(&answer, "runs")->array.count > 0)
		why_heading(command, &text, "Runs and misses");
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	status = written ? why_runs(command, value_get(&answer, "runs")) : EXIT_PIPE;
	return status ? status : why_output(command, value_get(&answer, "runs"));
}

const struct verb verb_why = {
    .name = "why",
    .group = "Runs",
    .summary = "explain why a job did or did not run",
    .usage = "JOB|JOB/N [--at TIME]",
    .examples = "schedctl why backup\n"
		"schedctl why backup --at 'yesterday 02:30'",
    .notes = "Told from recorded facts alone: runs, misses, pauses, limits, changes, downtime, "
	     "and, where "
	     "the\n"
	     "latest run failed, its last lines of output. Of JOB/N it is what show JOB/N tells.\n"
	     "With --at as things were then: what was changed since is undone.",
    .options = why_sets,
    .complete = COMPLETE_JOB_OR_RUN,
    .min_words = 1,
    .max_words = 1,
    .run = why_run,
};
