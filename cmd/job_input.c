/* SPDX-License-Identifier: MIT */
#include "cmd/job_input.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text_file.h"
#include "jobfile/env_file.h"

#define INPUT_MAX ((size_t)1 << 20) /* of a script or standard input that goes with the job */

extern char **environ;

int job_input_integer(
    const char *option, const char *text, struct value *out, struct schedd_error *err)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text || *end || errno)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--%s: '%s' is not an integer", option, text);
	*out = value_int(number);
	return 0;
}

int job_input_number(
    const char *option, const char *text, struct value *out, struct schedd_error *err)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--%s: '%s' is not a number", option, text);
	*out = value_real(number);
	return 0;
}

/* The whole of a file, or of standard input for "-". */
static int input_read(struct command *command, const char *option, const char *path,
    struct value *out, struct schedd_error *err)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct strbuf text = STRBUF_EMPTY;
	char buffer[8192];
	size_t got;
	int rc = 0;

	if (!file)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--%s: %s: %s", option, path, strerror(errno));
	while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0 && text.length <= INPUT_MAX)
		strbuf_add_n(&text, buffer, got);
	if (ferror(file))
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "--%s: %s: %s", option, path, strerror(errno));
	else if (text.length > INPUT_MAX)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "--%s: %s is larger than %zu bytes; name the file in the command instead",
		    option, path, INPUT_MAX);
	else
		*out = value_string_n(&command->arena, strbuf_peek(&text), text.length);
	if (file != stdin)
		fclose(file);
	strbuf_clear(&text);
	return rc;
}

/* ---- What to run ---- */

/* A "#!" line decides which shell reads the script; other interpreters are refused. */
static int input_script_shell(
    struct command *command, const char *script, struct value *map, struct schedd_error *err)
{
	static const char *const shells[] = {"sh", "dash", "bash", "ksh", "mksh", "zsh", "busybox"};
	char path[256];
	const char *name;

	if (sscanf(script, "#! %255[^ \t\n]", path) != 1)
		return 0;
	name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	if (strcmp(name, "env") == 0 && sscanf(script, "#! %*s %255[^ \t\n]", path) == 1)
		name = path;
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(shells[i], name) == 0) {
			if (!args_has(&command->args, "shell") && i > 0)
				value_put(&command->arena, map, "shell_path",
				    value_string(&command->arena, path));
			return 0;
		}
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "--script: '%s' is no shell; run the file itself: -- %s FILE", path, path);
}

static int input_call(struct command *command, struct value *map, struct schedd_error *err)
{
	static const char *const members[] = {"args", "kwargs"};
	struct value call = value_map(), parsed;

	value_put(
	    &command->arena, &call, "function", value_string_ref(args_get(&command->args, "call")));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = args_get(&command->args, members[i]);

		if (!text)
			continue;
		if (json_parse(text, strlen(text), &command->arena, &parsed, err))
			return schedd_error_prefix(err, "--%s", members[i]);
		value_put(&command->arena, &call, members[i], parsed);
	}
	value_put(&command->arena, map, "call", call);
	return 0;
}

static int input_one_action(struct command *command, struct value *map, struct schedd_error *err)
{
	const struct args *args = &command->args;
	struct value value = value_array();
	int rc;

	if (args->rest) {
		for (int i = 0; i < args->rest_count; i++)
			value_append(&command->arena, &value, value_string_ref(args->rest[i]));
		if (args->rest_count == 0)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "there is no command behind --");
		value_put(&command->arena, map, "command", value);
		return 0;
	}
	if (args_has(args, "sh"))
		value_put(&command->arena, map, "shell", value_string_ref(args_get(args, "sh")));
	if (args_has(args, "http"))
		value_put(&command->arena, map, "http", value_string_ref(args_get(args, "http")));
	if (args_has(args, "call"))
		return input_call(command, map, err);
	if (!args_has(args, "script"))
		return 0;
	rc = input_read(command, "script", args_get(args, "script"), &value, err);
	if (!rc)
		rc = input_script_shell(command, value.string.text, map, err);
	if (!rc)
		value_put(&command->arena, map, "shell", value);
	return rc;
}

