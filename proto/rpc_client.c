/* SPDX-License-Identifier: MIT */
/* One connection, blocking, every wait bounded by the caller's time-out. */
#include "proto/rpc_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/frame.h"
#include "base/message.h"

/* What a daemon may answer is not limited by what it accepts: a long list is one message. */
#define CLIENT_MESSAGE_MAX ((size_t)1 << 30)

/* A message that came while another was waited for, still packed. */
struct client_message {
	struct client_message *next;
	enum message_type type;
	uint32_t msgid;
	size_t length;
	char bytes[];
};

struct rpc_client {
	int in, out;
	schedd_span timeout;
	uint32_t msgid; /* of the next request */
	struct strbuf input;
	size_t taken;                /* bytes at the start of input that were handled */
	struct frame_scan scan;      /* of the message at taken */
	struct client_message *kept; /* oldest first */
	struct client_message **kept_end;
};

/* ---- Deadlines on the monotonic clock, in milliseconds for poll ---- */

static int64_t client_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SCHEDD_SECOND + now.tv_nsec / 1000;
}

static int64_t client_deadline(schedd_span timeout)
{
	return timeout == SCHEDD_SPAN_NONE ? INT64_MAX : client_now() + timeout;
}

/* 1: ready; 0: the deadline passed; negative: an error code. */
static int client_poll(int fd, short events, int64_t deadline, struct schedd_error *err)
{
	for (;;) {
		struct pollfd entry = {.fd = fd, .events = events};
		int wait = -1, rc;

		if (deadline != INT64_MAX) {
			int64_t left = deadline - client_now();

			wait = left <= 0
				   ? 0
				   : (int)((left + 999) / 1000 > 3600000 ? 3600000
									 : (left + 999) / 1000);
		}
		rc = poll(&entry, 1, wait);
		if (rc > 0)
			return 1;
		if (rc == 0 && client_now() >= deadline)
			return 0;
		if (rc < 0 && errno != EINTR)
			return schedd_error_set(err, SCHEDD_EFAILED, "poll: %s", strerror(errno));
	}
}

static int client_timed_out(struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_ETIMEOUT, "no answer in time (see --rpc-timeout)");
}

/* ---- Connecting ---- */

static int client_refused(const char *path, int error, struct schedd_error *err)
{
	if (error == EACCES || error == EPERM)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "%s: permission denied: only the user who runs schedd and root may connect",
		    path);
	if (error == ENOENT)
		return schedd_error_set(
		    err, SCHEDD_EUNREACHABLE, "schedd is not reachable: no socket at %s", path);
	return schedd_error_set(
	    err, SCHEDD_EUNREACHABLE, "schedd is not reachable at %s: %s", path, strerror(error));
}

/* A full listen queue answers EAGAIN on a non-blocking connect: try until the deadline. */
static int client_connect_fd(int fd, const struct sockaddr_un *address, int64_t deadline)
{
	while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		struct timespec pause = {0, 2000000};

		if (errno == EISCONN)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return errno;
		if (client_now() >= deadline)
			return ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int rpc_client_connect(
    const char *path, schedd_span timeout, struct rpc_client **out, struct schedd_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "socket path is %zu bytes long, at most %zu are possible: %s", strlen(path),
		    sizeof(address.sun_path) - 1, path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return schedd_error_set(err, SCHEDD_EFAILED, "socket: %s", strerror(errno));
	error = client_connect_fd(fd, &address, client_deadline(timeout));
	if (error) {
		close(fd);
		return client_refused(path, error, err);
	}
	return rpc_client_from_fds(fd, fd, timeout, out, err);
}

int rpc_client_from_fds(
    int in, int out_fd, schedd_span timeout, struct rpc_client **out, struct schedd_error *err)
{
	struct rpc_client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(in);
		if (out_fd != in)
			close(out_fd);
		return schedd_error_nomem(err);
	}
	fcntl(in, F_SETFL, fcntl(in, F_GETFL) | O_NONBLOCK);
	fcntl(out_fd, F_SETFL, fcntl(out_fd, F_GETFL) | O_NONBLOCK);
	client->in = in;
	client->out = out_fd;
	client->timeout = timeout;
	client->kept_end = &client->kept;
	*out = client;
	return 0;
}

