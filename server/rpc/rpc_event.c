/* SPDX-License-Identifier: MIT */
/*
 * Events that are kept are replayed in pieces; those that come meanwhile are kept
 * too, and have their place behind them. Where many subscribe, all events come
 * so, when those of a moment have come together: a thousand readers do not hold
 * up the runs that begin at one time.
 *
 * A subscription sends events until its client cannot take more; then it drops
 * them, counted, until all that waited was sent, and tells the client once.
 */
#include "server/rpc/rpc_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "server/event_filter.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_event_away.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_turn.h"
#include "server/rpc/rpc_view.h"

#define RPC_EVENT_SUBSCRIPTIONS 64 /* of one connection */
#define RPC_EVENT_AT_ONCE 32       /* subscriptions that are told of an event as it happens */
#define RPC_EVENT_REST 50000       /* µs that others wait for what comes next */
#define RPC_EVENT_PIECE 64        /* events replayed at one time */

struct rpc_subscription {
	struct connection_hook hook; /* first */
	struct schedd_listener *listener;
	struct rpc *rpc;
	struct schedd_scheduler *scheduler;
	struct rpc_counters *counters; /* that count it; NULL: not yet */
	struct event_filter filter;
	struct arena arena;                /* of the filter's texts */
	char view[JOB_ACCOUNT_MAX + 1];    /* whose ids stand alone; "": full ids */
	bool own;        /* it is told the account's own numbers of events */
	uint64_t since;  /* of these: the last one that it knows */
	int64_t number;                    /* names it to the client */
	struct rpc_turn turn;              /* waits between two pieces of the replay */
	struct event *rest;                /* where many subscribe: before turn; NULL: not needed yet */
	bool replaying;                    /* what comes now comes out of the ring later */
	uint64_t replayed;                 /* the last seq that did */
	struct event_away *away;           /* events of other nodes; NULL: there are none */
	uint64_t dropped;                  /* events lost and not yet told; 0: it keeps up */
	uint64_t dropped_from, dropped_to; /* their first and last seq */
};

static void rpc_subscription_free(struct rpc_subscription *subscription)
{
	if (subscription->counters)
		subscription->counters->subscriptions--;
	rpc_turn_leave(subscription->rpc, &subscription->turn);
	if (subscription->rest)
		event_free(subscription->rest);
	connection_detach(&subscription->hook);
	if (subscription->away)
		rpc_event_away_free(subscription->away);
	if (subscription->listener)
		schedd_scheduler_unlisten(subscription->listener);
	arena_clear(&subscription->arena);
	free(subscription);
}

static void rpc_subscription_closed(struct connection_hook *hook)
{
	rpc_subscription_free((struct rpc_subscription *)hook);
}

/* Its number as the subscriber knows it. */
static uint64_t rpc_subscription_seq(
    const struct rpc_subscription *subscription, const struct schedd_event *event)
{
	return subscription->own ? scheduler_event_own(subscription->scheduler, event->seq)
				 : event->seq;
}

static void rpc_subscription_drop(
    struct rpc_subscription *subscription, const struct schedd_event *event)
{
	uint64_t seq = rpc_subscription_seq(subscription, event);

	if (!subscription->dropped)
		subscription->dropped_from = seq;
	subscription->dropped_to = seq;
	subscription->dropped++;
	rpc_counters(subscription->rpc)->dropped++;
}

/* One of the account's events that it does not know yet? */
static bool rpc_subscription_is_news(
    struct rpc_subscription *subscription, const struct schedd_event *event)
{
	uint64_t seq = rpc_subscription_seq(subscription, event);

	if (!event->job || !rpc_names_shown(subscription->view, event->job) ||
	    (seq && seq <= subscription->since))
		return false;
	if (seq)
		subscription->since = seq;
	return true;
}

static void rpc_subscription_send(const struct schedd_event *event, void *context)
{
	struct rpc_subscription *subscription = context;
	struct value map = value_map(), all;
	struct arena arena;
	const char *node;

	if (subscription->own && !rpc_subscription_is_news(subscription, event))
		return;
	if (!event_filter_matches(&subscription->filter, subscription->scheduler, event))
		return;
	if (subscription->dropped) {
		rpc_subscription_drop(subscription, event);
		return;
	}
	arena_init(&arena);
	value_put(&arena, &map, "subscription", value_int(subscription->number));
	all = scheduler_event_value(event, &arena);
	if (subscription->own)
		all.map.members[0].value = value_int((int64_t)rpc_subscription_seq(subscription, event));
	rpc_names_out(subscription->view, &all, &arena);
	for (uint32_t i = 0; i < all.map.count; i++)
		value_put(&arena, &map, all.map.members[i].key, all.map.members[i].value);
	node = scheduler_node_name(subscription->scheduler);
	if (node)
		value_put(&arena, &map, "node", value_string_ref(node));
	if (arena_failed(&arena) ||
	    !connection_notify(subscription->hook.connection, "event", &map))
		rpc_subscription_drop(subscription, event);
	arena_clear(&arena);
}

