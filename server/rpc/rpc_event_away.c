/* SPDX-License-Identifier: MIT */
#include "server/rpc/rpc_event_away.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "model/node.h"
#include "server/rpc/rpc_forward.h"
#include "server/rpc/rpc_state.h"
#include "server/rpc/rpc_stream.h"

/* How soon a node that comes, or comes back, is found, in µs. */
#define AWAY_REVIEW 500000
/* For events of before nobody waits longer than that, in reviews. */
#define AWAY_PATIENCE 20

/* Numbers go on further behind, by up to a block of event_ring.c, where a node was killed: that counts nothing. */
#define AWAY_SKIP 32768

struct away_node {
	struct away_node *next;
	struct event_away *away;
	char name[NODE_NAME_MAX + 1];
	struct rpc_stream *stream; /* NULL: it is to be opened */
	int64_t last;  /* number of its last event that came; -1: none, begin with the next */
	bool ready;    /* what was before has come */
	bool told;     /* that it is gone */
};

struct event_away {
	struct rpc *rpc;
	struct schedd_scheduler *scheduler;
	struct connection *connection;
	struct event *review;
	struct away_node *nodes;
	struct rpc_call *call; /* not answered yet; NULL: it was */
	struct value answer;
	struct rpc_call asker; /* who asked: of this its connection, caller and arena */
	const char *only;      /* that node's alone; NULL: those of all */
	int64_t number;        /* of the subscription */
	int64_t since;
	unsigned reviews;
};

bool rpc_event_away_wanted(const struct rpc_call *call)
{
	const char *own = scheduler_node_name(call->scheduler), *node = rpc_call_text(call, "node");

	return own && !connection_peer(call->connection)->forwarded && (!node || strcmp(node, own) != 0);
}

static void away_answer(struct event_away *away)
{
	struct rpc_call *call = away->call;

	for (const struct away_node *node = away->nodes; node && away->reviews < AWAY_PATIENCE; node = node->next)
		if (!node->ready)
			return;
	away->call = NULL;
	if (call)
		rpc_call_answer_built(call, &away->answer);
}

static void away_tell(struct away_node *node, int64_t count, int64_t from, int64_t to, const char *why)
{
	struct value map = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &map, "subscription", value_int(node->away->number));
	value_put(&arena, &map, "node", value_string_ref(node->name));
	value_put(&arena, &map, "count", count >= 0 ? value_int(count) : value_nil());
	value_put(&arena, &map, "from", value_int(from));
	value_put(&arena, &map, "to", to >= 0 ? value_int(to) : value_nil());
	value_put(&arena, &map, "why", value_string_ref(why));
	if (!connection_notify(node->away->connection, "event.dropped", &map))
		rpc_counters(node->away->rpc)->dropped++;
	arena_clear(&arena);
}

static void away_opened(const struct value *result, void *context)
{
	struct away_node *node = context;
	int64_t first = value_get_int(result, "first", 0);

	/* Of one that nothing was seen of yet nothing is missing. */
	if (node->last > 0 && first > node->last + AWAY_SKIP)
		away_tell(node, -1, node->last + 1, -1, "was killed");
	else if (node->last > 0 && first > node->last + 1)
		away_tell(node, first - node->last - 1, node->last + 1, first - 1, "it does not have them any more");
	if (node->last < 0 && node->away->since > 0)
		away_tell(node, -1, 1, value_get_int(result, "seq", 0),
		    "is followed from here on, as since counts the events of another node");
	if (node->last < 0)
		node->last = value_get_int(result, "seq", 0);
	else if (first > node->last + 1)
		node->last = first - 1;
	node->told = false;
}

static bool away_note(const char *method, const struct value *params, void *context)
{
	struct away_node *node = context;
	struct value copy;
	struct arena arena;
	bool sent;

	arena_init(&arena);
	copy = value_copy(&arena, params);
	for (uint32_t i = 0; copy.type == VALUE_MAP && i < copy.map.count; i++)
		if (strcmp(copy.map.members[i].key, "subscription") == 0)
			copy.map.members[i].value = value_int(node->away->number);
	if (strcmp(method, "event") == 0)
		value_put(&arena, &copy, "relayed", value_bool(true));
	else
		value_put(&arena, &copy, "node", value_string_ref(node->name));
	sent = connection_notify(node->away->connection, method, &copy);
	arena_clear(&arena);
	if (sent)
		node->last = value_get_int(params, strcmp(method, "event") == 0 ? "seq" : "to", node->last);
	return sent;
}

static void away_ready(struct away_node *node)
{
	node->ready = true;
	away_answer(node->away);
}

static void away_idle(void *context)
{
	away_ready(context);
}

static void away_broken(const struct schedd_error *err, void *context)
{
	struct away_node *node = context;

	(void)err;
	rpc_stream_close(node->stream);
	node->stream = NULL;
	away_ready(node);
}

