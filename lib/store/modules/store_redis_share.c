/* SPDX-License-Identifier: MIT */
/*
 * Nodes that share a store on Redis: what the functions of the library's second
 * half are asked, and what they answer. A connection of its own waits for lines
 * of the feed, so that another's change is seen at once; what it hears is a
 * hint, the feed is read where everything is.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "base/iso8601.h"
#include "base/log.h"
#include "store/modules/store_redis.h"

/* ---- The ear ---- */

static int share_open_ear(struct store_link *link, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	struct store_link *ear = calloc(1, sizeof(*ear));
	struct redis_command command;
	int rc;

	redis->ear = ear;
	if (ear)
		ear->state = calloc(1, sizeof(struct redis_link));
	if (!ear || !ear->state)
		return schedd_error_nomem(err);
	ear->config = link->config;
	ear->log = link->log;
	ear->clock = link->clock;
	ear->deadline = link->deadline;
	rc = store_redis_wire_open(ear, err);
	if (rc == 0)
		rc = store_redis_login(ear, err);
	/* May it? Nothing is behind the end, and it does not wait for it. */
	if (rc == 0) {
		redis_command_init(&command, "XREAD");
		redis_command_text(&command, "STREAMS");
		redis_command_key(&command, link, "feed");
		redis_command_text(&command, "$");
		rc = store_redis_ask(ear, &command, NULL, err);
	}
	if (rc)
		link->fault = ear->fault;
	return rc;
}

void store_redis_part(struct store_link *link)
{
	struct redis_link *redis = redis_of(link);
	struct store_link *ear = redis->ear;

	redis->ear = NULL;
	redis->waiting = false;
	if (!ear)
		return;
	if (ear->state)
		store_redis_wire_close(ear);
	free(ear->state);
	free(ear);
}

/* The ear fails: all is connected to anew, unless the account may not read so. */
static int share_deaf(struct store_link *link, int rc)
{
	bool refused = redis_of(link)->ear->fault == STORE_FAULT_REFUSED;

	if (rc)
		link->fault = refused ? STORE_FAULT_REFUSED : STORE_FAULT_GONE;
	return rc;
}

/* Has it heard something? */
static int share_hear(struct store_link *link, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	struct pollfd fd = {.events = POLLIN};
	redisReply *reply = NULL;
	int rc;

	if (!redis->waiting)
		return 0;
	fd.fd = redis_of(redis->ear)->fd;
	if (poll(&fd, 1, 0) <= 0)
		return 0;
	redis->ear->deadline = link->deadline;
	redis->ear->fault = STORE_FAULT_NONE;
	redis->waiting = false;
	rc = store_redis_receive(redis->ear, &reply, err);
	freeReplyObject(reply);
	return share_deaf(link, rc);
}

static int share_wait(struct store_link *link, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	struct redis_command command;

	if (redis->waiting || !redis->feed.read || !redis->ear)
		return 0;
	redis->ear->deadline = link->deadline;
	redis->ear->fault = STORE_FAULT_NONE;
	redis_command_init(&command, "XREAD");
	redis_command_text(&command, "COUNT");
	redis_command_text(&command, "1");
	redis_command_text(&command, "BLOCK");
	redis_command_text(&command, "0");
	redis_command_text(&command, "STREAMS");
	redis_command_key(&command, link, "feed");
	redis_command_text(&command,
	    arena_printf(&command.arena, "%lld-0", (long long)redis->feed.cursor));
	redis->waiting = true;
	return share_deaf(link, store_redis_send(redis->ear, &command, err));
}

int store_redis_share_fd(const struct store_link *link)
{
	const struct redis_link *redis = redis_of(link);

	if (redis->waiting)
		return redis_of(redis->ear)->fd;
	return redis->open ? redis->fd : -1;
}

/* ---- Joining ---- */

static int join_refused(struct store_link *link, const redisReply *reply, struct schedd_error *err)
{
	struct strbuf since = STRBUF_EMPTY;

	if (redis_says(reply, "step") && reply->elements == 4)
		return store_nodes_misunderstood(link, redis_text_at(reply, 1), redis_text_at(reply, 2),
		    (uint32_t)redis_number(reply, 3), err);
	if (!redis_says(reply, "seat") || !redis_text(reply, 1))
		return store_redis_not_ours(link, reply, err);
	iso8601_format(&since, redis_number(reply, 2) / SCHEDD_SECOND * SCHEDD_SECOND, 0, true);
	store_nodes_held(link, redis_text(reply, 1), strbuf_peek(&since), err);
	strbuf_clear(&since);
	return SCHEDD_EFAILED;
}

static int join_take(struct store_link *link, const redisReply *reply, struct schedd_error *err)
{
	struct nodes_moved moved;

	if (!redis_says(reply, "ok") || reply->elements != 7)
		return join_refused(link, reply, err);
	moved = (struct nodes_moved){.behind = redis_number(reply, 4) != 0,
	    .replaced = redis_number(reply, 5) != 0,
	    .unsure = redis_number(reply, 6) != 0};
	link->node = (uint32_t)redis_number(reply, 1);
	link->epoch = (uint64_t)redis_number(reply, 2);
	store_nodes_joined(&redis_of(link)->feed, redis_number(reply, 3) != 0);
	store_nodes_moved(link, &redis_of(link)->place, &moved, 1);
	return 0;
}