static void rpc_subscription_rested(int fd, short what, void *context)
{
	struct rpc_subscription *subscription = context;

	(void)fd;
	(void)what;
	rpc_turn_wait(subscription->rpc, &subscription->turn);
}

static void rpc_subscription_event(const struct schedd_event *event, void *context)
{
	static const struct timeval rest = {.tv_usec = RPC_EVENT_REST};
	struct rpc_subscription *subscription = context;

	if (subscription->replaying)
		return;
	if (subscription->counters->subscriptions <= RPC_EVENT_AT_ONCE) {
		rpc_subscription_send(event, context);
		return;
	}
	if (!subscription->rest)
		subscription->rest = event_new(rpc_base(subscription->rpc), -1, 0,
		    rpc_subscription_rested, subscription);
	subscription->replaying = true;
	subscription->replayed = event->seq - 1;
	if (!subscription->rest || event_add(subscription->rest, &rest) < 0)
		rpc_turn_wait(subscription->rpc, &subscription->turn);
}

/* What the ring lost before it could be replayed. */
static void rpc_subscription_lost(struct rpc_subscription *subscription, uint64_t from, uint64_t to)
{
	if (!subscription->dropped)
		subscription->dropped_from = from;
	subscription->dropped_to = to;
	subscription->dropped += to - from + 1;
	rpc_counters(subscription->rpc)->dropped += to - from + 1;
}

/* Likewise, of an account's own events. */
static void rpc_subscription_lost_own(struct rpc_subscription *subscription)
{
	uint64_t oldest = scheduler_event_oldest(subscription->scheduler, subscription->view);

	if (oldest <= subscription->since + 1)
		return;
	rpc_subscription_lost(subscription, subscription->since + 1, oldest - 1);
	subscription->since = oldest - 1;
}

/* One piece of the replay. */
static void rpc_subscription_replay(void *context)
{
	struct rpc_subscription *subscription = context;
	uint64_t wanted = subscription->replayed + 1, before = subscription->replayed;
	uint64_t first = scheduler_replay_some(subscription->scheduler, &subscription->replayed,
	    RPC_EVENT_PIECE, rpc_subscription_send, subscription);

	if (subscription->own)
		rpc_subscription_lost_own(subscription);
	else if (first > wanted)
		rpc_subscription_lost(subscription, wanted, first - 1);
	subscription->replaying =
	    subscription->replayed != before &&
	    subscription->replayed < scheduler_event_seq(subscription->scheduler);
	if (subscription->replaying)
		rpc_turn_wait(subscription->rpc, &subscription->turn);
}

/* The client has caught up: it is told what it missed, then events go on. */
static void rpc_subscription_drained(struct connection_hook *hook)
{
	struct rpc_subscription *subscription = (struct rpc_subscription *)hook;
	struct value map = value_map();
	struct arena arena;

	if (subscription->away)
		rpc_event_away_drained(subscription->away);
	if (!subscription->dropped)
		return;
	arena_init(&arena);
	value_put(&arena, &map, "subscription", value_int(subscription->number));
	value_put(&arena, &map, "count", value_int((int64_t)subscription->dropped));
	value_put(&arena, &map, "from", value_int((int64_t)subscription->dropped_from));
	value_put(&arena, &map, "to", value_int((int64_t)subscription->dropped_to));
	if (!arena_failed(&arena) && connection_notify(hook->connection, "event.dropped", &map))
		subscription->dropped = 0;
	arena_clear(&arena);
}

/* Subscriptions of the connection; *count of them. number 0: none is looked for. */
static struct rpc_subscription *rpc_subscription_find(
    struct connection *connection, int64_t number, unsigned *count)
{
	struct rpc_subscription *found = NULL;
	struct connection_hook *hook;

	*count = 0;
	for (hook = connection_hooks(connection); hook; hook = hook->next) {
		if (hook->closed != rpc_subscription_closed)
			continue;
		(*count)++;
		if (((struct rpc_subscription *)hook)->number == number)
			found = (struct rpc_subscription *)hook;
	}
	return found;
}

static int rpc_subscription_new(
    struct rpc_call *call, struct rpc_subscription **out, struct schedd_error *err)
{
	struct rpc_counters *counters = rpc_counters(connection_rpc(call->connection));
	struct rpc_subscription *subscription = NULL;
	unsigned count;
	int rc;

	rpc_subscription_find(call->connection, 0, &count);
	if (count >= RPC_EVENT_SUBSCRIPTIONS)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "event.subscribe: this connection has %u subscriptions already", count);
	subscription = calloc(1, sizeof(*subscription));
	if (!subscription)
		return schedd_error_nomem(err);
	arena_init(&subscription->arena);
	subscription->rpc = connection_rpc(call->connection);
	subscription->scheduler = call->scheduler;
	subscription->turn.go = rpc_subscription_replay;
	subscription->turn.context = subscription;
	subscription->number = connection_number(call->connection);
	snprintf(subscription->view, sizeof(subscription->view), "%s", rpc_view(call));
	subscription->own = call->caller->role == USERS_USER && subscription->view[0];
	rc = event_filter_init(&subscription->filter, rpc_call_texts(call, "events"),
	    rpc_call_texts(call, "jobs"), rpc_call_texts(call, "tags"), &subscription->arena, err);
	if (rc) {
		rpc_subscription_free(subscription);
		return rc;
	}
	subscription->hook.closed = rpc_subscription_closed;
	subscription->hook.drained = rpc_subscription_drained;
	connection_attach(call->connection, &subscription->hook);
	subscription->counters = counters;
	counters->subscriptions++;
	*out = subscription;
	return 0;
}

