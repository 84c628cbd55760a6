/* SPDX-License-Identifier: MIT */
/*
 * Until a peer's first request evhttp offers nothing to watch it by. Then a
 * reference keeps its bufferevent, and the sweep sees that evhttp has let go of
 * it: it disables what it frees.
 */
#include "server/http/http_peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <event2/buffer.h>
#include <schedd/clock.h>
#include "base/log.h"
#include "server/http/http_tls.h"

#define HTTP_SWEEP_SECONDS 1
#define HTTP_BEAT_SECONDS 15
#define HTTP_END_PAUSE 1000 /* µs */

static int64_t http_peer_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

static struct http_peer **http_peer_bucket(struct web *web, const struct bufferevent *bufferevent)
{
	return &web->peers[((uintptr_t)bufferevent >> 5) % HTTP_PEER_BUCKETS];
}

static void http_peer_free(struct http_peer *peer)
{
	struct web *web = peer->web;
	struct http_peer **link = http_peer_bucket(web, peer->bufferevent);

	while (*link != peer)
		link = &(*link)->next;
	*link = peer->next;
	web->counters.connections--;
	if (peer->request)
		web->peer_ops->gone(peer->request);
	/* evhttp leaves one whose connection failed under it to its handler. */
	if (peer->ending && !evhttp_request_get_connection(peer->ending))
		evhttp_request_free(peer->ending);
	if (peer->connection)
		web->host->close(peer->connection);
	if (!peer->evcon)
		bufferevent_decref(peer->bufferevent);
	if (peer->end)
		event_free(peer->end);
	free(peer);
}

/* ---- Slow and vanished ones ---- */

/* Half of a request for too long; evhttp notices silence alone. */
static bool http_peer_is_slow(const struct http_peer *peer, int64_t now)
{
	return peer->began && !peer->request &&
	       now - peer->began > HTTP_REQUEST_SECONDS * SCHEDD_SECOND;
}

/* evhttp has freed it: only our reference is left. */
static bool http_peer_let_go(const struct http_peer *peer)
{
	return !peer->evcon && bufferevent_get_enabled(peer->bufferevent) == 0;
}

static void http_peer_check(struct http_peer *peer, int64_t now)
{
	if (http_peer_let_go(peer)) {
		http_peer_free(peer);
	} else if (peer->request) {
		bool beat = now - peer->last > HTTP_BEAT_SECONDS * SCHEDD_SECOND;

		peer->last = beat ? now : peer->last;
		peer->web->peer_ops->tend(peer->request, beat);
	} else if (http_peer_is_slow(peer, now) && peer->evcon) {
		evhttp_connection_free(peer->evcon); /* calls http_peer_closed() */
	} else if (http_peer_is_slow(peer, now)) {
		bufferevent_trigger_event(
		    peer->bufferevent, BEV_EVENT_EOF | BEV_EVENT_READING, 0);
	}
}

static void http_peer_sweep(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval pause = {.tv_sec = HTTP_SWEEP_SECONDS};
	struct web *web = context;
	int64_t now = http_peer_now();
	struct http_peer *peer, *next;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < HTTP_PEER_BUCKETS; i++) {
		for (peer = web->peers[i]; peer; peer = next) {
			next = peer->next;
			http_peer_check(peer, now);
		}
	}
	web->sweeping = web->counters.connections > 0 && event_add(web->sweep, &pause) == 0;
}

/* Connections that ended before their first request are noticed by looking at them. */
static void http_peer_make_room(struct web *web)
{
	struct http_peer *peer, *next;

	for (size_t i = 0; i < HTTP_PEER_BUCKETS; i++) {
		for (peer = web->peers[i]; peer; peer = next) {
			next = peer->next;
			if (http_peer_let_go(peer))
				http_peer_free(peer);
		}
	}
}

static void http_peer_watch(struct web *web)
{
	static const struct timeval pause = {.tv_sec = HTTP_SWEEP_SECONDS};

	if (!web->sweep)
		web->sweep = event_new(web->host->base, -1, 0, http_peer_sweep, web);
	if (web->sweep && !web->sweeping)
		web->sweeping = event_add(web->sweep, &pause) == 0;
}

/* ---- Life ---- */

static void http_peer_on_input(
    struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
	struct http_peer *peer = context;

	(void)input;
	if (info->n_added && !peer->began)
		peer->began = http_peer_now();
}

struct bufferevent *http_peer_make(struct event_base *base, void *context)
{
	struct web *web = context;
	struct http_peer *peer = calloc(1, sizeof(*peer)), **bucket;

	if (!peer)
		return NULL;
	peer->bufferevent = web->tls ? http_tls_bufferevent(web->tls, base)
				     : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!peer->bufferevent) {
		free(peer);
		return NULL;
	}
	bufferevent_incref(peer->bufferevent);
	evbuffer_add_cb(bufferevent_get_input(peer->bufferevent), http_peer_on_input, peer);
	peer->web = web;
	peer->last = http_peer_now();
	if (web->counters.connections >= web->config->connections)
		http_peer_make_room(web);
	peer->refused = web->counters.connections >= web->config->connections;
	bucket = http_peer_bucket(web, peer->bufferevent);
	peer->next = *bucket;
	*bucket = peer;
	web->counters.connections++;
	web->counters.accepted++;
	web->counters.refused += peer->refused;
	http_peer_watch(web);
	return peer->bufferevent;
}

