/* SPDX-License-Identifier: MIT */
/*
 * Reads go into one buffer that all connections share; only the beginning of a
 * message that is not all there yet is kept. So an idle client costs a struct,
 * and a request is scanned and unpacked where it was read.
 */
#include "server/rpc/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include <schedd/clock.h>
#include "base/strbuf.h"
#include "base/frame.h"
#include "base/log.h"
#include "base/message.h"
#include "server/daemon.h"
#include "server/rpc/connection_state.h"
#include "server/rpc/rpc_share.h"

/* A request may have so many elements, and one more for so many bytes of its limit. */
#define RPC_BYTES_PER_ELEMENT 8
#define RPC_ELEMENTS_MIN 1024
#define CONNECTION_SEND (256 << 10) /* bytes sent to one client before others have theirs */
#define CONNECTION_TAKEN (64 << 10) /* bytes by which one who reads slowly has got on */
#define CONNECTION_LINGER 2   /* seconds for a client to end sending what is not taken any more */
#define CONNECTION_TURN 1000  /* microseconds for one client's requests before others have theirs */
/* A message beyond so many bytes takes long to be unpacked alone: it waits for its turn. */
#define CONNECTION_LARGE 16384

/* ---- Life ---- */

static void connection_on_readable(evutil_socket_t fd, short what, void *context);
static void connection_on_writable(evutil_socket_t fd, short what, void *context);

static void connection_resume(struct connection *c);

/* The turn of a large message, for a piece of it. */
static void connection_on_turn(void *context)
{
	struct connection *c = context;

	if (connection_unpack_some(c))
		rpc_turn_wait(c->rpc, &c->turn);
	else
		connection_resume(c);
}

static void connection_resume_client(struct rpc_client *client)
{
	connection_resume((struct connection *)(void *)client);
}

static bool connection_is_gone(struct rpc_client *client)
{
	struct connection *c = (struct connection *)(void *)client;
	struct pollfd hangup = {.fd = c->fd};

	if (c->reading || c->writing)
		return false; /* it will be noticed */
	rpc_client_watch(c->rpc);
	return poll(&hangup, 1, 0) == 1 && (hangup.revents & (POLLHUP | POLLERR));
}

static void connection_close_client(struct rpc_client *client)
{
	connection_close((struct connection *)(void *)client);
}

static void connection_drop_client(struct rpc_client *client)
{
	struct connection *c = (struct connection *)(void *)client;
	const struct schedd_clock *clock = schedd_clock_system();
	uint64_t withheld;

	if (log_limit_passes(&c->rpc->drops, clock->mono(clock->context), &withheld))
		log_warn(daemon_log(c->rpc->daemon),
		    "closed the connection of process %ld of uid %ld: it does not read %zu bytes that wait for "
		    "it, and all clients together leave %zu unread, which is too much (limits.unread)",
		    (long)c->peer.pid, (long)c->peer.caller.uid, client->unread, c->rpc->unread);
	connection_close(c);
}

int connection_open(struct rpc *rpc, int fd, const struct users_caller *caller, pid_t pid,
    struct rpc_share *share, struct schedd_error *err)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		rpc_share_leave(share);
		return schedd_error_nomem(err);
	}
	c->share = share;
	c->link.resume = connection_resume_client;
	c->link.close = connection_close_client;
	c->link.gone = connection_is_gone;
	c->link.drop = connection_drop_client;
	c->rpc = rpc;
	c->refs = 1;
	c->fd = fd;
	c->held = -1;
	c->turn.go = connection_on_turn;
	c->turn.context = c;
	peer_init(&c->peer, rpc, caller, pid);
	event_assign(
	    &c->readable, rpc_base(rpc), fd, EV_READ | EV_PERSIST, connection_on_readable, c);
	event_assign(
	    &c->writable, rpc_base(rpc), fd, EV_WRITE | EV_PERSIST, connection_on_writable, c);
	rpc_client_add(rpc, &c->link);
	c->reading = event_add(&c->readable, NULL) == 0;
	if (c->reading)
		return 0;
	connection_close(c);
	return schedd_error_nomem(err);
}

