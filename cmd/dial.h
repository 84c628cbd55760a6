/* SPDX-License-Identifier: MIT */
/*
 * The daemon of another machine: ssh runs "schedctl __dial" there, which joins
 * its standard input and output to the daemon's socket.
 */
#ifndef SCHEDD_CMD_DIAL_H
#define SCHEDD_CMD_DIAL_H

#include "base/arena.h"
#include "proto/rpc_client.h"

/*
 * host: USER@MACHINE or MACHINE, as ssh takes it; socket: the path there, NULL:
 * the usual ones. SCHEDD_SSH names another program than ssh. What ssh has to
 * say (passwords, host keys) goes to the terminal.
 */
int dial_host(struct arena *arena, const char *host, const char *socket, schedd_span timeout,
    struct rpc_client **out, struct schedd_error *err) __attribute__((warn_unused_result));
/* Copies standard input to the socket and the socket to standard output, until it ends. */
int dial_relay(int fd, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
