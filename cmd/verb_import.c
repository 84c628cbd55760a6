/* SPDX-License-Identifier: MIT */
/* import: jobs out of what other schedulers have. What cannot be taken is told line by line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text_file.h"
#include "cmd/import_apscheduler.h"
#include "cmd/import_origin.h"
#include "cmd/job_set.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"
#include "jobfile/apscheduler.h"
#include "jobfile/crontab.h"
#include "jobfile/systemd_timer.h"

#define IMPORT_BYTES_MAX ((size_t)64 << 20)

static const struct option import_options[] = {
    {.name = "system",
	.section = "Options",
	.doc = "crontab: the sixth column is the user (known for /etc/crontab, /etc/cron.d)"},
    {.name = "replace", .doc = "change jobs that exist already into what the file says"},
    {.name = "if-absent", .doc = "leave jobs that exist already alone"},
    {.name = "paused",
	.doc = "jobs that are new begin paused: resume them once the other scheduler has let go"},
    {.name = "dry-run", .doc = "say what would be done, change nothing"},
    {.name = "executor",
	.value = "NAME",
	.complete = COMPLETE_EXECUTOR,
	.doc = "apscheduler: the executor of type worker for all calls"},
    {.name = "program",
	.value = "FILE",
	.complete = COMPLETE_FILE,
	.doc = "apscheduler: the program whose functions (the jobs say __main__), and modules beside it, are called"},
    {.name = "table",
	.value = "NAME",
	.doc = "apscheduler: in SQL (default: apscheduler_jobs); the collection in MongoDB (jobs)"},
    {.name = "jobs-key", .value = "KEY", .doc = "apscheduler: in Redis (default: apscheduler.jobs)"},
    {0},
};

static const struct option *const import_sets[] = {import_options, NULL};

/* What was found in the files. */
struct import {
	struct command *command;
	struct value jobs;          /* list of maps for job.import, in the command's arena */
	uint32_t *ends;             /* of each file: where its jobs end in jobs */
	struct diagnostics skipped; /* what could not be taken */
	struct diagnostics notes;   /* what was taken but means a little less */
	struct diagnostics missing; /* what was taken but lacks something on the daemon's machine */
};

/* Appends the jobs of one text; SCHEDD_EFILE: something was skipped. */
typedef int (*import_read_fn)(
    struct import *import, const char *path, const char *text, size_t length);

static const char *import_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static int import_crontab(struct import *import, const char *path, const char *text, size_t length)
{
	struct command *command = import->command;
	const struct trigger_context context = command_triggers(command);
	bool system = args_has(&command->args, "system") || crontab_is_system(path);

	uint32_t before = import->jobs.array.count;
	int rc = crontab_read(import_name(path), text, length, system, &context, &command->arena,
	    &import->jobs, &import->skipped, &import->notes);

	if (rc != SCHEDD_ENOMEM &&
	    import_origin_mark(command, path, text, length, &import->jobs, before))
		rc = SCHEDD_ENOMEM;
	return rc;
}

static int import_json(struct import *import, const char *path, const char *text, size_t length)
{
	const struct trigger_context context = command_triggers(import->command);

	return apscheduler_read(import_name(path), text, length, &context, &import->command->arena,
	    &import->jobs, &import->skipped, &import->notes);
}

/* By path: timers, as the services that they start lie beside them, and stores. */
static const struct {
	const char *name;
	import_read_fn read; /* NULL: by path */
} import_kinds[] = {
    {"apscheduler", NULL},
    {"crontab", import_crontab},
    {"json", import_json},
    {"systemd", NULL},
};

#define IMPORT_KINDS (sizeof(import_kinds) / sizeof(import_kinds[0]))

static bool import_is_apscheduler(const struct import *import)
{
	return strcmp(import->command->args.words[0], "apscheduler") == 0;
}

/* Timers, and stores of APScheduler. */
static int import_place(struct import *import, const char *path, struct schedd_error *err)
{
	struct command *command = import->command;
	const struct trigger_context context = command_triggers(command);
	struct import_job job = {.file = path,
	    .context = &context,
	    .arena = &command->arena,
	    .jobs = &import->jobs,
	    .skipped = &import->skipped,
	    .notes = &import->notes};

	if (import_is_apscheduler(import))
		return import_apscheduler_load(command, &job, path, err);
	return systemd_timer_load(&job, path) == SCHEDD_ENOMEM ? schedd_error_nomem(err) : 0;
}

static int import_file(
    struct import *import, import_read_fn read, const char *path, struct schedd_error *err)
{
	size_t length;
	char *text;
	int rc;

	if (!read)
		return import_place(import, path, err);
	rc = file_read(path, IMPORT_BYTES_MAX, &text, &length, err);
	if (rc)
		return rc;
	if (text_file_clean(import_name(path), text, &length, err))
		diagnostics_add(&import->skipped, "", 0, 0, "%s", err->message);
	else
		rc = read(import, path, text, length);
	free(text);
	return rc == SCHEDD_ENOMEM ? schedd_error_nomem(err) : 0;
}

