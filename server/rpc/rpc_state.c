/* SPDX-License-Identifier: MIT */
/* Clients that have something to send are written to together, once a turn of the loop. */
#include "server/rpc/rpc_state.h"

#include <event2/event.h>
#include <schedd/clock.h>

/* A reader that takes its time has taken something by then. */
#define RPC_STUCK (2 * SCHEDD_SECOND)

void rpc_limits_init(struct rpc_limits *limits)
{
	limits->request = 4 << 20;
	limits->clients = 1024;
	limits->events = 8 << 20;
	limits->answers = 1 << 20;
	limits->unread = 256 << 20;
	limits->apply = 64 << 20;
}

/* ---- Clients ---- */

void rpc_client_add(struct rpc *rpc, struct rpc_client *client)
{
	client->stuck_since = INT64_MAX;
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
	rpc->unread -= client->unread;
	client->unread = 0;
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

void rpc_client_later_all(struct rpc *rpc,
    bool (*wanted)(const struct rpc_client *client, const void *context), const void *context)
{
	for (struct rpc_client *client = rpc->clients; client; client = client->next)
		if (wanted(client, context))
			rpc_client_later(rpc, client);
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
		client->resume(client);
	}
}

bool rpc_is_finishing(const struct rpc *rpc)
{
	return rpc->finishing;
}

struct rpc_served **rpc_served(struct rpc *rpc)
{
	return &rpc->served;
}

struct rpc_stream **rpc_streams(struct rpc *rpc)
{
	return &rpc->streams;
}

void rpc_pend(struct rpc *rpc, int change)
{
	rpc->pending += (unsigned)change;
}

void rpc_client_watch(struct rpc *rpc)
{
	static const struct timeval pause = {.tv_sec = 2};

	/* Without memory nobody is looked for until the next one. */
	if (!event_pending(rpc->look, EV_TIMEOUT, NULL) && event_add(rpc->look, &pause) < 0)
		return;
}

void rpc_client_owe(struct rpc *rpc, struct rpc_client *client, size_t unread)
{
	rpc->unread += unread - client->unread;
	client->unread = unread;
	if (rpc->unread > rpc->limits.unread)
		rpc_client_watch(rpc);
}

static struct rpc_client *rpc_client_most_stuck(const struct rpc *rpc)
{
	struct rpc_client *most = rpc->clients;

	for (struct rpc_client *client = most; client; client = client->next)
		if (client->stuck_since < most->stuck_since)
			most = client;
	return most;
}

void rpc_client_drop_stuck(struct rpc *rpc)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t since = clock->mono(clock->context).us - RPC_STUCK;
	struct rpc_client *client;

	while (rpc->unread > rpc->limits.unread && (client = rpc_client_most_stuck(rpc)) &&
	       client->stuck_since <= since)
		client->drop(client);
	if (rpc->unread > rpc->limits.unread)
		rpc_client_watch(rpc);
}

size_t rpc_buffer(struct rpc *rpc, char **buffer)
{
	*buffer = rpc->buffer;
	return RPC_BUFFER;
}

void rpc_message(struct rpc *rpc, struct connection *connection, const char *bytes, size_t length)
{
	rpc->on_message(connection, bytes, length);
}

void rpc_local_call(struct rpc *rpc, struct connection *connection, uint32_t msgid,
    const char *method, struct arena *arena, const struct value *params, size_t bytes)
{
	rpc->on_local(connection, msgid, method, arena, params, bytes);
}

/* ---- Small answers ---- */

void rpc_set_limits(struct rpc *rpc, const struct rpc_limits *limits)
{
	rpc->limits = *limits;
	rpc_judge_anew(rpc);
}

static bool rpc_everybody(const struct rpc_client *client, const void *context)
{
	(void)client;
	(void)context;
	return true;
}

void rpc_judge_anew(struct rpc *rpc)
{
	rpc->generation++;
	rpc_client_later_all(rpc, rpc_everybody, NULL);
}

unsigned rpc_generation(const struct rpc *rpc)
{
	return rpc->generation;
}

const struct rpc_limits *rpc_limits(const struct rpc *rpc)
{
	return &rpc->limits;
}

struct rpc_door **rpc_door_place(struct rpc *rpc)
{
	return &rpc->door;
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
