/* SPDX-License-Identifier: MIT */
/* Variables are written when they change, as they hold for all entries below them. */
#include "jobfile/crontab_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "jobfile/crontab_say.h"
#include "model/job_fields.h"

/* Fields that the entry says, or that only name it. */
static const char *const crontab_said[] = {"id", "owner", "command", "shell", "trigger", "env",
    "cwd", "umask", "stdin", "shell_path", "user", "notify", "paused", "paused_until",
    "paused_reason", NULL};

void crontab_write_init(struct crontab_writer *writer, bool system, const char *zone)
{
	*writer = (struct crontab_writer){.system = system, .zone = zone};
}

/* Variables that cron gives a meaning of its own; the first are written as they are. */
static const char *const crontab_special[] = {"MAILFROM", "CONTENT_TYPE",
    "CONTENT_TRANSFER_ENCODING", "SHELL", "MAILTO", "CRON_TZ", "RANDOM_DELAY", "LOGNAME", NULL};

/* The quotes that keep a variable's text as it is: "", or one of the two; NULL: none does. */
static const char *crontab_write_quotes(const char *text)
{
	size_t length = strlen(text);

	if (length > 0 && !strchr(" \t\"'", text[0]) && !strchr(" \t", text[length - 1]))
		return "";
	if (!strchr(text, '"'))
		return "\"";
	return strchr(text, '\'') ? NULL : "'";
}

/* Can a line of its own set it? */
static bool crontab_write_fits(const struct value_member *member)
{
	for (const char *const *name = crontab_special; *name; name++)
		if (strcmp(*name, member->key) == 0)
			return false;
	return member->value.type == VALUE_STRING && !strpbrk(member->key, " \t\"'#") &&
	       crontab_write_quotes(member->value.string.text);
}

/* No crontab says the job anyway. */
static bool crontab_write_refused(const struct value *job)
{
	const struct job_pairs none = {0};
	struct strbuf text = STRBUF_EMPTY;
	bool refused = crontab_say_schedule(&text, value_get(job, "trigger")) ||
		       crontab_say_command(&text, job, &none);

	strbuf_clear(&text);
	return refused;
}

int crontab_write_see(struct crontab_writer *writer, const struct value *job)
{
	const struct value *env = value_get(job, "env");
	struct job_pairs still = {0};
	int rc = 0;

	if ((writer->seen && writer->common.count == 0) || crontab_write_refused(job))
		return 0;
	for (uint32_t i = 0; !rc && env && i < env->map.count; i++) {
		const struct value_member *member = &env->map.members[i];
		const char *known = job_pairs_get(&writer->common, member->key);

		if (writer->seen ? known && value_is_text(&member->value, known)
				 : crontab_write_fits(member))
			rc = job_pairs_set(&still, member->key, member->value.string.text);
	}
	job_pairs_clear(&writer->common);
	writer->common = still;
	writer->seen = true;
	return rc;
}

void crontab_write_begin(struct crontab_writer *writer, struct strbuf *out)
{
	strbuf_add(out, "# Written by schedctl export. CRON_TZ and RANDOM_DELAY are cronie's.\n"
			"MAILTO=\"\"\n");
	for (uint32_t i = 0; i < writer->common.count; i++) {
		const struct job_pair *pair = &writer->common.items[i];
		const char *quotes = crontab_write_quotes(pair->text);

		strbuf_printf(out, "%s=%s%s%s\n", pair->name, quotes, pair->text, quotes);
	}
}

void crontab_write_end(struct crontab_writer *writer)
{
	free(writer->current_zone);
	free(writer->current_shell);
	free(writer->current_mail);
	for (size_t i = 0; i < CRONTAB_PLAIN; i++)
		free(writer->current_plain[i]);
	job_pairs_clear(&writer->common);
	*writer = (struct crontab_writer){0};
}

/* Writes the variable if it is not that already; NULL stands for fallback. */
static void crontab_write_variable(
    struct strbuf *out, const char *name, char **current, const char *wanted, const char *fallback)
{
	const char *now = *current ? *current : fallback;
	const char *quotes;
	char *copy;

	if (!wanted)
		wanted = fallback;
	quotes = crontab_write_quotes(wanted);
	if (strcmp(now, wanted) == 0 || !quotes)
		return;
	strbuf_printf(out, "%s=%s%s%s\n", name, quotes, wanted, quotes);
	copy = strdup(wanted);
	if (!copy)
		out->failed = true;
	free(*current);
	*current = copy;
}

