/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "cmd/columns.h"
#include "cmd/gone.h"
#include "cmd/run_view.h"
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"
#include "model/run.h"
#include "trigger/when.h"

#define HISTORY_PAGE 1000
#define HISTORY_DEFAULT 50

static const char *const state_words[] = {"queued", "running", "retrying", "success", "failed",
    "timeout", "killed", "cancelled", "missed", "skipped", "lost", NULL};

static const struct option history_options[] = {
    {.name = "number",
	.letter = 'n',
	.value = "N",
	.section = "Which runs",
	.doc = "how many (default 50; 0: all)"},
    {.name = "last",
	.value = "DUR",
	.complete = COMPLETE_DURATION,
	.doc = "of the last 7d, 12h, …"},
    {.name = "since", .value = "TIME", .complete = COMPLETE_TIME, .doc = "not before"},
    {.name = "until", .value = "TIME", .complete = COMPLETE_TIME, .doc = "not after"},
    {.name = "state",
	.value = "STATE,…",
	.words = state_words,
	.repeat = true,
	.complete = COMPLETE_WORDS,
	.doc = "success, failed, timeout, killed, cancelled, missed, skipped, lost, running, …"},
    {.name = "failed", .doc = "that ended without success: failed, timeout, killed, lost"},
    {0},
};

static const struct option *const history_sets[] = {option_label, history_options, NULL};

static int history_states(struct command *command, struct value *params, struct schedd_error *err)
{
	static const char *const failures[] = {"failed", "timeout", "killed", "lost"};
	bool failed = args_has(&command->args, "failed");
	struct value list = value_array();
	const char *text;
	int position = 0;

	if (failed && args_has(&command->args, "state"))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--failed and --state contradict each other");
	while ((text = args_next(&command->args, "state", &position)))
		while (*text) {
			size_t length = strcspn(text, ",");
			const char *word = arena_strndup(&command->arena, text, length);
			enum run_state state;

			if (!word || !run_state_parse(word, &state))
				return schedd_error_set(err, SCHEDD_EINVAL,
				    "--state: '%.*s' is no state of a run", (int)length, text);
			value_append(&command->arena, &list, value_string_ref(word));
			text += length + (text[length] == ',');
		}
	for (size_t i = 0; failed && i < sizeof(failures) / sizeof(failures[0]); i++)
		value_append(&command->arena, &list, value_string_ref(failures[i]));
	if (list.array.count > 0)
		value_put(&command->arena, params, "states", list);
	return 0;
}

/* -t and -g: the jobs that are there and have them. */
static int history_labelled(struct command *command, struct value *jobs, struct schedd_error *err)
{
	struct value params = value_map();

	for (int i = 0; i < command->args.word_count; i++)
		if (run_view_names(command->args.words[i]))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "'%s' is a run; -t and -g choose jobs", command->args.words[i]);
	targets_filters(command, &params);
	return targets_query_ids(command, &params, jobs, err);
}

static bool history_has_label(const struct command *command)
{
	return args_has(&command->args, "tag") || args_has(&command->args, "group");
}

static int history_time(
    struct command *command, struct value *params, const char *option, struct schedd_error *err)
{
	const char *text = args_get(&command->args, option);
	struct when_context context = command_times(command);
	schedd_time when;

	if (!text)
		return 0;
	context.date_is_end = strcmp(option, "until") == 0;
	if (when_parse(text, &context, &when, err) != 0)
		return schedd_error_prefix(err, "--%s", option);
	value_put(&command->arena, params, option, value_int(when));
	return 0;
}

static int history_params(struct command *command, struct value *params, struct schedd_error *err)
{
	const char *last = args_get(&command->args, "last");
	struct value jobs = value_array();
	schedd_span span;
	int rc;

	*params = value_map();
	if (history_has_label(command)) {
		rc = history_labelled(command, &jobs, err);
		if (rc)
			return rc;
	}
	for (int i = 0; i < command->args.word_count && !history_has_label(command); i++)
		if (!run_view_names(command->args.words[i]))
			value_append(
			    &command->arena, &jobs, value_string_ref(command->args.words[i]));
	value_put(&command->arena, params, "jobs", jobs);
	if (last && args_has(&command->args, "since"))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--last and --since contradict each other");
	if (last) {
		if (duration_parse(last, &span, err) != 0)
			return schedd_error_prefix(err, "--last");
		value_put(&command->arena, params, "since", value_int(command->now - span));
	}
	rc = history_states(command, params, err);
	if (!rc)
		rc = history_time(command, params, "since", err);
	if (!rc)
		rc = history_time(command, params, "until", err);
	value_put(&command->arena, params, "limit", value_int(HISTORY_PAGE));
	value_put(&command->arena, params, "after", value_nil());
	return rc;
}

/* The member of params that changes from page to page. */
static struct value *history_member(struct value *params, const char *key)
{
	uint32_t i = 0;

	while (strcmp(params->map.members[i].key, key) != 0)
		i++;
	return &params->map.members[i].value;
}

/* Of several stores one may be away: that of other jobs, or the one that a job was moved from. */
static void history_missing(struct command *command, const struct value *stores)
{
	for (uint32_t i = 0; stores && stores->type == VALUE_ARRAY && i < stores->array.count; i++)
		say(command, "Runs in store %s are left out: it cannot be asked now.",
		    stores->array.items[i].string.text);
}

