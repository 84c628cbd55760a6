/* SPDX-License-Identifier: MIT */
/* logs: which runs are meant, then one after the other; --forever goes on with those to come. */
#include <string.h>

#include "cmd/job_input.h"
#include "cmd/out.h"
#include "cmd/run_output.h"
#include "cmd/run_view.h"
#include "cmd/run_watch.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"
#include "trigger/when.h"

#define LOGS_RUNS_MAX 10000

static const struct option logs_options[] = {
    {.name = "tail",
	.letter = 'n',
	.value = "N",
	.section = "Which output",
	.doc = "only the last N lines of each run"},
    {.name = "since",
	.value = "TIME",
	.complete = COMPLETE_TIME,
	.doc = "of all runs of the job what they wrote since then"},
    {.name = "runs", .value = "N", .doc = "of the latest N runs of the job (default 1)"},
    {.name = "stdout", .doc = "only what went to stdout (of a job with --capture split)"},
    {.name = "stderr", .doc = "only what went to stderr"},
    {.name = "follow", .letter = 'f', .section = "Options", .doc = "go on until the run ends"},
    {.name = "forever", .doc = "with -f: go on with each run to come, until Ctrl-C"},
    {.name = "timestamps", .doc = "before each line, when it was written"},
    {.name = "raw", .doc = "the bytes as they are, as for a file or another program"},
    {0},
};

static const struct option *const logs_sets[] = {logs_options, NULL};

struct logs {
	struct command *command;
	struct run_output how;
	struct value runs; /* ids of runs, in the order they are shown */
	uint32_t shown;
	bool headings;      /* more than one run is, or may be, shown */
	int64_t of_each;    /* --runs; 0: by time */
	struct strbuf next; /* runs that began meanwhile, a line each */
};

/* ---- Which runs ---- */

/* How many runs of each job, how many lines, since when. */
static int logs_settings(struct logs *logs, struct schedd_error *err)
{
	struct command *command = logs->command;
	const struct args *args = &command->args;
	const struct when_context context = command_times(command);
	const char *tail = args_get(args, "tail"), *since = args_get(args, "since");
	struct value number;

	if (tail) {
		if (job_input_integer("tail", tail, &number, err) != 0)
			return err->code;
		if (number.integer < 0)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "--tail: %s is less than none", tail);
		logs->how.tail = number.integer;
	}
	if (since && when_parse(since, &context, &logs->how.since, err) != 0)
		return schedd_error_prefix(err, "--since");
	logs->of_each = since ? 0 : 1;
	if (args_get(args, "runs")) {
		if (job_input_integer("runs", args_get(args, "runs"), &number, err) != 0)
			return err->code;
		if (number.integer < 1 || number.integer > LOGS_RUNS_MAX)
			return schedd_error_set(err, SCHEDD_EINVAL, "--runs: %s is out of 1 to %d",
			    args_get(args, "runs"), LOGS_RUNS_MAX);
		logs->of_each = number.integer;
	}
	return 0;
}

static int logs_check(const struct logs *logs, struct schedd_error *err)
{
	const struct args *args = &logs->command->args;

	if (logs->how.only_stdout && logs->how.only_stderr)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--stdout and --stderr contradict each other");
	if (logs->how.raw && logs->how.timestamps)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--raw and --timestamps contradict each other");
	if (args_has(args, "forever") && !logs->how.follow)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--forever goes with -f: follow which run?");
	if (logs->how.follow && args->word_count > 1)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "-f follows one job or run, not %d", args->word_count);
	if (args_has(args, "forever") && run_view_names(args->words[0]))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--forever follows a job; '%s' is one run, and ends", args->words[0]);
	return 0;
}

/* The wanted runs of a job, oldest first; those that wrote nothing are none, unless it is one. */
static int logs_of_job(struct logs *logs, const char *job, struct schedd_error *err)
{
	struct command *command = logs->command;
	struct value params = value_map(), jobs = value_array(), result;
	const struct value *runs;

	if (!args_has(&command->args, "runs") && logs->of_each == 1 &&
	    !args_has(&command->args, "forever") && !strpbrk(job, "*?[")) {
		value_append(&command->arena, &logs->runs, value_string_ref(job));
		return 0;
	}
	value_append(&command->arena, &jobs, value_string_ref(job));
	value_put(&command->arena, &params, "jobs", jobs);
	if (logs->how.since != SCHEDD_TIME_NONE)
		value_put(&command->arena, &params, "since", value_int(logs->how.since));
	value_put(&command->arena, &params, "limit",
	    value_int(logs->of_each ? logs->of_each : LOGS_RUNS_MAX));
	if (command_call(command, "run.list", &params, &result, err) != 0)
		return err->code;
	runs = value_get(&result, "runs");
	logs->headings = true;
	for (uint32_t i = runs ? runs->array.count : 0; i > 0; i--) {
		const struct value *run = &runs->array.items[i - 1];
		const struct value *ended = value_get(run, "ended_at");
		bool over = ended && ended->type == VALUE_INT;

		if (!over || value_get_int(run, "output_bytes", 0) > 0)
			value_append(&command->arena, &logs->runs,
			    value_string_ref(value_get_string(run, "id")));
	}
	return 0;
}

static int logs_choose(struct logs *logs, struct schedd_error *err)
{
	const struct args *args = &logs->command->args;
	int rc = 0;

	for (int i = 0; i < args->word_count && !rc; i++)
		if (run_view_names(args->words[i]))
			value_append(
			    &logs->command->arena, &logs->runs, value_string_ref(args->words[i]));
		else
			rc = logs_of_job(logs, args->words[i], err);
	logs->headings |= logs->runs.array.count > 1;
	return rc;
}

