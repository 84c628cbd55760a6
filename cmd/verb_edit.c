/* SPDX-License-Identifier: MIT */
/*
 * edit: the job as YAML in an editor, again until it is right. The revision
 * that was shown guards against changes meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/edit_file.h"
#include "cmd/job_export.h"
#include "cmd/job_spec.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"
#include "jobfile/jobfile.h"
#include "jobfile/jobfile_write.h"
#include "model/job_fields.h"

struct edit {
	struct command *command;
	const char *id;
	int64_t revision;
	bool fresh;          /* there is no such job yet */
	struct value before; /* the definition that was shown */
	struct edit_file file;
	struct strbuf fault; /* why it is opened again; empty: it is not */
};

static bool edit_template_has(const struct job_field *field)
{
	static const char *const said[] = {"id", "trigger", "shell", "command", NULL};

	for (const char *const *name = said; *name; name++)
		if (strcmp(*name, field->name) == 0)
			return false;
	return (field->flags & JOB_FIELD_FILE) && !(field->flags & JOB_FIELD_STATE);
}

/* A job to be made of what is said in comments; left as it is, it is none. */
static int edit_template(struct edit *edit, struct schedd_error *err)
{
	struct strbuf *text = &edit->file.text;

	say_hint(edit->command, "schedctl: %s; the editor makes it.", err->message);
	err->code = 0;
	edit->fresh = true;
	edit->before = value_map();
	jobfile_write_begin(text, JOBFILE_YAML, NULL);
	strbuf_printf(text,
	    "\n  %s:\n"
	    "    # When? One of these, or trigger: {any: [...]} for several:\n"
	    "    # trigger: {every: 15m}\n"
	    "    # trigger: {cron: '30 2 * * mon-fri'}\n"
	    "    # trigger: {at: 'tomorrow 9am'}\n"
	    "    # trigger: {type: manual}\n"
	    "\n"
	    "    # What? A line for the shell, or a program with its arguments:\n"
	    "    # shell: 'pg_dump shop | gzip > /backup/shop.gz'\n"
	    "    # command: [/usr/bin/rsync, -a, /home, /mnt]\n"
	    "\n"
	    "    # And what else there is (all of it in schedd-jobs(5)):\n",
	    edit->id);
	for (const struct job_field *field = job_fields(); field->name; field++)
		if (edit_template_has(field))
			strbuf_printf(text, "    # %s: %s  # %s\n", field->name,
			    field->fallback && field->fallback[0] ? field->fallback : "...",
			    field->doc);
	return strbuf_failed(text) ? schedd_error_nomem(err) : 0;
}

/* The revision is asked for first: a change in between is noticed, not overwritten. */
static int edit_fetch(struct edit *edit, struct schedd_error *err)
{
	struct value params = value_map(), job;
	int rc;

	value_put(&edit->command->arena, &params, "id", value_string_ref(edit->id));
	rc = command_call(edit->command, "job.get", &params, &job, err);
	if (rc == SCHEDD_ENOTFOUND && job_id_valid(edit->id))
		return edit_template(edit, err);
	if (rc == SCHEDD_ENOTFOUND)
		return schedd_error_set(err, SCHEDD_ENOTFOUND,
		    "no job '%.140s', and none can be made of that: an id begins with a letter, digit or "
		    "'_' and goes on with those, '.' or '-', 128 at most",
		    edit->id);
	if (rc)
		return rc;
	edit->revision = value_get_int(&job, "revision", 0);
	rc = job_export_one(edit->command, edit->id, &edit->before, err);
	if (rc)
		return rc;
	jobfile_write_begin(&edit->file.text, JOBFILE_YAML, NULL);
	jobfile_write_job(&edit->file.text, JOBFILE_YAML, &edit->before, 0);
	jobfile_write_end(&edit->file.text, JOBFILE_YAML, 1);
	return strbuf_failed(&edit->file.text) ? schedd_error_nomem(err) : 0;
}

/* The text's only job into *job (in the command's arena), or a fault. */
static int edit_read(struct edit *edit, struct value *job)
{
	struct command *command = edit->command;
	const struct trigger_context context = command_triggers(command);
	struct diagnostics diagnostics;
	struct jobfile set;
	int rc;

	jobfile_init(&set);
	diagnostics_init(&diagnostics);
	rc = jobfile_read(&set, "job.yaml", strbuf_peek(&edit->file.text), edit->file.text.length,
	    &context, &diagnostics);
	*job = value_nil();
	if (rc)
		diagnostics_write(&diagnostics, &edit->fault);
	else if (set.jobs.array.count != 1 ||
		 !value_is_text(value_get(&set.jobs.array.items[0], "id"), edit->id))
		strbuf_printf(&edit->fault,
		    "There has to be exactly the job %s; for another id there is schedctl "
		    "rename.\n",
		    edit->id);
	else
		*job = value_copy(&command->arena, &set.jobs.array.items[0]);
	diagnostics_clear(&diagnostics);
	jobfile_clear(&set);
	return rc == SCHEDD_ENOMEM ? rc : 0;
}

