/* SPDX-License-Identifier: MIT */
/* What every cron understands: five fields of numbers, names, ranges, lists and steps, and one line
 * of shell. */
#include "jobfile/crontab_say.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Schedules ---- */

static const char *const crontab_macros[] = {
    "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", NULL};
static const char crontab_names[] =
    " jan feb mar apr may jun jul aug sep oct nov dec sun mon tue wed thu fri sat ";

/* A number or a name of three letters; -1: neither. Names count as 0, which fits every check. */
static int crontab_say_value(const char **at, const char *end, bool *name)
{
	char word[6] = {' ', 0, 0, 0, ' ', 0};
	int number = 0;

	*name = false;
	if (*at < end && **at >= '0' && **at <= '9') {
		for (; *at < end && **at >= '0' && **at <= '9'; *at += 1)
			number = number < 10000 ? number * 10 + (**at - '0') : number;
		return number;
	}
	if (end - *at < 3)
		return -1;
	memcpy(word + 1, *at, 3);
	if (!strcasestr(crontab_names, word) || strchr(word + 1, ' ') != word + 4)
		return -1;
	*at += 3;
	*name = true;
	return 0;
}

/* One item of a list, as every cron has it: *, *\/n, a, a-b, a-b/n, a~b. */
static bool crontab_say_item(const char *at, const char *end)
{
	bool range = false, name = false, other;
	int first, last;

	if (at < end && *at == '*') {
		at++;
		range = true;
	} else {
		first = crontab_say_value(&at, end, &name);
		if (first < 0)
			return false;
		if (at < end && (*at == '-' || *at == '~')) {
			range = *at++ == '-';
			last = crontab_say_value(&at, end, &other);
			/* Ranges of names that wrap cannot be told from others here: none are
			 * taken. */
			if (last < 0 || other != name || (!name && last < first))
				return false;
		}
	}
	if (range && at < end && *at == '/') {
		at++;
		if (crontab_say_value(&at, end, &other) <= 0 || other)
			return false;
	}
	return at == end;
}

/* mon-fri goes, fri-mon wraps. */
static bool crontab_say_names_rise(const char *at, const char *end)
{
	const char *dash = memchr(at, '-', (size_t)(end - at));
	char first[6] = {' ', 0, 0, 0, ' ', 0}, last[6] = {' ', 0, 0, 0, ' ', 0};

	if (!dash || dash - at != 3 || end - dash < 4)
		return true;
	memcpy(first + 1, at, 3);
	memcpy(last + 1, dash + 1, 3);
	return strcasestr(crontab_names, first) <= strcasestr(crontab_names, last);
}

static bool crontab_say_fields(const char *expr)
{
	int fields = 0;

	while (*expr) {
		const char *end = expr + strcspn(expr, " ");

		for (const char *at = expr; at <= end; at++) {
			size_t length = strcspn(at, ", ");

			if (!crontab_say_item(at, at + length) ||
			    !crontab_say_names_rise(at, at + length))
				return false;
			at += length;
		}
		fields++;
		expr = end + strspn(end, " ");
	}
	return fields == 5;
}

const char *crontab_say_schedule(struct strbuf *out, const struct value *trigger)
{
	const char *type = value_get_string(trigger, "type");
	const char *expr = value_get_string(trigger, "expr");

	if (!type)
		return "it has no trigger";
	if (value_get(trigger, "start") || value_get(trigger, "end"))
		return "its trigger has a start or an end";
	if (value_get(trigger, "splay"))
		return "its trigger has a splay";
	if (strcmp(type, "on_boot") == 0) {
		strbuf_add(out, "@reboot");
		return NULL;
	}
	if (strcmp(type, "manual") == 0)
		return "it runs only by hand";
	if (strcmp(type, "cron") != 0 || !expr)
		return "its trigger is none of five fields";
	for (const char *const *macro = crontab_macros; *macro; macro++)
		if (strcasecmp(expr, *macro) == 0) {
			strbuf_add(out, *macro);
			return NULL;
		}
	if (!crontab_say_fields(expr))
		return "its expression goes beyond crontab(5)";
	strbuf_add(out, expr);
	return NULL;
}

/* ---- Commands ---- */

/*
 * '%' would end the command, and a backslash before it or before another one
 * would be taken off. followed: a '%' comes right behind the text.
 */
static void crontab_say_text(struct strbuf *out, const char *text, bool followed)
{
	for (; *text; text++) {
		bool escaped = *text == '%';

		if (*text == '\\')
			escaped = text[1] == '\\' || text[1] == '%' || (!text[1] && followed);
		if (escaped)
			strbuf_add_char(out, '\\');
		strbuf_add_char(out, *text);
	}
}

