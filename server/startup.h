/* SPDX-License-Identifier: MIT */
/* From the options to a daemon that runs, and its end. */
#ifndef SCHEDD_SERVER_STARTUP_H
#define SCHEDD_SERVER_STARTUP_H

#include <schedd/error.h>
#include "server/options.h"

/*
 * Finds paths, reads the config, detaches where asked to, runs the daemon until
 * it was stopped. With --check-config only reads. 0, or an error code with its
 * sentence; the code's negative is the exit status. *ready: -1, or what the
 * starter of a detached daemon still waits at, for daemonize_ready().
 */
int startup_run(const struct options *options, char **argv, int *ready, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
