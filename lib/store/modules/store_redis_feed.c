/* SPDX-License-Identifier: MIT */
/* How Redis is asked for what others have written, see store_nodes.h. */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_redis.h"

static struct nodes_feed *feed_of(const struct store_link *link)
{
	return &redis_of(link)->feed;
}

static int feed_ping(struct store_link *link, struct schedd_error *err)
{
	struct redis_command command;

	redis_command_init(&command, "HLEN");
	redis_command_key(&command, link, "meta");
	return store_redis_ask(link, &command, NULL, err);
}

/* "SEQ-0" and its fields, each behind its name: at, origin, target, kind, id, body. */
static int feed_line(
    const redisReply *entry, nodes_line_fn call, void *context, struct schedd_error *err)
{
	const redisReply *fields = entry->element[1];
	const struct nodes_line line = {.seq = redis_number(entry, 0),
	    .origin = (uint32_t)redis_number(fields, 3),
	    .target = (uint32_t)redis_number(fields, 5),
	    .kind = redis_text_at(fields, 7),
	    .id = redis_text_at(fields, 9),
	    .body = redis_text_at(fields, 11)};

	return call(&line, context, err);
}

static int feed_lines(struct store_link *link, int64_t after, int64_t most, nodes_line_fn call,
    void *context, int64_t *count, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply;
	int rc;

	redis_command_init(&command, "XRANGE");
	redis_command_key(&command, link, "feed");
	redis_command_text(&command, arena_printf(&command.arena, "%lld-0", (long long)after + 1));
	redis_command_text(&command, "+");
	redis_command_text(&command, "COUNT");
	redis_command_number(&command, most);
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	*count = redis_is_array(reply) ? (int64_t)reply->elements : 0;
	for (int64_t i = 0; i < *count && rc == 0; i++) {
		const redisReply *entry = reply->element[i];

		rc = redis_is_array(entry) && entry->elements == 2
			 ? feed_line(entry, call, context, err)
			 : store_redis_nonsense(link, err);
	}
	freeReplyObject(reply);
	return rc;
}

static int feed_text(struct store_link *link, const char *key, struct store_watching *watching,
    struct schedd_error *err)
{
	char *text = NULL;
	int rc = store_redis_field(link, "values", key, &text, err);

	if (rc == 0)
		store_watching_text(watching, key, text && text[0] == 't' ? text + 1 : NULL);
	free(text);
	return rc;
}

static int feed_slots(struct store_link *link, uint32_t owners[NODE_SLOTS],
    struct store_places *places, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply;
	int rc;

	redis_command_init(&command, "HGETALL");
	redis_command_key(&command, link, "slots");
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	memset(owners, 0, NODE_SLOTS * sizeof(owners[0]));
	for (size_t i = 0; redis_is_array(reply) && i + 1 < reply->elements; i += 2) {
		int64_t slot = redis_number(reply, i);
		uint32_t node = (uint32_t)redis_number(reply, i + 1);

		if (slot >= 0 && slot < NODE_SLOTS)
			owners[slot] = node;
		else if (slot >= 0)
			store_places_add(places, (uint32_t)slot, node);
	}
	freeReplyObject(reply);
	return 0;
}

/* ---- Counters ---- */

static bool feed_counted(
    struct store_watching *watching, const redisReply *reply, size_t at)
{
	const char *state = redis_text(reply, at + 1), *last = redis_text(reply, at + 2);
	struct store_counters counters;
	const char *revision = state ? strrchr(state, ' ') : NULL;
	enum run_state ended;
	struct store_counted job = {.id = redis_text(reply, at), .last_state = -1};

	if (!job.id || !revision || !store_redis_state_read(state, &counters))
		return false;
	job.next_fire = counters.next_fire;
	job.next_run_time = counters.next_run_time;
	job.run_count = counters.run_count;
	job.last_run = counters.last_run;
	job.revision = (uint32_t)strtoul(revision, NULL, 10);
	if (last && run_state_parse(last, &ended))
		job.last_state = (int)ended;
	job.running = (uint32_t)redis_number(reply, at + 3);
	job.queued = (uint32_t)redis_number(reply, at + 4);
	store_watching_counted(watching, &job);
	return true;
}

/*
 * Those of that job, or (NULL) of the slots; slot NODE_SLOTS are those of which it is not known, and
 * of places.
 */
static int feed_count(struct store_link *link, const char *id, const bool slots[NODE_SLOTS + 1],
    struct store_watching *watching, struct schedd_error *err)
{
	uint32_t from = 0;
	int rc = 0;

	do {
		struct redis_command command;
		redisReply *reply;
		int64_t looked;

		redis_command_function(&command, link, REDIS_FUNCTION("count"));
		redis_command_number(&command, link->node);
		redis_command_text(&command, id ? id : "");
		for (uint32_t slot = from; !id && slot <= NODE_SLOTS; slot++)
			if (slots[slot])
				redis_command_text(&command,
				    slot == NODE_SLOTS ? "-" : arena_printf(&command.arena, "%u", slot));
		rc = store_redis_ask(link, &command, &reply, err);
		if (rc)
			return rc;
		looked = redis_number(reply, 0);
		for (size_t at = 1; redis_is_array(reply) && at + 5 <= reply->elements; at += 5)
			(void)feed_counted(watching, reply, at);
		freeReplyObject(reply);
		while (looked > 0 && from <= NODE_SLOTS)
			looked -= !id && slots[from++];
		while (!id && from <= NODE_SLOTS && !slots[from])
			from++;
	} while (!id && from <= NODE_SLOTS);
	return rc;
}