/* A word for the shell, in quotes where it needs them. */
static void crontab_say_word(struct strbuf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./:=@,+-";
	struct strbuf quoted = STRBUF_EMPTY;

	if (*word && word[strspn(word, plain)] == '\0') {
		strbuf_add(out, word);
		return;
	}
	strbuf_add_char(&quoted, '\'');
	for (; *word; word++)
		if (*word == '\'')
			strbuf_add(&quoted, "'\\''");
		else
			strbuf_add_char(&quoted, *word);
	strbuf_add_char(&quoted, '\'');
	crontab_say_text(out, strbuf_peek(&quoted), false);
	if (strbuf_failed(&quoted))
		out->failed = true;
	strbuf_clear(&quoted);
}

static void crontab_say_env(
    struct strbuf *out, const struct value *env, const struct job_pairs *common)
{
	for (uint32_t i = 0; env && i < env->map.count; i++) {
		const struct value_member *member = &env->map.members[i];
		const char *known = job_pairs_get(common, member->key);

		if (known && strcmp(known, member->value.string.text) == 0)
			continue;
		strbuf_printf(out, "export %s=", member->key);
		crontab_say_word(out, member->value.string.text);
		strbuf_add(out, "; ");
	}
}

/* What the shell does before the command. */
static void crontab_say_preparation(
    struct strbuf *out, const struct value *job, const struct job_pairs *common)
{
	const char *home = job_pairs_get(common, "HOME");
	const char *umask = value_get_string(job, "umask");
	const char *input = value_get_string(job, "stdin");
	const char *cwd = value_get_string(job, "cwd");

	crontab_say_env(out, value_get(job, "env"), common);
	if (umask)
		strbuf_printf(out, "umask %s; ", umask);
	if (cwd && !(home && strcmp(home, cwd) == 0)) {
		strbuf_add(out, "cd ");
		crontab_say_word(out, cwd);
		strbuf_add(out, " || exit; ");
	}
	if (input) {
		strbuf_add(out, "exec < ");
		crontab_say_word(out, input);
		strbuf_add(out, "; ");
	}
}

/* Lines behind a '%'. cron ends the last one itself, unless it is empty. */
static void crontab_say_input(struct strbuf *out, const char *text)
{
	size_t length = strlen(text);

	strbuf_add_char(out, '%');
	if (length > 1 && text[length - 2] != '\n')
		length--;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '%')
			strbuf_add_char(out, '\\');
		strbuf_add_char(out, text[i] == '\n' ? '%' : text[i]);
	}
}

/* Is there a line break, or a NUL, in the text or in one of the list or map? */
static bool crontab_say_breaks(const struct value *value)
{
	if (!value)
		return false;
	if (value->type == VALUE_STRING)
		return strlen(value->string.text) != value->string.length ||
		       strpbrk(value->string.text, "\r\n");
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++)
		if (crontab_say_breaks(&value->array.items[i]))
			return true;
	for (uint32_t i = 0; value->type == VALUE_MAP && i < value->map.count; i++)
		if (crontab_say_breaks(&value->map.members[i].value))
			return true;
	return false;
}

/* Does a backslash stand before a line break that is not the last character? */
static bool crontab_say_stuck(const char *text)
{
	for (const char *at = text; (at = strstr(at, "\\\n")); at++)
		if (at[2])
			return true;
	return false;
}

static const char *crontab_say_obstacle(const struct value *job)
{
	const struct value *input = value_get(value_get(job, "stdin"), "text");

	if (!value_get(job, "shell") && !value_get(job, "command"))
		return "it runs no command";
	if (crontab_say_breaks(value_get(job, "shell")) ||
	    crontab_say_breaks(value_get(job, "command")))
		return "its command has line breaks";
	if (crontab_say_breaks(value_get(job, "env")) ||
	    crontab_say_breaks(value_get(job, "cwd")) ||
	    crontab_say_breaks(value_get(job, "shell_path")) ||
	    (!input && crontab_say_breaks(value_get(job, "stdin"))))
		return "its environment has line breaks";
	if (input && (strlen(input->string.text) != input->string.length ||
			 strchr(input->string.text, '\r')))
		return "its standard input is no text";
	if (input && input->string.length > 0 &&
	    input->string.text[input->string.length - 1] != '\n')
		return "its standard input does not end with a line break";
	/* "\\%" is a percent sign, never a backslash and a line break. */
	if (input && crontab_say_stuck(input->string.text))
		return "its standard input has a backslash at the end of a line";
	return NULL;
}

const char *crontab_say_command(
    struct strbuf *out, const struct value *job, const struct job_pairs *common)
{
	const char *shell = value_get_string(job, "shell");
	const struct value *argv = value_get(job, "command");
	const char *input = value_get_string(value_get(job, "stdin"), "text");
	const char *obstacle = crontab_say_obstacle(job);

	if (obstacle)
		return obstacle;
	crontab_say_preparation(out, job, common);
	if (shell)
		crontab_say_text(out, shell, input && *input);
	else
		for (uint32_t i = 0; i < argv->array.count; i++) {
			if (i > 0)
				strbuf_add_char(out, ' ');
			crontab_say_word(out, argv->array.items[i].string.text);
		}
	if (input && *input)
		crontab_say_input(out, input);
	return NULL;
}
