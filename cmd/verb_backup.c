/* SPDX-License-Identifier: MIT */
/* backup and restore: a store as a file. */
#include <limits.h>
#include <unistd.h>

#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct option backup_options[] = {
    {.name = "store",
	.value = "NAME",
	.section = "Options",
	.complete = COMPLETE_STORE,
	.doc = "which store (default: default)"},
    {.name = "logical", .doc = "as text that restore reads into any store; a server's always is"},
    {0},
};

static const struct option *const backup_sets[] = {backup_options, NULL};

/* The daemon has a working directory of its own, so it gets an absolute path. */
static const char *backup_absolute(struct command *command, const char *path)
{
	char here[PATH_MAX];

	if (path[0] == '/' || !getcwd(here, sizeof(here)))
		return path;
	return arena_printf(&command->arena, "%s/%s", here, path);
}

/* Path and store; the options that are flags by their names. */
static int backup_call(struct command *command, const char *method, const char *flag,
    struct value *result, struct schedd_error *err)
{
	const char *store = args_get(&command->args, "store");
	struct value params = value_map();

	value_put(&command->arena, &params, "path",
	    value_string_ref(backup_absolute(command, command->args.words[0])));
	if (store)
		value_put(&command->arena, &params, "store", value_string_ref(store));
	if (args_has(&command->args, flag))
		value_put(&command->arena, &params, flag, value_bool(true));
	return command_call(command, method, &params, result, err);
}

static const char *backup_s(const struct value *result, const char *key)
{
	return value_get_int(result, key, 0) == 1 ? "" : "s";
}

static int backup_run(struct command *command)
{
	struct schedd_error err = {0};
	struct strbuf size = STRBUF_EMPTY;
	struct value result;
	int64_t left;

	if (backup_call(command, "server.backup", "logical", &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	out_bytes(&size, value_get_int(&result, "bytes", 0));
	left = value_get_int(&result, "left_out", 0);
	if (!value_get(&result, "runs"))
		say(command,
		    "Jobs and history are in %s (%s). To restore: stop schedd, put it in the "
		    "place of the store's file, start schedd.",
		    value_get_string(&result, "path"), strbuf_peek(&size));
	else
		say(command,
		    "%lld job%s and %lld run%s are in %s (%s). To restore: schedctl restore FILE --store "
		    "NAME.",
		    (long long)value_get_int(&result, "jobs", 0), backup_s(&result, "jobs"),
		    (long long)value_get_int(&result, "runs", 0), backup_s(&result, "runs"),
		    value_get_string(&result, "path"), strbuf_peek(&size));
	if (left)
		say(command, "%lld jobs that cannot be read are not in it; schedctl list --state invalid "
			     "shows them.",
		    (long long)left);
	strbuf_clear(&size);
	return EXIT_DONE;
}

const struct verb verb_backup = {
    .name = "backup",
    .group = "Daemon",
    .summary = "copy jobs and history into a file while schedd runs",
    .usage = "FILE [--store NAME] [--logical]",
    .examples = "schedctl backup /var/backups/schedd-$(date +%F).db\n"
		"schedctl backup /var/backups/schedd-$(date +%F).jsonl --logical",
    .notes = "Of a store in a file this is a copy of the file, to be put in its place. Of one on a "
	     "server, and with\n"
	     "--logical, it is text, a line for each run and each job with its counts and its pause, "
	     "which restore\n"
	     "reads into any store.",
    .options = backup_sets,
    .complete = COMPLETE_FILE,
    .min_words = 1,
    .max_words = 1,
    .run = backup_run,
};

static const struct option restore_options[] = {
    {.name = "store",
	.value = "NAME",
	.section = "Options",
	.complete = COMPLETE_STORE,
	.doc = "into which store (default: default)"},
    {.name = "replace", .doc = "jobs that are there are changed into those of the file"},
    {0},
};

static const struct option *const restore_sets[] = {restore_options, NULL};

static int restore_run(struct command *command)
{
	struct schedd_error err = {0};
	struct value result;

	if (backup_call(command, "server.restore", "replace", &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	say(command, "%lld job%s and %lld run%s are in store %s.",
	    (long long)value_get_int(&result, "jobs", 0), backup_s(&result, "jobs"),
	    (long long)value_get_int(&result, "runs", 0), backup_s(&result, "runs"),
	    value_get_string(&result, "store"));
	return EXIT_DONE;
}

const struct verb verb_restore = {
    .name = "restore",
    .group = "Daemon",
    .summary = "read a logical backup into a store",
    .usage = "FILE [--store NAME] [--replace]",
    .examples = "schedctl restore /var/backups/schedd.jsonl\n"
		"schedctl restore /var/backups/schedd.jsonl --store default --replace",
    .notes = "The whole file is read before anything is changed: a line that is wrong, or a file that "
	     "was cut off, is\n"
	     "named with its line and byte. All its jobs are restored, or none; a job that is there "
	     "already is a\n"
	     "conflict, unless --replace. Numbers of runs go on behind the highest of both. What fell "
	     "due since the\n"
	     "backup goes by each job's misfire_grace_time and coalesce. A run that had not ended then "
	     "is lost.",
    .options = restore_sets,
    .complete = COMPLETE_FILE,
    .min_words = 1,
    .max_words = 1,
    .run = restore_run,
};
