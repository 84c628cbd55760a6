/* SPDX-License-Identifier: MIT */
/* A verb as a row: parsing, help, manual page and completion read it. */
#ifndef SCHEDD_CMD_VERBS_H
#define SCHEDD_CMD_VERBS_H

#include "cmd/command.h"

struct out_column;

struct verb {
	const char *name;
	const char *alias;    /* NULL: none */
	const char *group;    /* heading in the overview */
	const char *summary;  /* one line */
	const char *usage;    /* behind the name: "JOB… [OPTIONS]" */
	const char *examples; /* lines of commands, first in the help */
	const char *notes;    /* paragraphs behind the options; NULL: none */
	const struct option *const
	    *options;           /* sets besides the global one, NULL-terminated; may be NULL */
	enum complete complete; /* of its words */
	const struct out_column *columns;    /* for --columns and --sort; NULL: not told */
	int min_words, max_words;            /* -1: any number */
	bool rest;                           /* takes "-- CMD ARG…" */
	bool from_input;                     /* a word "-" is what stands on standard input, a line a word */
	bool hidden;                         /* not in the overview (__complete) */
	int (*run)(struct command *command); /* returns the exit status */
};

/* By name or alias, of a NULL-terminated list; NULL: none. */
const struct verb *verbs_find(const struct verb *const *verbs, const char *name);
/* Says that there is no such verb, and which one may be meant; returns the exit status. */
int verbs_unknown(struct command *command, const char *name);

#endif