static const struct rpc_stream_ops away_ops = {
    .opened = away_opened,
    .note = away_note,
    .idle = away_idle,
    .broken = away_broken,
};

static void away_open(struct away_node *node)
{
	struct event_away *away = node->away;
	struct value params = value_map(), request;
	const struct value *asked = &away->asker.params;
	struct arena arena;

	arena_init(&arena);
	for (uint32_t i = 0; asked->type == VALUE_MAP && i < asked->map.count; i++)
		if (strcmp(asked->map.members[i].key, "since") != 0 && strcmp(asked->map.members[i].key, "node") != 0)
			value_put(&arena, &params, asked->map.members[i].key, asked->map.members[i].value);
	if (node->last >= 0)
		value_put(&arena, &params, "since", value_int(node->last));
	request = rpc_forward_request(&away->asker, "event.subscribe", &params, &arena);
	node->stream = rpc_stream_open(&away->asker, node->name, &request, &away_ops, node);
	arena_clear(&arena);
}

/* One that was not there when the subscription began is known from its own beginning on. */
static struct away_node *away_add(struct event_away *away, const char *name)
{
	struct away_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->away = away;
	snprintf(node->name, sizeof(node->name), "%s", name);
	/* A number means this node's events, unless it asks for one node's alone. */
	if (away->reviews > 0)
		node->last = 0;
	else
		node->last = away->since == 0 || (away->since > 0 && away->only) ? away->since : -1;
	node->next = away->nodes;
	away->nodes = node;
	return node;
}

static void away_look(struct event_away *away, const struct value *entry)
{
	const char *name = value_get_string(entry, "name");
	struct away_node *node = away->nodes;
	char why[80];
	bool lives;

	if (!name || value_get_bool(entry, "self", false) || (away->only && strcmp(away->only, name) != 0))
		return;
	lives = scheduler_node_lives(away->scheduler, name, why, sizeof(why));
	while (node && strcmp(node->name, name) != 0)
		node = node->next;
	if (!node && (lives || away->reviews == 0))
		node = away_add(away, name);
	if (!node || node->stream)
		return;
	if (lives) {
		away_open(node);
		node->ready |= !node->stream;
		return;
	}
	node->ready = true;
	if (away->reviews > 0 && !node->told && node->last >= 0)
		away_tell(node, -1, node->last + 1, -1, why);
	node->told = true;
	node->last = node->last < 0 ? 0 : node->last;
}

static void away_review(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval span = {.tv_usec = AWAY_REVIEW};
	struct event_away *away = context;
	struct arena arena;
	struct value list;

	(void)fd;
	(void)what;
	arena_init(&arena);
	list = scheduler_nodes(away->scheduler, &arena);
	for (uint32_t i = 0; list.type == VALUE_ARRAY && i < list.array.count; i++)
		away_look(away, &list.array.items[i]);
	away->reviews++;
	arena_clear(&arena);
	if (event_add(away->review, &span) < 0)
		event_active(away->review, EV_TIMEOUT, 0);
	away_answer(away);
}

struct event_away *rpc_event_away_begin(
    struct rpc_call *call, int64_t number, int64_t since, struct value answer)
{
	struct event_away *away = calloc(1, sizeof(*away));

	if (!away)
		return NULL;
	away->rpc = connection_rpc(call->connection);
	away->scheduler = call->scheduler;
	away->connection = call->connection;
	away->number = number;
	away->since = since;
	away->review = event_new(rpc_base(away->rpc), -1, 0, away_review, away);
	if (!rpc_call_copy(call, &away->asker) || !away->review) {
		rpc_event_away_free(away);
		return NULL;
	}
	if (rpc_call_text(call, "node"))
		away->only = arena_strdup(&away->asker.arena, rpc_call_text(call, "node"));
	if (since >= 0) {
		away->call = call;
		away->answer = answer;
	} else {
		rpc_call_answer_built(call, &answer);
	}
	away_review(-1, 0, away);
	return away;
}

void rpc_event_away_drained(struct event_away *away)
{
	for (struct away_node *node = away->nodes; node; node = node->next)
		if (node->stream)
			rpc_stream_resume(node->stream);
}

void rpc_event_away_free(struct event_away *away)
{
	struct rpc_call *call = away->call;
	struct schedd_error err;

	while (away->nodes) {
		struct away_node *node = away->nodes;

		away->nodes = node->next;
		rpc_stream_close(node->stream);
		free(node);
	}
	if (away->review)
		event_free(away->review);
	arena_clear(&away->asker.arena);
	free(away);
	if (!call)
		return;
	/* By its client, who goes on, or with the connection. */
	schedd_error_set(&err, SCHEDD_EFAILED, "the subscription was ended before it had begun");
	rpc_call_fail(call, &err);
}