static void import_notes(struct command *command, const struct diagnostics *notes)
{
	struct strbuf text = STRBUF_EMPTY, safe = STRBUF_EMPTY;

	diagnostics_write(notes, &text);
	out_safe(&safe, strbuf_peek(&text), text.length, true);
	if (!command->out.quiet && !out_is_json(command))
		fputs(strbuf_peek(&safe), stderr);
	strbuf_clear(&text);
	strbuf_clear(&safe);
}

/* The file that job number i comes from. */
static const char *import_origin(const struct import *import, uint32_t i)
{
	int file = 1;

	while (file < import->command->args.word_count - 1 && i >= import->ends[file])
		file++;
	return import_name(import->command->args.words[file]);
}

/* What the daemon says of a job, with the line it comes from. *at: the job of the row before. */
static void import_tell(struct import *import, const struct value *row, const char *key,
    struct diagnostics *told, uint32_t *at)
{
	const struct value *jobs = &import->jobs;
	const char *id = value_get_string(row, "id");

	/* Rows come in the order of the jobs. */
	while (
	    *at < jobs->array.count && !value_is_text(value_get(&jobs->array.items[*at], "id"), id))
		*at += 1;
	if (*at < jobs->array.count)
		diagnostics_add(told, import_origin(import, *at), jobs->array.items[*at].line, 0,
		    "%s: %s", id, value_get_string(row, key));
}

/* The rows of the answer that are not refusals: a job that was refused is a line skipped. */
static struct value import_taken(struct import *import, const struct value *result)
{
	struct value taken = value_array();
	uint32_t at = 0;

	for (uint32_t i = 0; i < result->array.count; i++) {
		const struct value *row = &result->array.items[i];

		if (value_get_string(row, "warning"))
			import_tell(import, row, "warning", &import->missing, &at);
		if (value_get_string(row, "error"))
			import_tell(import, row, "error", &import->skipped, &at);
		else
			value_append(&import->command->arena, &taken, *row);
	}
	return taken;
}

/* Sends the jobs; what came of them in *taken. The exit status. */
static int import_send(struct import *import, struct value *taken)
{
	static const char *const flags[][2] = {{"replace", "replace"}, {"if-absent", "if_absent"},
	    {"paused", "paused"}, {"dry-run", "dry_run"}};
	struct command *command = import->command;
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	int rc, status;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (args_has(&command->args, flags[i][0]))
			value_put(&command->arena, &params, flags[i][1], value_bool(true));
	value_put(&command->arena, &params, "skip", value_bool(true));
	rc = job_set_send(command, "job.import", &params, &import->jobs, NULL, &result, &err);
	if (!rc) {
		*taken = import_taken(import, &result);
		return EXIT_DONE;
	}
	status = say_error(command, &err);
	if (rc == SCHEDD_ECONFLICT)
		say_hint(command, "--replace changes what is there, --if-absent leaves it alone.");
	return status;
}

static int import_show(struct import *import, const struct value *taken)
{
	struct command *command = import->command;
	int status = job_set_show(command, taken, true);

	say(command, "%u added, %u changed, %u unchanged%s.", job_set_count(taken, "added"),
	    job_set_count(taken, "changed"), job_set_count(taken, "unchanged"),
	    args_has(&command->args, "dry-run") ? " (nothing was done: --dry-run)" : "");
	return status;
}

static int import_nothing(struct command *command)
{
	const struct value none = value_array();

	say_hint(command, "There is no job to import.");
	return out_is_json(command) ? out_json(command, &none) : EXIT_DONE;
}

static int import_load(struct import *import, import_read_fn read, struct schedd_error *err)
{
	struct command *command = import->command;

	import->ends =
	    arena_alloc(&command->arena, (size_t)command->args.word_count * sizeof(*import->ends));
	if (!import->ends)
		return schedd_error_nomem(err);
	for (int i = 1; i < command->args.word_count; i++) {
		int rc = import_file(import, read, command->args.words[i], err);

		if (rc)
			return rc;
		import->ends[i] = import->jobs.array.count;
	}
	return 0;
}

/* Is there one of that name in the daemon's list? */
static bool import_has_alias(const struct value *list, const char *alias)
{
	for (uint32_t i = 0; i < list->array.count; i++)
		if (value_is_text(value_get(&list->array.items[i], "name"), alias))
			return true;
	return false;
}

/* Executors and stores that another scheduler had, and this one has not: the default serves. */
static int import_aliases(
    struct import *import, const char *field, const char *method, struct schedd_error *err)
{
	struct command *command = import->command;
	struct value *jobs = &import->jobs;
	struct value list = value_nil();
	int rc;