/* What variables cron gives a meaning to have to say for a job. */
struct crontab_lines {
	const char *zone;                 /* CRON_TZ; NULL: the machine's */
	bool zone_said;                   /* the command sees it, too */
	long minutes;                     /* RANDOM_DELAY */
	const char *shell;                /* NULL: /bin/sh */
	const char *mail;                 /* MAILTO; NULL: none */
	const char *plain[CRONTAB_PLAIN]; /* MAILFROM and so on; NULL: none */
	struct job_pairs known;           /* all that the command sees without saying it; owned */
	struct strbuf addresses;          /* behind mail */
};

/* A jitter of whole minutes; the rest is rounded up, and said. */
static long crontab_write_minutes(const struct value *trigger, double *seconds)
{
	const struct value *jitter = value_get(trigger, "jitter");

	if (!jitter || !value_number(jitter, seconds))
		*seconds = 0;
	return (long)((*seconds + 59) / 60);
}

/* Addresses told of output or, what comes nearest, of failures. */
static void crontab_write_addresses(struct strbuf *out, const struct value *notify)
{
	for (uint32_t i = 0; notify && i < notify->array.count; i++) {
		const char *on = value_get_string(&notify->array.items[i], "on");
		const char *target = value_get_string(&notify->array.items[i], "target");

		if (on && target && (strcmp(on, "output") == 0 || strcmp(on, "failure") == 0) &&
		    strncmp(target, "mail:", 5) == 0)
			strbuf_printf(out, "%s%s", out->length > 0 ? "," : "", target + 5);
	}
}

/* "a@b, root" names the same as "a@b,root". */
static bool crontab_write_same_mail(const char *a, const char *b)
{
	while (*a || *b) {
		size_t length;

		a += strspn(a, ", \t");
		b += strspn(b, ", \t");
		length = strcspn(a, ", \t");
		if (strncmp(a, b, length) != 0 || length != strcspn(b, ", \t"))
			return false;
		a += length;
		b += length;
	}
	return true;
}

static int crontab_write_know(struct crontab_lines *lines, const char *name, const char *text)
{
	return text ? job_pairs_set(&lines->known, name, text) : 0;
}

static int crontab_write_lines(
    const struct crontab_writer *writer, const struct value *job, struct crontab_lines *lines)
{
	const struct value *trigger = value_get(job, "trigger"), *env = value_get(job, "env");
	const char *own = value_get_string(env, "MAILTO"), *zone = value_get_string(env, "CRON_TZ");
	char number[24];
	double seconds;
	int rc = 0;

	*lines = (struct crontab_lines){.zone = value_get_string(trigger, "timezone"),
	    .minutes = crontab_write_minutes(trigger, &seconds),
	    .shell = value_get_string(job, "shell_path")};
	lines->zone_said = zone && lines->zone && strcmp(zone, lines->zone) == 0;
	crontab_write_addresses(&lines->addresses, value_get(job, "notify"));
	lines->mail = strbuf_peek(&lines->addresses);
	if (own && crontab_write_same_mail(own, lines->mail))
		lines->mail = own;
	for (uint32_t i = 0; i < writer->common.count && !rc; i++)
		rc = crontab_write_know(
		    lines, writer->common.items[i].name, writer->common.items[i].text);
	for (size_t i = 0; i < CRONTAB_PLAIN && !rc; i++) {
		lines->plain[i] = value_get_string(env, crontab_special[i]);
		if (lines->plain[i] && crontab_write_quotes(lines->plain[i]))
			rc = crontab_write_know(lines, crontab_special[i], lines->plain[i]);
	}
	snprintf(number, sizeof(number), "%ld", lines->minutes);
	if (!rc)
		rc = crontab_write_know(lines, "RANDOM_DELAY", number);
	if (!rc)
		rc = crontab_write_know(lines, "MAILTO", lines->mail);
	return rc || !lines->zone_said ? rc : crontab_write_know(lines, "CRON_TZ", zone);
}

static void crontab_write_lines_clear(struct crontab_lines *lines)
{
	job_pairs_clear(&lines->known);
	strbuf_clear(&lines->addresses);
}

/* What of notify no crontab says. */
static void crontab_write_told(struct strbuf *out, const struct value *notify)
{
	for (uint32_t i = 0; notify && i < notify->array.count; i++) {
		const char *on = value_get_string(&notify->array.items[i], "on");
		const char *target = value_get_string(&notify->array.items[i], "target");
		bool mail = on && (strcmp(on, "output") == 0 || strcmp(on, "failure") == 0) &&
			    target && strncmp(target, "mail:", 5) == 0;

		if (on && target && !mail && !strchr(target, '\n'))
			strbuf_printf(out, "# tells of %s: %s\n", on, target);
	}
}

