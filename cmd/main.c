/* SPDX-License-Identifier: MIT */
/* schedctl: finds the verb, settles how to show things, and lets the verb do its work. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/help.h"
#include "cmd/out.h"
#include "cmd/out_settings.h"
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"

#define OPTION_SETS_MAX 8
#define MAIN_KEPT_BYTES (64 << 20)

/* The first word that is no global option is the verb; its place in argv, or 0. */
static int main_verb_at(int argc, const char *const *argv)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		const struct option *option = option_global;

		if (word[0] != '-' || !word[1])
			return i;
		if (strcmp(word, "--") == 0)
			return 0;
		for (; option->name; option++)
			if (option->value &&
			    ((word[1] == '-' && strcmp(word + 2, option->name) == 0) ||
				(word[1] == option->letter && word[1] != '-' && !word[2])))
				break;
		if (option->name)
			i++; /* its value */
	}
	return 0;
}

/* The words without the verb itself, so that options may stand before and behind it. */
static const char **main_without_verb(int argc, const char *const *argv, int at)
{
	const char **words = calloc((size_t)argc + 1, sizeof(words[0]));
	int count = 0;

	for (int i = 1; words && i < argc; i++)
		if (i != at)
			words[count++] = argv[i];
	return words;
}

/* Asked for a job's own exit status, also where what was asked is faulty? */
static bool main_job_status(const struct verb *verb, int argc, const char *const *argv)
{
	bool known = false, asked = false;

	for (const struct option *const *set = verb ? verb->options : NULL; set && *set; set++)
		for (const struct option *option = *set; option->name; option++)
			known = known || strcmp(option->name, "exit-status") == 0;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		asked = asked || strcmp(argv[i], "--exit-status") == 0;
	return known && asked;
}

static int main_check_words(struct command *command)
{
	const struct verb *verb = command->verb;
	int count = command->args.word_count;

	if (verb->max_words >= 0 && count > verb->max_words && verb->rest && !command->args.rest)
		return say_usage(command,
		    "unexpected argument '%s'; write -- before the command: schedctl %s … -- %s",
		    command->args.words[verb->max_words], verb->name,
		    command->args.words[verb->max_words]);
	if (verb->max_words >= 0 && count > verb->max_words)
		return say_usage(command, "unexpected argument '%s'; usage: schedctl %s %s",
		    command->args.words[verb->max_words], verb->name, verb->usage);
	if (count < verb->min_words)
		return say_usage(command, "an argument is missing; usage: schedctl %s %s",
		    verb->name, verb->usage);
	if (command->args.rest && !verb->rest)
		return say_usage(command, "schedctl %s takes nothing behind --", verb->name);
	return 0;
}

/*
 * An option that a verb has not, behind a word that it does not take: it is of a
 * command whose -- is missing.
 */
static int main_args_refused(struct command *command, const struct schedd_error *err)
{
	const struct verb *verb = command->verb;
	const struct args *args = &command->args;

	if (verb && verb->rest && !args->rest && verb->max_words >= 0 &&
	    args->word_count > verb->max_words)
		return say_usage(command, "%s; write -- before the command: schedctl %s … -- %s …",
		    err->message, verb->name, args->words[verb->max_words]);
	return say_error(command, err);
}

static int main_help(const struct command *command, const struct verb *verb)
{
	struct strbuf text = STRBUF_EMPTY;
	bool written;

	if (verb)
		help_verb(&text, verb, false);
	else
		help_overview(&text, command->verbs);
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	return written ? EXIT_DONE : EXIT_PIPE;
}

/* No verb was given. Alone that is a call for help, among other words a slip. */
static int main_no_verb(struct command *command, int argc)
{
	if (argc == 0 || args_has(&command->args, "help"))
		return main_help(command, NULL);
	return say_usage(command, "which verb? see schedctl help");
}

static int main_run(struct command *command, int argc, const char *const *argv)
{
	const struct option *sets[OPTION_SETS_MAX] = {option_global};
	struct schedd_error err = {0};
	int status, set = 1;

	for (const struct option *const *more = command->verb ? command->verb->options : NULL;
	     more && *more && set < OPTION_SETS_MAX - 1; more++)
		sets[set++] = *more;
	if (args_parse(&command->args, sets, argc, argv, &err) != 0)
		return main_args_refused(command, &err);
	if (out_settings_read(&command->out, &command->args, &err) != 0)
		return say_error(command, &err);
	if (args_has(&command->args, "version") && !args_has(&command->args, "help"))
		command->verb = verbs_find(command->verbs, "version");
	if (!command->verb)
		return main_no_verb(command, argc);
	if (args_has(&command->args, "help"))
		return main_help(command, command->verb);
	if (command->out.format == OUT_PROMETHEUS && strcmp(command->verb->name, "stats") != 0)
		return say_usage(command, "-o prometheus is for schedctl stats");
	status = main_check_words(command);
	if (status || (command->verb->from_input && !targets_input(command, &status)))
		return status;
	return command->verb->run(command);
}

static void main_interrupted(int number)
{
	(void)number;
	_exit(EXIT_INTERRUPTED);
}

/* Signals, and the three descriptors: one that is closed must not become our socket. */
static void main_prepare(void)
{
	const struct sigaction action = {.sa_handler = main_interrupted};
	struct sigaction before;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			/* The wrong way round, so that its use is an error as it would have been.
			 */
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	/* What is freed is soon wanted again: a page of a long list follows the other. */
	mallopt(M_TRIM_THRESHOLD, MAIN_KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, MAIN_KEPT_BYTES);
	signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an exit status, see out_write */
	if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
		sigaction(SIGINT, &action, NULL);
}

/* The exit status, once what was printed has left. A verb knows only that it could not. */
static int main_flush(struct command *command, int status)
{
	struct pollfd reader = {.fd = STDOUT_FILENO, .events = POLLOUT};
	struct schedd_error err;
	int reason;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	reason = errno;
	if (status != EXIT_DONE && status != EXIT_PIPE)
		return status;
	if (reason == EPIPE ||
	    (poll(&reader, 1, 0) > 0 && (reader.revents & (POLLERR | POLLHUP)) != 0))
		return EXIT_PIPE;
	schedd_error_set(&err, SCHEDD_EFAILED, "standard output: %s",
	    reason ? strerror(reason) : "it cannot be written");
	return say_error(command, &err);
}

int main(int argc, char **argv)
{
	const char *const *words = (const char *const *)argv;
	int at = main_verb_at(argc, words);
	struct command command = {.verbs = verb_rows, .now = schedd_clock_system()->wall(NULL)};
	const char **rest = main_without_verb(argc, words, at);
	int status;

	main_prepare();
	out_settings_guess(&command.out, argc, words);
	arena_init(&command.arena);
	command.verb = at ? verbs_find(command.verbs, argv[at]) : NULL;
	command.job_status = main_job_status(command.verb, argc, words);
	if (!rest) {
		status = say_usage(&command, "out of memory");
	} else if (at && !command.verb) {
		status = verbs_unknown(&command, argv[at]);
	} else {
		status = main_run(&command, argc - 1 - (at > 0), rest);
	}
	status = main_flush(&command, status);
	rpc_client_close(command.client);
	zone_cache_free(command.zones);
	args_clear(&command.args);
	arena_clear(&command.arena);
	free(rest);
	return status;
}