int job_input_action(struct command *command, struct value *map, struct schedd_error *err)
{
	static const char *const actions[] = {"sh", "script", "call", "http"};
	const char *given = command->args.rest ? "-- CMD" : NULL;

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (!args_has(&command->args, actions[i]))
			continue;
		if (given)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "--%s and %s%s contradict each other: a job runs one thing", actions[i],
			    command->args.rest ? "" : "--", given);
		given = actions[i];
	}
	if (args_has(&command->args, "args") && !args_has(&command->args, "call"))
		return schedd_error_set(err, SCHEDD_EINVAL, "--args needs --call");
	if (args_has(&command->args, "kwargs") && !args_has(&command->args, "call"))
		return schedd_error_set(err, SCHEDD_EINVAL, "--kwargs needs --call");
	return input_one_action(command, map, err);
}

/* ---- Environment ---- */

/* Adds a variable unless the map has it: who comes first wins. */
static void input_variable(
    struct command *command, struct value *env, const char *name, size_t length, const char *text)
{
	const char *key = arena_strndup(&command->arena, name, length);

	if (key && !value_get(env, key))
		value_put(&command->arena, env, key, value_string(&command->arena, text));
}

/* What the file says; a variable of an earlier file is replaced. */
static int input_env_file(
    struct command *command, const char *path, struct value *env, struct schedd_error *err)
{
	size_t length;
	char *text;
	int rc = text_file_read(path, INPUT_MAX, &text, &length, err);

	if (rc)
		return schedd_error_prefix(err, "--env-file");
	rc = env_file_read(text, length, &command->arena, env, err);
	free(text);
	return rc ? schedd_error_prefix(
			err, "--env-file: %s", strcmp(path, "-") == 0 ? "standard input" : path)
		  : 0;
}

int job_input_environment(struct command *command, struct value *map, struct schedd_error *err)
{
	const struct value *given = value_get(map, "env");
	struct value env = given ? *given : value_map(), files = value_map();
	const char *path;
	int position = 0, rc;

	while ((path = args_next(&command->args, "env-file", &position))) {
		rc = input_env_file(command, path, &files, err);
		if (rc)
			return rc;
	}
	for (uint32_t i = 0; i < files.map.count; i++)
		input_variable(command, &env, files.map.members[i].key,
		    strlen(files.map.members[i].key), files.map.members[i].value.string.text);
	for (char **entry = args_has(&command->args, "capture-env") ? environ : NULL;
	     entry && *entry; entry++) {
		const char *equals = strchr(*entry, '=');

		if (equals && strncmp(*entry, "SCHEDD_", 7) != 0 && strncmp(*entry, "_=", 2) != 0)
			input_variable(
			    command, &env, *entry, (size_t)(equals - *entry), equals + 1);
	}
	if (given)
		*(struct value *)(uintptr_t)given = env;
	else if (env.map.count > 0)
		value_put(&command->arena, map, "env", env);
	return 0;
}

/* ---- Standard input ---- */

int job_input_stdin(struct command *command, struct value *map, struct schedd_error *err)
{
	const char *path = args_get(&command->args, "stdin");
	struct value stdin_value = value_map(), text;
	char here[PATH_MAX];
	int rc;

	if (!path)
		return 0;
	if (strcmp(path, "-") == 0) {
		rc = input_read(command, "stdin", path, &text, err);
		if (rc)
			return rc;
		value_put(&command->arena, &stdin_value, "text", text);
	} else {
		if (path[0] != '/' && getcwd(here, sizeof(here)))
			path = arena_printf(&command->arena, "%s/%s", here, path);
		value_put(
		    &command->arena, &stdin_value, "path", value_string(&command->arena, path));
	}
	value_put(&command->arena, map, "stdin", stdin_value);
	return 0;
}
