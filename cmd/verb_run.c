/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/json.h"
#include "cmd/out.h"
#include "cmd/run_watch.h"
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"

static const struct option run_options[] = {
    {.name = "follow",
	.letter = 'f',
	.section = "Options",
	.doc = "show its output as it comes, until it ends"},
    {.name = "wait", .letter = 'w', .doc = "wait until it has ended; exit 10 unless it succeeded"},
    {.name = "exit-status", .doc = "wait, and exit with the job's own status"},
    {.name = "result", .doc = "wait, and print what its call returned, as JSON, and nothing else"},
    {.name = "force", .doc = "start even beyond max_instances"},
    {.name = "node",
	.value = "NODE",
	.complete = COMPLETE_NODE,
	.doc = "of a job on all nodes: on that one alone"},
    {.name = "env",
	.letter = 'e',
	.value = "K=V",
	.repeat = true,
	.doc = "set a variable for this run alone"},
    {0},
};

static const struct option *const run_sets[] = {run_options, option_label, option_target, NULL};

static int run_extra(struct command *command, struct value *extra)
{
	struct value env = value_map();
	const char *text;
	int position = 0;

	*extra = value_map();
	if (args_has(&command->args, "force"))
		value_put(&command->arena, extra, "force", value_bool(true));
	if (args_get(&command->args, "node"))
		value_put(&command->arena, extra, "node", value_string_ref(args_get(&command->args, "node")));
	while ((text = args_next(&command->args, "env", &position))) {
		const char *equals = strchr(text, '=');

		if (!equals || equals == text)
			return say_usage(command, "-e: '%s' is not of the form NAME=VALUE", text);
		value_put(&command->arena, &env,
		    arena_strndup(&command->arena, text, (size_t)(equals - text)),
		    value_string_ref(equals + 1));
	}
	if (env.map.count > 0)
		value_put(&command->arena, extra, "env", env);
	return 0;
}

static void run_started_one(struct command *command, const char *run, struct value *runs)
{
	if (!run)
		return;
	value_append(&command->arena, runs, value_string(&command->arena, run));
	if (args_has(&command->args, "result")) {
		say(command, "%s", run);
	} else if (!out_is_json(command)) {
		out_write(run, strlen(run));
		out_write("\n", 1);
	}
}

/* Prints JOB/N, of a job on all nodes one of each, and remembers it, to wait for it later. */
static void run_started(
    struct command *command, const char *id, const struct value *result, void *context)
{
	struct value *runs = context;
	const struct value *all = value_get(result, "runs"), *failed = value_get(result, "failed");

	(void)id;
	if (!all)
		run_started_one(command, value_get_string(result, "run"), runs);
	for (uint32_t i = 0; all && i < all->array.count; i++)
		run_started_one(command, all->array.items[i].string.text, runs);
	for (uint32_t i = 0; failed && i < failed->array.count; i++)
		say(command, "%s", failed->array.items[i].string.text);
}

/* What the call of a run that has ended returned; a text where JSON cannot say it. */
static int run_result(struct command *command, const char *run)
{
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	const struct value *returned;
	struct strbuf text = STRBUF_EMPTY;
	const char *form;

	value_put(&command->arena, &params, "run", value_string_ref(run));
	if (command_call(command, "run.get", &params, &result, &err) != 0)
		return say_error(command, &err);
	form = value_get_string(&result, "result_form");
	returned = value_get(&result, "result");
	if (!value_is_text(value_get(&result, "state"), "success"))
		return EXIT_DONE; /* that it failed was said already */
	if (form && strcmp(form, "json") != 0)
		say(command, strcmp(form, "cut") == 0
			? "%s: only the beginning of what it returned is kept, as text"
			: "%s: JSON cannot say what it returned: this is its text", run);
	json_write(&text, returned);
	strbuf_add_char(&text, '\n');
	out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	return EXIT_DONE;
}

/* Is it runs that are in the way? With a job that cannot be read it is the job. */
static bool run_may_be_forced(struct command *command, const struct value *ids)
{
	struct value params = value_map(), job;

	if (ids->array.count != 1)
		return true;
	value_put(&command->arena, &params, "id", ids->array.items[0]);
	return command_call(command, "job.get", &params, &job, NULL) != 0 ||
	       (!value_is_text(value_get(&job, "state"), "invalid") &&
		/* No node fits: that it is forced makes none. */
		!value_is_text(value_get(&job, "waits_for"), "a live node that fits its nodes"));
}

static int run_run(struct command *command)
{
	const struct args *args = &command->args;
	bool exit_status = args_has(args, "exit-status"), follow = args_has(args, "follow");
	bool result = args_has(args, "result");
	struct value ids, extra, runs = value_array();
	struct schedd_error err = {0};
	int status = run_extra(command, &extra);

	if (status)
		return exit_status ? EXIT_OWN_FAILURE : status;
	if (targets_resolve(command, &ids, &err) != 0) {
		status = say_error(command, &err);
		return exit_status ? EXIT_OWN_FAILURE : status;
	}
	if (exit_status && ids.array.count != 1) {
		say_usage(command, "--exit-status needs exactly one job");
		return EXIT_OWN_FAILURE;
	}
	status = targets_call(command, &ids, "job.run", &extra, run_started, &runs);
	if ((status == EXIT_CONFLICT || (status && exit_status)) && !args_has(args, "force") && !args_has(args, "node") &&
	    run_may_be_forced(command, &ids))
		say_hint(command, "--force runs a job beyond its max_instances.");
	if (status && exit_status)
		return EXIT_OWN_FAILURE;
	follow = follow && !result;
	for (uint32_t i = 0;
	     (follow || exit_status || result || args_has(args, "wait")) && i < runs.array.count; i++) {
		int ended =
		    run_watch(command, runs.array.items[i].string.text, follow, exit_status);

		if (result && run_result(command, runs.array.items[i].string.text))
			ended = ended ? ended : EXIT_FAILED;
		status = status ? status : ended;
	}
	return status;
}

const struct verb verb_run = {
    .name = "run",
    .group = "Runs",
    .summary = "run jobs now, paused or not",
    .usage = "JOB… [-f] [-w] [--exit-status] [--result] [--force] [-e K=V]",
    .examples = "schedctl run backup\n"
		"schedctl run -f backup\n"
		"schedctl run --exit-status check-db && echo fine\n"
		"schedctl run --result totals | jq .sum",
    .notes =
	"Prints JOB/N of each run. With --exit-status schedctl exits with the job's own status,\n"
	"128+n for signal n, and 125 when schedctl itself failed.",
    .options = run_sets,
    .complete = COMPLETE_JOB,
    .max_words = -1,
    .run = run_run,
};
