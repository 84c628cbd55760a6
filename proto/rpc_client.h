/* SPDX-License-Identifier: MIT */
/* A blocking client: connect, call, follow notifications. What schedctl uses. */
#ifndef SCHEDD_PROTO_RPC_CLIENT_H
#define SCHEDD_PROTO_RPC_CLIENT_H

#include <stdbool.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include "base/value.h"

struct rpc_client;

/*
 * timeout: for connecting and for each answer; SCHEDD_SPAN_NONE: none.
 * SCHEDD_EUNREACHABLE: nobody listens there; SCHEDD_EPERM: the socket is there
 * and refuses access; SCHEDD_EINVAL: the path is too long for a socket.
 */
int rpc_client_connect(const char *path, schedd_span timeout, struct rpc_client **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Over two descriptors that are connected already (ssh, a test); both become the client's. */
int rpc_client_from_fds(int in, int out_fd, schedd_span timeout, struct rpc_client **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
void rpc_client_close(struct rpc_client *client);
int rpc_client_fd(const struct rpc_client *client);

/*
 * One call and its answer; *result lives in the arena. Notifications that come
 * meanwhile are kept for rpc_client_next. The daemon's error comes back as the
 * code of its name; SCHEDD_ETIMEOUT when no answer came in time.
 */
int rpc_client_call(struct rpc_client *client, const char *method, const struct value *params,
    struct arena *arena, struct value *result, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Sends without waiting; *msgid identifies the answer. */
int rpc_client_send(struct rpc_client *client, const char *method, const struct value *params,
    uint32_t *msgid, struct schedd_error *err) __attribute__((warn_unused_result));
/* Waits for the answer to msgid; answers to others that come before it are kept. */
int rpc_client_receive(struct rpc_client *client, uint32_t msgid, struct arena *arena,
    struct value *result, struct schedd_error *err) __attribute__((warn_unused_result));
/* The same with a time-out of its own, for calls that wait for something. */
int rpc_client_receive_within(struct rpc_client *client, uint32_t msgid, schedd_span timeout,
    struct arena *arena, struct value *result, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Waits up to timeout µs until the answer to msgid is there, keeping it. 1: it is; 0: time is over.
 */
int rpc_client_arrived(struct rpc_client *client, uint32_t msgid, schedd_span timeout,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Waits up to timeout µs for the next notification. *method and *params live
 * in the arena. 1: one came; 0: time is over; negative: the connection ended.
 */
int rpc_client_next(struct rpc_client *client, schedd_span timeout, struct arena *arena,
    const char **method, struct value *params, struct schedd_error *err);

#endif
