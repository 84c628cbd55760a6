/* SPDX-License-Identifier: MIT */
/*
 * at and batch: a script that runs once, in the world it was given in, its output
 * mailed. It is a job like all others; the tag "at" tells it apart.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/shell_words.h"
#include "cmd/job_spec.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"
#include "trigger/when.h"

#define AT_BYTES_MAX ((size_t)1 << 20)

extern char **environ;

static const struct option at_options[] = {
    {.name = "file",
	.letter = 'f',
	.section = "Options",
	.value = "FILE",
	.complete = COMPLETE_FILE,
	.doc = "read the script from a file (default: standard input)"},
    {.name = "no-mail", .letter = 'M', .doc = "mail no output"},
    {.name = "always-mail", .letter = 'm', .doc = "mail how it ended, output or not"},
    {.name = "list", .letter = 'l', .doc = "list what is to come"},
    {.name = "remove", .letter = 'r', .doc = "take these away"},
    {.name = "cat", .letter = 'c', .doc = "show their scripts, with the world they run in"},
    {0},
};

static const struct option *const at_sets[] = {at_options, NULL};
/* batch has a time of its own, and at looks after its jobs. */
static const struct option *const batch_sets[] = {at_options, NULL};

/* ---- A new one ---- */

/* What belongs to the terminal, the session or the shell that asks. */
static bool at_is_own(const char *variable)
{
	static const char *const names[] = {"TERM=", "DISPLAY=", "WAYLAND_DISPLAY=", "SHELLOPTS=",
	    "BASHOPTS=", "BASH_VERSINFO=", "EUID=", "UID=", "GROUPS=", "PPID=", "_=", "SCHEDD_",
	    "BASH_FUNC_"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static struct value at_environment(struct command *command)
{
	struct value env = value_map();

	for (char **entry = environ; *entry; entry++) {
		const char *equals = strchr(*entry, '=');
		const char *name =
		    equals ? arena_strndup(&command->arena, *entry, (size_t)(equals - *entry))
			   : NULL;

		/* A name that no shell takes cannot be one of a job's either. */
		if (!name || !*name || at_is_own(*entry) || strspn(name, "0123456789") > 0 ||
		    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_")])
			continue;
		value_put(&command->arena, &env, name, value_string_ref(equals + 1));
	}
	return env;
}

/* Output goes to whoever asks, as at(1) has it. */
static void at_mail(struct command *command, struct value *params)
{
	const struct passwd *entry = getpwuid(getuid());
	struct value notify = value_array();
	bool always = args_has(&command->args, "always-mail");
	const char *const events[] = {always ? "success" : "output", "failure"};

	if (args_has(&command->args, "no-mail") || !entry)
		return;
	for (int i = 0; i < 1 + always; i++)
		value_append(&command->arena, &notify,
		    value_string_ref(
			arena_printf(&command->arena, "%s=mail:%s", events[i], entry->pw_name)));
	value_put(&command->arena, params, "notify", notify);
}

static int at_world(struct command *command, struct value *params, struct schedd_error *err)
{
	char *here = getcwd(NULL, 0);
	mode_t mask = umask(0);

	umask(mask);
	if (!here)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "the working directory is gone: a job cannot run there");
	value_put(&command->arena, params, "cwd", value_string(&command->arena, here));
	free(here);
	value_put(&command->arena, params, "umask",
	    value_string_ref(arena_printf(&command->arena, "%04o", (unsigned)mask)));
	value_put(&command->arena, params, "env", at_environment(command));
	at_mail(command, params);
	return 0;
}

/* The script, with what comes before it. */
static int at_script(
    struct command *command, const char *before, struct value *params, struct schedd_error *err)
{
	const char *file = args_get(&command->args, "file");
	struct strbuf script = STRBUF_EMPTY;
	size_t length;
	char *text;
	int rc;

	if (!file && isatty(STDIN_FILENO))
		say(command, "Write the script, and Ctrl-D behind it.");
	rc = file_read(file ? file : "-", AT_BYTES_MAX, &text, &length, err);
	if (rc)
		return rc;
	if (memchr(text, '\0', length))
		rc = schedd_error_set(err, SCHEDD_EFILE, "the script is binary, not text");
	else if (text[strspn(text, " \t\n")] == '\0')
		rc = schedd_error_set(err, SCHEDD_EINVAL, "the script is empty: nothing to run");
	strbuf_add(&script, before);
	strbuf_add_n(&script, text, length);
	if (!rc)
		value_put(&command->arena, params, "shell",
		    value_string_n(&command->arena, strbuf_peek(&script), script.length));
	strbuf_clear(&script);
	free(text);
	return rc;
}

static int at_add(
    struct command *command, const struct value *trigger, const char *queue, const char *before)
{
	struct value params = value_map(), tags = value_map(), job;
	struct schedd_error err = {.offset = -1};
	const char *id;

	if (at_script(command, before, &params, &err) || at_world(command, &params, &err))
		return say_error(command, &err);
	value_put(&command->arena, &tags, "at", value_string_ref(queue));
	value_put(&command->arena, &params, "tags", tags);
	value_put(&command->arena, &params, "trigger", *trigger);
	if (command_call(command, "job.add", &params, &job, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &job);
	id = value_get_string(&job, "id");
	if (!out_write(id, strlen(id)) || !out_write("\n", 1))
		return EXIT_PIPE;
	command_zone(command);
	job_spec_say_next(command, &job);
	return EXIT_DONE;
}

/* The words of a time, as at(1) takes them apart or together. */
static int at_time(struct command *command, struct value *trigger, struct schedd_error *err)
{
	const struct when_context context = command_times(command);
	struct strbuf text = STRBUF_EMPTY;
	schedd_time when;
	int rc;

	for (int i = 0; i < command->args.word_count; i++)
		strbuf_printf(&text, "%s%s", i ? " " : "", command->args.words[i]);
	rc = when_parse(strbuf_peek(&text), &context, &when, err);
	if (!rc && when < command->now && strcmp(strbuf_peek(&text), "now") != 0)
		rc =
		    schedd_error_set(err, SCHEDD_EINVAL, "'%s' is in the past", strbuf_peek(&text));
	*trigger = value_map();
	if (!rc && strcmp(strbuf_peek(&text), "now") == 0)
		value_put(&command->arena, trigger, "at", value_string_ref("now"));
	else if (!rc)
		value_put(&command->arena, trigger, "at", value_int(when));
	strbuf_clear(&text);
	return rc;
}

/* ---- Those there are ---- */

static const struct out_column at_columns[] = {
    {"id", "id", OUT_TEXT, true, true, false},
    {"when", "next_run_time", OUT_WHEN, true, true, false},
    {"queue", "tags.at", OUT_TEXT, true, true, false},
    {"command", "shell", OUT_TEXT, true, true, true},
    {0},
};

static int at_list(struct command *command)
{
	struct value params = value_map(), tags = value_array(), result;
	struct schedd_error err = {0};
	struct out_list *list;
	const struct value *jobs;

	value_append(&command->arena, &tags, value_string_ref("at"));
	value_put(&command->arena, &params, "tags", tags);
	value_put(&command->arena, &params, "order", value_string_ref("next"));
	value_put(&command->arena, &params, "limit", value_int(10000));
	if (command_call(command, "job.list", &params, &result, &err) != 0)
		return say_error(command, &err);
	jobs = value_get(&result, "jobs");
	if (command->out.format == OUT_JSON)
		return out_json(command, jobs);
	list = out_list_begin(command, at_columns, "id", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; jobs && i < jobs->array.count; i++)
		out_list_row(list, &jobs->array.items[i]);
	return out_list_end(list);
}

/* A job that at made; another is none of its business. */
static int at_get(
    struct command *command, const char *id, struct value *job, struct schedd_error *err)
{
	struct value params = value_map();
	int rc;

	value_put(&command->arena, &params, "id", value_string_ref(id));
	rc = command_call(command, "job.get", &params, job, err);
	if (!rc && !value_get(value_get(job, "tags"), "at"))
		rc = schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "job '%s' was not made by at; see schedctl show", id);
	return rc;
}

static int at_remove(struct command *command, const char *id)
{
	struct value params = value_map(), job, result;
	struct schedd_error err = {0};

	value_put(&command->arena, &params, "id", value_string_ref(id));
	if (at_get(command, id, &job, &err) != 0 ||
	    command_call(command, "job.remove", &params, &result, &err) != 0)
		return say_error(command, &err);
	return EXIT_DONE;
}

static int at_cat(struct command *command, const char *id)
{
	struct strbuf out = STRBUF_EMPTY;
	const struct value *env;
	struct value job;
	struct schedd_error err = {0};
	const char *mask, *cwd, *shell;
	bool written;

	if (at_get(command, id, &job, &err) != 0)
		return say_error(command, &err);
	env = value_get(&job, "env");
	mask = value_get_string(&job, "umask");
	cwd = value_get_string(&job, "cwd");
	shell = value_get_string(&job, "shell");
	strbuf_printf(&out, "#!/bin/sh\n# %s\numask %s\n", id, mask ? mask : "022");
	for (uint32_t i = 0; env && env->type == VALUE_MAP && i < env->map.count; i++) {
		strbuf_printf(&out, "export %s=", env->map.members[i].key);
		shell_words_add(&out, env->map.members[i].value.string.text);
		strbuf_add_char(&out, '\n');
	}
	strbuf_add(&out, "cd ");
	shell_words_add(&out, cwd ? cwd : "/");
	strbuf_printf(&out, " || exit 1\n%s", shell ? shell : "");
	if (out.length > 0 && out.data[out.length - 1] != '\n')
		strbuf_add_char(&out, '\n');
	written = out_write(strbuf_peek(&out), out.length);
	strbuf_clear(&out);
	return written ? EXIT_DONE : EXIT_PIPE;
}

static int at_each(struct command *command, int (*act)(struct command *command, const char *id))
{
	int status = EXIT_DONE;

	if (command->args.word_count == 0)
		return say_usage(command, "which? name what schedctl at -l lists");
	for (int i = 0; i < command->args.word_count; i++) {
		int one = act(command, command->args.words[i]);

		status = one ? one : status;
	}
	return status;
}

/* -1: nothing of the kind was asked for; otherwise the exit status. */
static int at_look_after(struct command *command)
{
	if (args_has(&command->args, "list"))
		return at_list(command);
	if (args_has(&command->args, "remove"))
		return at_each(command, at_remove);
	if (args_has(&command->args, "cat"))
		return at_each(command, at_cat);
	return -1;
}

static int at_run(struct command *command)
{
	int status = at_look_after(command);
	struct schedd_error err = {.offset = -1};
	struct value trigger;

	if (status >= 0)
		return status;
	if (command->args.word_count == 0)
		return say_usage(command, "when? as in: schedctl at 10am tomorrow");
	if (at_time(command, &trigger, &err) != 0)
		return say_error(command, &err);
	return at_add(command, &trigger, "a", "");
}

/* As atd does: when the load allows it, and nicely. */
static const char batch_before[] =
    "while read -r load rest < /proc/loadavg && case $load in 0.*|1.[0-4]*) false;; esac; do "
    "sleep 15; done\nrenice -n 2 -p $$ > /dev/null 2>&1\n";

static int batch_run(struct command *command)
{
	int status = at_look_after(command);
	struct value trigger = value_map();

	if (status >= 0)
		return status;
	if (command->args.word_count > 0)
		return say_usage(command, "batch takes no time; that is schedctl at");
	value_put(&command->arena, &trigger, "at", value_string_ref("now"));
	return at_add(command, &trigger, "b", batch_before);
}

const struct verb verb_at = {
    .name = "at",
    .group = "Jobs",
    .summary = "run a script once, in the world it is given in",
    .usage = "TIME… [-f FILE] | -l | -r JOB… | -c JOB…",
    .examples = "echo 'make -C ~/src test' | schedctl at 2am tomorrow\n"
		"schedctl at -f report.sh teatime\n"
		"schedctl at -l",
    .notes = "Working directory, umask and environment are those of now, as with at(1); output is "
	     "mailed\n"
	     "to you. It is a job like all others, with the tag \"at\".",
    .options = at_sets,
    .columns = at_columns,
    .complete = COMPLETE_TIME,
    .max_words = -1,
    .run = at_run,
};

const struct verb verb_batch = {
    .name = "batch",
    .group = "Jobs",
    .summary = "run a script once, when the machine's load allows it",
    .usage = "[-f FILE] | -l | -r JOB… | -c JOB…",
    .examples = "echo 'make world' | schedctl batch",
    .notes = "Its run begins at once, waits until the load is below 1.5, and goes on nicely.",
    .options = batch_sets,
    .columns = at_columns,
    .complete = COMPLETE_NONE,
    .max_words = -1,
    .run = batch_run,
};