/* The lines before the entry, where they differ from what holds already. */
static void crontab_write_variables(struct crontab_writer *writer, struct strbuf *out,
    const struct value *job, const struct crontab_lines *lines)
{
	const char *machine = writer->zone ? writer->zone : "";
	double seconds;

	crontab_write_variable(
	    out, "CRON_TZ", &writer->current_zone, lines->zone, lines->zone_said ? "" : machine);
	if ((double)crontab_write_minutes(value_get(job, "trigger"), &seconds) * 60 != seconds)
		strbuf_printf(out, "# its jitter is %g seconds\n", seconds);
	if (lines->minutes != writer->current_delay)
		strbuf_printf(out, "RANDOM_DELAY=%ld\n", lines->minutes);
	writer->current_delay = lines->minutes;
	crontab_write_variable(out, "SHELL", &writer->current_shell, lines->shell, "/bin/sh");
	crontab_write_told(out, value_get(job, "notify"));
	crontab_write_variable(out, "MAILTO", &writer->current_mail, lines->mail, "");
	for (size_t i = 0; i < CRONTAB_PLAIN; i++)
		crontab_write_variable(
		    out, crontab_special[i], &writer->current_plain[i], lines->plain[i], "");
}

static bool crontab_write_is_said(const char *name)
{
	for (const char *const *said = crontab_said; *said; said++)
		if (strcmp(*said, name) == 0)
			return true;
	return false;
}

/* One comment a field that no crontab has. */
static void crontab_write_rest(struct strbuf *out, const struct value *job)
{
	for (uint32_t i = 0; i < job->map.count; i++) {
		const struct value_member *member = &job->map.members[i];
		const struct job_field *field = job_fields_find(member->key);

		if (!field || !(field->flags & JOB_FIELD_FILE) ||
		    crontab_write_is_said(member->key))
			continue;
		strbuf_printf(out, "# %s: ", member->key);
		json_write(out, &member->value);
		strbuf_add_char(out, '\n');
	}
}

static void crontab_write_refusal(struct strbuf *out, const struct value *job, const char *why)
{
	const struct value *trigger = value_get(job, "trigger");
	const char *id = value_get_string(job, "id");

	strbuf_printf(out, "# %s is left out: %s\n", id ? id : "?", why);
	if (trigger) {
		strbuf_add(out, "# trigger: ");
		json_write(out, trigger);
		strbuf_add_char(out, '\n');
	}
}

static void crontab_write_entry(struct crontab_writer *writer, struct strbuf *out,
    const struct value *job, const char *schedule, const char *command)
{
	const char *user = value_get_string(job, "user");
	const char *id = value_get_string(job, "id");
	bool paused = value_get_bool(job, "paused", false);
	/* cron has no column for the group. */
	size_t name = user ? strcspn(user, ":") : 0;

	if (user && user[name])
		strbuf_printf(out, "# its group is %s\n", user + name + 1);
	if (user && !writer->system)
		strbuf_printf(out, "# belongs into the crontab of %.*s\n", (int)name, user);
	if (paused)
		strbuf_add(out, "# it is paused\n");
	strbuf_printf(out, "# schedd: %s\n%s%s ", id ? id : "?", paused ? "#" : "", schedule);
	if (writer->system)
		strbuf_printf(out, "%.*s ", user ? (int)name : 4, user ? user : "root");
	strbuf_add(out, command);
	strbuf_add_char(out, '\n');
}

bool crontab_write_job(struct crontab_writer *writer, struct strbuf *out, const struct value *job)
{
	struct strbuf schedule = STRBUF_EMPTY, command = STRBUF_EMPTY;
	const char *why = crontab_say_schedule(&schedule, value_get(job, "trigger"));
	struct crontab_lines lines;

	if (crontab_write_lines(writer, job, &lines))
		out->failed = true;
	if (!why)
		why = crontab_say_command(&command, job, &lines.known);
	strbuf_add_char(out, '\n');
	if (why)
		crontab_write_refusal(out, job, why);
	crontab_write_rest(out, job);
	if (!why) {
		crontab_write_variables(writer, out, job, &lines);
		crontab_write_entry(
		    writer, out, job, strbuf_peek(&schedule), strbuf_peek(&command));
	}
	if (strbuf_failed(&schedule) || strbuf_failed(&command))
		out->failed = true;
	crontab_write_lines_clear(&lines);
	strbuf_clear(&schedule);
	strbuf_clear(&command);
	return why == NULL;
}
