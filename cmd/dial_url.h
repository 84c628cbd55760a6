/* SPDX-License-Identifier: MIT */
/*
 * A daemon over HTTP: schedctl-url, a program of its own with libcurl in it,
 * stands between. It speaks the protocol on a socket pair and sends each
 * request to POST /api/v1/rpc.
 */
#ifndef SCHEDD_CMD_DIAL_URL_H
#define SCHEDD_CMD_DIAL_URL_H

#include "cmd/args.h"
#include "proto/rpc_client.h"

/* The URL that --url, or else SCHEDD_URL without --socket and --host, names. NULL: none. */
const char *dial_url_named(const struct args *args);
/*
 * Asks the daemon there for a hello, so that what is wrong with the way to it
 * is said once and first. SCHEDD_EINVAL: options that make no sense;
 * SCHEDD_EFILE: the file of the token; SCHEDD_EPERM: the token is not valid.
 */
int dial_url(struct arena *arena, const struct args *args, const char *url, schedd_span timeout,
    struct rpc_client **out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
