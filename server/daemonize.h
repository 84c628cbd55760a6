/* SPDX-License-Identifier: MIT */
/* --daemon: leaving the terminal, and telling the starter how it went. */
#ifndef SCHEDD_SERVER_DAEMONIZE_H
#define SCHEDD_SERVER_DAEMONIZE_H

#include <schedd/error.h>

/*
 * Detaches. Returns in the daemon only: *ready is a descriptor for
 * daemonize_ready(). The starting process waits for that and exits with the
 * status it is told, or 1 if the daemon dies before. Call it before any thread.
 */
int daemonize(int *ready, struct schedd_error *err) __attribute__((warn_unused_result));
/* It runs (status 0), or it has failed. Gives up stdin, stdout and stderr; -1 is fine. */
void daemonize_ready(int ready, int status);

#endif
