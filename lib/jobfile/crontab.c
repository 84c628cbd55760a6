/* SPDX-License-Identifier: MIT */
/* Variables hold for the entries below them, so each entry takes what has gathered so far. */
#include "jobfile/crontab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/strmap.h"
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
	struct job_pairs variables; /* all but those below */
	const char *zone;           /* CRON_TZ; NULL: none */
	const char *mail;           /* MAILTO; NULL: none */
	int64_t delay;              /* RANDOM_DELAY in minutes */
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

static int crontab_set_delay(struct crontab_reader *reader, const char *value)
{
	char *end;
	long minutes = strtol(value, &end, 10);

	if (end == value || *end || minutes < 0 || minutes > RANDOM_DELAY_MAX)
		diagnostics_add(reader->skipped, reader->file, reader->line, 0,
		    "RANDOM_DELAY '%.40s' is not a number of minutes", value);
	else
		reader->delay = minutes;
	return 0;
}

static int crontab_set_zone(struct crontab_reader *reader, const char *value)
{
	reader->zone = *value ? value : NULL;
	return 0;
}

static int crontab_set_mail(struct crontab_reader *reader, const char *value)
{
	reader->mail = value[strspn(value, " \t,")] ? value : NULL;
	if (reader->mail)
		crontab_note(reader,
		    "MAILTO: mail is sent when a run fails, not for all output as cron does");
	return 0;
}

static int crontab_drop(struct crontab_reader *reader, const char *value)
{
	(void)value;
	crontab_note(reader, "a variable that means something to cron alone is left out");
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct crontab_reader *reader, const char *value);
} crontab_variables[] = {
    {"CRON_TZ", crontab_set_zone},
    {"RANDOM_DELAY", crontab_set_delay},
    {"MAILTO", crontab_set_mail},
    {"MAILFROM", crontab_drop},
    {"CONTENT_TYPE", crontab_drop},
    {"CONTENT_TRANSFER_ENCODING", crontab_drop},
    {"LOGNAME", crontab_drop},
    {"USER", crontab_drop},
};

static int crontab_set(struct crontab_reader *reader, const struct crontab_line *line)
{
	for (size_t i = 0; i < sizeof(crontab_variables) / sizeof(crontab_variables[0]); i++)
		if (strcmp(crontab_variables[i].name, line->name) == 0)
			return crontab_variables[i].set(reader, line->value);
	if (reader->variables.count >= JOB_FIELD_ITEMS_MAX) {
		diagnostics_add(reader->skipped, reader->file, reader->line, 0,
		    "there are more than %d variables", JOB_FIELD_ITEMS_MAX);
		return 0;
	}
	return job_pairs_set(&reader->variables, line->name, line->value);
}

/* ---- Entries ---- */

/* cronie leaves out the ends of a~b; first and last values by field. */
static const char *crontab_fill_draws(struct arena *arena, const char *schedule)
{
	static const char *const first[] = {"0", "0", "1", "1", "0"};
	static const char *const last[] = {"59", "23", "31", "12", "6"};
	struct strbuf out = STRBUF_EMPTY;
	const char *filled;
	int field = 0;

	if (!strchr(schedule, '~'))
		return schedule;
	for (const char *c = schedule; *c; c++) {
		bool begins = c == schedule || strchr(" ,", c[-1]);

		field += *c == ' ' && field < 4;
		if (*c == '~' && begins)
			strbuf_add(&out, first[field]);
		strbuf_add_char(&out, *c);
		if (*c == '~' && (!c[1] || strchr(" ,", c[1])))
			strbuf_add(&out, last[field]);
	}
	filled = arena_strdup(arena, strbuf_peek(&out));
	strbuf_clear(&out);
	return filled;
}

static struct value crontab_trigger(struct crontab_reader *reader, const struct crontab_line *line)
{
	struct arena *arena = reader->arena;
	struct value map = value_map();

	if (strcasecmp(line->schedule, "@reboot") == 0) {
		value_put(arena, &map, "on_boot", value_bool(true));
		return map;
	}
	value_put(arena, &map, "cron", value_string_ref(crontab_fill_draws(arena, line->schedule)));
	if (reader->zone)
		value_put(arena, &map, "timezone", value_string_ref(reader->zone));
	if (reader->delay > 0)
		value_put(arena, &map, "jitter", value_int(reader->delay * 60));
	return map;
}

/* MAILTO may name several, separated by commas. */
static struct value crontab_notify(struct crontab_reader *reader)
{
	struct value list = value_array();

	for (const char *at = reader->mail; *at;) {
		size_t length;

		at += strspn(at, " \t,");
		length = strcspn(at, " \t,");
		if (length > 0)
			value_append(reader->arena, &list,
			    value_string_ref(
				arena_printf(reader->arena, "failure=mail:%.*s", (int)length, at)));
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

static int crontab_entry(struct crontab_reader *reader, const struct crontab_line *line)
{
	struct value job = crontab_job(reader, line);
	/* The map of ids holds keys alone, and never writes to them. */
	char *id = (char *)(uintptr_t)value_get_string(&job, "id");
	struct schedd_error err;
	int rc;

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
