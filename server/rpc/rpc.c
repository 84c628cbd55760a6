/* SPDX-License-Identifier: MIT */
/*
 * Accepting is where access is decided: the kernel names the peer's user, and
 * beside the daemon's own and root only those whom the config allows go on.
 */
#include "server/rpc/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include "base/log.h"
#include "base/strbuf.h"
#include "base/message.h"
#include "server/daemon.h"
#include "server/rpc/connection.h"
#include "server/rpc/rpc_dispatch.h"
#include "server/rpc/rpc_door.h"
#include "server/rpc/rpc_serve.h"
#include "server/rpc/rpc_share.h"
#include "server/rpc/rpc_stream.h"
#include "server/rpc/rpc_turn.h"

#define RPC_RESERVED 16     /* connections at the end, or that part of a smaller limit */
#define RPC_ACCEPT_BURST 64 /* connections taken in one turn of the loop */

/* ---- Accepting ---- */

/* One answer that nobody asked for, then the end. */
static void rpc_refuse(struct rpc *rpc, int fd, const struct schedd_error *err)
{
	struct strbuf out = STRBUF_EMPTY;

	message_pack_error(&out, 0, err);
	if (!strbuf_failed(&out) && send(fd, out.data, out.length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug(daemon_log(rpc->daemon), "a refused client did not listen");
	strbuf_clear(&out);
	close(fd);
	rpc->counters.refused++;
}

static bool rpc_may_log(struct log_limit *limit, uint64_t *withheld)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return log_limit_passes(limit, clock->mono(clock->context), withheld);
}

/* The last places are not for accounts: root can always come and see. */
static unsigned rpc_reserved(const struct rpc *rpc, const struct users_caller *caller)
{
	if (caller->role == USERS_ADMIN)
		return 0;
	return rpc->limits.clients / RPC_RESERVED < RPC_RESERVED ? rpc->limits.clients / RPC_RESERVED
								    : RPC_RESERVED;
}

/* What stands at the end of a line of which there were more; nothing if there were none. */
static const char *rpc_withheld(uint64_t withheld, char *text, size_t size)
{
	text[0] = '\0';
	if (withheld)
		snprintf(text, size, " (and %llu more since the last such line)",
		    (unsigned long long)withheld);
	return text;
}

/* Who it is has been said. */
static void rpc_let_in(struct rpc *rpc, int fd, uid_t uid, pid_t pid,
    const struct users_caller *caller, const struct schedd_error *why)
{
	struct rpc_share *share;
	struct schedd_error err;
	uint64_t withheld;
	char more[64];

	if (why) {
		if (rpc_may_log(&rpc->refusals, &withheld))
			log_warn(daemon_log(rpc->daemon), "refused a client of uid %ld%s", (long)uid,
			    rpc_withheld(withheld, more, sizeof(more)));
		rpc_refuse(rpc, fd, why);
		return;
	}
	if (rpc->counters.clients + rpc_reserved(rpc, caller) >= rpc->limits.clients) {
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "%u clients are connected already, which is the limit (limits.clients)",
		    rpc->counters.clients);
		rpc_refuse(rpc, fd, &err);
		return;
	}
	if (rpc_share_join(rpc, caller, &share, &err)) {
		rpc_refuse(rpc, fd, &err);
		return;
	}
	rpc->counters.accepted++;
	if (connection_open(rpc, fd, caller, pid, share, &err))
		log_error(daemon_log(rpc->daemon), "cannot serve a client: %s", err.message);
}

static void rpc_welcome(struct rpc *rpc, int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);

	/* What the kernel does not tell of is nobody's. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		peer.uid = (uid_t)-1;
	rpc_door_knock(rpc, fd, peer.uid, peer.pid, rpc_let_in);
}

static void rpc_on_relief(evutil_socket_t fd, short what, void *context)
{
	struct rpc *rpc = context;

	(void)fd;
	(void)what;
	if (rpc->reserve < 0)
		rpc->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!rpc->finishing)
		event_add(rpc->acceptable, NULL);
}

/*
 * Out of descriptors: the waiting client must be taken to be told, or the loop
 * would spin. Where not even that is possible clients wait a while.
 */
