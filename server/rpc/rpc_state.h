/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the server's side of the protocol have in common: limits,
 * counters and the list of clients. It knows none of those parts; they say
 * here what is to be called.
 */
#ifndef SCHEDD_SERVER_RPC_RPC_STATE_H
#define SCHEDD_SERVER_RPC_RPC_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "server/log_limit.h"

#define RPC_BUFFER 65536 /* bytes read at one time */

struct arena;
struct connection;
struct daemon;
struct event;
struct event_base;
struct rpc_served;
struct rpc_stream;
struct rpc_method;
struct rpc_share;
struct rpc_door;
struct rpc_turn;
struct value;

struct rpc_limits {
	size_t request;   /* bytes of a message */
	unsigned clients; /* connections at one time */
	size_t events;    /* bytes of notifications that wait for one client */
	size_t answers;   /* bytes of unsent answers beyond which a client is not read from */
	size_t unread;    /* bytes that all clients together may leave unread */
	size_t apply;     /* bytes of job.apply in parts */
};

/* The defaults that PROTOCOL.md names. */
void rpc_limits_init(struct rpc_limits *limits);

struct rpc_counters {
	unsigned clients;       /* connected now */
	unsigned subscriptions; /* of events, now */
	uint64_t accepted;      /* connections since the start */
	uint64_t refused;       /* by user or by the limit */
	uint64_t requests;      /* since the start */
	uint64_t failed;        /* of these, answered by an error */
	uint64_t dropped;       /* notifications that slow readers lost */
};

/* A connection's place in the lists, and what is done with it there. */
struct rpc_client {
	struct rpc_client *next, *prev; /* all clients */
	struct rpc_client *next_dirty;  /* those with something to send */
	bool dirty;
	size_t unread;          /* bytes that wait for it */
	int64_t stuck_since;    /* it takes next to nothing of them; INT64_MAX: it takes all that there is */
	void (*resume)(struct rpc_client *client); /* it has something to send or to take up */
	void (*close)(struct rpc_client *client);
	bool (*gone)(struct rpc_client *client); /* nobody is there any more to be answered */
	void (*drop)(struct rpc_client *client); /* closes it, and says so: too much waits for it */
};

/* For rpc.c, rpc_state.c and rpc_dispatch.c alone; others ask the functions below. */
struct rpc {
	struct daemon *daemon;    /* borrowed */
	struct event_base *base;  /* borrowed */
	struct event *acceptable; /* on the listening descriptor */
	struct event *flush;      /* activated while dirty clients are in the list */
	int listening;            /* borrowed */
	int reserve;              /* a descriptor to give up when there are no more; -1: none */
	struct event *relief;     /* pending while nobody is accepted, for want of descriptors */
	struct event *turns;      /* pending while long work waits; see rpc_turn.h */
	struct rpc_turn *waiting, *waiting_last;
	struct connection *unpacking; /* whose large message is being taken apart; NULL: nobody's */
	struct event *look; /* pending while clients are watched: they are not read from, or read nothing */
	size_t unread;      /* bytes that wait for all clients */
	size_t begun_by_admins, begun_by_others; /* bytes of memory of files that come in parts */
	struct log_limit refusals, shortages, drops; /* lines in the log */
	bool finishing;                       /* no request is taken up any more */
	unsigned pending; /* calls whose answer comes without their client's doing */
	struct rpc_limits limits;
	unsigned generation; /* of config and accounts: who is who is judged anew when they change */
	struct rpc_counters counters;
	/* Takes one whole message of a client apart. */
	void (*on_message)(struct connection *connection, const char *bytes, size_t length);
	/* See rpc_local_call(). */
	void (*on_local)(struct connection *connection, uint32_t msgid, const char *method,
	    struct arena *arena, const struct value *params, size_t bytes);
	struct rpc_method *methods; /* sorted by name */
	size_t method_count;
	struct rpc_served *served;  /* calls of other nodes, see rpc_serve.c */
	struct rpc_stream *streams; /* calls on other nodes that go on, see rpc_stream.h */
	struct rpc_client *clients;
	struct rpc_client *dirty; /* newest first */
	struct rpc_share *shares; /* of accounts; see rpc_share.c */
	struct rpc_door *door;    /* who waits to be let in; see rpc_door.c */
	char *buffer;
};

void rpc_set_limits(struct rpc *rpc, const struct rpc_limits *limits);
const struct rpc_limits *rpc_limits(const struct rpc *rpc);
/* Changes whenever the config or the machine's accounts do. */
unsigned rpc_generation(const struct rpc *rpc);
/*
 * Who is who may have changed: open connections are judged anew with their next
 * request, and those that are told of something at once.
 */
void rpc_judge_anew(struct rpc *rpc);
struct rpc_counters *rpc_counters(struct rpc *rpc);
/* Where the calls of other nodes are kept, and those on them. */
struct rpc_served **rpc_served(struct rpc *rpc);
struct rpc_stream **rpc_streams(struct rpc *rpc);
/* Who waits to be let in. */
struct rpc_door **rpc_door_place(struct rpc *rpc);
struct event_base *rpc_base(const struct rpc *rpc);
struct daemon *rpc_daemon(const struct rpc *rpc);

void rpc_client_add(struct rpc *rpc, struct rpc_client *client);
void rpc_client_remove(struct rpc *rpc, struct rpc_client *client);
/* resume is called for it in the next turn of the loop. */
void rpc_client_dirty(struct rpc *rpc, struct rpc_client *client);
/* As rpc_client_dirty, but not before all that is readable now had its turn. */
void rpc_client_later(struct rpc *rpc, struct rpc_client *client);
/* As rpc_client_later, for all of whom that is true. */
void rpc_client_later_all(struct rpc *rpc,
    bool (*wanted)(const struct rpc_client *client, const void *context), const void *context);
/* Sends what waits for clients now, as far as their sockets take it. */
void rpc_flush(struct rpc *rpc);
/* No request is taken up any more: the end has come. */
bool rpc_is_finishing(const struct rpc *rpc);
/* Calls whose answer comes without their client's doing. */
void rpc_pend(struct rpc *rpc, int change);
/* The client is not read from, so that its end is not noticed: it is looked for now and then. */
void rpc_client_watch(struct rpc *rpc);
/* So many bytes wait for it now. Where all have too many, some are dropped, see rpc_client_drop_stuck(). */
void rpc_client_owe(struct rpc *rpc, struct rpc_client *client, size_t unread);
/*
 * While all clients together leave more unread than they may: drops those that have taken nothing for
 * a while, the longest stuck first.
 */
void rpc_client_drop_stuck(struct rpc *rpc);
/* The buffer for reading that all connections share; returns its size. */
size_t rpc_buffer(struct rpc *rpc, char **buffer);
/* Gives a message to on_message. */
void rpc_message(struct rpc *rpc, struct connection *connection, const char *bytes, size_t length);
/*
 * A call that comes from this process, over a connection without a socket: one
 * answer goes to its sink, perhaps before this returns. params (a map, or nil)
 * lives in arena, which is taken; bytes is what they took when they came.
 */
void rpc_local_call(struct rpc *rpc, struct connection *connection, uint32_t msgid,
    const char *method, struct arena *arena, const struct value *params, size_t bytes);

#endif