static int feed_gained(struct store_link *link, const bool slots[NODE_SLOTS],
    struct store_watching *watching, struct schedd_error *err)
{
	bool all[NODE_SLOTS + 1];

	memcpy(all, slots, NODE_SLOTS * sizeof(all[0]));
	all[NODE_SLOTS] = true;
	return feed_count(link, NULL, all, watching, err);
}

static int feed_others(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	const struct nodes_feed *feed = feed_of(link);
	bool all[NODE_SLOTS + 1];

	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++)
		all[slot] = feed->owners[slot] != link->node;
	all[NODE_SLOTS] = true;
	return feed_count(link, id, all, watching, err);
}

/* ---- Those whose lease is over ---- */

static int feed_dead(
    struct store_link *link, nodes_dead_fn call, void *context, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply = NULL;
	int rc;

	redis_command_function(&command, link, REDIS_FUNCTION("dead"));
	redis_command_number(&command, link->node);
	rc = store_redis_ask(link, &command, &reply, err);
	for (size_t i = 0; rc == 0 && redis_is_array(reply) && i + 2 < reply->elements; i += 3)
		rc = call((uint32_t)redis_number(reply, i), (uint64_t)redis_number(reply, i + 1),
		    redis_text_at(reply, i + 2), context, err);
	freeReplyObject(reply);
	return rc;
}

static bool take_run(struct run *run, void *context)
{
	/* A process of another machine is none of ours. */
	run->pid = 0;
	run->pid_start = 0;
	store_watching_taken_run(context, run);
	return true;
}

static int take_texts(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply;
	int rc;

	redis_command_init(&command, "HGETALL");
	redis_command_key(&command, link, "values");
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	for (size_t i = 0; redis_is_array(reply) && i + 1 < reply->elements; i += 2) {
		const char *key = redis_text_at(reply, i), *text = redis_text_at(reply, i + 1);

		if (text[0] == 't' && (strncmp(key, "after.", 6) == 0 || strncmp(key, "run.", 4) == 0))
			store_watching_taken_text(watching, key, text + 1);
	}
	freeReplyObject(reply);
	return 0;
}

/* What is ours by then nobody else writes: it is read after it. */
static int feed_take(struct store_link *link, uint32_t node, uint64_t epoch,
    struct store_watching *watching, bool *taken, struct schedd_error *err)
{
	struct redis_rows rows = {.call = take_run, .context = watching};
	struct redis_command command;
	redisReply *reply;
	int rc;

	redis_command_function(&command, link, REDIS_FUNCTION("take"));
	redis_command_number(&command, link->node);
	redis_command_number(&command, (int64_t)link->epoch);
	redis_command_text(&command, redis_of(link)->session);
	redis_command_number(&command, node);
	redis_command_number(&command, (int64_t)epoch);
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	*taken = redis_says(reply, "ok");
	if (redis_says(reply, "fenced"))
		rc = store_nodes_fenced(link, err);
	/* The first is no run, and none is found for it. */
	if (*taken && reply->elements > 1)
		rc = store_redis_rows(link, &rows, reply, err);
	if (*taken && rc == 0)
		rc = take_texts(link, watching, err);
	freeReplyObject(reply);
	return rc;
}

static int feed_tidy(struct store_link *link, schedd_span keep, struct schedd_error *err)
{
	struct redis_command command;

	redis_command_function(&command, link, REDIS_FUNCTION("tidy"));
	redis_command_number(&command, keep);
	return store_redis_ask(link, &command, NULL, err);
}

const struct nodes_driver store_redis_nodes = {
    .feed = feed_of,
    .ping = feed_ping,
    .lines = feed_lines,
    .reread = store_redis_reread,
    .text = feed_text,
    .slots = feed_slots,
    .gained = feed_gained,
    .others = feed_others,
    .dead = feed_dead,
    .take = feed_take,
    .tidy = feed_tidy,
};

/* ---- While everything is loaded ---- */

int store_redis_load_slots(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err)
{
	struct store_places places = {.count = 0};
	uint32_t owners[NODE_SLOTS];
	char *seq = NULL;
	int rc = store_redis_field(link, "meta", "feed", &seq, err);

	if (rc == 0)
		rc = feed_slots(link, owners, &places, err);
	if (rc == 0)
		store_nodes_loaded(
		    feed_of(link), owners, &places, seq ? strtoll(seq, NULL, 10) : 0, loading);
	store_places_clear(&places);
	free(seq);
	return rc;
}

int store_redis_own_runs(
    struct store_link *link, redisReply *fields, bool *taken, struct schedd_error *err)
{
	struct redis_command command;
	size_t kept = 0;
	redisReply *reply;
	int rc;

	if (!redis_is_array(fields) || fields->elements == 0)
		return 0;
	redis_command_init(&command, "HMGET");
	redis_command_key(&command, link, "at");
	for (size_t i = 0; i < fields->elements; i++)
		redis_command_text(&command, redis_text(fields, i));
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < fields->elements; i++) {
		const char *at = redis_text(reply, i), *from = at ? strrchr(at, ' ') : NULL;

		if (at && strtoul(at, NULL, 10) == link->node) {
			taken[kept] = from && strcmp(from, " 0") != 0;
			fields->element[kept++] = fields->element[i];
		} else {
			freeReplyObject(fields->element[i]);
		}
	}
	fields->elements = kept;
	freeReplyObject(reply);
	return 0;
}
