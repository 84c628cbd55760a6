/* SPDX-License-Identifier: MIT */
/* export: definitions as job files or a crontab, streamed page by page. */
#include <string.h>

#include "cmd/job_export.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"
#include "jobfile/crontab_write.h"
#include "jobfile/jobfile_write.h"

enum export_form { EXPORT_YAML, EXPORT_JSON, EXPORT_CRONTAB };

static const char *const export_words[] = {"yaml", "json", "crontab", NULL};

static const struct option export_options[] = {
    {.name = "as",
	.value = "yaml|json|crontab",
	.section = "Options",
	.complete = COMPLETE_WORDS,
	.words = export_words,
	.doc = "language of the file (default yaml, with --json json)"},
    {.name = "system", .doc = "crontab: with a column for the user, as in /etc/cron.d"},
    {.name = "store", .value = "NAME", .complete = COMPLETE_STORE, .doc = "jobs in that store"},
    {.name = "owner", .value = "NAME", .doc = "jobs of that owner, who is written into the file"},
    {0},
};

static const struct option *const export_sets[] = {
    option_label, option_target, export_options, NULL};

struct export_file {
	struct command *command;
	enum export_form form;
	struct strbuf text; /* not written yet */
	struct crontab_writer crontab;
	struct value paused; /* ids, for a crontab */
	uint64_t count;      /* jobs */
	bool *found;         /* of each word, whether a job has that id */
	bool broken;         /* our reader went away */
};

static enum jobfile_form export_jobfile(const struct export_file *file)
{
	return file->form == EXPORT_JSON ? JOBFILE_JSON : JOBFILE_YAML;
}

static int export_flush(struct export_file *file)
{
	if (strbuf_failed(&file->text))
		return SCHEDD_ENOMEM;
	if (!out_write(strbuf_peek(&file->text), file->text.length)) {
		file->broken = true;
		return SCHEDD_EFAILED;
	}
	strbuf_reset(&file->text);
	return 0;
}

/* A definition has no state; whether it is paused decides here if the entry is a comment. */
static void export_crontab_job(struct export_file *file, const struct value *job)
{
	struct value entry = *job;
	struct arena arena;

	arena_init(&arena);
	for (uint32_t i = 0; i < file->paused.array.count; i++)
		if (value_equal(&file->paused.array.items[i], value_get(job, "id"))) {
			entry = value_copy(&arena, job);
			value_put(&arena, &entry, "paused", value_bool(true));
			break;
		}
	crontab_write_job(&file->crontab, &file->text, &entry);
	arena_clear(&arena);
}

static int export_job(const struct value *job, void *context)
{
	struct export_file *file = context;
	const struct args *args = &file->command->args;
	const char *id = value_get_string(job, "id");

	for (int i = 0; id && i < args->word_count; i++)
		file->found[i] |= strcmp(args->words[i], id) == 0;
	if (file->form == EXPORT_CRONTAB)
		export_crontab_job(file, job);
	else
		jobfile_write_job(&file->text, export_jobfile(file), job, file->count);
	file->count++;
	return export_flush(file);
}

static int export_see(const struct value *job, void *context)
{
	struct export_file *file = context;

	return crontab_write_see(&file->crontab, job);
}

static void export_begin(struct export_file *file)
{
	const char *owner = args_get(&file->command->args, "owner");

	if (file->form == EXPORT_CRONTAB)
		crontab_write_begin(&file->crontab, &file->text);
	else
		jobfile_write_begin(&file->text, export_jobfile(file), owner);
}

/* Ids that were typed out but are not there. */
static int export_missing(const struct export_file *file)
{
	const struct args *args = &file->command->args;
	int missing = 0;

	for (int i = 0; i < args->word_count; i++) {
		struct schedd_error err;

		if (file->found[i] || strpbrk(args->words[i], "*?[") || args->words[i][0] == '-')
			continue;
		schedd_error_set(&err, SCHEDD_ENOTFOUND, "no job '%.128s'", args->words[i]);
		say_error(file->command, &err);
		missing++;
	}
	if (missing == 0)
		return EXIT_DONE;
	return args->word_count == 1 ? EXIT_NOT_FOUND : EXIT_FAILED;
}

static enum export_form export_form(const struct command *command)
{
	const char *as = args_get(&command->args, "as");

	if (!as)
		return out_is_json(command) ? EXPORT_JSON : EXPORT_YAML;
	for (int i = 0; export_words[i]; i++)
		if (strcmp(export_words[i], as) == 0)
			return (enum export_form)i;
	return EXPORT_YAML;
}

static void export_filters(struct command *command, struct value *params)
{
	static const char *const names[] = {"store", "owner"};

	*params = value_map();
	targets_filters(command, params);
	for (int i = 0; i < 2; i++)
		if (args_get(&command->args, names[i]))
			value_put(&command->arena, params, names[i],
			    value_string_ref(args_get(&command->args, names[i])));
}

/* What a crontab has to know of all jobs before the first is written. */
static int export_look(struct export_file *file, struct schedd_error *err)
{
	struct command *command = file->command;
	struct value params;

	crontab_write_init(
	    &file->crontab, args_has(&command->args, "system"), zone_name(command_zone(command)));
	export_filters(command, &params);
	return job_export_each(command, &params, export_see, file, err);
}

static int export_paused(struct export_file *file, struct schedd_error *err)
{
	struct command *command = file->command;
	struct value paused = value_array(), params = value_map();

	value_append(&command->arena, &paused, value_string_ref("paused"));
	value_put(&command->arena, &params, "states", paused);
	return targets_query_ids(command, &params, &file->paused, err);
}

static int export_run(struct command *command)
{
	struct export_file file = {
	    .command = command, .form = export_form(command), .paused = value_array()};
	struct schedd_error err = {0};
	struct value params;
	int rc;

	file.found = arena_alloc(&command->arena, (size_t)command->args.word_count + 1);
	if (!file.found)
		return say_usage(command, "out of memory");
	export_filters(command, &params);
	if (file.form == EXPORT_CRONTAB &&
	    (export_paused(&file, &err) != 0 || export_look(&file, &err) != 0)) {
		crontab_write_end(&file.crontab);
		return say_error(command, &err);
	}
	export_begin(&file);
	rc = job_export_each(command, &params, export_job, &file, &err);
	if (file.form == EXPORT_CRONTAB)
		crontab_write_end(&file.crontab);
	else if (!rc)
		jobfile_write_end(&file.text, export_jobfile(&file), file.count);
	if (!rc)
		rc = export_flush(&file);
	strbuf_clear(&file.text);
	if (file.broken)
		return EXIT_PIPE;
	if (rc == SCHEDD_ENOMEM)
		schedd_error_nomem(&err);
	return rc ? say_error(command, &err) : export_missing(&file);
}

const struct verb verb_export = {
    .name = "export",
    .group = "Files",
    .summary = "write jobs as a job file or a crontab",
    .usage = "[JOB…] [--as yaml|json|crontab]",
    .examples = "schedctl export > jobs.yaml\n"
		"schedctl export 'db-*' --as json\n"
		"schedctl export --as crontab",
    .notes = "What is at its default is left out; apply reads it back as the same jobs. What a\n"
	     "crontab cannot say stands in it as comments.",
    .options = export_sets,
    .complete = COMPLETE_JOB,
    .max_words = -1,
    .from_input = true,
    .run = export_run,
};
