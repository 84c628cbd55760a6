/* SPDX-License-Identifier: MIT */
/* kill and retry: acts on runs. */
#include "cmd/out.h"
#include "cmd/run_watch.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

#include <string.h>

static const struct option kill_options[] = {
    {.name = "signal",
	.letter = 's',
	.value = "SIG",
	.section = "Options",
	.complete = COMPLETE_SIGNAL,
	.doc =
	    "send this signal alone (default: the job's kill_signal, then KILL after kill_after)"},
    {0},
};

static const struct option *const kill_sets[] = {kill_options, NULL};

/* The daemon says of a job alone that there is none, and which one may be meant. */
static void kill_suggest(struct command *command, const char *run, struct schedd_error *err)
{
	struct value params = value_map(), result;
	struct schedd_error better = {0};

	if (err->code != SCHEDD_ENOTFOUND || strchr(run, '/'))
		return;
	value_put(&command->arena, &params, "id", value_string_ref(run));
	if (command_call(command, "job.get", &params, &result, &better) == SCHEDD_ENOTFOUND)
		*err = better;
}

static int kill_one(struct command *command, const char *run)
{
	const char *signal = args_get(&command->args, "signal");
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	const struct value *runs;

	value_put(&command->arena, &params, "run", value_string_ref(run));
	if (signal)
		value_put(&command->arena, &params, "signal", value_string_ref(signal));
	if (command_call(command, "run.kill", &params, &result, &err) != 0) {
		kill_suggest(command, run, &err);
		return say_error(command, &err);
	}
	if (out_is_json(command))
		return out_json(command, &result);
	runs = value_get(&result, "runs");
	for (uint32_t i = 0; runs && i < runs->array.count; i++)
		say(command, "Signalled %s.", runs->array.items[i].string.text);
	return EXIT_DONE;
}

static int kill_run(struct command *command)
{
	int status = EXIT_DONE;

	for (int i = 0; i < command->args.word_count; i++) {
		int one = kill_one(command, command->args.words[i]);

		if (one)
			status = command->args.word_count > 1 ? EXIT_FAILED : one;
	}
	return status;
}

const struct verb verb_kill = {
    .name = "kill",
    .alias = "cancel",
    .group = "Runs",
    .summary = "end running runs, or take queued ones out of the queue",
    .usage = "JOB|JOB/N… [-s SIG]",
    .examples = "schedctl kill backup/42\nschedctl kill import -s INT",
    .notes = "JOB alone means all its runs. The signal reaches everything the run started.",
    .options = kill_sets,
    .complete = COMPLETE_JOB_RUNNING,
    .min_words = 1,
    .max_words = -1,
    .from_input = true,
    .run = kill_run,
};

static const struct option retry_options[] = {
    {.name = "follow", .letter = 'f', .section = "Options", .doc = "show the new run's output"},
    {.name = "wait", .letter = 'w', .doc = "wait until the new run has ended"},
    {0},
};

static const struct option *const retry_sets[] = {retry_options, NULL};

static int retry_run(struct command *command)
{
	bool follow = args_has(&command->args, "follow");
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	const char *run;
	int status;

	value_put(&command->arena, &params, "run", value_string_ref(command->args.words[0]));
	if (command_call(command, "run.retry", &params, &result, &err) != 0)
		return say_error(command, &err);
	run = value_get_string(&result, "run");
	if (out_is_json(command))
		status = out_json(command, &result);
	else
		status = out_write(run, strlen(run)) && out_write("\n", 1) ? EXIT_DONE : EXIT_PIPE;
	if (!status && (follow || args_has(&command->args, "wait")))
		status = run_watch(command, run, follow, false);
	return status;
}

const struct verb verb_retry = {
    .name = "retry",
    .group = "Runs",
    .summary = "run a job again as it ran before, as a new run",
    .usage = "JOB/N [-f] [-w]",
    .examples = "schedctl retry backup/42",
    .options = retry_sets,
    .complete = COMPLETE_RUN,
    .min_words = 1,
    .max_words = 1,
    .run = retry_run,
};