int store_redis_join(struct store_link *link, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	struct redis_link *redis = redis_of(link);
	struct redis_command command;
	redisReply *reply;
	int rc = store_nodes_measure(link, &store_redis_nodes, err);

	if (rc)
		return rc;
	store_redis_session(redis);
	redis_command_function(&command, link, REDIS_FUNCTION("join"));
	redis_command_number(&command, (int64_t)link->epoch);
	redis_command_number(&command, redis->feed.cursor);
	redis_command_text(&command, config->node);
	redis_command_text(&command, config->identity);
	redis_command_text(&command, config->life);
	redis_command_text(&command, config->holder);
	redis_command_text(&command, config->labels);
	redis_command_text(&command, SCHEDD_VERSION);
	redis_command_number(&command, config->lease);
	redis_command_text(&command, redis->session);
	redis_command_text(&command, redis->feed.anew ? "1" : "0");
	redis_command_number(&command, (int64_t)redis->place.stored);
	redis_command_number(&command, (int64_t)redis->handed);
	redis_command_number(&command, NODE_PROTOCOL);
	redis_command_text(&command, redis->server);
	redis_command_text(&command, redis->whole ? "1" : "0");
	redis_command_text(&command, redis->place.server ? "1" : "0");
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	rc = join_take(link, reply, err);
	freeReplyObject(reply);
	return rc ? rc : share_open_ear(link, err);
}

/* ---- The beat ---- */

/* Of each node, in the order of the answer: see renew_lease() of the library. */
enum {
	NODE_NUMBER,
	NODE_NAME,
	NODE_EPOCH,
	NODE_LEFT,
	NODE_DRAINING,
	NODE_DEAD,
	NODE_LABELS,
	NODE_VERSION,
	NODE_ADDRESS,
	NODE_STARTED,
	NODE_SEEN,
	NODE_JOBS,
	NODE_RUNNING,
	NODE_LOAD,
	NODE_CLOCK,
	NODE_SPEAKS,
	NODE_UNHEARD,
	NODE_FIELDS,
};

static void renew_node(const redisReply *reply, size_t at, struct store_renewing *renewing)
{
	const struct store_node node = {
	    .number = (uint32_t)redis_number(reply, at + NODE_NUMBER),
	    .name = redis_text_at(reply, at + NODE_NAME),
	    .epoch = (uint64_t)redis_number(reply, at + NODE_EPOCH),
	    .left = redis_number(reply, at + NODE_LEFT),
	    .draining = redis_number(reply, at + NODE_DRAINING) != 0,
	    .dead_since = redis_text_at(reply, at + NODE_DEAD)[0] ? redis_number(reply, at + NODE_DEAD)
							      : SCHEDD_TIME_NONE,
	    .labels = redis_text_at(reply, at + NODE_LABELS),
	    .version = redis_text_at(reply, at + NODE_VERSION),
	    .address = redis_text_at(reply, at + NODE_ADDRESS),
	    .started_at = redis_number(reply, at + NODE_STARTED),
	    .seen_at = redis_number(reply, at + NODE_SEEN),
	    .jobs = redis_number(reply, at + NODE_JOBS),
	    .running = redis_number(reply, at + NODE_RUNNING),
	    .load = (double)redis_number(reply, at + NODE_LOAD) / 1000,
	    .offset = redis_number(reply, at + NODE_CLOCK),
	    .protocol = (uint32_t)redis_number(reply, at + NODE_SPEAKS),
	    .unheard = redis_number(reply, at + NODE_UNHEARD) != 0,
	};

	store_renewing_node(renewing, &node);
}

int store_redis_renew(
    struct store_link *link, struct store_renewing *renewing, struct schedd_error *err)
{
	const struct store_beat *own = store_renewing_beat(renewing);
	struct redis_command command;
	redisReply *reply;
	int rc;

	redis_command_function(&command, link, REDIS_FUNCTION("renew"));
	redis_command_number(&command, own->node);
	redis_command_number(&command, (int64_t)own->epoch);
	redis_command_text(&command, link->config->life);
	redis_command_number(&command, link->config->lease);
	redis_command_number(&command, own->jobs);
	redis_command_number(&command, own->running);
	redis_command_number(&command, (int64_t)(own->load * 1000));
	redis_command_number(&command, own->offset);
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc) {
		if (link->fault == STORE_FAULT_NONE)
			link->fault = STORE_FAULT_GONE;
		return rc;
	}
	if (!redis_says(reply, "ok")) {
		rc = store_nodes_fenced(link, err);
	} else {
		for (size_t at = 2; at + NODE_FIELDS <= reply->elements; at += NODE_FIELDS)
			renew_node(reply, at, renewing);
		store_renewing_clock(renewing, redis_number(reply, 1));
	}
	freeReplyObject(reply);
	return rc;
}

/* ---- What others do ---- */

int store_redis_listen(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	int rc = share_hear(link, err);

	if (rc == 0)
		rc = store_nodes_listen(link, &store_redis_nodes, watching, err);
	return rc ? rc : share_wait(link, err);
}

int store_redis_refresh(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	return store_nodes_refresh(link, &store_redis_nodes, id, watching, err);
}

int store_redis_output(struct store_link *link, const char *job, uint32_t number,
    struct store_kept *kept, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply;
	char *key = NULL;
	int rc = store_redis_key(link, job, &key, err);

	if (rc || !key)
		return rc;
	redis_command_init(&command, "HGET");
	redis_command_key(&command, link, "outputs");
	redis_command_text(
	    &command, arena_printf(&command.arena, "%s/%u", key, (unsigned)number));
	free(key);
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	if (reply->type == REDIS_REPLY_STRING)
		store_kept_output(kept, reply->str, (size_t)reply->len);
	freeReplyObject(reply);
	return 0;
}
