/* SPDX-License-Identifier: MIT */
/*
 * Runs and changes, in pages of some hundred: what an index cannot say is judged
 * here, so that a question that finds what it looks for at the top does not read the rest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_redis.h"

#define HISTORY_PAGE 500

/* A page of an index, from before that score downwards. */
static int history_page(struct store_link *link, const char *index, uint64_t before,
    redisReply **out, struct schedd_error *err)
{
	struct redis_command command;

	redis_command_init(&command, "ZREVRANGEBYSCORE");
	redis_command_key(&command, link, index);
	redis_command_text(&command,
	    before == UINT64_MAX ? "+inf" : arena_printf(&command.arena, "(%" PRIu64, before));
	redis_command_text(&command, "-inf");
	redis_command_text(&command, "WITHSCORES");
	redis_command_text(&command, "LIMIT");
	redis_command_text(&command, "0");
	redis_command_number(&command, HISTORY_PAGE);
	return store_redis_ask(link, &command, out, err);
}

/* Members alone; where they are numbers of one job's runs, as fields of it. */
static bool history_fields(redisReply *page, const char *key)
{
	for (size_t i = 0; i + 1 < page->elements; i += 2) {
		redisReply *member = page->element[i];
		char *text;

		if (key) {
			if (member->type != REDIS_REPLY_STRING ||
			    !(text = malloc(strlen(key) + member->len + 2)))
				return false;
			member->len = (size_t)sprintf(text, "%s/%s", key, member->str);
			free(member->str);
			member->str = text;
		}
		page->element[i] = page->element[i / 2];
		page->element[i / 2] = member;
	}
	return true;
}

/* All runs of an index, newest first, until nobody wants more. */
static int history_walk(struct store_link *link, const char *index, const char *key,
    uint64_t before, struct redis_rows *rows, struct schedd_error *err)
{
	size_t count = 2 * HISTORY_PAGE;
	int rc = 0;

	while (rc == 0 && !rows->stopped && count == 2 * HISTORY_PAGE) {
		redisReply *page;

		rc = history_page(link, index, before, &page, err);
		if (rc)
			return rc;
		count = redis_is_array(page) ? page->elements : 0;
		if (count) {
			const char *score = redis_text(page, count - 1);

			before = score ? (uint64_t)strtod(score, NULL) : 0;
			if (!history_fields(page, key))
				rc = schedd_error_nomem(err);
			page->elements = count / 2;
			if (rc == 0)
				rc = store_redis_rows(link, rows, page, err);
			page->elements = count;
		}
		freeReplyObject(page);
	}
	return rc;
}

/* ---- Runs ---- */

static bool history_asked(struct run *run, void *context)
{
	return store_asked_run(context, run);
}

static int history_one(struct store_link *link, const char *key, const struct store_query *query,
    struct redis_rows *rows, struct schedd_error *err)
{
	char field[64];
	redisReply text = {.type = REDIS_REPLY_STRING, .str = field}, *items[1] = {&text};
	redisReply fields = {.type = REDIS_REPLY_ARRAY, .elements = 1, .element = items};

	if (query->number >= query->before)
		return 0;
	text.len = (size_t)snprintf(field, sizeof(field), "%.40s/%" PRIu32, key, query->number);
	rows->results = true;
	return store_redis_rows(link, rows, &fields, err);
}

#define STATES_OPEN (1u << RUN_QUEUED | 1u << RUN_RUNNING | 1u << RUN_RETRYING)

int store_redis_runs(struct store_link *link, const struct store_query *query,
    struct store_asked *asked, struct schedd_error *err)
{
	struct redis_rows rows = {.call = history_asked, .context = asked, .job = query->job};
	bool open = query->states && !(query->states & ~STATES_OPEN);
	char *key, index[64];
	int rc;

	if (!query->job)
		return history_walk(
		    link, open ? "open" : "log", NULL, query->before, &rows, err);
	rc = store_redis_key(link, query->job, &key, err);
	if (rc || !key)
		return rc;
	snprintf(index, sizeof(index), "of:%.40s", key);
	rc = query->number ? history_one(link, key, query, &rows, err)
			   : history_walk(link, index, key, query->before, &rows, err);
	free(key);
	return rc;
}

/* ---- Counts ---- */

struct history_count {
	struct store_asked *asked;
	schedd_time since;
};

static bool history_counted(struct run *run, void *context)
{
	const struct history_count *count = context;
	schedd_time done = store_query_done_at(run);

	if (done != SCHEDD_TIME_NONE && done >= count->since)
		store_asked_count(count->asked, run);
	return true;
}

/* "when KEY/N" becomes "KEY/N"; the last one as it was is where the next page begins. */
static void history_cut_when(redisReply *page, char *from, size_t size)
{
	for (size_t i = 0; i < page->elements; i++) {
		redisReply *member = page->element[i];
		char *space = member->type == REDIS_REPLY_STRING ? strchr(member->str, ' ') : NULL;

		if (!space)
			continue;
		if (i + 1 == page->elements)
			snprintf(from, size, "(%s", member->str);
		member->len -= (size_t)(space + 1 - member->str);
		memmove(member->str, space + 1, member->len + 1);
	}
}