void connection_hold_to_the_end(struct connection *c)
{
	/* Once we end nobody closes it but the kernel, after those with lower numbers. */
	if (c->fd >= 0 && c->held < 0)
		c->held = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
}

void connection_end_hooks(struct connection *c)
{
	while (c->hooks) {
		struct connection_hook *hook = c->hooks;

		connection_detach(hook);
		hook->closed(hook);
	}
}

void connection_close(struct connection *c)
{
	if (c->fd < 0)
		return;
	event_del(&c->readable);
	event_del(&c->writable);
	close(c->fd);
	c->fd = -1;
	if (c->held >= 0 && !rpc_is_finishing(c->rpc))
		close(c->held); /* it left before the end that it wanted to see */
	rpc_client_remove(c->rpc, &c->link);
	rpc_turn_leave(c->rpc, &c->turn);
	connection_unpack_forget(c);
	rpc_share_leave(c->share);
	connection_end_hooks(c);
	strbuf_clear(&c->in);
	strbuf_clear(&c->out);
	strbuf_clear(&c->later);
	strbuf_clear(&c->events);
	connection_unref(c);
}

struct connection *connection_ref(struct connection *c)
{
	c->refs++;
	return c;
}

void connection_unref(struct connection *c)
{
	if (--c->refs == 0)
		free(c);
}

bool connection_is_open(const struct connection *c)
{
	return c->fd >= 0 || c->sink;
}

struct rpc *connection_rpc(const struct connection *c)
{
	return c->rpc;
}

struct peer *connection_peer(struct connection *c)
{
	return &c->peer;
}

void connection_dismiss(struct connection *c)
{
	c->doomed = true;
}

/* ---- Writing ---- */

/* Empties a buffer; large memory is given back. */
static void connection_forget(struct strbuf *buf)
{
	if (buf->capacity > CONNECTION_KEEP)
		strbuf_clear(buf);
	else
		strbuf_reset(buf);
}

void connection_drained(struct connection *c)
{
	struct connection_hook *hook, *next;

	for (hook = c->hooks; hook; hook = next) {
		next = hook->next;
		if (hook->drained)
			hook->drained(hook);
	}
}

/* The buffers change places. */
static void connection_send_next(struct connection *c, struct strbuf *next)
{
	struct strbuf sent = c->out;

	c->out = *next;
	*next = sent;
}

/* out is all sent: answers that came meanwhile are next, then notifications. False: nothing is left. */
static bool connection_next_out(struct connection *c)
{
	connection_forget(&c->out);
	c->out_sent = c->out_events = 0;
	if (c->later.length) {
		connection_send_next(c, &c->later);
		return true;
	}
	if (c->events.length == 0)
		connection_drained(c);
	if (c->events.length == 0)
		return false;
	connection_send_next(c, &c->events);
	c->out_events = c->out.length;
	return true;
}

static void connection_want_write(struct connection *c, bool wanted)
{
	if (wanted == c->writing)
		return;
	c->writing = wanted;
	if (wanted)
		event_add(&c->writable, NULL);
	else
		event_del(&c->writable);
}

/* Whose socket is full, and who takes but a little now and then, is stuck. */
static void connection_note_stuck(struct connection *c, bool full, size_t taken)
{
	const struct schedd_clock *clock = schedd_clock_system();

	c->taken += taken;
	if (!full) {
		c->link.stuck_since = INT64_MAX;
	} else if (c->link.stuck_since == INT64_MAX || c->taken >= CONNECTION_TAKEN) {
		c->link.stuck_since = clock->mono(clock->context).us;
		c->taken = 0;
	}
	connection_weigh(c);
}

/* Sends until the socket is full, or others should have their turn. False: the connection is closed. */
static bool connection_flush(struct connection *c)
{
	size_t most = CONNECTION_SEND;
	bool full = false;

	if (strbuf_failed(&c->out) || strbuf_failed(&c->later)) {
		connection_close(c); /* an answer is lost: better no connection than a gap */
		return false;
	}
	while (!full && (connection_unsent(c) || connection_next_out(c))) {
		size_t size = connection_unsent(c) < most ? connection_unsent(c) : most;
		ssize_t n = send(
		    c->fd, c->out.data + c->out_sent, size, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			c->out_sent += (size_t)n;
			most -= (size_t)n;
			full = most == 0;
		}
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			full = true;
		else if (errno != EINTR) {
			connection_close(c);
			return false;
		}
	}
	connection_want_write(c, full);
	connection_note_stuck(c, full, CONNECTION_SEND - most);
	return true;
}