/* Page by page until so many rows were shown, with the *count there are already; 0: all there
 * are. */
static int history_pages(struct command *command, struct value *params, struct out_list *list,
    uint64_t wanted, uint64_t *count, struct schedd_error *err)
{
	struct value *after = history_member(params, "after");
	struct value *limit = history_member(params, "limit");
	uint64_t shown = *count;

	if (wanted > 0 && shown >= wanted)
		return 0;
	do {
		const struct value *runs;
		struct value result;
		int rc;

		if (wanted > 0 && wanted - shown < HISTORY_PAGE)
			*limit = value_int((int64_t)(wanted - shown));
		rc = command_call(command, "run.list", params, &result, err);
		if (rc)
			return rc;
		runs = value_get(&result, "runs");
		for (uint32_t i = 0; runs && i < runs->array.count; i++)
			out_list_row(list, &runs->array.items[i]);
		if (after->type != VALUE_STRING)
			history_missing(command, value_get(&result, "missing"));
		shown += runs ? runs->array.count : 0;
		*count = shown;
		*after = value_string_ref(value_get_string(&result, "next"));
	} while (after->type == VALUE_STRING && (wanted == 0 || shown < wanted));
	return 0;
}

/* The runs that were named, then those of the jobs; of all jobs if nothing was named. */
static int history_rows(struct command *command, struct value *params, struct out_list *list,
    uint64_t wanted, uint64_t *count, struct schedd_error *err)
{
	struct value *jobs = history_member(params, "jobs");
	const struct value of_jobs = *jobs;
	int rc = 0;

	for (int i = 0; i < command->args.word_count && !rc; i++) {
		if (!run_view_names(command->args.words[i]))
			continue;
		*jobs = value_array();
		value_append(&command->arena, jobs, value_string_ref(command->args.words[i]));
		*history_member(params, "after") = value_nil();
		rc = history_pages(command, params, list, wanted, count, err);
	}
	if (rc || (command->args.word_count > 0 && of_jobs.array.count == 0))
		return rc;
	*jobs = of_jobs;
	*history_member(params, "after") = value_nil();
	*history_member(params, "limit") = value_int(HISTORY_PAGE);
	return history_pages(command, params, list, wanted, count, err);
}

/* Was a job mistyped? Looked at where nothing was found, and where several were named. */
static int history_check_jobs(struct command *command)
{
	int status = EXIT_DONE;

	for (int i = 0; i < command->args.word_count; i++) {
		const char *job = command->args.words[i];
		struct value params = value_map(), result;
		struct schedd_error err = {0};

		if (strpbrk(job, "*?["))
			continue;
		if (run_view_names(job)) {
			if (run_view_get(command, job, &result, &err) != 0)
				status = say_error(command, &err);
			continue;
		}
		value_put(&command->arena, &params, "id", value_string_ref(job));
		if (command_call(command, "job.get", &params, &result, &err) == 0 ||
		    (err.code == SCHEDD_ENOTFOUND && gone_has_runs(command, job)))
			continue;
		status = say_error(command, &err);
	}
	return status && command->args.word_count > 1 ? EXIT_FAILED : status;
}

static int history_run(struct command *command)
{
	const char *number = args_get(&command->args, "number");
	struct schedd_error err = {0};
	long long wanted = HISTORY_DEFAULT;
	struct out_list *list;
	struct value params;
	char *end;
	uint64_t shown = 0;
	int rc, status, unknown = EXIT_DONE;

	if (number) {
		wanted = strtoll(number, &end, 10);
		if (*end || end == number || wanted < 0)
			return say_usage(command, "-n: '%s' is not a number", number);
	}
	if (history_params(command, &params, &err) != 0)
		return say_error(command, &err);
	list = out_list_begin(command, columns_run, "id", &err);
	if (!list)
		return say_error(command, &err);
	if (history_has_label(command) && history_member(&params, "jobs")->array.count == 0) {
		say(command, "No job matches.");
		return out_list_end(list);
	}
	rc = history_rows(command, &params, list, (uint64_t)wanted, &shown, &err);
	if (!rc && !history_has_label(command) && (shown == 0 || command->args.word_count > 1))
		unknown = history_check_jobs(command);
	if (rc || (unknown && shown == 0)) {
		out_list_drop(list);
		return rc ? say_error(command, &err) : unknown;
	}
	status = out_list_end(list);
	return status ? status : unknown;
}

const struct verb verb_history = {
    .name = "history",
    .alias = "runs",
    .group = "Runs",
    .summary = "show runs, newest first",
    .usage = "[JOB|JOB/N…] [-t TAG] [-g GROUP] [--failed] [OPTIONS]",
    .examples = "schedctl history\n"
		"schedctl history backup -n 5\n"
		"schedctl runs --last 7d --failed -t kind=db\n"
		"schedctl runs --last 7d --state failed,missed --json",
    .notes =
	"JOB may be a quoted glob, also of jobs that were removed; JOB/N is that run alone, and "
	"show JOB/N\n"
	"tells all about it. A row of missed or skipped fire times stands for all of them in "
	"a row with\n"
	"the same cause: count tells how many.",
    .options = history_sets,
    .complete = COMPLETE_JOB_OR_RUN,
    .columns = columns_run,
    .max_words = -1,
    .from_input = true,
    .run = history_run,
};
