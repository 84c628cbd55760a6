/* SPDX-License-Identifier: MIT */
/* Lines with fields, for the journal's own socket. */
#ifndef SCHEDD_SERVER_LOG_JOURNAL_H
#define SCHEDD_SERVER_LOG_JOURNAL_H

#include <stdbool.h>

/* What a line is about, beside its text; NULL: nothing. */
struct log_fields {
	const char *job;   /* id */
	const char *run;   /* JOB/N */
	const char *event; /* "job_error" */
};

/* Is what is written to this descriptor the journal's? */
bool log_journal_has(int fd);
/* A socket to it, CLOEXEC and non-blocking; -1: there is none. */
int log_journal_open(void);
/* False: it did not take the line. */
bool log_journal_send(
    int fd, int priority, const char *line, const struct log_fields *fields);

#endif
