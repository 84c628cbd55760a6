/* SPDX-License-Identifier: MIT */
/* Variables are written when they change, as they hold for all entries below them. */
#include "jobfile/crontab_write.h"

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

/* Variables that cron gives a meaning of its own. */
static const char *const crontab_special[] = {"SHELL", "MAILTO", "MAILFROM", "CRON_TZ",
    "RANDOM_DELAY", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING", "LOGNAME", "USER", NULL};

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
	job_pairs_clear(&writer->common);
	*writer = (struct crontab_writer){0};
}

/* Writes the variable if it is not that already; NULL stands for fallback. */
static void crontab_write_variable(
    struct strbuf *out, const char *name, char **current, const char *wanted, const char *fallback)
{
	const char *now = *current ? *current : fallback;
	char *copy;

	if (!wanted)
		wanted = fallback;
	if (strcmp(now, wanted) == 0)
		return;
	strbuf_printf(out, "%s=%s\n", name, *wanted ? wanted : "\"\"");
	copy = strdup(wanted);
	if (!copy)
		out->failed = true;
	free(*current);
	*current = copy;
}

static void crontab_write_zone(
    struct crontab_writer *writer, struct strbuf *out, const struct value *trigger)
{
	const char *zone = value_get_string(trigger, "timezone");

	crontab_write_variable(
	    out, "CRON_TZ", &writer->current_zone, zone, writer->zone ? writer->zone : "");
}

/* A jitter of whole minutes; the rest is rounded up, and said. */
static void crontab_write_delay(
    struct crontab_writer *writer, struct strbuf *out, const struct value *trigger)
{
	const struct value *jitter = value_get(trigger, "jitter");
	double seconds = 0;
	long minutes;

	if (jitter && !value_number(jitter, &seconds))
		seconds = 0;
	minutes = (long)((seconds + 59) / 60);
	if ((double)minutes * 60 != seconds)
		strbuf_printf(out, "# its jitter is %g seconds\n", seconds);
	if (minutes != writer->current_delay)
		strbuf_printf(out, "RANDOM_DELAY=%ld\n", minutes);
	writer->current_delay = minutes;
}

/* Addresses told of failures; whatever else is to be told is said as a comment. */
static void crontab_write_mail(
    struct crontab_writer *writer, struct strbuf *out, const struct value *notify)
{
	struct strbuf mail = STRBUF_EMPTY;

	for (uint32_t i = 0; notify && i < notify->array.count; i++) {
		const char *on = value_get_string(&notify->array.items[i], "on");
		const char *target = value_get_string(&notify->array.items[i], "target");

		if (!on || !target)
			continue;
		if (strcmp(on, "failure") == 0 && strncmp(target, "mail:", 5) == 0)
			strbuf_printf(&mail, "%s%s", mail.length > 0 ? "," : "", target + 5);
		else if (!strchr(target, '\n'))
			strbuf_printf(out, "# tells of %s: %s\n", on, target);
	}
	crontab_write_variable(
	    out, "MAILTO", &writer->current_mail, mail.length > 0 ? mail.data : NULL, "");
	if (strbuf_failed(&mail))
		out->failed = true;
	strbuf_clear(&mail);
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
	const struct value *trigger = value_get(job, "trigger");
	const char *why = crontab_say_schedule(&schedule, trigger);

	if (!why)
		why = crontab_say_command(&command, job, &writer->common);
	strbuf_add_char(out, '\n');
	if (why)
		crontab_write_refusal(out, job, why);
	crontab_write_rest(out, job);
	if (!why) {
		crontab_write_zone(writer, out, trigger);
		crontab_write_delay(writer, out, trigger);
		crontab_write_variable(out, "SHELL", &writer->current_shell,
		    value_get_string(job, "shell_path"), "/bin/sh");
		crontab_write_mail(writer, out, value_get(job, "notify"));
		crontab_write_entry(
		    writer, out, job, strbuf_peek(&schedule), strbuf_peek(&command));
	}
	if (strbuf_failed(&schedule) || strbuf_failed(&command))
		out->failed = true;
	strbuf_clear(&schedule);
	strbuf_clear(&command);
	return why == NULL;
}