static int history_count_all(
    struct store_link *link, struct redis_rows *rows, schedd_time since, struct schedd_error *err)
{
	char from[128] = "-", when[REDIS_WHEN_SIZE];
	size_t count = HISTORY_PAGE;
	int rc = 0;

	if (since != SCHEDD_TIME_NONE) {
		store_redis_when(since, when);
		snprintf(from, sizeof(from), "[%s", when);
	}
	while (rc == 0 && count == HISTORY_PAGE) {
		struct redis_command command;
		redisReply *page;

		redis_command_init(&command, "ZRANGEBYLEX");
		redis_command_key(&command, link, "done");
		redis_command_text(&command, from);
		redis_command_text(&command, "+");
		redis_command_text(&command, "LIMIT");
		redis_command_text(&command, "0");
		redis_command_number(&command, HISTORY_PAGE);
		rc = store_redis_ask(link, &command, &page, err);
		if (rc)
			return rc;
		count = redis_is_array(page) ? page->elements : 0;
		history_cut_when(page, from, sizeof(from));
		rc = store_redis_rows(link, rows, page, err);
		freeReplyObject(page);
	}
	return rc;
}

int store_redis_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err)
{
	struct history_count count = {asked, since};
	struct redis_rows rows = {.call = history_counted, .context = &count, .job = job};
	char *key, index[64];
	int rc;

	if (!job)
		return history_count_all(link, &rows, since, err);
	rc = store_redis_key(link, job, &key, err);
	if (rc || !key)
		return rc;
	snprintf(index, sizeof(index), "of:%.40s", key);
	rc = history_walk(link, index, key, UINT64_MAX, &rows, err);
	free(key);
	return rc;
}

/* ---- Changes ---- */

struct history_changes {
	struct store_link *link;
	const char *job, *key; /* key NULL: all */
	schedd_time since;
	uint64_t left;
	struct store_asked *asked;
};

/* A change's member; NULL: it is not there. */
static const char *change_field(const redisReply *entry, const char *name)
{
	const redisReply *fields =
	    redis_is_array(entry) && entry->elements == 2 ? entry->element[1] : NULL;

	for (size_t i = 0; fields && redis_is_array(fields) && i + 1 < fields->elements; i += 2)
		if (redis_text(fields, i) && strcmp(redis_text(fields, i), name) == 0)
			return redis_text(fields, i + 1);
	return NULL;
}

static int changes_ids(
    struct store_link *link, const redisReply *page, redisReply **out, struct schedd_error *err)
{
	struct redis_command command;

	redis_command_init(&command, "HMGET");
	redis_command_key(&command, link, "ids");
	for (size_t i = 0; i < page->elements; i++) {
		const char *key = change_field(page->element[i], "job");

		redis_command_text(&command, key ? key : "");
	}
	return store_redis_ask(link, &command, out, err);
}

static int changes_page(
    struct history_changes *changes, const redisReply *page, struct schedd_error *err)
{
	redisReply *ids = NULL;
	int rc = changes->key ? 0 : changes_ids(changes->link, page, &ids, err);

	for (size_t i = 0; i < page->elements && rc == 0 && changes->left > 0; i++) {
		const char *key = change_field(page->element[i], "job");
		const char *at = change_field(page->element[i], "at");
		const char *json = change_field(page->element[i], "change");
		schedd_time when = at ? strtoll(at, NULL, 10) : 0;

		if (!key || !json || when < changes->since ||
		    (changes->key && strcmp(key, changes->key) != 0))
			continue;
		changes->left--;
		store_asked_change(changes->asked, when,
		    changes->key ? changes->job : redis_text(ids, i), json);
	}
	freeReplyObject(ids);
	return rc;
}

static int changes_walk(struct history_changes *changes, struct schedd_error *err)
{
	char from[64] = "+";
	size_t count = HISTORY_PAGE;
	int rc = 0;

	while (rc == 0 && changes->left > 0 && count == HISTORY_PAGE) {
		struct redis_command command;
		redisReply *page;

		redis_command_init(&command, "XREVRANGE");
		redis_command_key(&command, changes->link, "changes");
		redis_command_text(&command, from);
		redis_command_text(&command, "-");
		redis_command_text(&command, "COUNT");
		redis_command_number(&command, HISTORY_PAGE);
		rc = store_redis_ask(changes->link, &command, &page, err);
		if (rc)
			return rc;
		count = redis_is_array(page) ? page->elements : 0;
		if (count) {
			const char *last = redis_text(page->element[count - 1], 0);

			snprintf(from, sizeof(from), "(%.40s", last ? last : "0-1");
			rc = changes_page(changes, page, err);
		}
		freeReplyObject(page);
	}
	return rc;
}

int store_redis_changes(struct store_link *link, const char *job, schedd_time since,
    uint64_t limit, struct store_asked *asked, struct schedd_error *err)
{
	struct history_changes changes = {
	    .link = link, .job = job, .since = since, .left = limit, .asked = asked};
	char *key = NULL;
	int rc = job ? store_redis_key(link, job, &key, err) : 0;

	changes.key = key;
	if (rc == 0 && (!job || key))
		rc = changes_walk(&changes, err);
	free(key);
	return rc;
}