	for (uint32_t i = 0; i < jobs->array.count; i++) {
		struct value *job = &jobs->array.items[i];
		/* The list is the import's own. */
		struct value_member *member =
		    (struct value_member *)(uintptr_t)value_find(job, field);

		if (!member || member->value.type != VALUE_STRING)
			continue;
		if (list.type == VALUE_NIL) {
			rc = command_call(command, method, NULL, &list, err);
			if (rc)
				return rc;
		}
		if (import_has_alias(&list, member->value.string.text))
			continue;
		diagnostics_add(&import->notes, import_origin(import, i), job->line, 0,
		    "%s: there is no %s '%s' here, the default serves", value_get_string(job, "id"),
		    field, member->value.string.text);
		member->value = value_string_ref("default");
	}
	return 0;
}

static int import_all(struct import *import, import_read_fn read)
{
	struct command *command = import->command;
	int status = EXIT_DONE, skipped = EXIT_DONE;
	struct schedd_error err = {0};
	struct value taken = value_array();

	if (import_load(import, read, &err) != 0)
		return say_error(command, &err);
	if (import_is_apscheduler(import) && import->jobs.array.count > 0 &&
	    import_apscheduler_settle(command, &import->jobs, &err) != 0)
		return say_error(command, &err);
	if (import_aliases(import, "executor", "executor.list", &err) != 0 ||
	    import_aliases(import, "store", "store.list", &err) != 0)
		return say_error(command, &err);
	import_notes(command, &import->notes);
	if (import->jobs.array.count > 0 && import_origin_settle(command, &import->jobs, &err) != 0)
		return say_error(command, &err);
	if (import->jobs.array.count > 0)
		status = import_send(import, &taken);
	import_notes(command, &import->missing);
	if (import->skipped.count > 0)
		skipped = job_set_diagnose(command, &import->skipped,
		    taken.array.count > 0 || status ? EXIT_FAILED : EXIT_INVALID_FILE);
	if (status)
		return status;
	status =
	    import->jobs.array.count > 0 ? import_show(import, &taken) : import_nothing(command);
	return status ? status : skipped;
}

static int import_run(struct command *command)
{
	struct import import = {.command = command, .jobs = value_array()};
	const char *kind = command->args.words[0];
	int status;

	for (size_t i = 0; i < IMPORT_KINDS; i++)
		if (strcmp(import_kinds[i].name, kind) == 0) {
			diagnostics_init_all(&import.skipped);
			diagnostics_init_all(&import.notes);
			diagnostics_init_all(&import.missing);
			status = import_all(&import, import_kinds[i].read);
			diagnostics_clear(&import.skipped);
			diagnostics_clear(&import.notes);
			diagnostics_clear(&import.missing);
			return status;
		}
	return say_usage(
	    command, "nothing is known of '%s'; there are import apscheduler, crontab, json and systemd", kind);
}

const struct verb verb_import = {
    .name = "import",
    .group = "Files",
    .summary = "take over jobs from crontabs, systemd timers or APScheduler",
    .usage = "apscheduler|crontab|json|systemd URL|FILE|-…",
    .examples = "crontab -l | schedctl import crontab -\n"
		"schedctl import crontab /etc/cron.d/* --dry-run\n"
		"schedctl import apscheduler redis://localhost/2 --jobs-key app.jobs --paused\n"
		"schedctl import apscheduler jobs.sqlite --executor python\n"
		"schedctl import json jobs.json\n"
		"schedctl import systemd /etc/systemd/system/*.timer",
    .notes =
	"apscheduler reads a live store: an SQLite file, postgresql://…, mysql://…, redis://…,\n"
	"mongodb://HOST/DATABASE, zookeeper://HOST/PATH, or a file that export_jobs() wrote. Nothing "
	"of the\n"
	"pickles in it is run. Each job becomes a call of an executor of type worker: the one that "
	"its\n"
	"alias names, the only one, or that of --executor.\n"
	"json is what APScheduler 3.11's export_jobs() writes, or a job list of "
	"Flask-APScheduler.\n"
	"A line or job that cannot be taken is reported and skipped; the exit status "
	"is 1 then, 7 if\n"
	"no job is left. A timer whose service would run otherwise without a setting that nothing "
	"here\n"
	"stands for begins paused, and says which. A user that is not on the daemon's machine is "
	"told of, but the job is "
	"taken: the\n"
	"user may come yet. Ids come from the commands' names and are the same when the file is "
	"imported\n"
	"again; a job of another crontab's keeps its id, and the new one gets another. A job whose "
	"crontab\n"
	"still runs it would run twice: import it with --paused, and resume it once the crontab is "
	"gone.",
    .options = import_sets,
    .complete = COMPLETE_IMPORT,
    .min_words = 2,
    .max_words = -1,
    .run = import_run,
};
