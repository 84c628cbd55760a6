/* SPDX-License-Identifier: MIT */
/* schedd's command line: rows of flags, so that parsing, help and manual agree. */
#ifndef SCHEDD_SERVER_OPTIONS_H
#define SCHEDD_SERVER_OPTIONS_H

#include <stdbool.h>
#include <schedd/error.h>
#include "base/strbuf.h"

/* Texts are those of argv; NULL: not given. */
struct options {
	const char *socket;     /* --socket PATH */
	const char *state_dir;  /* --state-dir DIR */
	const char *config;     /* --config FILE */
	const char *log_level;  /* --log-level error|warning|info|debug */
	const char *log_format; /* --log-format text|json */
	const char *log_file;   /* --log-file FILE */
	bool daemon;            /* --daemon */
	bool check_config;      /* --check-config */
	bool help;              /* -h, --help */
	bool help_config;       /* --help-config */
	bool version;           /* -V, --version */
};

/* SCHEDD_EINVAL names the flag, with "did you mean". */
int options_parse(struct options *options, int argc, const char *const *argv,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The text of --help. */
void options_help(struct strbuf *out);
/* The list of flags as roff, for schedd(8). */
void options_manual(struct strbuf *out);

#endif
