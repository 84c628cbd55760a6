/* SPDX-License-Identifier: MIT */
/* Running the installed schedd anew in this process: same pid, same socket, same jobs. */
#ifndef SCHEDD_SERVER_REEXEC_H
#define SCHEDD_SERVER_REEXEC_H

#include <stdbool.h>
#include <schedd/error.h>

struct reexec {
	char *path;    /* of the program; NULL: not prepared */
	int listening; /* the socket to hand over; -1: none */
};

/* Was this process started by reexec_run()? Asked until reexec_settled(). */
bool reexec_is_second(void);
/* Forgets it, so that jobs do not inherit the mark. */
void reexec_settled(void);
/* Finds the program, as it is installed now, and takes a copy of the listening descriptor. */
int reexec_prepare(struct reexec *reexec, int listening, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Replaces the program; returns only when that failed. */
int reexec_run(struct reexec *reexec, char **argv, struct schedd_error *err);

#endif
