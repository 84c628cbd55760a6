/* SPDX-License-Identifier: MIT */
#include "cmd/out.h"
#include "cmd/run_watch.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct option logs_options[] = {
    {.name = "follow", .letter = 'f', .section = "Options", .doc = "go on until the run ends"},
    {.name = "raw", .doc = "the bytes as they are, as for a file or another program"},
    {.name = "stdout", .doc = "only what went to stdout (of a job with --capture split)"},
    {.name = "stderr", .doc = "only what went to stderr"},
    {0},
};

static const struct option *const logs_sets[] = {logs_options, NULL};

static int logs_run(struct command *command)
{
	const struct run_output how = {
	    .raw = args_has(&command->args, "raw"),
	    .only_stdout = args_has(&command->args, "stdout"),
	    .only_stderr = args_has(&command->args, "stderr"),
	};

	if (how.only_stdout && how.only_stderr)
		return say_usage(command, "--stdout and --stderr contradict each other");
	return run_watch_output(
	    command, command->args.words[0], &how, args_has(&command->args, "follow"), NULL);
}

const struct verb verb_logs = {
    .name = "logs",
    .group = "Runs",
    .summary = "show what a run wrote",
    .usage = "JOB|JOB/N [-f] [--raw] [--stdout|--stderr]",
    .examples = "schedctl logs backup\nschedctl logs backup/42\nschedctl logs -f backup",
    .notes = "JOB alone means its latest run. What is no text, such as control sequences for a "
	     "terminal,\n"
	     "is shown as \\x1b and the like; --raw gives it as it was written.",
    .options = logs_sets,
    .complete = COMPLETE_RUN,
    .min_words = 1,
    .max_words = 1,
    .run = logs_run,
};
