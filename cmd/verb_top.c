/* SPDX-License-Identifier: MIT */
/* top: a program of its own, so that no other verb loads a library for screens. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

/* Beside this schedctl, or where it is installed. */
static const char *top_program(struct command *command)
{
	static const char *const places[] = {"schedctl-top", "../libexec/schedd/schedctl-top"};
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[length > 0 ? length : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *path = arena_printf(&command->arena, "%s/%s", self, places[i]);

		if (path && access(path, X_OK) == 0)
			return path;
	}
	return "schedctl-top";
}

static int top_run(struct command *command)
{
	static const char *const passed[] = {"socket", "host", "rpc-timeout", "account"};
	const char *argv[8] = {top_program(command)};
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
    .usage = "",
    .examples = "schedctl top",
    .notes =
	"Keys: up, down, page up, page down, home and end choose a job, p pauses it, r resumes "
	"it, s starts\n"
	"it, k kills its runs, l shows the output of its latest run, q quits.",
    .run = top_run,
};
