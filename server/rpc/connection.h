/* SPDX-License-Identifier: MIT */
/*
 * One client: bytes in, whole messages to the dispatcher, answers and
 * notifications out.
 *
 * What a client can cost is bounded: reading from it stops while its unsent
 * answers or its open calls exceed a limit (back-pressure), and notifications
 * beyond their limit are refused to the caller, who counts and tells them.
 */
#ifndef SCHEDD_SERVER_RPC_CONNECTION_H
#define SCHEDD_SERVER_RPC_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <schedd/error.h>
#include "base/message.h"
#include "base/strbuf.h"
#include "base/value.h"
#include "server/rpc/peer.h"

struct rpc;
struct connection;

#define CONNECTION_CALLS_MAX 1024 /* open calls of one client before reading stops */

/* What lives as long as a connection: subscriptions, followed output, parts of a file, open calls.
 */
struct connection_hook {
	struct connection_hook *next, *prev; /* the connection's; NULL and NULL: not attached */
	/* The connection ends. The hook is detached already and may be freed. */
	void (*closed)(struct connection_hook *hook);
	/* All notifications were sent; NULL: of no interest. It may notify again. */
	void (*drained)(struct connection_hook *hook);
	struct connection *connection; /* that it is attached to */
};

/* Takes fd, which is non-blocking; on failure too. */
int connection_open(struct rpc *rpc, int fd, const struct users_caller *caller, pid_t pid,
    struct rpc_share *share,
    struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Ends it now: hooks are told, unsent bytes are lost. The memory goes with the last reference. */
void connection_close(struct connection *connection);
struct connection *connection_ref(struct connection *connection);
void connection_unref(struct connection *connection);

/*
 * Where the answers of a connection without a socket go: another part of this
 * process that calls methods, as the HTTP side does. Values are valid during
 * the call. None of them may close the connection.
 */
struct connection_sink {
	void (*answer)(uint32_t msgid, const struct value *result, void *context);
	/* As message_pack_list(): {key: [items], …rest} with packed items; key NULL: [items]. */
	void (*answer_list)(uint32_t msgid, const char *key, const struct strbuf *items,
	    uint32_t count, const struct value *rest, void *context);
	void (*fail)(uint32_t msgid, const struct schedd_error *err, void *context);
	/* False: it cannot take more for now; see connection_drained(). */
	bool (*notify)(const char *method, const struct value *params, void *context);
};
/* NULL: no memory. It is not among the daemon's clients: who opened it closes it. */
struct connection *connection_local_open(struct rpc *rpc, const struct users_caller *caller, pid_t pid,
    const struct connection_sink *sink, void *context);
/* Is it one? Then it has no end that a client would see. */
bool connection_is_local(const struct connection *c);
/* As connection_close(). NULL is fine. */
void connection_local_close(struct connection *connection);
/* All notifications were sent: the hooks are told, and may notify again. */
void connection_drained(struct connection *connection);

/*
 * The client sees the end of the stream when the process has ended, not
 * before: then locks and sockets are free for the next schedd.
 */
void connection_hold_to_the_end(struct connection *connection);
bool connection_is_open(const struct connection *connection);
struct rpc *connection_rpc(const struct connection *connection);
/* Who is at its other end. */
struct peer *connection_peer(struct connection *connection);
/*
 * Is its client who it was, by config and accounts as they are now? SCHEDD_EPERM: it is nobody's any more, or
 * what it is told of, or waits for, may be more than it may see: the connection has to end.
 */
int connection_judge(struct connection *connection, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Takes up nothing more, and ends when what was answered is sent. */
void connection_dismiss(struct connection *connection);

/* A call begins or ends. heavy: its answer may be large, so nothing more is read until it ends. */
/* A number that no subscription and no follower of the connection had yet. */
int64_t connection_number(struct connection *connection);
/* A call is being worked on, from its beginning until it is answered or waits. */
void connection_work_begin(struct connection *connection);
void connection_work_end(struct connection *connection);
void connection_call_begin(struct connection *connection, bool heavy);
void connection_call_end(struct connection *connection, bool heavy);
/* Has it so many calls under way, or one so heavy, that no other is to be begun for it? */
bool connection_is_full(const struct connection *connection);

/* The message at bytes, as message_unpack() does it; a large one was taken apart before. */
int connection_unpack(struct connection *connection, const char *bytes, size_t length,
    struct arena *arena, struct message *out, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* Queue an answer; they are written together, soon. Nothing happens on a closed connection. */
void connection_answer(struct connection *connection, uint32_t msgid, const struct value *result);
/* As message_pack_list(). May take the items, which are to be cleared in any case. */
void connection_answer_list(struct connection *connection, uint32_t msgid, const char *key,
    struct strbuf *items, uint32_t count, const struct value *rest);
void connection_fail(struct connection *connection, uint32_t msgid, const struct schedd_error *err);
/* Queues a notification. False: too many wait already (or no memory); it is not sent. */
bool connection_notify(
    struct connection *connection, const char *method, const struct value *params);

void connection_attach(struct connection *connection, struct connection_hook *hook);
/* The first of them; NULL: none. */
struct connection_hook *connection_hooks(struct connection *connection);
/* Not attached is fine. */
void connection_detach(struct connection_hook *hook);

#endif
