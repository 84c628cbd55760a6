/* SPDX-License-Identifier: MIT */
/*
 * Options as rows: the parser, the help, the manual page and completion all
 * read the same ones, so none of them can say what the others do not.
 */
#ifndef SCHEDD_CMD_OPTION_H
#define SCHEDD_CMD_OPTION_H

#include <stdbool.h>

/* What completion offers for a value or an argument. */
enum complete {
	COMPLETE_NONE,
	COMPLETE_WORDS,  /* the option's own words */
	COMPLETE_NOTIFY, /* EVENT= */
	COMPLETE_FILE,
	COMPLETE_DIRECTORY,
	COMPLETE_JOB, /* any job */
	COMPLETE_JOB_PAUSED,
	COMPLETE_JOB_ACTIVE, /* not paused */
	COMPLETE_JOB_RUNNING,
	COMPLETE_RUN,        /* JOB/N, newest first */
	COMPLETE_JOB_OR_RUN, /* JOB, and its runs once its / was typed */
	COMPLETE_RUN_RUNNING,
	COMPLETE_TAG,
	COMPLETE_GROUP,
	COMPLETE_STORE,
	COMPLETE_STORE_ACT,    /* add, remove, …, then what that takes */
	COMPLETE_STORE_OPTION, /* NAME= */
	COMPLETE_NODE,
	COMPLETE_PLACE,    /* any, all, a node, LABEL=VALUE */
	COMPLETE_NODE_ACT, /* drain, resume, …, then a node */
	COMPLETE_EXECUTOR,
	COMPLETE_EVENT,
	COMPLETE_COLUMN,
	COMPLETE_SIGNAL,
	COMPLETE_USER,
	COMPLETE_ZONE,
	COMPLETE_CRON, /* macros */
	COMPLETE_TIME, /* now, tomorrow, … */
	COMPLETE_DURATION,
	COMPLETE_VERB,
	COMPLETE_FIELD,   /* of a job */
	COMPLETE_SHELL,   /* that completion has a script for */
	COMPLETE_IMPORT,  /* crontab, then files */
	COMPLETE_CONFIG,  /* check, show */
	COMPLETE_COMMAND, /* the rest is a command line of its own */
};

struct option {
	const char *name;       /* long name without dashes; NULL ends the rows */
	char letter;            /* short name, or 0 */
	const char *value;      /* what the value is called in help; NULL: it takes none */
	const char *section;    /* heading in the help; NULL: that of the row before */
	const char *doc;        /* one line */
	const char *field;      /* the job field it sets; NULL: none */
	enum complete complete; /* of the value */
	const char *const
	    *words;  /* COMPLETE_WORDS: what it may be, NULL-terminated; checked when parsed */
	bool repeat; /* may be given several times */
};

/* Before or behind any verb. */
extern const struct option option_global[];
/* The trigger flags. */
extern const struct option option_trigger[];
/* The fields of a job. */
extern const struct option option_job[];
/* Choosing jobs: -t and -g, unless the verb sets them. */
extern const struct option option_label[];
/* Choosing jobs: --state, --all. */
extern const struct option option_target[];
/* -y, of verbs that ask. */
extern const struct option option_yes[];

#endif
