/* SPDX-License-Identifier: MIT */
#include "cmd/out_settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* In the order of enum out_format and enum out_time. */
static const char *const format_names[] = {
    "table", "wide", "json", "jsonl", "tsv", "name", "prometheus"};
static const char *const time_names[] = {"", "relative", "local", "iso", "unix"};

/* The words were checked when they were parsed. */
static int settings_index(const char *const *names, int count, const char *text)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return 0;
}

/* https://no-color.org and https://force-color.org: set and not empty. */
static bool settings_color(const char *choice, bool terminal)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("FORCE_COLOR"), *term = getenv("TERM");

	if (choice && strcmp(choice, "auto") != 0)
		return strcmp(choice, "always") == 0;
	if (no && no[0])
		return false;
	if (force && force[0])
		return true;
	return terminal && !(term && strcmp(term, "dumb") == 0);
}

static int settings_width(bool terminal)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (!terminal)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return columns && atoi(columns) > 0 ? atoi(columns) : 80;
}

void out_settings_guess(struct out_settings *out, int argc, const char *const *argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *word = argv[i], *format = NULL;

		if (strcmp(word, "--json") == 0)
			format = "json";
		else if ((strcmp(word, "-o") == 0 || strcmp(word, "--output") == 0) && i + 1 < argc)
			format = argv[i + 1];
		else if (strncmp(word, "--output=", 9) == 0)
			format = word + 9;
		else if (strncmp(word, "-o", 2) == 0)
			format = word + 2;
		if (format)
			out->format = (enum out_format)settings_index(format_names, 7, format);
		/* Beside another form that is an error, and errors are said as --json wants. */
		if (strcmp(word, "--json") == 0)
			return;
	}
}

int out_settings_read(struct out_settings *out, const struct args *args, struct schedd_error *err)
{
	const char *format = args_get(args, "output");
	const char *when = args_get(args, "time");

	if (args_get(args, "socket") && !args_get(args, "socket")[0])
		return schedd_error_set(err, SCHEDD_EINVAL, "--socket: the path is empty");
	if (format && args_has(args, "json") && strcmp(format, "json") != 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--json and -o %s contradict each other", format);
	if (args_has(args, "json"))
		format = "json";
	out->format = format ? (enum out_format)settings_index(format_names, 7, format) : OUT_TABLE;
	out->time = when ? (enum out_time)settings_index(time_names, 5, when) : OUT_TIME_AUTO;
	out->terminal = isatty(STDOUT_FILENO);
	out->utc = args_has(args, "utc");
	out->color = settings_color(args_get(args, "color"), out->terminal);
	out->headers = !args_has(args, "no-headers");
	out->quiet = args_has(args, "quiet");
	out->verbose = args_has(args, "verbose");
	out->width = settings_width(out->terminal);
	out->columns = args_get(args, "columns");
	out->sort = args_get(args, "sort");
	return 0;
}
