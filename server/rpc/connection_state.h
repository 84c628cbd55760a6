/* SPDX-License-Identifier: MIT */
/*
 * What a connection consists of; for the files connection*.c alone.
 *
 * Two kinds: of a socket, whose answers are packed and written, and of another
 * part of this process (HTTP), which takes them as they are by a sink.
 */
#ifndef SCHEDD_SERVER_RPC_CONNECTION_STATE_H
#define SCHEDD_SERVER_RPC_CONNECTION_STATE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include "base/frame.h"
#include "server/rpc/connection.h"
#include "server/rpc/rpc_state.h"
#include "server/rpc/rpc_turn.h"

struct connection {
	struct rpc_client link; /* must be first: the place in the lists of rpc.c */
	struct rpc *rpc;        /* borrowed */
	unsigned refs;          /* one while it is open, one for each open call */
	int fd;                 /* -1: closed, or no socket */
	int held;               /* its copy that ends with the process; -1: none */
	const struct connection_sink *sink; /* NULL: of a socket, or closed */
	void *sink_context;     /* passed back, not owned */
	struct peer peer;       /* the client */
	struct rpc_share *share; /* its account's; NULL: one without limits */
	int64_t numbers;        /* given to subscriptions and followers so far */
	struct event readable;  /* pending while reading */
	struct event writable;  /* pending while the socket is full */
	bool reading;           /* readable is pending */
	bool writing;           /* writable is pending */
	bool ended;             /* the client sends nothing more */
	bool doomed;            /* nothing can be read any more: close when out is sent */
	bool lingering;         /* it is sent: what still comes is thrown away */
	bool stalled;           /* in holds messages that had to wait for room, or for their turn */
	size_t large;           /* bytes of the message at the start of in, which waits for its turn; 0: none */
	struct connection_unpack *unpack; /* what came of it so far; NULL: it has not begun */
	struct rpc_turn turn;   /* waits while large is set, but for its turn itself */
	bool had_turn;          /* the requests taken up filled its turn */
	bool busy;              /* messages are being taken apart: answers are sent at the end */
	unsigned calls;         /* open calls */
	unsigned heavy;         /* of these, with large answers */
	struct strbuf in;       /* what was read and not yet taken apart */
	struct frame_scan scan; /* of the message at the start of in */
	struct strbuf out;      /* being written */
	struct strbuf later;    /* answers behind it */
	size_t out_sent;        /* bytes of out that are gone */
	size_t taken;           /* bytes it took while its socket is full, see link.stuck_since */
	size_t out_events;      /* its first bytes are notifications */
	struct strbuf events;   /* notifications that wait for out */
	struct connection_hook *hooks; /* newest first */
};

#define CONNECTION_KEEP 65536 /* bytes of buffer an idle connection may keep */

/* Bytes of out that are not sent. */
size_t connection_unsent(const struct connection *connection);
/* Where the next answer goes: out, or later. */
struct strbuf *connection_last(struct connection *connection);
/* Something waits to be sent: soon, with what others have. */
void connection_queued(struct connection *connection);
/* What waits for it has become more or less. */
void connection_weigh(struct connection *connection);
/* The next piece of the large message. False: it is all done. */
bool connection_unpack_some(struct connection *connection);
/* Nobody waits for it any more. */
void connection_unpack_forget(struct connection *connection);

/* Is its client told of what it may not see any more? Then it has to end; see connection_judge(). */
bool connection_overstays(struct connection *connection);
/* Detaches all hooks and tells them that the connection ends. */
void connection_end_hooks(struct connection *connection);

#endif