static void connection_on_writable(evutil_socket_t fd, short what, void *context)
{
	struct connection *c = context;

	(void)fd;
	(void)what;
	connection_resume(c);
}

/* ---- Reading ---- */

bool connection_is_full(const struct connection *c)
{
	return c->heavy > 0 || c->calls >= CONNECTION_CALLS_MAX || rpc_share_full(c->share);
}

/* May more requests be taken up? */
static bool connection_takes_more(const struct connection *c)
{
	size_t answers = connection_unsent(c) + c->later.length;

	if (c->out_events > c->out_sent)
		answers -= c->out_events - c->out_sent;
	return !c->doomed && !rpc_is_finishing(c->rpc) && c->fd >= 0 &&
	       !c->turn.waits && !connection_is_full(c) && answers <= rpc_limits(c->rpc)->answers;
}

/* No message can become of what came: says so and closes when that is sent. */
static void connection_garbage(struct connection *c, const struct schedd_error *err)
{
	c->doomed = true;
	strbuf_clear(&c->in);
	message_pack_error(connection_last(c), 0, err);
}

static bool connection_is_array(const char *bytes)
{
	unsigned char first = (unsigned char)bytes[0];

	return (first & 0xf0) == 0x90 || first == 0xdc || first == 0xdd;
}

/* 1: a whole message lies at the start of bytes, of *size; 0: not all of it; < 0: it never will. */
static int connection_scan(
    struct connection *c, const char *bytes, size_t length, size_t *size, struct schedd_error *err)
{
	const struct rpc_limits *limits = rpc_limits(c->rpc);
	struct frame_limits frame = {
	    .bytes = limits->request,
	    .depth = FRAME_DEPTH_MAX,
	    .elements = RPC_ELEMENTS_MIN + limits->request / RPC_BYTES_PER_ELEMENT,
	};
	int rc = 1;

	*size = c->large;
	c->large = 0;
	if (*size)
		return rc;
	if (!connection_is_array(bytes))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "bytes that are no MessagePack-RPC message: byte 0x%02x where an array must "
		    "begin",
		    (unsigned char)bytes[0]);
	rc = frame_scan(&c->scan, bytes, length, &frame, err);
	if (rc <= 0)
		return rc;
	*size = c->scan.offset;
	c->scan.offset = 0;
	if (*size <= CONNECTION_LARGE)
		return rc;
	c->large = *size;
	rpc_turn_wait(c->rpc, &c->turn);
	return 0;
}

/* Takes whole messages off the bytes while more may be taken. Returns how many are done with. */
static size_t connection_messages(struct connection *c, const char *bytes, size_t length)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t turn_ends = clock->mono(clock->context).us +
			    (rpc_turn_is_late(c->rpc) ? 0 : CONNECTION_TURN);
	struct schedd_error err;
	size_t done = 0, size;

	while (done < length && connection_takes_more(c) && !c->had_turn) {
		int rc = connection_scan(c, bytes + done, length - done, &size, &err);

		if (rc == 0)
			break;
		if (rc < 0) {
			connection_garbage(c, &err);
			return length;
		}
		rpc_message(c->rpc, c, bytes + done, size);
		done += size;
		c->had_turn = clock->mono(clock->context).us >= turn_ends;
	}
	c->stalled = done < length && c->fd >= 0 && (c->had_turn || !connection_takes_more(c));
	return done;
}

static void connection_want_read(struct connection *c)
{
	bool wanted = !c->ended && !c->stalled && connection_takes_more(c);

	if (wanted == c->reading || c->lingering)
		return;
	c->reading = wanted;
	if (wanted) {
		event_add(&c->readable, NULL);
	} else {
		event_del(&c->readable);
		rpc_client_watch(c->rpc);
	}
}

