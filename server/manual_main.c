/* SPDX-License-Identifier: MIT */
/* For the build alone: a manual page with the lists of options or settings put in. */
#include <stdio.h>
#include <string.h>
#include "model/variable_rows.h"
#include "server/config_show.h"
#include "server/options.h"

/* What a listener's command has besides those of every command. */
static void manual_variables(struct strbuf *out)
{
	for (const struct variable_row *row = variable_rows_listener(); row->name; row++)
		strbuf_printf(out, ".TP\n.B %s\n%s\n", row->name, row->doc);
}

int main(int argc, char **argv)
{
	struct strbuf out = STRBUF_EMPTY;
	FILE *page = argc == 2 ? fopen(argv[1], "r") : NULL;
	char line[1024];
	int rc;

	if (!page) {
		fprintf(stderr, "usage: schedd_pages PAGE\n");
		return 2;
	}
	while (fgets(line, sizeof(line), page)) {
		if (strcmp(line, "@OPTIONS@\n") == 0)
			options_manual(&out);
		else if (strcmp(line, "@SETTINGS@\n") == 0)
			config_show_manual(&out);
		else if (strcmp(line, "@VARIABLES@\n") == 0)
			manual_variables(&out);
		else
			strbuf_add(&out, line);
	}
	fclose(page);
	rc = strbuf_failed(&out) || fputs(strbuf_peek(&out), stdout) < 0 || fflush(stdout) != 0;
	strbuf_clear(&out);
	return rc;
}
