/* SPDX-License-Identifier: MIT */
#include "cmd/help.h"

#include <string.h>

#include "cmd/out.h"

#define HELP_COLUMN 26 /* where the descriptions begin */
#define HELP_WIDTH 80  /* of the lines of short help */

static void help_line(struct strbuf *out, const char *left, int width, const char *right)
{
	strbuf_add(out, left);
	if (width + 2 > HELP_COLUMN)
		strbuf_printf(out, "\n%*s", HELP_COLUMN, "");
	else
		strbuf_printf(out, "%*s", HELP_COLUMN - width, "");
	strbuf_add(out, right);
	strbuf_add_char(out, '\n');
}

static void help_option(struct strbuf *out, const struct option *option)
{
	struct strbuf left = STRBUF_EMPTY;

	if (option->letter)
		strbuf_printf(&left, "  -%c, ", option->letter);
	else
		strbuf_add(&left, "      ");
	strbuf_printf(&left, "--%s", option->name);
	if (option->value)
		strbuf_printf(&left, " %s", option->value);
	help_line(out, strbuf_peek(&left), out_width(strbuf_peek(&left), left.length), option->doc);
	strbuf_clear(&left);
}

/* The rows of a section, wherever they stand among the sets. */
static void help_section(struct strbuf *out, const struct option *const *sets, const char *section)
{
	strbuf_printf(out, "\n%s:\n", section);
	for (; *sets; sets++) {
		const char *current = "";

		for (const struct option *option = *sets; option->name; option++) {
			current = option->section ? option->section : current;
			if (strcmp(current, section) == 0)
				help_option(out, option);
		}
	}
}

/* Was the section of this row begun by an earlier one? */
static bool help_begun(const struct option *const *sets, const struct option *row)
{
	for (; *sets; sets++)
		for (const struct option *option = *sets; option->name; option++)
			if (option == row)
				return false;
			else if (option->section && strcmp(option->section, row->section) == 0)
				return true;
	return false;
}

static void help_options(struct strbuf *out, const struct option *const *sets)
{
	for (const struct option *const *set = sets; *set; set++)
		for (const struct option *option = *set; option->name; option++)
			if (option->section && !help_begun(sets, option))
				help_section(out, sets, option->section);
}

/* The options of every verb in a few lines, for the short help. */
static void help_global(struct strbuf *out)
{
	int column = 0;

	strbuf_add(out, "\nGlobal (explained by schedctl help VERB):\n");
	for (const struct option *option = option_global; option->name; option++) {
		struct strbuf word = STRBUF_EMPTY;

		if (option->letter)
			strbuf_printf(&word, "-%c", option->letter);
		else
			strbuf_printf(&word, "--%s", option->name);
		if (option->value)
			strbuf_printf(&word, " %s", option->value);
		if (column > 0 && column + 2 + (int)word.length > HELP_WIDTH) {
			strbuf_add_char(out, '\n');
			column = 0;
		}
		strbuf_printf(out, "  %s", strbuf_peek(&word));
		column += 2 + (int)word.length;
		strbuf_clear(&word);
	}
	strbuf_add_char(out, '\n');
}

/* Indents each line of a text by two spaces. */
static void help_indented(struct strbuf *out, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		strbuf_add(out, "  ");
		strbuf_add_n(out, text, length);
		strbuf_add_char(out, '\n');
		text += length + (text[length] == '\n');
	}
}

void help_overview(struct strbuf *out, const struct verb *const *verb)
{
	const char *group = "";

	strbuf_add(out, "schedctl drives schedd, the job scheduler.\n\n"
			"  schedctl add --every 15m -- /usr/local/bin/sync-mail\n"
			"  schedctl add --id backup --cron '30 2 * * *' --sh 'pg_dump shop | gzip "
			"> /backup/shop.gz'\n"
			"  schedctl list\n"
			"  schedctl history backup\n");
	for (; *verb; verb++) {
		struct strbuf left = STRBUF_EMPTY;

		if ((*verb)->hidden)
			continue;
		if (strcmp(group, (*verb)->group) != 0)
			strbuf_printf(out, "\n%s:\n", group = (*verb)->group);
		strbuf_printf(&left, "  %s", (*verb)->name);
		if ((*verb)->alias)
			strbuf_printf(&left, ", %s", (*verb)->alias);
		help_line(out, strbuf_peek(&left), (int)left.length, (*verb)->summary);
		strbuf_clear(&left);
	}
	strbuf_add(out, "\nschedctl VERB -h shows one verb. Exit statuses are in schedctl(1).\n");
}

void help_verb(struct strbuf *out, const struct verb *verb, bool full)
{
	static const struct option *const none[] = {NULL};
	static const struct option *const global[] = {option_global, NULL};

	strbuf_printf(out, "schedctl %s: %s\n\n", verb->name, verb->summary);
	if (verb->examples)
		help_indented(out, verb->examples);
	strbuf_printf(out, "\nUsage: schedctl %s %s\n", verb->name, verb->usage);
	if (verb->alias)
		strbuf_printf(out, "Also: schedctl %s\n", verb->alias);
	help_options(out, verb->options ? verb->options : none);
	if (full)
		help_options(out, global);
	else
		help_global(out);
	if (verb->notes)
		strbuf_printf(out, "\n%s\n", verb->notes);
}
