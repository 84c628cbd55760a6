/* SPDX-License-Identifier: MIT */
/* One line of a crontab, taken apart by the rules of crontab(5). */
#ifndef SCHEDD_JOBFILE_CRONTAB_LINE_H
#define SCHEDD_JOBFILE_CRONTAB_LINE_H

#include <stdbool.h>
#include <schedd/error.h>
#include "base/arena.h"

enum crontab_line_kind {
	CRONTAB_NOTHING,  /* blank, or a comment */
	CRONTAB_VARIABLE, /* NAME = value */
	CRONTAB_ENTRY,    /* a schedule and a command */
};

struct crontab_line {
	enum crontab_line_kind kind;
	const char *name;     /* VARIABLE */
	const char *value;    /* VARIABLE: without its quotes */
	const char *comment;  /* NOTHING: behind the '#'; NULL: blank */
	const char *schedule; /* ENTRY: "@daily", or five fields with one blank between */
	const char *user;     /* ENTRY of a system crontab; NULL otherwise */
	const char *command;  /* ENTRY: '%' resolved, without what is for standard input */
	const char *input;    /* ENTRY: what stood behind the first '%', as lines; NULL: none */
	bool backslashes;     /* ENTRY: two of them became one, which not every cron does */
};

/*
 * Reads a line of length bytes without its line break. system: a user stands
 * before the command. All texts are in the arena. SCHEDD_EINVAL, SCHEDD_ENOMEM.
 */
int crontab_line_read(const char *text, size_t length, bool system, struct arena *arena,
    struct crontab_line *out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
