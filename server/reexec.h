/* SPDX-License-Identifier: MIT */
/* Running the installed schedd anew in this process: same pid, same socket, same jobs. */
#ifndef SCHEDD_SERVER_REEXEC_H
#define SCHEDD_SERVER_REEXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <schedd/error.h>
#include "base/value.h"

struct reexec {
	char *path;    /* of the program; NULL: not prepared */
	int listening; /* the socket to hand over; -1: none */
	int state;     /* a file in memory with what the next program needs; -1: none */
	int *kept;     /* descriptors that are named in it; owned */
	size_t kept_count;
};

/* Was this process started by reexec_run()? Asked until reexec_settled(). */
bool reexec_is_second(void);
/* What reexec_save() was given. nil: this is the first program, or nothing was saved. */
int reexec_load(struct arena *arena, struct value *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Forgets it, so that jobs do not inherit the mark. */
void reexec_settled(void);
/* Finds the program, as it is installed now, and takes a copy of the listening descriptor. */
int reexec_prepare(struct reexec *reexec, int listening, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* It is not to be run anew after all; before anything was kept. */
void reexec_drop(struct reexec *reexec);
/*
 * Keeps a tree of values for the next program. Integers whose key ends in _fd
 * are descriptors, which go over too; they may be given other numbers here.
 */
int reexec_save(struct reexec *reexec, struct value *state, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Replaces the program; returns only when that failed. */
int reexec_run(struct reexec *reexec, char **argv, struct schedd_error *err);

#endif
