/* SPDX-License-Identifier: MIT */
/* C functions as jobs. */
#ifndef SCHEDD_EXECUTOR_H
#define SCHEDD_EXECUTOR_H

#include <schedd/clock.h>
#include <schedd/export.h>

SCHEDD_BEGIN

/* What a function is told about the run it is called for; valid during the call. */
struct schedd_call {
	const char *job_id;
	const char *run_id;	  /* "backup/42" */
	schedd_time scheduled_at; /* the fire time it stands for */
	unsigned attempt;	  /* from 1 */
	const char *args;	  /* JSON text, "null" where none were given */
};

/*
 * A job as a C function. 0 is success, 1 to 255 an exit code. It is called on
 * the loop's thread by the executor "function" and on a worker thread by
 * "threadpool".
 */
typedef int (*schedd_function)(const struct schedd_call *call, void *context);

SCHEDD_END

#endif
