/* SPDX-License-Identifier: MIT */
/* What /proc tells of a process: its identity, its kin and its environment. */
#ifndef SCHEDD_EXECUTOR_PROCESS_STAT_H
#define SCHEDD_EXECUTOR_PROCESS_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <schedd/clock.h>

struct process_stat {
	pid_t pid;
	pid_t ppid;
	pid_t pgrp;
	pid_t session;
	uint64_t start; /* field 22: clock ticks after boot; with pid it names a process for good */
	char state;     /* R, S, D, Z, … */
};

/* How start times are learnt here. */
enum process_start {
	PROCESS_START_UNTRIED,
	PROCESS_START_FROM_CLOCK, /* the system counts them by a clock that can be read */
	PROCESS_START_FROM_STAT,  /* it does not: it imitates another, or there is no /proc */
};

/* False: there is no such process. */
bool process_stat_read(pid_t pid, struct process_stat *out);
/*
 * Is it in the middle of executing a program? Then it shows no environment for a
 * moment. Also of a process that may not be looked at.
 */
bool process_stat_executes(pid_t pid);
/*
 * The start of a child that was made between two readings of the system's
 * clock; 0: unknown. Where both are of one tick, nothing is read but once, to
 * see whether the clock may be trusted (*how, which starts as UNTRIED).
 */
uint64_t process_stat_start(
    pid_t pid, struct schedd_mono before, struct schedd_mono after, enum process_start *how);
/*
 * Everything that runs now, in no order; *out is to be freed with free().
 * Returns how many, or SCHEDD_ENOMEM, or SCHEDD_EFAILED without /proc.
 */
int process_stat_list(struct process_stat **out);
/*
 * The children of a process, added behind the first *count pids of *list (to be
 * freed with free()). False: the system does not tell, or no memory.
 */
bool process_stat_children(pid_t pid, pid_t **list, int *count);
/*
 * The environment the process was started with, NUL-separated and with a final
 * NUL, cut at size; 0 if it may not be read. Returns the bytes without that NUL.
 */
size_t process_stat_environ(pid_t pid, char *buffer, size_t size);
/* The text of a variable in such an environment; NULL: it is not there. */
const char *process_stat_variable(const char *variables, size_t length, const char *name);

#endif