static void http_peer_closed(struct evhttp_connection *evcon, void *context)
{
	(void)evcon;
	http_peer_free(context);
}

struct http_peer *http_peer_of(struct web *web, struct evhttp_request *request)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(request);
	struct bufferevent *bufferevent = evcon ? evhttp_connection_get_bufferevent(evcon) : NULL;
	struct http_peer *peer = bufferevent ? *http_peer_bucket(web, bufferevent) : NULL;
	const int on = 1;

	while (peer && peer->bufferevent != bufferevent)
		peer = peer->next;
	if (peer && !peer->evcon) {
		peer->evcon = evcon;
		evhttp_connection_set_closecb(evcon, http_peer_closed, peer);
		bufferevent_decref(bufferevent);
		/* Answers come in pieces; the last one is not to wait for an acknowledgement. */
		setsockopt(bufferevent_getfd(bufferevent), IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
	}
	return peer;
}

/* evhttp takes -1 for its own 50 seconds, and watches for requests also while it answers one. */
void http_peer_be_patient(struct http_peer *peer)
{
	peer->patient = true;
	evhttp_connection_set_timeout(peer->evcon, 0);
}

void http_peer_answered(struct http_peer *peer)
{
	if (peer->patient)
		evhttp_connection_set_timeout(peer->evcon, HTTP_IDLE_SECONDS);
	peer->patient = false;
	peer->request = NULL;
	peer->began = 0;
	peer->last = http_peer_now();
}

struct connection *http_peer_connection(struct http_peer *peer,
    const struct web_identity *identity, const struct connection_sink *sink,
    struct schedd_error *err)
{
	const struct web_host *host = peer->web->host;

	if (peer->connection && peer->identity == identity && !peer->narrowed)
		return peer->connection;
	if (peer->connection)
		host->close(peer->connection);
	peer->narrowed = false;
	peer->identity = identity;
	peer->connection = host->open(host->context, identity, sink, peer, err);
	return peer->connection;
}

static void http_peer_renew(struct http_peer *peer, const struct web_identity *identity)
{
	if (peer->connection && !identity) {
		peer->web->host->close(peer->connection);
		peer->connection = NULL;
	}
	peer->identity = identity;
}

void http_peer_renew_identities(struct web *web, http_peer_renew_fn renew, void *context)
{
	for (size_t i = 0; i < HTTP_PEER_BUCKETS; i++) {
		struct http_peer *peer, *next;

		for (peer = web->peers[i]; peer; peer = next) {
			next = peer->next;
			/* Its own may be that of the request before. */
			if (peer->request)
				web->peer_ops->renew(peer->request, renew, context);
			if (peer->identity)
				http_peer_renew(peer, renew(peer->identity, context));
		}
	}
}

/*
 * With TLS libevent (2.1) tells evhttp later that all was written, when more
 * may have been added: evhttp would believe that its last chunk has left, and
 * leave it where it is. So that chunk is added when nothing else is under way,
 * and a turn of the loop later.
 */
static void http_peer_end(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval pause = {.tv_usec = HTTP_END_PAUSE};
	struct http_peer *peer = context;
	struct evhttp_request *request = peer->ending;

	(void)fd;
	(void)what;
	if (http_peer_unsent(peer) > 0 || !peer->quiet) {
		peer->quiet = http_peer_unsent(peer) == 0;
		event_add(peer->end, &pause);
		return;
	}
	peer->ending = NULL;
	evhttp_send_reply_end(request);
}

void http_peer_end_stream(struct http_peer *peer, struct evhttp_request *request)
{
	static const struct timeval soon = {0};

	if (peer->web->tls && !peer->end)
		peer->end = event_new(peer->web->host->base, -1, 0, http_peer_end, peer);
	if (!peer->end) {
		evhttp_send_reply_end(request);
		return;
	}
	peer->ending = request;
	peer->quiet = false;
	event_add(peer->end, &soon);
}

static void http_peer_flush(const struct http_peer *peer)
{
	struct evbuffer *output = bufferevent_get_output(peer->bufferevent);

	if (peer->web->tls) {
		http_tls_flush(peer->web->tls, peer->bufferevent);
		return;
	}
	evbuffer_unfreeze(output, 1);
	evbuffer_write(output, bufferevent_getfd(peer->bufferevent));
	evbuffer_freeze(output, 1);
}

void http_peer_flush_all(struct web *web)
{
	for (size_t i = 0; i < HTTP_PEER_BUCKETS; i++)
		for (struct http_peer *peer = web->peers[i]; peer; peer = peer->next)
			if (peer->evcon && http_peer_unsent(peer) > 0)
				http_peer_flush(peer);
}

void http_peer_free_all(struct web *web)
{
	for (size_t i = 0; i < HTTP_PEER_BUCKETS; i++) {
		while (web->peers[i])
			http_peer_free(web->peers[i]);
	}
	if (web->sweep)
		event_free(web->sweep);
	web->sweep = NULL;
}

size_t http_peer_unsent(const struct http_peer *peer)
{
	return evbuffer_get_length(bufferevent_get_output(peer->bufferevent));
}