/* What the file says, and nil for what it no longer says. */
static struct value edit_params(struct edit *edit, const struct value *job)
{
	struct arena *arena = &edit->command->arena;
	struct value params = value_map();

	value_put(arena, &params, "id", value_string_ref(edit->id));
	value_put(arena, &params, "revision", value_int(edit->revision));
	for (uint32_t i = 0; i < job->map.count; i++) {
		const struct job_field *field = job_fields_find(job->map.members[i].key);

		/* The store cannot be changed; unchanged it is left out. */
		if (field && (!(field->flags & JOB_FIELD_ADD_ONLY) ||
				 !value_get(&edit->before, field->name) ||
				 !value_equal(value_get(&edit->before, field->name),
				     &job->map.members[i].value)))
			if (strcmp(field->name, "id") != 0)
				value_put(arena, &params, field->name, job->map.members[i].value);
	}
	for (uint32_t i = 0; i < edit->before.map.count; i++) {
		const char *key = edit->before.map.members[i].key;
		const struct job_field *field = job_fields_find(key);

		if (field && field->flags & JOB_FIELD_FILE && !value_get(job, key))
			value_put(arena, &params, key, value_nil());
	}
	return params;
}

/* One turn: the editor, then the daemon. Sets a fault where it has to be opened again. */
static int edit_turn(struct edit *edit, bool *unchanged, struct schedd_error *err)
{
	struct value job, params, answer;
	char *before;
	int rc = edit_file_write(&edit->file, strbuf_peek(&edit->fault), err);

	before = rc ? NULL : strdup(strbuf_peek(&edit->file.text));
	if (!rc)
		rc = edit_file_run(&edit->file, err);
	*unchanged = !rc && before && strcmp(before, strbuf_peek(&edit->file.text)) == 0;
	free(before);
	if (rc || *unchanged)
		return rc;
	strbuf_reset(&edit->fault);
	rc = edit_read(edit, &job);
	if (rc)
		return schedd_error_nomem(err);
	if (edit->fault.length > 0)
		return 0;
	params = edit->fresh ? job : edit_params(edit, &job);
	rc = command_call(
	    edit->command, edit->fresh ? "job.add" : "job.modify", &params, &answer, err);
	if (rc == SCHEDD_EINVAL) {
		strbuf_printf(&edit->fault, "%s\n", err->message);
		return 0;
	}
	if (!rc) {
		say(edit->command, "%s %s.", edit->fresh ? "Added" : "Changed", edit->id);
		job_spec_say_next(edit->command, &answer);
	}
	return rc;
}

static int edit_finish(struct edit *edit, int rc, bool unchanged, struct schedd_error *err)
{
	bool keep = rc == SCHEDD_ECONFLICT || rc == SCHEDD_EUNREACHABLE || edit->fault.length > 0;
	int status = EXIT_DONE;

	if (rc) {
		status = say_error(edit->command, err);
	} else if (unchanged && edit->fault.length > 0) {
		edit->fault.data[edit->fault.length - 1] = '\0';
		schedd_error_set(
		    err, SCHEDD_EFILE, "nothing was changed: %s", strbuf_peek(&edit->fault));
		status = say_error(edit->command, err);
	} else if (unchanged) {
		say(edit->command, edit->fresh ? "No job was made." : "Nothing was changed.");
	}
	if (keep && edit->file.path[0])
		say(edit->command, "What you wrote is in %s", edit->file.path);
	edit_file_clear(&edit->file, keep);
	strbuf_clear(&edit->fault);
	return status;
}

static int edit_run(struct command *command)
{
	struct edit edit = {.command = command, .id = command->args.words[0]};
	struct schedd_error err = {0};
	bool unchanged = false;
	int rc = edit_fetch(&edit, &err);

	while (!rc && !unchanged) {
		rc = edit_turn(&edit, &unchanged, &err);
		if (edit.fault.length == 0)
			break;
		err.code = 0;
	}
	return edit_finish(&edit, rc, unchanged, &err);
}

const struct verb verb_edit = {
    .name = "edit",
    .group = "Jobs",
    .summary = "change a job in an editor, or make one",
    .usage = "JOB",
    .examples = "schedctl edit backup\n"
		"schedctl edit new-job\n"
		"EDITOR='code -w' schedctl edit backup",
    .notes = "$VISUAL, $EDITOR or vi gets the job as YAML. What is wrong is said in comments at "
	     "the top, and the\n"
	     "editor comes again; leave it without a change to give up. If somebody changed the "
	     "job meanwhile,\n"
	     "nothing is overwritten (exit 5). An id that no job has yet gets a template with "
	     "comments.",
    .complete = COMPLETE_JOB,
    .min_words = 1,
    .max_words = 1,
    .run = edit_run,
};
