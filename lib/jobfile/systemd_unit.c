/* SPDX-License-Identifier: MIT */
/* Sections, comments, and lines continued by a backslash. */
#include "jobfile/systemd_unit.h"

#include <string.h>

static const char blanks[] = " \t\r";

struct systemd_reader {
	const char *at, *end;
	uint32_t line; /* of the next line */
	struct arena *arena;
};

/* The text without blanks at both ends. */
static char *systemd_trim(char *text)
{
	size_t length;

	text += strspn(text, blanks);
	length = strlen(text);
	while (length > 0 && strchr(blanks, text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* One line as it stands; NULL: no memory. */
static char *systemd_line(struct systemd_reader *reader)
{
	const char *end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	size_t length = end ? (size_t)(end - reader->at) : (size_t)(reader->end - reader->at);
	char *line = arena_strndup(reader->arena, reader->at, length);

	reader->at += length + (end != NULL);
	reader->line++;
	return line ? systemd_trim(line) : NULL;
}

static bool systemd_is_comment(const char *line)
{
	return *line == '#' || *line == ';';
}

/* Joins the lines that a backslash at the end continues; comments in between are passed over. */
static char *systemd_logical_line(struct systemd_reader *reader)
{
	char *line = systemd_line(reader);
	size_t length = line ? strlen(line) : 0;

	while (line && length > 0 && line[length - 1] == '\\' && !systemd_is_comment(line) &&
	       reader->at < reader->end) {
		char *next = systemd_line(reader);

		if (!next)
			return NULL;
		if (systemd_is_comment(next))
			continue;
		line[length - 1] = '\0';
		line = arena_printf(reader->arena, "%s %s", line, next);
		length = line ? strlen(line) : 0;
	}
	return line;
}

/* An assignment into *out; false: the line is none. */
static bool systemd_assignment(char *line, const char *section, struct systemd_assignment *out)
{
	char *equal = strchr(line, '=');

	if (!equal || equal == line || !section)
		return false;
	*equal = '\0';
	out->section = section;
	out->key = systemd_trim(line);
	out->value = systemd_trim(equal + 1);
	return true;
}

/* Room for one more; NULL: no memory. */
static struct systemd_assignment *systemd_room(struct systemd_unit *unit, struct arena *arena)
{
	if (unit->count == unit->capacity) {
		uint32_t capacity = unit->capacity ? unit->capacity * 2 : 32;
		struct systemd_assignment *items = arena_alloc(arena, capacity * sizeof(*items));

		if (!items)
			return NULL;
		if (unit->count)
			memcpy(items, unit->items, unit->count * sizeof(*items));
		unit->items = items;
		unit->capacity = capacity;
	}
	return &unit->items[unit->count];
}

int systemd_unit_add(struct systemd_unit *unit, const char *file, const char *text, size_t length,
    struct arena *arena, struct schedd_error *err)
{
	struct systemd_reader reader = {.at = text, .end = text + length, .arena = arena};
	const char *section = NULL;

	if (memchr(text, '\0', length))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "there is a NUL in it: is it a unit file?");
	while (reader.at < reader.end) {
		struct systemd_assignment *item = systemd_room(unit, arena);
		uint32_t first = reader.line + 1;
		char *line = item ? systemd_logical_line(&reader) : NULL;
		size_t size = line ? strlen(line) : 0;

		if (!line)
			return schedd_error_nomem(err);
		if (size == 0 || systemd_is_comment(line))
			continue;
		if (line[0] == '[' && line[size - 1] == ']') {
			line[size - 1] = '\0';
			section = line + 1;
		} else if (systemd_assignment(line, section, item)) {
			item->file = file;
			item->line = first;
			item->dead = false;
			unit->count++;
			if (unit->count > SYSTEMD_UNIT_ITEMS_MAX)
				return schedd_error_set(err, SCHEDD_EINVAL,
				    "there are more than %d settings", SYSTEMD_UNIT_ITEMS_MAX);
		} else {
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "line %u: '%.60s' is neither a [Section] nor a Key=value of one", first,
			    line);
		}
	}
	return 0;
}