/* ---- Showing them ---- */

static int logs_show(struct logs *logs, const char *run, bool last)
{
	struct run_output how = logs->how;
	struct strbuf line = STRBUF_EMPTY;
	struct schedd_error err = {0};
	bool written = true;

	how.follow = how.follow && last;
	if (logs->headings && !how.raw) {
		strbuf_printf(&line, "%s%s==> %s <==%s\n", logs->shown ? "\n" : "",
		    out_color(logs->command, "bold"), run, out_color(logs->command, NULL));
		written = out_write(strbuf_peek(&line), line.length);
		strbuf_clear(&line);
	}
	logs->shown++;
	if (written && how.follow && run_watch_begins(logs->command, run, &err) != 0)
		return say_error(logs->command, &err);
	return written ? run_output_show(logs->command, run, &how) : EXIT_PIPE;
}

/* A run began: it is shown in its turn. */
static void logs_began(
    struct command *command, const char *method, const struct value *params, void *context)
{
	struct logs *logs = context;
	const char *run = value_get_string(params, "run");

	(void)command;
	if (strcmp(method, "event") == 0 && run)
		strbuf_printf(&logs->next, "%s\n", run);
}

/* From now on the daemon tells which runs of the job begin. */
static int logs_subscribe(struct logs *logs, struct schedd_error *err)
{
	struct command *command = logs->command;
	struct value params = value_map(), jobs = value_array(), events = value_array(), result;

	value_append(&command->arena, &jobs, value_string_ref(command->args.words[0]));
	value_append(&command->arena, &events, value_string_ref("run_started"));
	value_put(&command->arena, &params, "jobs", jobs);
	value_put(&command->arena, &params, "events", events);
	return command_call(command, "event.subscribe", &params, &result, err);
}

/* Was the run shown before its beginning was told? Only at the start can it be. */
static bool logs_known(const struct logs *logs, const char *run)
{
	for (uint32_t i = 0; i < logs->runs.array.count; i++)
		if (strcmp(logs->runs.array.items[i].string.text, run) == 0)
			return true;
	return false;
}

/* The oldest of the runs that began meanwhile; NULL: all were shown. */
static char *logs_pop(struct logs *logs, struct arena *arena)
{
	size_t length = strcspn(strbuf_peek(&logs->next), "\n");
	char *run;

	if (logs->next.length == 0)
		return NULL;
	run = arena_strndup(arena, logs->next.data, length);
	logs->next.length -= length + 1;
	memmove(logs->next.data, logs->next.data + length + 1, logs->next.length + 1);
	return run;
}

static int logs_forever(struct logs *logs)
{
	struct command *command = logs->command;
	struct schedd_error err = {0};
	int status = EXIT_DONE, rc = 1;
	struct arena arena;

	arena_init(&arena);
	while (status == EXIT_DONE && rc > 0) {
		const char *method;
		struct value params;
		char *run = logs_pop(logs, &arena);

		if (run && !logs_known(logs, run)) {
			status = logs_show(logs, run, true);
		} else if (!run) {
			rc = command_next(command, SCHEDD_SPAN_NONE, &arena, &method, &params, &err);
			if (rc > 0)
				logs_began(command, method, &params, logs);
		}
		arena_clear(&arena);
	}
	return rc < 0 ? say_error(command, &err) : status ? status : EXIT_PIPE;
}

static int logs_run(struct command *command)
{
	const struct args *args = &command->args;
	bool forever = args_has(args, "forever");
	struct logs logs = {.command = command,
	    .how = {.raw = args_has(args, "raw"),
		.only_stdout = args_has(args, "stdout"),
		.only_stderr = args_has(args, "stderr"),
		.timestamps = args_has(args, "timestamps"),
		.follow = args_has(args, "follow"),
		.tail = -1,
		.since = SCHEDD_TIME_NONE,
		.other = logs_began},
	    .runs = value_array(),
	    .next = STRBUF_EMPTY,
	    .headings = forever};
	struct schedd_error err = {0};
	int status = EXIT_DONE;

	logs.how.context = &logs;
	if (logs_settings(&logs, &err) != 0 || logs_check(&logs, &err) != 0 ||
	    (forever && logs_subscribe(&logs, &err) != 0) || logs_choose(&logs, &err) != 0)
		return say_error(command, &err);
	if (logs.runs.array.count == 0 && !forever)
		say(command, "Nothing was written.");
	for (uint32_t i = 0; i < logs.runs.array.count && status != EXIT_PIPE; i++) {
		int one = logs_show(
		    &logs, logs.runs.array.items[i].string.text, i + 1 == logs.runs.array.count);

		status = status ? status : one;
	}
	if (!status && forever)
		status = logs_forever(&logs);
	strbuf_clear(&logs.next);
	return status;
}

const struct verb verb_logs = {
    .name = "logs",
    .group = "Runs",
    .summary = "show what runs wrote",
    .usage = "JOB|JOB/N… [-f] [-n N] [--since TIME] [--timestamps] [OPTIONS]",
    .examples = "schedctl logs backup\n"
		"schedctl logs backup/41 backup/42\n"
		"schedctl logs -n 20 --runs 3 backup\n"
		"schedctl logs --since yesterday --timestamps backup\n"
		"schedctl logs -f --forever backup",
    .notes = "JOB alone means its latest run; with --since or --runs the runs are shown oldest "
	     "first,\n"
	     "each under its name. What is no text, such as control sequences for a terminal,\n"
	     "is shown as \\x1b and the like; --raw gives it as it was written.",
    .options = logs_sets,
    .complete = COMPLETE_RUN,
    .min_words = 1,
    .max_words = -1,
    .from_input = true,
    .run = logs_run,
};