/* Takes apart what lies in c->in. */
static void connection_messages_kept(struct connection *c)
{
	size_t done;

	if (c->in.length == 0)
		return;
	done = connection_messages(c, c->in.data, c->in.length);
	if (c->fd < 0 || c->in.length == 0)
		return;
	c->in.length -= done;
	if (c->in.length == 0)
		strbuf_clear(&c->in);
	else if (done)
		memmove(c->in.data, c->in.data + done, c->in.length);
}

/*
 * The client may be in the middle of sending: were the connection closed now,
 * that would fail before the reason can be read. So only our side ends, and
 * what still comes is thrown away, until it ends too or a while has passed.
 */
static bool connection_linger(struct connection *c)
{
	static const struct timeval patience = {.tv_sec = CONNECTION_LINGER};

	if (c->lingering)
		return true;
	if (c->ended || shutdown(c->fd, SHUT_WR) < 0)
		return false;
	event_del(&c->readable);
	c->lingering = c->reading = event_add(&c->readable, &patience) == 0;
	return c->lingering;
}

static void connection_throw_away(struct connection *c, short what)
{
	char *buffer;
	size_t size = rpc_buffer(c->rpc, &buffer);
	ssize_t n = what & EV_TIMEOUT ? 0 : recv(c->fd, buffer, size, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		connection_close(c);
}

/* One read: 1: bytes came, 0: none for now, -1: the connection is closed. */
static int connection_read(struct connection *c)
{
	char *buffer;
	size_t size = rpc_buffer(c->rpc, &buffer), done;
	ssize_t n = recv(c->fd, buffer, size, MSG_DONTWAIT);

	if (n < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
			return 0;
		connection_close(c);
		return -1;
	}
	if (n == 0) {
		struct pollfd hangup = {.fd = c->fd};

		c->ended = true;
		if (poll(&hangup, 1, 0) == 1 && (hangup.revents & POLLHUP)) {
			connection_close(c); /* gone altogether: nobody waits for answers */
			return -1;
		}
		return 0;
	}
	done = c->in.length ? 0 : connection_messages(c, buffer, (size_t)n);
	if (c->fd < 0)
		return -1;
	if (done < (size_t)n && !c->doomed)
		strbuf_add_n(&c->in, buffer + done, (size_t)n - done);
	if (done == 0)
		connection_messages_kept(c);
	return c->fd < 0 ? -1 : 1;
}

static void connection_on_readable(evutil_socket_t fd, short what, void *context)
{
	struct connection *c = connection_ref(context);

	(void)fd;
	if (c->lingering) {
		connection_throw_away(c, what);
		connection_unref(c);
		return;
	}
	c->busy = true;
	if (connection_read(c) >= 0) {
		c->busy = false;
		if (strbuf_failed(&c->in))
			connection_close(c);
		else
			connection_resume(c);
	}
	connection_unref(c);
}

/* Nothing is left to send, and nothing can come any more: half a message at the end does not count.
 */
static bool connection_is_over(const struct connection *c)
{
	if (connection_unsent(c) || c->later.length || c->events.length)
		return false;
	return c->doomed || (c->ended && c->calls == 0 && !c->hooks && !c->stalled);
}

/* Writes what waits and goes on reading where that had stopped. */
static void connection_resume(struct connection *c)
{
	bool alive;

	connection_ref(c);
	if (connection_overstays(c))
		connection_close(c);
	alive = c->fd >= 0 && connection_flush(c);
	if (alive && c->stalled && !c->had_turn && connection_takes_more(c)) {
		c->busy = true;
		connection_messages_kept(c);
		c->busy = false;
		alive = c->fd >= 0 && connection_flush(c);
	}
	c->had_turn = false;
	if (alive && c->stalled && connection_takes_more(c))
		rpc_client_later(c->rpc, &c->link);
	if (alive && connection_is_over(c) && !(c->doomed && connection_linger(c)))
		connection_close(c);
	else if (alive)
		connection_want_read(c);
	connection_unref(c);
}

void connection_call_begin(struct connection *c, bool heavy)
{
	c->calls++;
	c->heavy += heavy;
}

void connection_call_end(struct connection *c, bool heavy)
{
	c->calls--;
	c->heavy -= heavy;
	if (c->fd >= 0 && !c->reading)
		connection_queued(c);
}
