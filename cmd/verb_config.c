/* SPDX-License-Identifier: MIT */
/*
 * config: show asks the daemon what is in force. check reads a file as schedd
 * would, by schedd itself, whose table of settings is the only one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct out_column config_columns[] = {
    {"key", "key", OUT_TEXT, true, true, false},
    {"value", "text", OUT_TEXT, true, true, true},
    {"origin", "origin", OUT_TEXT, true, true, false},
    {"default", "default_text", OUT_TEXT, false, true, true},
    {"live", "live", OUT_BOOL, false, true, false},
    {"doc", "doc", OUT_TEXT, false, true, true},
    {0},
};

static int config_show(struct command *command, const char *key)
{
	struct value params = value_map(), result;
	const struct value *settings;
	struct schedd_error err = {0};
	struct out_list *list;

	if (key)
		value_put(&command->arena, &params, "key", value_string_ref(key));
	if (command_call(command, "config.get", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (command->out.format == OUT_JSON)
		return out_json(command, &result);
	settings = value_get(&result, "settings");
	list = out_list_begin(command, config_columns, "key", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; settings && i < settings->array.count; i++)
		out_list_row(list, &settings->array.items[i]);
	return out_list_end(list);
}

/* Beside this schedctl, or where the shell would look. */
static const char *config_schedd(struct command *command)
{
	static const char *const places[] = {"schedd", "../sbin/schedd", "../server/schedd"};
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (length <= 0)
		return "schedd";
	self[length] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *path = arena_printf(&command->arena, "%s/%s", self, places[i]);

		if (path && access(path, X_OK) == 0)
			return path;
	}
	return "schedd";
}

static int config_become(struct command *command, const char *const *argv)
{
	struct schedd_error err;

	execvp(argv[0], (char *const *)(uintptr_t)argv);
	schedd_error_set(&err, SCHEDD_EFAILED,
	    "cannot run %s, which checks the config: %s; is schedd installed?", argv[0],
	    strerror(errno));
	return say_error(command, &err);
}

/* schedd says what is wrong to people; here is the same as --json wants it. */
static int config_retell(struct command *command, int status, char *text)
{
	static const char name[] = "schedd: ";
	struct schedd_error err;

	text[strcspn(text, "\n")] = '\0';
	schedd_error_set(&err, status > EXIT_FAILED && status <= EXIT_TIMEOUT ? -status : SCHEDD_EFAILED,
	    "%s", strncmp(text, name, strlen(name)) == 0 ? text + strlen(name) : text);
	return say_error(command, &err);
}

static int config_listen(struct command *command, const char *const *argv)
{
	char text[SCHEDD_ERROR_MESSAGE_MAX] = "";
	int ends[2], status = -1;
	FILE *said;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return config_become(command, argv);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		command->out.format = OUT_TABLE;
		_exit(config_become(command, argv));
	}
	close(ends[1]);
	said = fdopen(ends[0], "r");
	if (said) {
		(void)!fread(text, 1, sizeof(text) - 1, said);
		fclose(said);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0) {
		fputs(text, stderr);
		return EXIT_DONE;
	}
	return config_retell(command, WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED, text);
}

static int config_check(struct command *command, const char *file)
{
	const char *argv[5] = {config_schedd(command), "--check-config"};

	if (file) {
		argv[2] = "--config";
		argv[3] = file;
	}
	return out_is_json(command) ? config_listen(command, argv) : config_become(command, argv);
}

static int config_run(struct command *command)
{
	const char *what = command->args.words[0];
	const char *which = command->args.word_count > 1 ? command->args.words[1] : NULL;

	if (strcmp(what, "show") == 0)
		return config_show(command, which);
	if (strcmp(what, "check") == 0)
		return config_check(command, which);
	return say_usage(command, "config %s: there are config show and config check", what);
}

const struct verb verb_config = {
    .name = "config",
    .group = "Daemon",
    .summary = "show the settings in force, or check a config file",
    .usage = "show [KEY] | check [FILE]",
    .examples = "schedctl config show\n"
		"schedctl config show limits\n"
		"schedctl config check /etc/schedd/schedd.yaml",
    .notes = "check needs no running daemon; without FILE it checks the config that schedd would "
	     "read. It exits 7\n"
	     "if the config is invalid. The settings are described in schedd.yaml(5).",
    .complete = COMPLETE_CONFIG,
    .min_words = 1,
    .max_words = 2,
    .columns = config_columns,
    .run = config_run,
};