/* What follows that number is told; returns the first one that it can still be. */
static uint64_t rpc_subscription_begin_own(
    struct rpc_subscription *subscription, uint64_t last, uint64_t since)
{
	uint64_t oldest = scheduler_event_oldest(subscription->scheduler, subscription->view);

	if (!oldest)
		oldest = last + 1;
	subscription->since = oldest > since + 1 ? oldest - 1 : since;
	return subscription->since + 1;
}

/* Of the events of this node: from *first on, behind the latest by seq. */
static int rpc_subscription_begin(
    struct rpc_subscription *subscription, int64_t since, uint64_t *seq, uint64_t *first)
{
	struct schedd_scheduler *scheduler = subscription->scheduler;

	*seq = subscription->own ? scheduler_event_last(scheduler, subscription->view)
				 : scheduler_event_seq(scheduler);
	*first = *seq + 1;
	if (since > (int64_t)*seq)
		since = (int64_t)*seq; /* of another life of this daemon: nothing follows it yet */
	/* Replayed events wait in their own queue, so the answer still goes first. */
	if (subscription->own && since >= 0)
		*first = rpc_subscription_begin_own(subscription, *seq, (uint64_t)since);
	else if (since >= 0)
		*first = scheduler_replay_some(scheduler, (uint64_t[]){(uint64_t)since}, 0, NULL, NULL);
	if (since >= 0) {
		subscription->replayed = subscription->own ? 0 : *first - 1;
		subscription->replaying = rpc_turn_is_late(subscription->rpc);
		if (subscription->replaying)
			rpc_turn_wait(subscription->rpc, &subscription->turn);
		else
			rpc_subscription_replay(subscription);
	}
	subscription->listener = schedd_scheduler_listen(
	    scheduler, subscription->filter.mask, rpc_subscription_event, subscription);
	return subscription->listener ? 0 : SCHEDD_ENOMEM;
}

/* Is it a node's name, where one is given? */
static int rpc_subscription_check_node(const struct rpc_call *call, struct schedd_error *err)
{
	const char *node = rpc_call_text(call, "node");
	char why[80];
	int rc = node ? scheduler_node_check(call->scheduler, node, err) : 0;

	if (!node || rc || strcmp(scheduler_node_name(call->scheduler), node) == 0 ||
	    scheduler_node_lives(call->scheduler, node, why, sizeof(why)))
		return rc;
	return schedd_error_set(err, SCHEDD_EFAILED, "node %s %s", node, why);
}

void rpc_event_subscribe(struct rpc_call *call)
{
	int64_t since = rpc_call_int(call, "since", -1);
	bool away = rpc_event_away_wanted(call), here = !away || !rpc_call_text(call, "node");
	struct rpc_subscription *subscription = NULL;
	struct value answer = value_map();
	struct schedd_error err;
	uint64_t seq = 0, first = 0;

	if (rpc_subscription_check_node(call, &err) || rpc_subscription_new(call, &subscription, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	if (here && rpc_subscription_begin(subscription, since, &seq, &first)) {
		rpc_subscription_free(subscription);
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
		return;
	}
	value_put(&call->arena, &answer, "subscription", value_int(subscription->number));
	value_put(&call->arena, &answer, "seq", value_int((int64_t)seq));
	value_put(&call->arena, &answer, "first", value_int((int64_t)first));
	if (!away) {
		rpc_call_answer_built(call, &answer);
		return;
	}
	subscription->away = rpc_event_away_begin(call, subscription->number, since, answer);
	if (subscription->away)
		return;
	rpc_subscription_free(subscription);
	schedd_error_nomem(&err);
	rpc_call_fail(call, &err);
}

void rpc_event_unsubscribe(struct rpc_call *call)
{
	int64_t number = rpc_call_int(call, "subscription", -1); /* -1: all */
	struct connection *connection = call->connection;
	struct value answer = value_map();
	struct connection_hook *hook, *next;
	struct schedd_error err;
	int64_t ended = 0;

	for (hook = connection_hooks(connection); hook; hook = next) {
		next = hook->next;
		if (hook->closed != rpc_subscription_closed ||
		    (number >= 0 && ((struct rpc_subscription *)hook)->number != number))
			continue;
		rpc_subscription_free((struct rpc_subscription *)hook);
		ended++;
	}
	if (number >= 0 && !ended) {
		schedd_error_set(&err, SCHEDD_ENOTFOUND, "this connection has no subscription %lld",
		    (long long)number);
		rpc_call_fail(call, &err);
		return;
	}
	value_put(&call->arena, &answer, "ended", value_int(ended));
	rpc_call_answer(call, &answer);
}
