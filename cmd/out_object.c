/* SPDX-License-Identifier: MIT */
/* One object: JSON for programs, "name: value" lines for people. */
#include "cmd/out.h"

#include <string.h>

int out_object(
    struct command *command, const struct out_column *columns, const struct value *object)
{
	struct strbuf text = STRBUF_EMPTY;
	int widest = 0;
	bool written;

	if (out_is_json(command))
		return out_json(command, object);
	command_zone(command);
	for (const struct out_column *column = columns; column->name; column++)
		if ((int)strlen(column->name) > widest)
			widest = (int)strlen(column->name);
	for (const struct out_column *column = columns; column->name; column++) {
		const struct value *value = out_path(object, column->key);

		if (!value && !column->normal)
			continue;
		strbuf_printf(&text, "%s%s:%s%*s", out_color(command, "bold"), column->name,
		    out_color(command, NULL), widest + 1 - (int)strlen(column->name), "");
		out_cell(command, &text, column->type, value);
		strbuf_add_char(&text, '\n');
	}
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	return written ? EXIT_DONE : EXIT_PIPE;
}
