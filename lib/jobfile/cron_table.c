/* SPDX-License-Identifier: MIT */
/* Variables hold for the lines below them; a line that is wrong does not keep others from running.
 */
#include "jobfile/cron_table.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/strmap.h"
#include "jobfile/crontab_fit.h"
#include "jobfile/crontab_line.h"
#include "jobfile/crontab_name.h"
#include "jobfile/jobfile_type.h"
#include "model/job_fields.h"

/* As under cron, a line begins at its minute whatever became of the runs before. */
#define CRON_TABLE_INSTANCES 1000
/* What fell due while nobody was there is not made up for, but a busy minute is. */
#define CRON_TABLE_GRACE 90

const char *const cron_table_parts[CRON_TABLE_PARTS] = {
    "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly"};

struct cron_table_reader {
	struct cron_table *table;
	const char *at, *end; /* what is still to be read; borrowed */
	uint32_t line;
	struct strmap ids;          /* of the file; the keys themselves are the items */
	struct strmap alike;        /* struct cron_alike by id */
	size_t world;               /* bytes of all jobs' variables */
	struct job_pairs variables; /* that hold */
	const char *options;        /* of the comment right above; NULL: none */
};

/* Lines that would have the same id; in the arena. */
struct cron_alike {
	const char *id;
	unsigned count;
};

static const char *cron_id_key(const void *item)
{
	return item;
}

static const char *cron_alike_key(const void *item)
{
	return ((const struct cron_alike *)item)->id;
}

void cron_table_owner(struct strbuf *out, const char *file)
{
	strbuf_add(out, CRON_TABLE_OWNER);
	for (; *file; file++)
		if (*file > ' ' && *file < 0x7f && *file != '%')
			strbuf_add_char(out, *file);
		else
			strbuf_printf(out, "%%%02X", (unsigned char)*file);
}

