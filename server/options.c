/* SPDX-License-Identifier: MIT */
/* One row a flag. A row with an argument fills a text, one without sets a bool. */
#include "server/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "base/suggest.h"

struct option_row {
	const char *name;     /* without "--" */
	char letter;          /* its short form; 0: none */
	const char *argument; /* "PATH"; NULL: takes none */
	size_t offset;        /* of its const char * or bool in struct options */
	const char *doc;      /* one line */
};

#define TO(member) offsetof(struct options, member)

static const struct option_row option_rows[] = {
    {"socket", 0, "PATH", TO(socket), "listen there instead of the default place"},
    {"state-dir", 0, "DIR", TO(state_dir), "keep jobs, history and output there"},
    {"config", 0, "FILE", TO(config), "read this config, and conf.d/*.yaml beside it"},
    {"check-config", 0, NULL, TO(check_config), "read the config, say what is wrong, exit 0 or 7"},
    {"log-level", 0, "LEVEL", TO(log_level), "error, warning, info (default) or debug"},
    {"log-format", 0, "FORMAT", TO(log_format), "text (default) or json"},
    {"log-file", 0, "FILE", TO(log_file), "append the log to FILE instead of stderr"},
    {"daemon", 'd', NULL, TO(daemon), "detach; the command ends when schedd is ready"},
    {"help-config", 0, NULL, TO(help_config), "list every setting of the config and exit"},
    {"help", 'h', NULL, TO(help), "show this help and exit"},
    {"version", 'V', NULL, TO(version), "show the version and exit"},
    {NULL, 0, NULL, 0, NULL},
};

static const struct option_row *option_long(const char *name, size_t length)
{
	const struct option_row *row;

	for (row = option_rows; row->name; row++) {
		if (strlen(row->name) == length && memcmp(row->name, name, length) == 0)
			return row;
	}
	return NULL;
}

static const struct option_row *option_short(char letter)
{
	const struct option_row *row;

	for (row = option_rows; row->name; row++) {
		if (row->letter && row->letter == letter)
			return row;
	}
	return NULL;
}

static int option_unknown(const char *word, struct schedd_error *err)
{
	const struct option_row *row;
	struct suggest suggest;
	const char *closest;

	suggest_init(&suggest, word + strspn(word, "-"));
	for (row = option_rows; row->name; row++)
		suggest_offer(&suggest, row->name);
	closest = suggest_result(&suggest);
	if (word[0] != '-')
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "schedd takes no arguments but options, got '%.64s'; commands are schedctl's",
		    word);
	if (!closest)
		return schedd_error_set(err, SCHEDD_EINVAL, "unknown option '%.64s'", word);
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "unknown option '%.64s', did you mean --%s?", word, closest);
}

/* Looks up argv[i]; *value is what stands behind "=", or NULL. */
static const struct option_row *option_find(const char *word, const char **value)
{
	const char *equals;

	*value = NULL;
	if (word[0] != '-' || !word[1])
		return NULL;
	if (word[1] != '-')
		return word[2] ? NULL : option_short(word[1]);
	equals = strchr(word, '=');
	if (!equals)
		return option_long(word + 2, strlen(word + 2));
	*value = equals + 1;
	return option_long(word + 2, (size_t)(equals - word) - 2);
}

int options_parse(
    struct options *options, int argc, const char *const *argv, struct schedd_error *err)
{
	memset(options, 0, sizeof(*options));
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct option_row *row = option_find(argv[i], &value);
		char *slot;

		if (!row)
			return option_unknown(argv[i], err);
		slot = (char *)options + row->offset;
		if (!row->argument) {
			if (value)
				return schedd_error_set(
				    err, SCHEDD_EINVAL, "--%s takes no value", row->name);
			*(bool *)slot = true;
			continue;
		}
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value || !value[0])
			return schedd_error_set(err, SCHEDD_EINVAL, "--%s needs a value: --%s %s",
			    row->name, row->name, row->argument);
		*(const char **)(void *)slot = value;
	}
	return 0;
}

void options_help(struct strbuf *out)
{
	const struct option_row *row;

	strbuf_add(out, "Usage: schedd [OPTION]...\n"
			"Runs jobs when they are due. Stays in the foreground and logs to stderr;\n"
			"schedctl adds, shows and controls jobs.\n\n");
	for (row = option_rows; row->name; row++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", row->name, row->argument ? " " : "",
		    row->argument ? row->argument : "");
		if (row->letter)
			strbuf_printf(out, "  -%c, %-20s %s\n", row->letter, left, row->doc);
		else
			strbuf_printf(out, "      %-20s %s\n", left, row->doc);
	}
	strbuf_add(out,
	    "\nEnvironment: SCHEDD_SOCKET, SCHEDD_STATE_DIR and SCHEDD_CONFIG stand between\n"
	    "the options above and the config.\n"
	    "As root schedd is the system's daemon (/run/schedd/schedd.sock, /var/lib/schedd,\n"
	    "/etc/schedd/schedd.yaml), otherwise the user's own.\n"
	    "Signals: TERM stops gracefully (again: at once), HUP reads the config again,\n"
	    "USR2 runs the installed schedd anew in the same process.\n"
	    "Exit status: 0 stopped as asked, 1 failed, 2 usage, 6 permission denied,\n"
	    "7 invalid config or database.\n");
}

void options_manual(struct strbuf *out)
{
	const struct option_row *row;

	for (row = option_rows; row->name; row++) {
		strbuf_add(out, ".TP\n.B ");
		if (row->letter)
			strbuf_printf(out, "\\-%c, ", row->letter);
		strbuf_add(out, "\\-\\-");
		for (const char *c = row->name; *c; c++) {
			if (*c == '-')
				strbuf_add_char(out, '\\');
			strbuf_add_char(out, *c);
		}
		if (row->argument)
			strbuf_printf(out, " \\fI%s\\fR", row->argument);
		strbuf_printf(out, "\n%s\n", row->doc);
	}
}