static bool rpc_turn_away(struct rpc *rpc)
{
	static const struct timeval pause = {.tv_usec = 200000};
	struct schedd_error err;
	uint64_t withheld;
	char more[64];
	int fd = -1;

	if (rpc->reserve >= 0) {
		close(rpc->reserve);
		fd = accept4(rpc->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	}
	if (fd >= 0) {
		schedd_error_set(&err, SCHEDD_EFAILED, "schedd has no file descriptor left");
		rpc_refuse(rpc, fd, &err);
	}
	rpc->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (rpc_may_log(&rpc->shortages, &withheld))
		log_error(daemon_log(rpc->daemon), "no file descriptor left for a client%s",
		    rpc_withheld(withheld, more, sizeof(more)));
	if (fd >= 0 && rpc->reserve >= 0)
		return true;
	if (event_add(rpc->relief, &pause) == 0)
		event_del(rpc->acceptable);
	return false;
}

static void rpc_accept(evutil_socket_t listening, short what, void *context)
{
	struct rpc *rpc = context;

	(void)what;
	for (int i = 0; i < RPC_ACCEPT_BURST; i++) {
		int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			rpc_welcome(rpc, fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			if (!rpc_turn_away(rpc))
				return;
		} else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* ---- Life ---- */

static void rpc_on_flush(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	rpc_flush(context);
}

static void rpc_on_look(evutil_socket_t fd, short what, void *context)
{
	struct rpc *rpc = context;
	struct rpc_client *client, *next;

	(void)fd;
	(void)what;
	for (client = rpc->clients; client; client = next) {
		next = client->next;
		if (client->gone(client))
			client->close(client);
	}
	rpc_client_drop_stuck(rpc);
}

int rpc_new(struct daemon *daemon, struct event_base *base, int listening,
    const struct rpc_limits *limits, struct rpc **out, struct schedd_error *err)
{
	struct rpc *rpc = calloc(1, sizeof(*rpc));
	int rc;

	if (!rpc)
		return schedd_error_nomem(err);
	rpc->daemon = daemon;
	rpc->base = base;
	rpc->listening = listening;
	rpc->limits = *limits;
	rpc->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	rpc->buffer = malloc(RPC_BUFFER);
	rpc->acceptable = event_new(base, listening, EV_READ | EV_PERSIST, rpc_accept, rpc);
	rpc->flush = event_new(base, -1, 0, rpc_on_flush, rpc);
	rpc->relief = event_new(base, -1, 0, rpc_on_relief, rpc);
	rpc->look = event_new(base, -1, 0, rpc_on_look, rpc);
	rpc->turns = event_new(base, -1, 0, rpc_turn_run, rpc);
	rc = rpc_dispatch_init(rpc, err);
	if (!rc && (!rpc->buffer || !rpc->acceptable || !rpc->flush || !rpc->relief || !rpc->look || !rpc->turns ||
		       event_add(rpc->acceptable, NULL) < 0))
		rc = schedd_error_nomem(err);
	if (rc) {
		rpc_free(rpc);
		return rc;
	}
	*out = rpc;
	return 0;
}

void rpc_finish(struct rpc *rpc)
{
	rpc->finishing = true;
	event_del(rpc->acceptable);
	event_del(rpc->relief);
}

bool rpc_is_busy(const struct rpc *rpc)
{
	return rpc->pending > 0;
}

void rpc_close(struct rpc *rpc)
{
	rpc->finishing = true;
	rpc_door_close(rpc);
	rpc_serve_end(&rpc->served);
	while (rpc->clients)
		rpc->clients->close(rpc->clients);
}

void rpc_free(struct rpc *rpc)
{
	struct event *const events[] = {rpc ? rpc->acceptable : NULL, rpc ? rpc->flush : NULL,
	    rpc ? rpc->relief : NULL, rpc ? rpc->look : NULL, rpc ? rpc->turns : NULL};

	if (!rpc)
		return;
	rpc_close(rpc);
	rpc_stream_end(&rpc->streams);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	if (rpc->reserve >= 0)
		close(rpc->reserve);
	rpc_share_free(rpc);
	free(rpc->methods);
	free(rpc->buffer);
	free(rpc);
}
