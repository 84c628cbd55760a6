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
#include "proto/message.h"
#include "server/daemon.h"
#include "server/rpc/connection.h"
#include "server/rpc/rpc_dispatch.h"

#define RPC_BUFFER 65536
#define RPC_ACCEPT_BURST 64 /* connections taken in one turn of the loop */

struct rpc {
	struct daemon *daemon;    /* borrowed */
	struct event_base *base;  /* borrowed */
	struct event *acceptable; /* on the listening descriptor */
	struct event *flush;      /* activated while dirty clients are in the list */
	int listening;            /* borrowed */
	int reserve;              /* a descriptor to give up when there are no more */
	struct rpc_limits limits;
	struct rpc_counters counters;
	struct rpc_method *methods; /* sorted by name */
	size_t method_count;
	struct rpc_client *clients;
	struct rpc_client *dirty; /* newest first */
	char *buffer;
};

void rpc_limits_init(struct rpc_limits *limits)
{
	limits->request = 4 << 20;
	limits->clients = 1024;
	limits->events = 8 << 20;
	limits->answers = 1 << 20;
	limits->apply = 64 << 20;
}

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

/* ---- Clients ---- */

void rpc_client_add(struct rpc *rpc, struct rpc_client *client)
{
	client->prev = NULL;
	client->next = rpc->clients;
	if (rpc->clients)
		rpc->clients->prev = client;
	rpc->clients = client;
	rpc->counters.clients++;
}

void rpc_client_remove(struct rpc *rpc, struct rpc_client *client)
{
	struct rpc_client **link;

	if (client->prev)
		client->prev->next = client->next;
	else
		rpc->clients = client->next;
	if (client->next)
		client->next->prev = client->prev;
	rpc->counters.clients--;
	for (link = &rpc->dirty; client->dirty && *link; link = &(*link)->next_dirty) {
		if (*link != client)
			continue;
		*link = client->next_dirty;
		break;
	}
	client->dirty = false;
}

static void rpc_client_push(struct rpc *rpc, struct rpc_client *client)
{
	client->dirty = true;
	client->next_dirty = rpc->dirty;
	rpc->dirty = client;
}

void rpc_client_dirty(struct rpc *rpc, struct rpc_client *client)
{
	if (client->dirty)
		return;
	if (!rpc->dirty)
		event_active(rpc->flush, EV_TIMEOUT, 0);
	rpc_client_push(rpc, client);
}

void rpc_client_later(struct rpc *rpc, struct rpc_client *client)
{
	static const struct timeval at_once = {0};

	if (client->dirty)
		return;
	/* What is made active now is called before the loop looks at descriptors; a timer is not.
	 */
	if (!rpc->dirty && event_add(rpc->flush, &at_once) < 0)
		event_active(rpc->flush, EV_TIMEOUT, 0);
	rpc_client_push(rpc, client);
}

void rpc_flush(struct rpc *rpc)
{
	struct rpc_client *client, *last = NULL;

	/* In the order in which they became dirty; those that become so meanwhile wait for the next
	 * turn. */
	while ((client = rpc->dirty)) {
		rpc->dirty = client->next_dirty;
		client->next_dirty = last;
		last = client;
	}
	while ((client = last)) {
		last = client->next_dirty;
		client->dirty = false;
		connection_resume((struct connection *)(void *)client);
	}
}

static void rpc_on_flush(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	rpc_flush(context);
}

size_t rpc_buffer(struct rpc *rpc, char **buffer)
{
	*buffer = rpc->buffer;
	return RPC_BUFFER;
}

/* ---- Life ---- */

static int rpc_compare_names(const void *a, const void *b)
{
	const struct rpc_method *left = a, *right = b;

	return strcmp(left->method->name, right->method->name);
}

static int rpc_compare_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct rpc_method *)row)->method->name);
}

const struct rpc_method *rpc_method(const struct rpc *rpc, const char *name)
{
	return bsearch(
	    name, rpc->methods, rpc->method_count, sizeof(*rpc->methods), rpc_compare_name);
}

static int rpc_index_methods(struct rpc *rpc, struct schedd_error *err)
{
	const struct method *row;
	size_t count = 0;

	for (row = methods_all(); row->name; row++)
		count++;
	rpc->methods = calloc(count, sizeof(*rpc->methods));
	if (!rpc->methods)
		return schedd_error_nomem(err);
	for (row = methods_all(); row->name; row++) {
		struct rpc_method *method = &rpc->methods[rpc->method_count++];

		if (!rpc_dispatch_handler(row->name, method))
			return schedd_error_set(
			    err, SCHEDD_EFAILED, "no handler for the method %s", row->name);
		method->method = row;
	}
	qsort(rpc->methods, rpc->method_count, sizeof(*rpc->methods), rpc_compare_names);
	return 0;
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
	rc = rpc_index_methods(rpc, err);
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
		connection_close((struct connection *)(void *)rpc->clients);
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

void rpc_set_limits(struct rpc *rpc, const struct rpc_limits *limits)
{
	rpc->limits = *limits;
}

const struct rpc_limits *rpc_limits(const struct rpc *rpc)
{
	return &rpc->limits;
}

struct event_base *rpc_base(const struct rpc *rpc)
{
	return rpc->base;
}

struct daemon *rpc_daemon(const struct rpc *rpc)
{
	return rpc->daemon;
}

struct rpc_counters *rpc_counters(struct rpc *rpc)
{
	return &rpc->counters;
}
