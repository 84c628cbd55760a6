/* SPDX-License-Identifier: MIT */
/* Variables hold for the entries below them, so each entry takes what has gathered so far. */
#include "jobfile/crontab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/strmap.h"
#include "jobfile/crontab_fit.h"
#include "jobfile/crontab_line.h"
#include "jobfile/crontab_name.h"
#include "model/job_check.h"
#include "model/job_fields.h"

#define RANDOM_DELAY_MAX 100000 /* minutes */

struct crontab_reader {
	const char *file;
	bool system;
	const struct trigger_context *context;
	struct arena *arena;
	struct value *jobs;
	struct diagnostics *skipped, *notes;
	uint32_t line;
	struct strmap ids;          /* of all jobs so far; the keys themselves are the items */
	struct job_pairs variables; /* that the commands see */
	const char *zone;           /* CRON_TZ; NULL: none */
	const char *mail;           /* MAILTO; NULL: none */
	int64_t delay;              /* RANDOM_DELAY in minutes */
	bool failures_only;         /* of the entry: the option -n */
	const char *id;             /* from a comment right above; NULL: none */
};

static const char *crontab_id_key(const void *item)
{
	return item;
}

bool crontab_is_system(const char *path)
{
	return strcmp(path, "/etc/crontab") == 0 || strncmp(path, "/etc/cron.d/", 12) == 0;
}

/* ---- Variables ---- */

static void crontab_note(struct crontab_reader *reader, const char *words)
{
	diagnostics_add(reader->notes, reader->file, reader->line, 0, "%s", words);
}

static void crontab_set_delay(struct crontab_reader *reader, const char *value)
{
	char *end;
	long minutes = strtol(value, &end, 10);

	if (end == value || *end || minutes < 0 || minutes > RANDOM_DELAY_MAX)
		diagnostics_add(reader->skipped, reader->file, reader->line, 0,
		    "RANDOM_DELAY '%.40s' is not a number of minutes", value);
	else
		reader->delay = minutes;
}

static void crontab_set_zone(struct crontab_reader *reader, const char *value)
{
	reader->zone = *value ? value : NULL;
	if (reader->zone)
		crontab_note(reader,
		    "CRON_TZ holds for the times below it, as in cronie; Debian's own cron ignores "
		    "it and runs them by the machine's zone");
}

static void crontab_set_mail(struct crontab_reader *reader, const char *value)
{
	reader->mail = value[strspn(value, " \t,")] ? value : NULL;
}

static void crontab_set_other(struct crontab_reader *reader, const char *value)
{
	(void)reader;
	(void)value;
}

/*
 * Variables that mean something to cron. The command sees them like all others,
 * but not those that mean nothing any more: MAILTO="" ends what stood before it.
 */
static const struct {
	const char *name, *nothing;
	void (*set)(struct crontab_reader *reader, const char *value);
} crontab_variables[] = {
    {"CRON_TZ", "", crontab_set_zone},
    {"RANDOM_DELAY", "0", crontab_set_delay},
    {"MAILTO", "", crontab_set_mail},
    {"MAILFROM", "", crontab_set_other},
    {"CONTENT_TYPE", "", crontab_set_other},
    {"CONTENT_TRANSFER_ENCODING", "", crontab_set_other},
};

static int crontab_set(struct crontab_reader *reader, const struct crontab_line *line)
{
	/* cron puts the account's name there whatever the table says. */
	if (strcmp(line->name, "LOGNAME") == 0) {
		crontab_note(reader, "LOGNAME is always the user's name: the line is left out");
		return 0;
	}
	for (size_t i = 0; i < sizeof(crontab_variables) / sizeof(crontab_variables[0]); i++)
		if (strcmp(crontab_variables[i].name, line->name) == 0) {
			crontab_variables[i].set(reader, line->value);
			if (strcmp(line->value, crontab_variables[i].nothing) == 0) {
				job_pairs_remove(&reader->variables, line->name);
				return 0;
			}
		}
	if (reader->variables.count >= JOB_FIELD_ITEMS_MAX) {
		diagnostics_add(reader->skipped, reader->file, reader->line, 0,
		    "there are more than %d variables", JOB_FIELD_ITEMS_MAX);
		return 0;
	}
	return job_pairs_set(&reader->variables, line->name, line->value);
}

/* ---- Entries ---- */

static struct value crontab_trigger(struct crontab_reader *reader, const struct crontab_line *line)
{
	struct arena *arena = reader->arena;
	struct value map = value_map();
	const char *note;

	if (strcasecmp(line->schedule, "@reboot") == 0) {
		value_put(arena, &map, "on_boot", value_bool(true));
		return map;
	}
	value_put(arena, &map, "cron", value_string_ref(crontab_fit(arena, line->schedule, &note)));
	if (note)
		crontab_note(reader, note);
	if (reader->zone)
		value_put(arena, &map, "timezone", value_string_ref(reader->zone));
	if (reader->delay > 0)
		value_put(arena, &map, "jitter", value_int(reader->delay * 60));
	return map;
}