void rpc_client_close(struct rpc_client *client)
{
	if (!client)
		return;
	while (client->kept) {
		struct client_message *next = client->kept->next;

		free(client->kept);
		client->kept = next;
	}
	close(client->in);
	if (client->out != client->in)
		close(client->out);
	strbuf_clear(&client->input);
	free(client);
}

int rpc_client_fd(const struct rpc_client *client)
{
	return client->in;
}

/* ---- Bytes ---- */

static int client_gone(struct schedd_error *err)
{
	return schedd_error_set(
	    err, SCHEDD_EUNREACHABLE, "schedd closed the connection before it answered");
}

/* Reads what is there, waiting until the deadline. 1: something came; 0: time is over. */
static int client_read(struct rpc_client *client, int64_t deadline, struct schedd_error *err)
{
	struct strbuf *input = &client->input;
	ssize_t got;
	int rc;

	if (client->taken > 0 && client->taken == input->length) {
		strbuf_reset(input);
		client->taken = 0;
	} else if (client->taken > 65536) {
		memmove(input->data, input->data + client->taken, input->length - client->taken);
		input->length -= client->taken;
		client->taken = 0;
	}
	if (!strbuf_reserve(input, 65536))
		return schedd_error_nomem(err);
	for (;;) {
		got = read(
		    client->in, input->data + input->length, input->capacity - input->length - 1);
		if (got > 0) {
			input->length += (size_t)got;
			return 1;
		}
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return client_gone(err);
		rc = client_poll(client->in, POLLIN, deadline, err);
		if (rc <= 0)
			return rc;
	}
}

/*
 * Writes all of it. Reads meanwhile: a daemon that holds back because we do
 * not read would otherwise wait for us while we wait for it.
 */
static int client_write(struct rpc_client *client, const char *bytes, size_t length,
    int64_t deadline, struct schedd_error *err)
{
	while (length > 0) {
		ssize_t sent = send(client->out, bytes, length, MSG_NOSIGNAL);
		int rc;

		if (sent < 0 && errno == ENOTSOCK)
			sent = write(client->out, bytes, length);
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
			continue;
		}
		/* Whoever refused us has closed, but said why: that is still there to be read. */
		if (errno == EPIPE || errno == ECONNRESET)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return client_gone(err);
		rc = client_read(client, client_now(), err);
		if (rc == 0)
			rc = client_poll(client->out, POLLOUT, deadline, err);
		if (rc <= 0)
			return rc < 0 ? rc : client_timed_out(err);
	}
	return 0;
}

/* The next whole message in the input: 1 and its place, 0 if time is over. */
static int client_message(struct rpc_client *client, int64_t deadline, const char **bytes,
    size_t *length, struct schedd_error *err)
{
	const struct frame_limits limits = {.bytes = CLIENT_MESSAGE_MAX, .depth = FRAME_DEPTH_MAX};

	for (;;) {
		int rc = frame_scan(&client->scan, strbuf_peek(&client->input) + client->taken,
		    client->input.length - client->taken, &limits, err);

		if (rc < 0)
			return schedd_error_prefix(
			    err, "what answers there does not speak this protocol");
		if (rc == 1) {
			*bytes = client->input.data + client->taken;
			*length = client->scan.offset;
			client->taken += client->scan.offset;
			memset(&client->scan, 0, sizeof(client->scan));
			return 1;
		}
		rc = client_read(client, deadline, err);
		if (rc <= 0)
			return rc;
	}
}

/* ---- Messages kept for later ---- */

static int client_keep(struct rpc_client *client, const struct message *message, const char *bytes,
    size_t length, struct schedd_error *err)
{
	struct client_message *kept = malloc(sizeof(*kept) + length);

	if (!kept)
		return schedd_error_nomem(err);
	kept->next = NULL;
	kept->type = message->type;
	kept->msgid = message->msgid;
	kept->length = length;
	memcpy(kept->bytes, bytes, length);
	*client->kept_end = kept;
	client->kept_end = &kept->next;
	return 0;
}

/* Takes the first kept message of that kind out; 1: found. */
static int client_take_kept(struct rpc_client *client, enum message_type type, uint32_t msgid,
    struct arena *arena, struct message *out, struct schedd_error *err)
{
	struct client_message **link = &client->kept;

