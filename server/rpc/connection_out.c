/* SPDX-License-Identifier: MIT */
/*
 * What a client is to be sent, until it is written.
 *
 * Two queues go out: "out" is being written, and once it is begun answers gather
 * "later", to take its place; notifications wait in "events" until both are empty
 * and then do so, so answers overtake them. What was sent is carried along by out until
 * all of it is: a reader that never quite catches up must not have it grow, nor is a
 * long rest to be moved about.
 */
#include "server/rpc/connection_state.h"

#include "base/message.h"

#define CONNECTION_COPY (256 << 10) /* bytes of a list from which it is not copied any more */

size_t connection_unsent(const struct connection *c)
{
	return c->out.length - c->out_sent;
}

static size_t connection_unsent_events(const struct connection *c)
{
	size_t begun = c->out_events > c->out_sent ? c->out_events - c->out_sent : 0;

	return c->events.length + begun;
}

struct strbuf *connection_last(struct connection *c)
{
	return c->later.length || c->out_sent >= CONNECTION_KEEP ? &c->later : &c->out;
}

void connection_weigh(struct connection *c)
{
	rpc_client_owe(c->rpc, &c->link, c->out.length + c->later.length + c->events.length);
}

void connection_queued(struct connection *c)
{
	connection_weigh(c);
	if (!c->busy && !c->writing)
		rpc_client_dirty(c->rpc, &c->link);
}

void connection_answer(struct connection *c, uint32_t msgid, const struct value *result)
{
	if (c->sink)
		c->sink->answer(msgid, result, c->sink_context);
	if (c->fd < 0)
		return;
	message_pack_response(connection_last(c), msgid, result);
	connection_queued(c);
}

void connection_answer_list(struct connection *c, uint32_t msgid, const char *key,
    struct strbuf *items, uint32_t count, const struct value *rest)
{
	if (c->sink)
		c->sink->answer_list(msgid, key, items, count, rest, c->sink_context);
	if (c->fd < 0)
		return;
	if (c->later.length || items->length < CONNECTION_COPY) {
		message_pack_list(connection_last(c), msgid, key, items, count, rest);
	} else {
		message_pack_list_head(&c->out, msgid, key, count, rest);
		strbuf_clear(&c->later);
		c->later = *items;
		*items = STRBUF_EMPTY;
		if (key)
			message_pack_members(&c->later, rest);
	}
	connection_queued(c);
}

void connection_fail(struct connection *c, uint32_t msgid, const struct schedd_error *err)
{
	if (c->sink)
		c->sink->fail(msgid, err, c->sink_context);
	if (c->fd < 0)
		return;
	message_pack_error(connection_last(c), msgid, err);
	connection_queued(c);
}

bool connection_notify(struct connection *c, const char *method, const struct value *params)
{
	size_t before = c->events.length;

	if (c->sink)
		return !connection_overstays(c) && c->sink->notify(method, params, c->sink_context);
	if (c->fd < 0 || c->doomed)
		return false;
	if (connection_unsent_events(c) >= rpc_limits(c->rpc)->events)
		return false;
	message_pack_notification(&c->events, method, params);
	if (strbuf_failed(&c->events)) {
		c->events.failed = false;
		c->events.length = before;
		return false;
	}
	connection_queued(c);
	return true;
}
