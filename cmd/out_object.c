/* SPDX-License-Identifier: MIT */
/* One object: JSON for programs, "name: value" lines for people. */
#include "cmd/out.h"
#include "cmd/say.h"

#include <stdio.h>
#include <string.h>

/* Is the name one of those in "a,b"? */
static bool object_named(const char *names, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = names; (at = strstr(at, name)); at += length)
		if ((at == names || at[-1] == ',') && (at[length] == ',' || !at[length]))
			return true;
	return false;
}

/* --columns of one object: which of its lines. */
static int object_check(
    struct command *command, const struct out_column *columns, const char *names)
{
	struct strbuf known = STRBUF_EMPTY;
	int status = EXIT_DONE;

	for (const struct out_column *column = columns; column->name; column++)
		strbuf_printf(&known, "%s%s", column == columns ? "" : ",", column->name);
	do {
		char name[64];
		size_t length = strcspn(names, ",");

		snprintf(name, sizeof(name), "%.*s", (int)length, names);
		if (!length || !object_named(strbuf_peek(&known), name))
			status = say_usage(command, "unknown column '%s'; there are %s", name,
			    strbuf_peek(&known));
		names += length;
	} while (!status && *names++);
	strbuf_clear(&known);
	return status;
}

struct object_lines {
	struct command *command;
	struct strbuf text;
	int widest; /* of the names */
};

static void object_line(
    struct object_lines *lines, const struct out_column *column, const struct value *value)
{
	struct command *command = lines->command;
	struct strbuf *text = &lines->text;

	if (command->out.format == OUT_TSV)
		strbuf_printf(text, "%s\t", column->name);
	else
		strbuf_printf(text, "%s%s:%s%*s", out_color(command, "bold"), column->name,
		    out_color(command, NULL), lines->widest + 1 - (int)strlen(column->name), "");
	out_cell(command, text, column->type, value);
	strbuf_add_char(text, '\n');
}

int out_object(
    struct command *command, const struct out_column *columns, const struct value *object)
{
	struct object_lines lines = {.command = command, .text = STRBUF_EMPTY};
	const char *names = command->out.columns;
	bool written;

	if (out_is_json(command))
		return out_json(command, object);
	if (names && object_check(command, columns, names) != EXIT_DONE)
		return EXIT_USAGE;
	command_zone(command);
	for (const struct out_column *column = columns; column->name; column++)
		if ((int)strlen(column->name) > lines.widest)
			lines.widest = (int)strlen(column->name);
	for (const struct out_column *column = columns; column->name; column++) {
		const struct value *value = out_path(object, column->key);

		if (names ? !object_named(names, column->name) : !value && !column->normal)
			continue;
		if (column->type != OUT_LINES || !value || value->type != VALUE_ARRAY)
			object_line(&lines, column, value);
		else
			for (uint32_t i = 0; i < value->array.count; i++)
				object_line(&lines, column, &value->array.items[i]);
	}
	written = out_write(strbuf_peek(&lines.text), lines.text.length);
	strbuf_clear(&lines.text);
	return written ? EXIT_DONE : EXIT_PIPE;
}
