/* SPDX-License-Identifier: MIT */
/*
 * One pipe of a running command, read into its output. A wake-up reads a
 * bounded number of bytes, so that a command that floods holds nobody up.
 */
#ifndef SCHEDD_EXECUTOR_CAPTURE_H
#define SCHEDD_EXECUTOR_CAPTURE_H

#include <stdbool.h>
#include <schedd/error.h>
#include <schedd/loop.h>
#include "executor/output.h"

#define CAPTURE_BUFFER 65536 /* bytes read at a time; what a pipe holds */

struct capture;

/*
 * Makes the pipe and watches it. *end gets the writing end, close-on-exec, the
 * caller's. buffer: CAPTURE_BUFFER bytes of scratch, shared by captures of one
 * loop. output NULL: what is read is thrown away. ended is called once when
 * all writers are gone; the capture may be freed inside. NULL and *err on failure.
 */
struct capture *capture_new(struct schedd_loop *loop, struct output *output,
    enum output_stream stream, char *buffer, void (*ended)(struct capture *capture, void *context),
    void *context, int *end, struct schedd_error *err);
/* The same of a pipe that is there. fd is the capture's then; on failure it is closed. */
struct capture *capture_resume(struct schedd_loop *loop, struct output *output,
    enum output_stream stream, char *buffer, void (*ended)(struct capture *capture, void *context),
    void *context, int fd, struct schedd_error *err);
/* Frees it and gives the reading end back, with what is not read yet. */
int capture_release(struct capture *capture);
/* What is read but not yet taken is lost. NULL is fine. */
void capture_free(struct capture *capture);
/*
 * Reads what is there now, without waiting. True: the end was reached; ended
 * is not called for it.
 */
bool capture_drain(struct capture *capture);

#endif