static int cron_fault(struct cron_table_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int cron_fault(struct cron_table_reader *reader, const char *format, ...)
{
	char words[SCHEDD_ERROR_MESSAGE_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	diagnostics_add(reader->table->faults, reader->table->file, reader->line, 0, "%s", words);
	if (!reader->table->fault_line) {
		reader->table->fault_line = reader->line ? reader->line : 1;
		snprintf(reader->table->fault, sizeof(reader->table->fault), "%.120s", words);
	}
	return 0;
}

/* ---- What the comment above says ---- */

/* Nothing that says what runs, as whom, when, or with which rights. */
static const char *const cron_options[] = {"timeout", "kill_after", "kill_signal", "retry",
    "success_codes", "group", "priority", "misfire_grace_time", "coalesce", "max_instances",
    "overlap", "umask", "description", "capture", "output_max", "keep_runs", "keep_for", NULL};

static bool cron_is_option(const char *name)
{
	for (const char *const *option = cron_options; *option; option++)
		if (strcmp(*option, name) == 0)
			return true;
	return false;
}

static void cron_put(
    struct cron_table_reader *reader, struct value *job, const char *key, struct value value)
{
	/* The map is the table's own. */
	struct value_member *member = (struct value_member *)(uintptr_t)value_find(job, key);

	if (member)
		member->value = value;
	else
		value_put(reader->table->arena, job, key, value);
}

/* "timeout=1h retry=2" */
static bool cron_read_options(struct cron_table_reader *reader, struct value *job)
{
	const char *at = reader->options ? reader->options : "";
	struct arena *arena = reader->table->arena;

	for (at += strspn(at, " \t"); *at; at += strspn(at, " \t")) {
		size_t length = strcspn(at, " \t"), name = strcspn(at, "= \t");
		const char *key = arena_strndup(arena, at, name);
		struct value value;

		if (!key || name == length || !cron_is_option(key)) {
			cron_fault(reader, "#schedd: '%.*s' is none of what can be said here",
			    (int)length, at);
			return false;
		}
		value = value_string_n(arena, at + name + 1, length - name - 1);
		value.plain = true;
		jobfile_type(job_fields_find(key), &value);
		cron_put(reader, job, key, value);
		at += length;
	}
	return true;
}

/* ---- One line ---- */

/* cron's idea of an address that is safe to hand to a program. */
static bool cron_address_safe(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool plain = (text[i] >= 'a' && text[i] <= 'z') ||
			     (text[i] >= 'A' && text[i] <= 'Z') ||
			     (text[i] >= '0' && text[i] <= '9');

		if (!plain && (i == 0 || !strchr("@!:%-.,_+", text[i])))
			return false;
	}
	return length > 0;
}

/* Output goes to MAILTO, or to the user where that is not set. */
static void cron_mail(struct cron_table_reader *reader, const char *user, struct value *job)
{
	const char *to = job_pairs_get(&reader->variables, "MAILTO");
	struct arena *arena = reader->table->arena;
	struct value list = value_array();

	if (to && !*to)
		return;
	for (const char *at = to ? to : user; *at;) {
		size_t length;

		at += strspn(at, " \t,");
		length = strcspn(at, " \t,");
		if (cron_address_safe(at, length))
			value_append(arena, &list,
			    value_string_ref(
				arena_printf(arena, "output=mail:%.*s", (int)length, at)));
		else if (length > 0)
			cron_fault(reader, "MAILTO '%.*s' is no safe address: nobody is told",
			    (int)length, at);
		at += length;
	}
	if (list.array.count > 0)
		cron_put(reader, job, "notify", list);
}

/* Has there been room for the variables of one more line? */
static bool cron_world_fits(struct cron_table_reader *reader)
{
	for (uint32_t i = 0; i < reader->variables.count; i++)
		reader->world += strlen(reader->variables.items[i].name) +
				 strlen(reader->variables.items[i].text) + sizeof(struct job_pair);
	return reader->world <= CRON_TABLE_WORLD_MAX;
}

static void cron_world(struct cron_table_reader *reader, struct value *job)
{
	const char *home = job_pairs_get(&reader->variables, "HOME");
	const char *shell = job_pairs_get(&reader->variables, "SHELL");
	struct arena *arena = reader->table->arena;
	struct value env = value_map();

	for (uint32_t i = 0; i < reader->variables.count; i++) {
		const struct job_pair *pair = &reader->variables.items[i];

		value_put(
		    arena, &env, arena_strdup(arena, pair->name), value_string(arena, pair->text));
	}
	if (!job_pairs_get(&reader->variables, "PATH"))
		value_put(arena, &env, "PATH", value_string_ref("/usr/bin:/bin"));
	cron_put(reader, job, "env", env);
	if (shell && strcmp(shell, "/bin/sh") != 0)
		cron_put(reader, job, "shell_path", value_string(arena, shell));
	if (home)
		cron_put(reader, job, "cwd", value_string(arena, home));
}

/* The id, or where there is one like it that with a number behind it. */
static const char *cron_id_number(struct cron_table_reader *reader, const char *id)
{
	struct arena *arena = reader->table->arena;
	struct cron_alike *alike = strmap_get(&reader->alike, id);
	const char *own = id;

	if (!alike) {
		alike = arena_alloc(arena, sizeof(*alike));
		if (!alike)
			return NULL;
		*alike = (struct cron_alike){.id = id};
		if (strmap_put(&reader->alike, alike))
			return NULL;
	}
	do {
		if (++alike->count > 1)
			own = arena_printf(arena, "%s-%u", id, alike->count);
	} while (own && strmap_get(&reader->ids, own));
	return own && strmap_put(&reader->ids, (char *)(uintptr_t)own) == 0 ? own : NULL;
}

/* NAME-HASH of the line, behind "ACCOUNT:" where ids have accounts. Lines that are alike are
 * counted. */
static const char *cron_id(
    struct cron_table_reader *reader, const struct crontab_line *line, const char *user)
{
	struct arena *arena = reader->table->arena;
	char name[CRONTAB_NAME_SIZE], detail[CRONTAB_NAME_SIZE];
	const char *whole = arena_printf(arena, "%s\n%s\n%s\n%s\n%s", reader->table->file, user,
	    line->schedule, line->command, line->input ? line->input : "");
	const char *id, *account = "";

	if (!whole)
		return NULL;
	crontab_name(line->command, name, detail);
	if (strcmp(user, "root") != 0 && job_id_valid("a:a"))
		account = arena_printf(arena, "%s:", user);
	id = account ? arena_printf(arena, "%s%s-%08x", account, name, strmap_hash(whole)) : NULL;
	return id ? cron_id_number(reader, id) : NULL;
}

/* A trigger that comes to cron's times; 1: there are none, which was said. */
static int cron_trigger(
    struct cron_table_reader *reader, const struct crontab_line *line, struct value *out)
{
	struct arena *arena = reader->table->arena;
	const char *fitted, *note;

	*out = value_map();
	if (strcasecmp(line->schedule, "@reboot") == 0) {
		value_put(arena, out, "on_boot", value_bool(true));
		return 0;
	}
	fitted = crontab_fit(arena, line->schedule, &note);
	if (!fitted)
		return SCHEDD_ENOMEM;
	if (note && strstr(note, "never runs it")) {
		cron_fault(reader, "%s", note);
		return 1;
	}
	/* The machine's zone, whatever CRON_TZ says: so does Debian's cron. */
	value_put(arena, out, "cron", value_string_ref(fitted));
	return 0;
}

/* Does it run the scripts of /etc/cron.daily and such, or anacron, which would? */
static bool cron_is_parts(struct cron_table_reader *reader, const struct crontab_line *line)
{
	struct cron_table *table = reader->table;
	bool parts = strstr(line->command, "run-parts") != NULL, found = false;

	for (int i = 0; parts && i < CRON_TABLE_PARTS; i++)
		if (strstr(line->command, cron_table_parts[i])) {
			table->schedules[i] = line->schedule;
			found = true;
		}
	/* "anacron" is asked about on the lines that run the scripts, too. */
	found |= !parts && strstr(line->command, "anacron") != NULL;
	if (found)
		value_append(table->arena, &table->taken, value_int(reader->line));
	return found;
}

static int cron_entry(struct cron_table_reader *reader, const struct crontab_line *line)
{
	struct cron_table *table = reader->table;
	const char *user = table->account ? table->account : line->user;
	struct value job = value_map(), input = value_map(), trigger, *put;
	struct strbuf owner = STRBUF_EMPTY;
	const char *id;
	int rc;

	if (table->parts && !table->account && cron_is_parts(reader, line))
		return 0;
	if (strlen(line->command) > CRON_TABLE_COMMAND_MAX)
		return cron_fault(reader, "command too long");
	if (table->account && !cron_world_fits(reader))
		return cron_fault(reader, "the variables of all lines are more than %zu MiB together",
		    CRON_TABLE_WORLD_MAX >> 20);
	rc = cron_trigger(reader, line, &trigger);
	if (rc)
		return rc < 0 ? rc : 0;
	id = cron_id(reader, line, user);
	if (!id)
		return SCHEDD_ENOMEM;
	cron_table_owner(&owner, table->file);
	value_put(table->arena, &job, "id", value_string_ref(id));
	value_put(table->arena, &job, "owner", value_string(table->arena, strbuf_peek(&owner)));
	rc = strbuf_failed(&owner) ? SCHEDD_ENOMEM : 0;
	strbuf_clear(&owner);
	if (rc)
		return rc;
	value_put(table->arena, &job, "shell", value_string_ref(line->command));
	value_put(table->arena, &job, "trigger", trigger);
	value_put(table->arena, &job, "user", value_string_ref(user));
	value_put(table->arena, &job, "max_instances", value_int(CRON_TABLE_INSTANCES));
	value_put(table->arena, &job, "misfire_grace_time", value_int(CRON_TABLE_GRACE));
	cron_world(reader, &job);
	if (line->input) {
		value_put(table->arena, &input, "text", value_string_ref(line->input));
		value_put(table->arena, &job, "stdin", input);
	}
	cron_mail(reader, user, &job);
	if (!cron_read_options(reader, &job))
		return 0;
	put = value_append(table->arena, table->jobs, job);
	if (put)
		put->line = reader->line;
	return put ? 0 : SCHEDD_ENOMEM;
}

static int cron_variable(struct cron_table_reader *reader, const struct crontab_line *line)
{
	size_t length = strlen(line->value);
	const char *value;

	/* cron puts the account's name there whatever the table says. */
	if (strcmp(line->name, "LOGNAME") == 0)
		return 0;
	if (reader->variables.count >= JOB_FIELD_ITEMS_MAX)
		return cron_fault(reader, "there are more than %d variables", JOB_FIELD_ITEMS_MAX);
	/* Debian's cron takes blanks off the end even within quotes. */
	while (length > 0 && strchr(" \t", line->value[length - 1]))
		length--;
	value = arena_strndup(reader->table->arena, line->value, length);
	return value ? job_pairs_set(&reader->variables, line->name, value) : SCHEDD_ENOMEM;
}

static int cron_line(struct cron_table_reader *reader, const char *text, size_t length)
{
	struct crontab_line line;
	struct schedd_error err;
	int rc = crontab_line_read(
	    text, length, !reader->table->account, reader->table->arena, &line, &err);
	const char *comment = rc ? NULL : line.comment;

	if (rc == SCHEDD_ENOMEM)
		return rc;
	if (rc)
		rc = cron_fault(reader, "%s", err.message);
	else if (line.kind == CRONTAB_VARIABLE)
		rc = cron_variable(reader, &line);
	else if (line.kind == CRONTAB_ENTRY)
		rc = cron_entry(reader, &line);
	reader->options = comment && strncmp(comment, "schedd:", 7) == 0 ? comment + 7 : NULL;
	return rc;
}

static size_t cron_lines(const char *text, const char *end)
{
	size_t count = 0;

	while (text < end && (text = memchr(text, '\n', (size_t)(end - text)))) {
		count++;
		text++;
	}
	return count;
}

/* What speaks against the whole of it was said. */
static bool cron_table_refused(struct cron_table_reader *reader)
{
	const struct cron_table *table = reader->table;

	/* cron takes no such file at all: its last line may be half of one. */
	if (reader->end > reader->at && reader->end[-1] != '\n')
		cron_fault(reader, "the file has no newline at its end: cron takes none of it");
	else if (table->account &&
		 cron_lines(reader->at, reader->end) > CRON_TABLE_LINES_MAX + (size_t)table->head)
		cron_fault(reader, "it has more than %d lines: none of it is taken",
		    CRON_TABLE_LINES_MAX);
	else
		return false;
	return true;
}

struct cron_table_reader *cron_table_open(
    struct cron_table *table, const char *text, size_t length)
{
	struct cron_table_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->table = table;
	reader->at = text;
	reader->end = text + length;
	table->fault_line = 0;
	table->taken = value_array();
	memset(table->schedules, 0, sizeof(table->schedules));
	strmap_init(&reader->ids, cron_id_key);
	strmap_init(&reader->alike, cron_alike_key);
	if (cron_table_refused(reader))
		reader->at = reader->end;
	return reader;
}

int cron_table_some(struct cron_table_reader *reader, unsigned lines)
{
	int rc = 0;

	for (; !rc && lines > 0 && reader->at < reader->end; lines--) {
		const char *stop = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));

		reader->line++;
		rc = cron_line(reader, reader->at, (size_t)(stop - reader->at));
		reader->at = stop + 1;
	}
	if (rc || arena_failed(reader->table->arena))
		return SCHEDD_ENOMEM;
	return reader->at < reader->end;
}

void cron_table_close(struct cron_table_reader *reader)
{
	if (!reader)
		return;
	strmap_clear(&reader->ids);
	strmap_clear(&reader->alike);
	job_pairs_clear(&reader->variables);
	free(reader);
}

int cron_table_read(struct cron_table *table, const char *text, size_t length)
{
	struct cron_table_reader *reader = cron_table_open(table, text, length);
	int rc = reader ? cron_table_some(reader, UINT_MAX) : SCHEDD_ENOMEM;

	cron_table_close(reader);
	return rc;
}