/* MAILTO may name several, separated by commas. */
static struct value crontab_notify(struct crontab_reader *reader)
{
	const char *on = reader->failures_only ? "failure" : "output";
	struct value list = value_array();

	for (const char *at = reader->mail; *at;) {
		size_t length;

		at += strspn(at, " \t,");
		length = strcspn(at, " \t,");
		if (length > 0)
			value_append(reader->arena, &list,
			    value_string_ref(
				arena_printf(reader->arena, "%s=mail:%.*s", on, (int)length, at)));
		at += length;
	}
	return list;
}

/* All variables but the shell, which has a field of its own. */
static struct value crontab_env(struct crontab_reader *reader)
{
	struct value map = value_map();

	for (uint32_t i = 0; i < reader->variables.count; i++) {
		const struct job_pair *pair = &reader->variables.items[i];
		const char *name = arena_strdup(reader->arena, pair->name);

		if (name && strcmp(name, "SHELL") != 0)
			value_put(
			    reader->arena, &map, name, value_string(reader->arena, pair->text));
	}
	return map;
}

/* Is the word the name of an account, and of no command that one would write here? */
static bool crontab_is_account(const char *word, size_t length)
{
	static const char *const accounts[] = {"root", "daemon", "www-data", "nobody", "postgres",
	    "mysql", "backup", "munin", "smmsp", "logcheck", "Debian-exim", "list", "uucp"};

	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++)
		if (strlen(accounts[i]) == length && strncmp(accounts[i], word, length) == 0)
			return true;
	return false;
}

/* BSD's crons take options before the command. */
static void crontab_options(struct crontab_reader *reader, struct crontab_line *line)
{
	static const char blanks[] = " \t";
	const char *command = line->command + strspn(line->command, blanks);

	reader->failures_only = false;
	while (command[0] == '-') {
		size_t length = strspn(command + 1, "nqs") + 1;
		size_t gap = strspn(command + length, blanks);

		if (length == 1 || gap == 0 || !command[length + gap])
			return;
		reader->failures_only |= memchr(command, 'n', length) != NULL;
		diagnostics_add(reader->notes, reader->file, reader->line, 0,
		    "'%.*s' is taken as BSD's option of the line, not as part of the command",
		    (int)length, command);
		command += length + gap;
		line->command = command;
	}
}

/* Remarks on a command that was probably meant as something else. */
static void crontab_doubt(struct crontab_reader *reader, const struct crontab_line *line)
{
	const char *command = line->command + strspn(line->command, " \t");
	size_t word = strcspn(command, " \t");

	if (line->backslashes)
		crontab_note(reader,
		    "two backslashes are one in the command, as in Debian's cron; cronie keeps "
		    "both");
	if (strspn(command, "*0123456789/,-") == word && command[word])
		diagnostics_add(reader->notes, reader->file, reader->line, 0,
		    "the command begins with '%.*s': a crontab has five fields of time, without "
		    "seconds or years",
		    (int)word, command);
	else if (!reader->system && command[word] && crontab_is_account(command, word))
		diagnostics_add(reader->notes, reader->file, reader->line, 0,
		    "the command begins with '%.*s', which is an account: if this is a system "
		    "crontab, it is to be read as one (schedctl: --system)",
		    (int)word, command);
}

static bool crontab_id_free(const struct crontab_reader *reader, const char *id)
{
	return job_id_valid(id) && !strmap_get(&reader->ids, id);
}

/*
 * The command's name; for a second line of that name its last argument behind
 * it, or a hash of the line, which no other line above or below can change.
 */
static const char *crontab_id(struct crontab_reader *reader, const struct crontab_line *line)
{
	char name[CRONTAB_NAME_SIZE], detail[CRONTAB_NAME_SIZE];
	const char *id;

	if (reader->id && crontab_id_free(reader, reader->id))
		return reader->id;
	crontab_name(line->command, name, detail);
	if (crontab_id_free(reader, name))
		return arena_strdup(reader->arena, name);
	if (detail[0]) {
		id = arena_printf(reader->arena, "%s-%s", name, detail);
		if (id && crontab_id_free(reader, id))
			return id;
	}
	id = arena_printf(reader->arena, "%s-%04x", name, strmap_hash(line->command) & 0xffff);
	for (unsigned n = 2; id && !crontab_id_free(reader, id); n++)
		id = arena_printf(reader->arena, "%s-%u", name, n);
	return id;
}

static struct value crontab_job(struct crontab_reader *reader, const struct crontab_line *line)
{
	const char *home = job_pairs_get(&reader->variables, "HOME");
	const char *shell = job_pairs_get(&reader->variables, "SHELL");
	struct arena *arena = reader->arena;
	struct value job = value_map(), input = value_map(), env = crontab_env(reader);

