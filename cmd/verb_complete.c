/* SPDX-License-Identifier: MIT */
/*
 * __complete AT -- WORD…: what the completion scripts call. It says nothing on
 * stderr, never fails, and gives up before anyone waits for it.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "cmd/complete.h"
#include "cmd/out.h"
#include "cmd/verb_rows.h"

#define COMPLETE_PATIENCE_US 150000

static void complete_give_up(int signal_number)
{
	(void)signal_number;
	_exit(EXIT_DONE);
}

static void complete_limit(void)
{
	const struct itimerval limit = {.it_value = {0, COMPLETE_PATIENCE_US}};

	signal(SIGALRM, complete_give_up);
	setitimer(ITIMER_REAL, &limit, NULL);
}

/* The daemon that the line being typed names; one of another machine is too far away. */
static void complete_daemon(struct command *command, const char *const *words, int count)
{
	for (int i = 1; i < count && strcmp(words[i], "--") != 0; i++) {
		if (strcmp(words[i], "--socket") == 0 && i + 1 < count)
			setenv("SCHEDD_SOCKET", words[i + 1], 1);
		else if (strncmp(words[i], "--socket=", 9) == 0)
			setenv("SCHEDD_SOCKET", words[i] + 9, 1);
		else if (strncmp(words[i], "--host", 6) == 0)
			command->alone = true;
	}
}

static int complete_run(struct command *command)
{
	const struct args *args = &command->args;
	struct strbuf out = STRBUF_EMPTY;
	int at = args->word_count > 0 ? atoi(args->words[0]) : 0;

	complete_limit();
	if (args->rest)
		complete_daemon(command, args->rest, args->rest_count);
	complete_line(command, args->rest, args->rest_count, at, &out);
	out_write(strbuf_peek(&out), out.length);
	strbuf_clear(&out);
	return EXIT_DONE;
}

const struct verb verb_complete = {
    .name = "__complete",
    .group = "About",
    .summary = "answer a completion script",
    .usage = "AT -- WORD…",
    .min_words = 1,
    .max_words = 1,
    .rest = true,
    .hidden = true,
    .run = complete_run,
};
