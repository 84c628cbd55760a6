/* SPDX-License-Identifier: MIT */
/*
 * A value is read piece by piece: plain characters, 'literal' and "escaped"
 * ones. Behind a closed quote only blanks, or the next piece, may stand.
 */
#include "jobfile/env_file.h"

#include <string.h>
#include "base/strbuf.h"

static const char blanks[] = " \t\r";

struct env_reader {
	const char *at, *end;
	uint32_t line;       /* of at, from 1 */
	struct strbuf value; /* what has been read of it */
	struct schedd_error *err;
};

static bool env_more(const struct env_reader *reader)
{
	return reader->at < reader->end;
}

/* Takes a character; lines are counted here alone. */
static char env_take(struct env_reader *reader)
{
	char c = *reader->at++;

	reader->line += c == '\n';
	return c;
}

static void env_skip_blanks(struct env_reader *reader)
{
	while (env_more(reader) && *reader->at && strchr(blanks, *reader->at))
		reader->at++;
}

/* Behind the opening quote, up to behind the closing one. */
static int env_quoted(struct env_reader *reader, char quote)
{
	uint32_t first = reader->line;

	while (env_more(reader)) {
		char c = env_take(reader);

		if (c == quote)
			return 0;
		if (c != '\\' || quote == '\'' || !env_more(reader)) {
			strbuf_add_char(&reader->value, c);
			continue;
		}
		/* A shell keeps the backslash before what needs none. */
		c = env_take(reader);
		if (c != '\n' && !strchr("\"\\`$", c))
			strbuf_add_char(&reader->value, '\\');
		if (c != '\n')
			strbuf_add_char(&reader->value, c);
	}
	return schedd_error_set(
	    reader->err, SCHEDD_EFILE, "line %u: the quote %c is never closed", first, quote);
}

/* Plain characters up to the end of the line, without the blanks there. */
static void env_plain(struct env_reader *reader)
{
	size_t kept = reader->value.length;

	while (env_more(reader) && *reader->at != '\n') {
		char c = env_take(reader);

		if (c == '\\') {
			if (env_more(reader) && (c = env_take(reader)) != '\n')
				strbuf_add_char(&reader->value, c);
			kept = reader->value.length;
			continue;
		}
		strbuf_add_char(&reader->value, c);
		if (!strchr(blanks, c))
			kept = reader->value.length;
	}
	if (!strbuf_failed(&reader->value) && reader->value.data) {
		reader->value.length = kept;
		reader->value.data[kept] = '\0';
	}
}

/* Behind the '=', up to the end of the line. */
static int env_value(struct env_reader *reader)
{
	int rc = 0;

	strbuf_reset(&reader->value);
	env_skip_blanks(reader);
	while (!rc && env_more(reader) && *reader->at != '\n') {
		if (*reader->at == '"' || *reader->at == '\'')
			rc = env_quoted(reader, env_take(reader));
		else
			env_plain(reader);
		env_skip_blanks(reader);
	}
	return rc;
}

/* The name before '=', without blanks around it and "export"; NULL: the line is no variable. */
static const char *env_name(struct env_reader *reader, struct arena *arena)
{
	size_t length = 0, left = (size_t)(reader->end - reader->at);
	const char *name = reader->at;

	while (length < left && name[length] != '=' && name[length] != '\n')
		length++;
	if (length == left || name[length] == '\n')
		return NULL;
	reader->at += length + 1;
	while (length > 0 && strchr(blanks, name[length - 1]))
		length--;
	if (length > 7 && strncmp(name, "export", 6) == 0 && strchr(blanks, name[6])) {
		size_t skip = 6 + strspn(name + 6, blanks);

		name += skip;
		length -= skip;
	}
	if (length == 0 || memchr(name, ' ', length) || memchr(name, '\t', length))
		return NULL;
	return arena_strndup(arena, name, length);
}

int env_file_set(struct arena *arena, struct value *env, const char *name, const char *text)
{
	/* The map is the caller's own. */
	struct value_member *old = (struct value_member *)(uintptr_t)value_find(env, name);
	struct value value = value_string(arena, text);

	if (value.type != VALUE_STRING)
		return SCHEDD_ENOMEM;
	if (old)
		old->value = value;
	else if (!value_put(arena, env, name, value))
		return SCHEDD_ENOMEM;
	return 0;
}

static int env_line(struct env_reader *reader, struct arena *arena, struct value *env)
{
	uint32_t line = reader->line;
	const char *name = env_name(reader, arena);
	int rc;

	if (arena_failed(arena))
		return schedd_error_nomem(reader->err);
	if (!name)
		return schedd_error_set(
		    reader->err, SCHEDD_EFILE, "line %u: not of the form NAME=VALUE", line);
	rc = env_value(reader);
	if (!rc && (strbuf_failed(&reader->value) ||
		       env_file_set(arena, env, name, strbuf_peek(&reader->value))))
		rc = schedd_error_nomem(reader->err);
	return rc;
}

int env_file_read(const char *text, size_t length, struct arena *arena, struct value *env,
    struct schedd_error *err)
{
	struct env_reader reader = {.at = text, .end = text + length, .line = 1, .err = err};
	int rc = 0;

	while (!rc && env_more(&reader)) {
		env_skip_blanks(&reader);
		if (!env_more(&reader))
			break;
		if (*reader.at == '\n')
			env_take(&reader);
		else if (*reader.at == '#' || *reader.at == ';')
			while (env_more(&reader) && *reader.at != '\n')
				env_take(&reader);
		else
			rc = env_line(&reader, arena, env);
	}
	strbuf_clear(&reader.value);
	return rc;
}
