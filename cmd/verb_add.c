/* SPDX-License-Identifier: MIT */
/* add: the id alone on stdout, the next run in words on stderr. */
#include <string.h>

#include "cmd/job_spec.h"
#include "cmd/out.h"
#include "cmd/run_watch.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct option add_options[] = {
    {.name = "replace", .section = "Job", .doc = "change an existing job of that id into this one"},
    {.name = "if-absent", .doc = "leave an existing job of that id alone"},
    {.name = "dry-run", .section = "Adding", .doc = "check everything, change nothing"},
    {.name = "follow", .letter = 'f', .doc = "wait for the first run and show its output"},
    {.name = "wait", .letter = 'w', .doc = "wait until the first run has ended"},
    {0},
};

static const struct option *const add_sets[] = {
    option_trigger, option_action, option_job, add_options, NULL};

/* Options that would do nothing. */
static int add_check(struct command *command, struct schedd_error *err)
{
	static const char *const retries[] = {
	    "retry-delay", "retry-backoff", "retry-max-delay", "retry-on"};
	const struct args *args = &command->args;
	bool waits = args_has(args, "wait") || args_has(args, "follow");

	for (size_t i = 0; i < sizeof(retries) / sizeof(retries[0]); i++)
		if (args_has(args, retries[i]) && !args_has(args, "retry"))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "--%s needs --retry N: how often it is tried again", retries[i]);
	if (args_has(args, "shell") && !args_has(args, "sh") && !args_has(args, "script"))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--shell goes with --sh or --script; a command behind -- has no shell");
	if (args_has(args, "replace") && args_has(args, "if-absent"))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--replace and --if-absent contradict each other");
	if (waits && args_has(args, "dry-run"))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--dry-run starts nothing that --wait or --follow could wait for");
	if (waits && args_has(args, "paused"))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "a job that is --paused has no run that --wait or --follow could wait for");
	return 0;
}

/* A job that only a person starts would be waited for in vain. */
static int add_check_wait(
    struct command *command, const struct value *trigger, struct schedd_error *err)
{
	const char *type = value_get_string(trigger, "type");
	const struct value *manual = value_get(trigger, "manual");

	if ((!args_has(&command->args, "wait") && !args_has(&command->args, "follow")) ||
	    args_has(&command->args, "after") ||
	    !((type && strcmp(type, "manual") == 0) || (manual && manual->type == VALUE_BOOL)))
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "a --manual job does not run by itself: add it, then schedctl run -w (or -f) it");
}

/* Everything that can be found wrong without a daemon is found here. */
static int add_params(struct command *command, struct value *params, struct schedd_error *err)
{
	static const char *const flags[][2] = {{"replace", "replace"}, {"if-absent", "if_absent"},
	    {"allow-past", "allow_past"}, {"dry-run", "dry_run"}};
	struct value trigger;
	int rc = add_check(command, err);

	if (!rc)
		rc = job_spec_trigger(command, &trigger, err);
	if (!rc)
		rc = add_check_wait(command, &trigger, err);
	if (rc)
		return rc;
	if (trigger.type == VALUE_NIL && !args_has(&command->args, "after"))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "when should it run? give --at, --in, --every, --cron, --calendar, --on-start, "
		    "--on-boot, --after or --manual");
	if (trigger.type == VALUE_NIL) {
		trigger = value_map();
		value_put(&command->arena, &trigger, "type", value_string_ref("manual"));
	}
	*params = value_map();
	rc = job_spec_fields(command, params, err);
	if (rc)
		return rc;
	value_put(&command->arena, params, "trigger", trigger);
	if (!value_get(params, "command") && !value_get(params, "shell") &&
	    !value_get(params, "call") && !value_get(params, "http"))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "what should it run? give -- CMD ARG…, --sh LINE, --script FILE, --call P:F or "
		    "--http 'METHOD URL'");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (args_has(&command->args, flags[i][0]))
			value_put(&command->arena, params, flags[i][1], value_bool(true));
	return 0;
}

static int add_run(struct command *command)
{
	bool follow = args_has(&command->args, "follow"), wait = args_has(&command->args, "wait");
	struct schedd_error err = {.offset = -1};
	struct value params, job;
	const char *id;
	int status;

	if (add_params(command, &params, &err) != 0) {
		status = say_error(command, &err);
		job_spec_caret(command, &err);
		return status;
	}
	if (command_call(command, "job.add", &params, &job, &err) != 0) {
		status = say_error(command, &err);
		if (err.code == SCHEDD_ECONFLICT && !args_has(&command->args, "replace"))
			say_hint(command,
			    "--replace changes the job of that id, --if-absent leaves it alone.");
		return status;
	}
	command_zone(command);
	id = value_get_string(&job, "id");
	if (out_is_json(command))
		status = out_json(command, &job);
	else
		status = out_write(id, strlen(id)) && out_write("\n", 1) ? EXIT_DONE : EXIT_PIPE;
	if (args_has(&command->args, "dry-run"))
		say(command, "Nothing was changed.");
	else
		job_spec_say_next(command, &job);
	if (!status && (follow || wait))
		status = run_watch(command, id, follow, false);
	return status;
}

const struct verb verb_add = {
    .name = "add",
    .group = "Jobs",
    .summary = "add a job",
    .usage =
	"[--id ID] TRIGGER… [OPTIONS] {-- CMD ARG… | --sh LINE | --script FILE|- | --call P:F | "
	"--http 'METHOD URL'}",
    .examples = "schedctl add --every 15m -- /usr/local/bin/sync-mail\n"
		"schedctl add --id backup --cron '30 2 * * mon-fri' --timeout 2h --retry 3 --sh "
		"'pg_dump shop | gzip > /backup/shop.gz'\n"
		"schedctl add --at 'tomorrow 9am' -- notify-send 'Stand-up'\n"
		"schedctl add --on-boot --tag kind=check -- /usr/local/sbin/check-disks\n"
		"id=$(schedctl add --in 10m --wait -C . -- make test)",
    .notes = "Several triggers are joined by \"any of\"; with --all-of only times count that all "
	     "of them name.\n"
	     "A command runs in its user's home with a small clean environment, as under cron.\n"
	     "Triggers and times are explained in schedd-time(7), all fields of a job in "
	     "schedd-jobs(5).",
    .options = add_sets,
    .complete = COMPLETE_NONE,
    .max_words = 0,
    .rest = true,
    .run = add_run,
};