	job.line = reader->line;
	value_put(arena, &job, "id", value_string_ref(crontab_id(reader, line)));
	value_put(arena, &job, "shell", value_string_ref(line->command));
	value_put(arena, &job, "trigger", crontab_trigger(reader, line));
	if (line->user)
		value_put(arena, &job, "user", value_string_ref(line->user));
	if (shell && strcmp(shell, "/bin/sh") != 0)
		value_put(arena, &job, "shell_path", value_string(arena, shell));
	if (home)
		value_put(arena, &job, "cwd", value_string(arena, home));
	if (env.map.count > 0)
		value_put(arena, &job, "env", env);
	if (line->input) {
		value_put(arena, &input, "text", value_string_ref(line->input));
		value_put(arena, &job, "stdin", input);
	}
	/* cron mails what a command prints. */
	if (reader->mail)
		value_put(arena, &job, "notify", crontab_notify(reader));
	return job;
}

/* As the daemon will read it. */
static int crontab_check(
    const struct crontab_reader *reader, const struct value *map, struct schedd_error *err)
{
	struct job_fields_context context = {.trigger = reader->context};
	struct schedd_job *job = job_new();
	int rc;

	if (!job)
		return schedd_error_nomem(err);
	rc = job_fields_read(job, NULL, map, JOB_FIELD_ADD_ONLY, &context, err);
	if (!rc)
		rc = job_check(job, err);
	job_unref(job);
	return rc;
}

static int crontab_entry(struct crontab_reader *reader, struct crontab_line *line)
{
	struct value job;
	/* The map of ids holds keys alone, and never writes to them. */
	char *id;
	struct schedd_error err;
	int rc;

	crontab_options(reader, line);
	crontab_doubt(reader, line);
	job = crontab_job(reader, line);
	id = (char *)(uintptr_t)value_get_string(&job, "id");
	if (arena_failed(reader->arena) || !id)
		return SCHEDD_ENOMEM;
	rc = crontab_check(reader, &job, &err);
	if (rc == SCHEDD_ENOMEM)
		return rc;
	if (rc) {
		diagnostics_add(reader->skipped, reader->file, reader->line, 0, "%s", err.message);
		return 0;
	}
	rc = strmap_put(&reader->ids, id);
	if (rc || !value_append(reader->arena, reader->jobs, job))
		return SCHEDD_ENOMEM;
	return 0;
}

/* ---- The file ---- */

/* " schedd: ID" */
static const char *crontab_comment_id(struct arena *arena, const char *comment)
{
	const char *id;

	if (!comment || strncmp(comment, " schedd: ", 9) != 0)
		return NULL;
	id = arena_strdup(arena, comment + 9);
	return id && job_id_valid(id) ? id : NULL;
}

static int crontab_line(struct crontab_reader *reader, const char *text, size_t length)
{
	struct crontab_line line;
	struct schedd_error err;
	int rc = crontab_line_read(text, length, reader->system, reader->arena, &line, &err);

	if (rc == SCHEDD_ENOMEM)
		return rc;
	if (rc) {
		diagnostics_add(reader->skipped, reader->file, reader->line, 0, "%s", err.message);
		rc = 0;
	} else if (line.kind == CRONTAB_VARIABLE) {
		rc = crontab_set(reader, &line);
	} else if (line.kind == CRONTAB_ENTRY) {
		rc = crontab_entry(reader, &line);
	} else {
		reader->id = crontab_comment_id(reader->arena, line.comment);
		return 0;
	}
	reader->id = NULL;
	return rc;
}

/* Ids of the list that is appended to are taken. */
static int crontab_take_ids(struct crontab_reader *reader)
{
	for (uint32_t i = 0; i < reader->jobs->array.count; i++) {
		const char *id = value_get_string(&reader->jobs->array.items[i], "id");

		if (id && strmap_put(&reader->ids, (char *)(uintptr_t)id) == SCHEDD_ENOMEM)
			return SCHEDD_ENOMEM;
	}
	return 0;
}

int crontab_read(const char *file, const char *text, size_t length, bool system,
    const struct trigger_context *context, struct arena *arena, struct value *jobs,
    struct diagnostics *skipped, struct diagnostics *notes)
{
	struct crontab_reader reader = {.file = file,
	    .system = system,
	    .context = context,
	    .arena = arena,
	    .jobs = jobs,
	    .skipped = skipped,
	    .notes = notes};
	uint32_t before = skipped->count + skipped->dropped;
	const char *end = text + length;
	int rc;

	strmap_init(&reader.ids, crontab_id_key);
	rc = crontab_take_ids(&reader);
	while (!rc && text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		size_t size = line_end ? (size_t)(line_end - text) : (size_t)(end - text);

		reader.line++;
		rc = crontab_line(&reader, text, size);
		text += size + (line_end != NULL);
	}
	strmap_clear(&reader.ids);
	job_pairs_clear(&reader.variables);
	if (rc || arena_failed(arena))
		return SCHEDD_ENOMEM;
	return skipped->count + skipped->dropped > before ? SCHEDD_EFILE : 0;
}
