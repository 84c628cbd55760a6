/* SPDX-License-Identifier: MIT */
/* The server's side of the protocol: accepts clients, knows all of them and their limits. */
#ifndef SCHEDD_SERVER_RPC_RPC_H
#define SCHEDD_SERVER_RPC_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <schedd/error.h>
#include "proto/methods.h"

struct daemon;
struct event_base;
struct rpc;
struct rpc_call;

struct rpc_limits {
	size_t request;   /* bytes of a message */
	unsigned clients; /* connections at one time */
	size_t events;    /* bytes of notifications that wait for one client */
	size_t answers;   /* bytes of unsent answers beyond which a client is not read from */
	size_t apply;     /* bytes of job.apply in parts */
};

/* The defaults that PROTOCOL.md names. */
void rpc_limits_init(struct rpc_limits *limits);

/*
 * Serves clients of the listening descriptor, which stays the caller's. daemon
 * is what the handlers work on.
 */
int rpc_new(struct daemon *daemon, struct event_base *base, int listening,
    const struct rpc_limits *limits, struct rpc **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Closes all connections. NULL is fine. */
void rpc_free(struct rpc *rpc);
void rpc_set_limits(struct rpc *rpc, const struct rpc_limits *limits);
const struct rpc_limits *rpc_limits(const struct rpc *rpc);
struct event_base *rpc_base(const struct rpc *rpc);
struct daemon *rpc_daemon(const struct rpc *rpc);
/* Sends what waits for clients now, as far as their sockets take it. */
void rpc_flush(struct rpc *rpc);

struct rpc_counters {
	unsigned clients;       /* connected now */
	unsigned subscriptions; /* of events, now */
	uint64_t accepted;      /* connections since the start */
	uint64_t refused;       /* by user or by the limit */
	uint64_t requests;      /* since the start */
	uint64_t failed;        /* of these, answered by an error */
	uint64_t dropped;       /* notifications that slow readers lost */
	int64_t follows;        /* numbers given to followers of output so far */
};
struct rpc_counters *rpc_counters(struct rpc *rpc);

/* A method and what answers it. */
typedef void (*rpc_handler_fn)(struct rpc_call *call);
struct rpc_method {
	const struct method *method;
	rpc_handler_fn handler;
	bool heavy; /* the answer may be large */
};
/* NULL: no such method. */
const struct rpc_method *rpc_method(const struct rpc *rpc, const char *name);

/* ---- For connection.c ---- */

/* A connection's place in the lists. */
struct rpc_client {
	struct rpc_client *next, *prev; /* all clients */
	struct rpc_client *next_dirty;  /* those with something to send */
	bool dirty;
};
void rpc_client_add(struct rpc *rpc, struct rpc_client *client);
void rpc_client_remove(struct rpc *rpc, struct rpc_client *client);
/* connection_resume() is called for it in the next turn of the loop. */
void rpc_client_dirty(struct rpc *rpc, struct rpc_client *client);
/* As rpc_client_dirty, but not before all that is readable now had its turn. */
void rpc_client_later(struct rpc *rpc, struct rpc_client *client);
/* The buffer for reading that all connections share; returns its size. */
size_t rpc_buffer(struct rpc *rpc, char **buffer);

#endif
