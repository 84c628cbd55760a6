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

int out_object(
    struct command *command, const struct out_column *columns, const struct value *object)
{
	struct strbuf text = STRBUF_EMPTY;
	int widest = 0;
	bool written;

	const char *names = command->out.columns;
	bool tsv = command->out.format == OUT_TSV;

	if (out_is_json(command))
		return out_json(command, object);
	if (names && object_check(command, columns, names) != EXIT_DONE)
		return EXIT_USAGE;
	command_zone(command);
	for (const struct out_column *column = columns; column->name; column++)
		if ((int)strlen(column->name) > widest)
			widest = (int)strlen(column->name);
	for (const struct out_column *column = columns; column->name; column++) {
		const struct value *value = out_path(object, column->key);

		if (names ? !object_named(names, column->name) : !value && !column->normal)
			continue;
		if (tsv)
			strbuf_printf(&text, "%s\t", column->name);
		else
			strbuf_printf(&text, "%s%s:%s%*s", out_color(command, "bold"), column->name,
			    out_color(command, NULL), widest + 1 - (int)strlen(column->name), "");
		out_cell(command, &text, column->type, value);
		strbuf_add_char(&text, '\n');
	}
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	return written ? EXIT_DONE : EXIT_PIPE;
}