	while (*link && ((*link)->type != type || (*link)->msgid != msgid))
		link = &(*link)->next;
	if (*link) {
		struct client_message *kept = *link;
		int rc = message_unpack(kept->bytes, kept->length, arena, out, err);

		*link = kept->next;
		if (!*link)
			client->kept_end = link;
		free(kept);
		return rc ? rc : 1;
	}
	return 0;
}

/* Waits for a message of that type (and msgid, for responses), keeping all others. */
static int client_await(struct rpc_client *client, enum message_type type, uint32_t msgid,
    int64_t deadline, struct arena *arena, struct message *out, struct schedd_error *err)
{
	int rc = client_take_kept(client, type, msgid, arena, out, err);

	while (rc == 0) {
		const char *bytes = NULL;
		size_t length = 0;

		rc = client_message(client, deadline, &bytes, &length, err);
		if (rc <= 0)
			return rc;
		rc = message_unpack(bytes, length, arena, out, err);
		if (rc)
			return rc;
		if (out->type == type && (type == MESSAGE_NOTIFICATION || out->msgid == msgid))
			return 1;
		rc = client_keep(client, out, bytes, length, err);
	}
	return rc;
}

/* ---- Calls ---- */

int rpc_client_send(struct rpc_client *client, const char *method, const struct value *params,
    uint32_t *msgid, struct schedd_error *err)
{
	struct strbuf packed = STRBUF_EMPTY;
	int rc;

	*msgid = client->msgid++;
	message_pack_request(&packed, *msgid, method, params);
	rc = strbuf_failed(&packed) ? schedd_error_nomem(err)
				    : client_write(client, packed.data, packed.length,
					  client_deadline(client->timeout), err);
	strbuf_clear(&packed);
	return rc;
}

int rpc_client_receive(struct rpc_client *client, uint32_t msgid, struct arena *arena,
    struct value *result, struct schedd_error *err)
{
	return rpc_client_receive_within(client, msgid, client->timeout, arena, result, err);
}

int rpc_client_receive_within(struct rpc_client *client, uint32_t msgid, schedd_span timeout,
    struct arena *arena, struct value *result, struct schedd_error *err)
{
	struct message message;
	int rc = client_await(
	    client, MESSAGE_RESPONSE, msgid, client_deadline(timeout), arena, &message, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return client_timed_out(err);
	if (message.error.type != VALUE_NIL)
		return message_error(&message.error, err);
	*result = message.result;
	return 0;
}

int rpc_client_arrived(
    struct rpc_client *client, uint32_t msgid, schedd_span timeout, struct schedd_error *err)
{
	int64_t deadline = client_deadline(timeout);
	struct message message;
	struct arena arena;
	int rc = 0;

	for (const struct client_message *kept = client->kept; kept; kept = kept->next)
		if (kept->type == MESSAGE_RESPONSE && kept->msgid == msgid)
			return 1;
	arena_init(&arena);
	for (bool found = false; !found;) {
		const char *bytes = NULL;
		size_t length = 0;

		rc = client_message(client, deadline, &bytes, &length, err);
		if (rc > 0 && message_unpack(bytes, length, &arena, &message, err) != 0)
			rc = SCHEDD_EUNREACHABLE;
		if (rc <= 0)
			break;
		found = message.type == MESSAGE_RESPONSE && message.msgid == msgid;
		rc = client_keep(client, &message, bytes, length, err);
		if (rc)
			break;
		rc = 1;
		arena_clear(&arena);
	}
	arena_clear(&arena);
	return rc;
}

int rpc_client_call(struct rpc_client *client, const char *method, const struct value *params,
    struct arena *arena, struct value *result, struct schedd_error *err)
{
	uint32_t msgid;
	int rc = rpc_client_send(client, method, params, &msgid, err);

	return rc ? rc : rpc_client_receive(client, msgid, arena, result, err);
}

int rpc_client_next(struct rpc_client *client, schedd_span timeout, struct arena *arena,
    const char **method, struct value *params, struct schedd_error *err)
{
	struct message message;
	int rc = client_await(
	    client, MESSAGE_NOTIFICATION, 0, client_deadline(timeout), arena, &message, err);

	if (rc == 1) {
		*method = message.method;
		*params = message.params;
	}
	return rc;
}
