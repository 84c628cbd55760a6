/* SPDX-License-Identifier: MIT */
/* top: a program of its own, so that no other verb loads a library for screens. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/out.h"
#include "cmd/program_beside.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct option top_options[] = {
    {.name = "node",
	.value = "NODE",
	.section = "Options",
	.complete = COMPLETE_NODE,
	.doc = "only the jobs that this node of a shared store has, see nodes"},
    {0},
};

static const struct option *const top_sets[] = {top_options, NULL};

static int top_run(struct command *command)
{
	static const char *const passed[] = {"socket", "host", "url", "token-file", "ca-file",
	    "rpc-timeout", "account", "node"};
	const char *argv[12] = {program_beside(&command->arena, "schedctl-top")};
	struct schedd_error err;
	int count = 1;

	if (!command->out.terminal || !isatty(STDIN_FILENO))
		return say_usage(command, "top needs a terminal");
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (args_get(&command->args, passed[i]))
			argv[count++] = arena_printf(&command->arena, "--%s=%s", passed[i],
			    args_get(&command->args, passed[i]));
	fflush(stdout);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	schedd_error_set(&err, SCHEDD_EFAILED, "cannot run %s: %s; was it built with ncurses?",
	    argv[0], strerror(errno));
	return say_error(command, &err);
}

const struct verb verb_top = {
    .name = "top",
    .group = "Runs",
    .summary = "watch what runs, waits, comes next and failed",
    .usage = "[--node NODE]",
    .examples = "schedctl top\n"
		"schedctl top --node web2",
    .notes =
	"Keys: up, down, page up, page down, home and end choose a job, p pauses it, r resumes "
	"it, s starts\n"
	"it, k kills its runs, l shows the output of its latest run, q quits.",
    .options = top_sets,
    .run = top_run,
};
