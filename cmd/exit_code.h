/* SPDX-License-Identifier: MIT */
/* The exit statuses of schedctl, as scripts rely on them and schedctl(1) lists them. */
#ifndef SCHEDD_CMD_EXIT_CODE_H
#define SCHEDD_CMD_EXIT_CODE_H

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* wholly or for some targets */
	EXIT_USAGE = 2,  /* verb, flag, time, cron, duration, zone */
	EXIT_UNREACHABLE = 3,
	EXIT_NOT_FOUND = 4,
	EXIT_CONFLICT = 5,
	EXIT_PERMISSION = 6,
	EXIT_INVALID_FILE = 7,
	EXIT_TIMEOUT = 8,
	EXIT_RUN_FAILED = 10,   /* an awaited run ended without success */
	EXIT_OWN_FAILURE = 125, /* with --exit-status: schedctl itself failed */
	EXIT_INTERRUPTED = 130, /* Ctrl-C */
	EXIT_PIPE = 141,        /* the reader of our output went away */
};

/* The exit status for a SCHEDD_E* code. */
int exit_code_of(int code);

#endif
