/* SPDX-License-Identifier: MIT */
/*
 * Accepting is where access is decided: the kernel names the peer's user, and
 * only the daemon's own and root may go on.
 */
#include "server/rpc/rpc.h"

#include <errno.h>
#include <fcntl.h>
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

static void rpc_welcome(struct rpc *rpc, int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);
	struct schedd_error err;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
	    (peer.uid != geteuid() && peer.uid != 0)) {
		schedd_error_set(&err, SCHEDD_EPERM,
		    "this schedd belongs to uid %ld: uid %ld may not use it", (long)geteuid(),
		    (long)peer.uid);
		log_warn(daemon_log(rpc->daemon), "refused a client of uid %ld", (long)peer.uid);
		rpc_refuse(rpc, fd, &err);
		return;
	}
	if (rpc->counters.clients >= rpc->limits.clients) {
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "%u clients are connected already, which is the limit (limits.clients)",
		    rpc->counters.clients);
		rpc_refuse(rpc, fd, &err);
		return;
	}
	rpc->counters.accepted++;
	if (connection_open(rpc, fd, peer.uid, peer.pid, &err))
		log_error(daemon_log(rpc->daemon), "cannot serve a client: %s", err.message);
}

/* Out of descriptors: the waiting client must be taken to be told, or the loop would spin. */
static void rpc_turn_away(struct rpc *rpc)
{
	struct schedd_error err;
	int fd;

	close(rpc->reserve);
	fd = accept4(rpc->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		schedd_error_set(&err, SCHEDD_EFAILED, "schedd has no file descriptor left");
		rpc_refuse(rpc, fd, &err);
	}
	rpc->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	log_error(daemon_log(rpc->daemon), "no file descriptor left for a client");
}

static void rpc_accept(evutil_socket_t listening, short what, void *context)
{
	struct rpc *rpc = context;

	(void)what;
	for (int i = 0; i < RPC_ACCEPT_BURST; i++) {
		int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			rpc_welcome(rpc, fd);
		else if (errno == EMFILE || errno == ENFILE)
			rpc_turn_away(rpc);
		else if (errno != ECONNABORTED && errno != EINTR)
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
	rc = rpc_dispatch_init(rpc, err);
	if (!rc && (!rpc->buffer || !rpc->acceptable || !rpc->flush ||
		       event_add(rpc->acceptable, NULL) < 0))
		rc = schedd_error_nomem(err);
	if (rc) {
		rpc_free(rpc);
		return rc;
	}
	*out = rpc;
	return 0;
}

void rpc_free(struct rpc *rpc)
{
	if (!rpc)
		return;
	while (rpc->clients)
		rpc->clients->close(rpc->clients);
	if (rpc->acceptable)
		event_free(rpc->acceptable);
	if (rpc->flush)
		event_free(rpc->flush);
	if (rpc->reserve >= 0)
		close(rpc->reserve);
	free(rpc->methods);
	free(rpc->buffer);
	free(rpc);
}
