/* SPDX-License-Identifier: MIT */
/*
 * As cronie and Debian's cron read them: a variable is a line whose first word
 * is followed by '='; quotes around name and value are taken off. The rules of
 * '%' are Debian's; cronie's differ in that it keeps both of two backslashes.
 */
#include "jobfile/crontab_line.h"

#include <string.h>

static const char blanks[] = " \t";

/* ---- Variables ---- */

/* Behind a quoted text, which goes into *out; NULL: the quote is never closed. */
static const char *crontab_line_quoted(const char *at, struct arena *arena, const char **out)
{
	const char *end = strchr(at + 1, *at);

	if (!end)
		return NULL;
	*out = arena_strndup(arena, at + 1, (size_t)(end - at - 1));
	return end + 1;
}

static bool crontab_line_is_quote(char c)
{
	return c == '"' || c == '\'';
}

/* false: it is no variable. */
static bool crontab_line_variable(const char *text, struct arena *arena, struct crontab_line *out)
{
	const char *at = text, *value;
	size_t length;

	if (crontab_line_is_quote(*at)) {
		at = crontab_line_quoted(at, arena, &out->name);
		if (!at)
			return false;
	} else {
		length = strcspn(at, " \t=");
		out->name = arena_strndup(arena, at, length);
		at += length;
	}
	at += strspn(at, blanks);
	if (*at++ != '=' || !out->name || !*out->name)
		return false;
	value = at + strspn(at, blanks);
	if (crontab_line_is_quote(*value)) {
		at = crontab_line_quoted(value, arena, &out->value);
		return at && at[strspn(at, blanks)] == '\0';
	}
	length = strlen(value);
	while (length > 0 && strchr(blanks, value[length - 1]))
		length--;
	out->value = arena_strndup(arena, value, length);
	return true;
}

/* ---- Entries ---- */

/* Takes the next word; "" at the end. */
static const char *crontab_line_word(const char **at, struct arena *arena)
{
	size_t length = strcspn(*at, blanks);
	const char *word = arena_strndup(arena, *at, length);

	*at += length;
	*at += strspn(*at, blanks);
	return word ? word : "";
}

static int crontab_line_schedule(
    const char **at, struct arena *arena, struct crontab_line *out, struct schedd_error *err)
{
	const char *fields[5];

	/* cronie: a '-' before the minutes keeps the run out of syslog. */
	if (**at == '-')
		*at += 1;
	if (**at == '@') {
		out->schedule = crontab_line_word(at, arena);
		return 0;
	}
	for (int i = 0; i < 5; i++) {
		fields[i] = crontab_line_word(at, arena);
		if (!*fields[i])
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "a schedule has five fields, here are %d", i);
	}
	out->schedule = arena_printf(
	    arena, "%s %s %s %s %s", fields[0], fields[1], fields[2], fields[3], fields[4]);
	return out->schedule ? 0 : schedd_error_nomem(err);
}

/*
 * The command up to the first '%' that no backslash stands before; *text is
 * behind it then. "\\%" is '%' and "\\\\" a backslash, as in Debian's cron.
 */
static char *crontab_line_shell(const char **text, char *to, struct crontab_line *out)
{
	const char *c = *text;

	for (; *c && *c != '%'; c++) {
		if (c[0] == '\\' && (c[1] == '%' || c[1] == '\\')) {
			out->backslashes |= c[1] == '\\';
			c++;
		}
		*to++ = *c;
	}
	*text = c + (*c == '%');
	return to;
}

/*
 * What stands behind that '%': further ones are line breaks, "\\%" is '%', all
 * other backslashes stay, two of them as well. Unless it is empty it ends with
 * a line break.
 */
static char *crontab_line_input(const char *text, char *to)
{
	const char *begin = to;
	bool escaped = false;

	for (const char *c = text; *c; c++) {
		if (escaped && *c != '%')
			*to++ = '\\';
		if (*c == '\\') {
			escaped = true;
			continue;
		}
		*to++ = (char)(*c == '%' && !escaped ? '\n' : *c);
		escaped = false;
	}
	if (escaped)
		*to++ = '\\';
	if (to > begin && to[-1] != '\n')
		*to++ = '\n';
	return to;
}

static int crontab_line_command(
    const char *text, struct arena *arena, struct crontab_line *out, struct schedd_error *err)
{
	char *to = arena_alloc(arena, strlen(text) + 3), *input;

	out->command = to;
	if (!to)
		return schedd_error_nomem(err);
	to = crontab_line_shell(&text, to, out);
	*to++ = '\0';
	input = to;
	to = crontab_line_input(text, to);
	*to = '\0';
	out->input = to > input ? input : NULL;
	if (out->command[strspn(out->command, " \t")] == '\0')
		return schedd_error_set(err, SCHEDD_EINVAL, "the command is missing");
	return 0;
}

int crontab_line_read(const char *text, size_t length, bool system, struct arena *arena,
    struct crontab_line *out, struct schedd_error *err)
{
	const char *at = text;
	int rc;

	memset(out, 0, sizeof(*out));
	if (memchr(text, '\0', length))
		return schedd_error_set(err, SCHEDD_EINVAL, "there is a NUL in the line");
	/* Files that were edited elsewhere end their lines with CR LF. */
	if (length > 0 && text[length - 1] == '\r')
		length--;
	at = arena_strndup(arena, text, length);
	if (!at)
		return schedd_error_nomem(err);
	at += strspn(at, blanks);
	if (!*at || *at == '#') {
		out->comment = *at ? at + 1 : NULL;
		return 0;
	}
	if (crontab_line_variable(at, arena, out)) {
		out->kind = CRONTAB_VARIABLE;
		return 0;
	}
	out->kind = CRONTAB_ENTRY;
	rc = crontab_line_schedule(&at, arena, out, err);
	if (rc)
		return rc;
	if (system) {
		out->user = crontab_line_word(&at, arena);
		if (!*out->user)
			return schedd_error_set(err, SCHEDD_EINVAL, "the user is missing");
	}
	return crontab_line_command(at, arena, out, err);
}
