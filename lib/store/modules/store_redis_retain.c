/* SPDX-License-Identifier: MIT */
/* What is too old goes in pieces, each one call of a function. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_redis.h"

#define RETAIN_PAGE 1000 /* jobs looked at, or changes */

static int retain_call(struct store_link *link, struct redis_command *command, uint32_t *deleted,
    struct schedd_error *err)
{
	redisReply *reply;
	int rc = store_redis_ask(link, command, &reply, err);

	if (rc)
		return rc;
	if (reply->type == REDIS_REPLY_INTEGER)
		*deleted += (uint32_t)reply->integer;
	else
		rc = store_redis_nonsense(link, err);
	freeReplyObject(reply);
	return rc;
}

static int retain_total(struct store_link *link, int64_t most, uint32_t budget, uint32_t *deleted,
    struct schedd_error *err)
{
	struct redis_command command;

	redis_command_function(&command, link, REDIS_FUNCTION("retain_total"));
	redis_command_number(&command, most);
	redis_command_number(&command, budget - *deleted);
	return retain_call(link, &command, deleted, err);
}

/* The keys of jobs that have rules of their own. */
static int retain_except(struct store_link *link, const struct store_rules *rules,
    redisReply **out, struct schedd_error *err)
{
	struct redis_command command;

	*out = NULL;
	if (rules->except_count == 0)
		return 0;
	redis_command_init(&command, "HMGET");
	redis_command_key(&command, link, "keys");
	for (size_t i = 0; i < rules->except_count; i++)
		redis_command_text(&command, rules->retention.except[i]);
	return store_redis_ask(link, &command, out, err);
}

static int retain_age(struct store_link *link, const struct store_rules *rules, const char *key,
    schedd_time limit, uint32_t budget, uint32_t *deleted, struct schedd_error *err)
{
	struct redis_command command;
	char when[REDIS_WHEN_SIZE];
	redisReply *except;
	int rc = retain_except(link, rules, &except, err);

	if (rc)
		return rc;
	store_redis_when(limit, when);
	redis_command_function(&command, link, REDIS_FUNCTION("retain_age"));
	redis_command_text(&command, when);
	redis_command_number(&command, budget - *deleted);
	redis_command_text(&command, key ? key : "");
	for (size_t i = 0; except && i < except->elements; i++)
		if (redis_text(except, i))
			redis_command_text(&command, redis_text(except, i));
	rc = retain_call(link, &command, deleted, err);
	freeReplyObject(except);
	return rc;
}

/* ---- So many of each job ---- */

static int retain_runs_of(struct store_link *link, const struct store_rules *rules,
    const redisReply *page, const char *key, uint32_t budget, uint32_t *deleted,
    struct schedd_error *err)
{
	struct redis_command command;

	redis_command_function(&command, link, REDIS_FUNCTION("retain_runs"));
	redis_command_number(&command, rules->retention.keep_runs);
	redis_command_number(&command, budget - *deleted);
	if (key)
		redis_command_text(&command, key);
	for (size_t i = 0; page && i + 1 < page->elements; i += 2) {
		const char *id = redis_text(page, i);

		if (id && !store_rules_except(rules, id))
			redis_command_text(&command, redis_text(page, i + 1));
	}
	return retain_call(link, &command, deleted, err);
}

static int retain_runs(struct store_link *link, const struct store_rules *rules, const char *key,
    uint32_t budget, uint32_t *deleted, struct schedd_error *err)
{
	char cursor[32] = "0";
	int rc = 0;

	if (key)
		return retain_runs_of(link, rules, NULL, key, budget, deleted, err);
	do {
		struct redis_command command;
		redisReply *scan;
		const char *next;

		redis_command_init(&command, "HSCAN");
		redis_command_key(&command, link, "keys");
		redis_command_text(&command, cursor);
		redis_command_text(&command, "COUNT");
		redis_command_number(&command, RETAIN_PAGE);
		rc = store_redis_ask(link, &command, &scan, err);
		if (rc)
			return rc;
		next = redis_text(scan, 0);
		if (!next || strlen(next) >= sizeof(cursor) || scan->elements != 2)
			rc = store_redis_nonsense(link, err);
		else
			rc = retain_runs_of(
			    link, rules, scan->element[1], NULL, budget, deleted, err);
		strcpy(cursor, rc ? "0" : next);
		freeReplyObject(scan);
	} while (rc == 0 && strcmp(cursor, "0") != 0 && *deleted < budget);
	return rc;
}

/* ---- Changes ---- */

static int retain_trim(struct store_link *link, const char *how, const char *what,
    struct schedd_error *err)
{
	struct redis_command command;

	redis_command_init(&command, "XTRIM");
	redis_command_key(&command, link, "changes");
	redis_command_text(&command, how);
	redis_command_text(&command, what);
	return store_redis_ask(link, &command, NULL, err);
}

/* The first that stays; "": none does, or there is none. */
static void retain_first(const redisReply *page, schedd_time limit, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; redis_is_array(page) && i < page->elements; i++) {
		const redisReply *entry = page->element[i];
		const redisReply *fields =
		    redis_is_array(entry) && entry->elements == 2 ? entry->element[1] : NULL;
		const char *at = redis_text(fields, 1), *id = redis_text(entry, 0);

		if (at && id && strtoll(at, NULL, 10) >= limit) {
			snprintf(out, size, "%s", id);
			return;
		}
	}
}

static int retain_old_changes(struct store_link *link, schedd_time limit, struct schedd_error *err)
{
	char first[64] = "";
	size_t count;
	int rc;

	do {
		struct redis_command command;
		redisReply *page;
		const char *last;

		redis_command_init(&command, "XRANGE");
		redis_command_key(&command, link, "changes");
		redis_command_text(&command, "-");
		redis_command_text(&command, "+");
		redis_command_text(&command, "COUNT");
		redis_command_number(&command, RETAIN_PAGE);
		rc = store_redis_ask(link, &command, &page, err);
		if (rc)
			return rc;
		count = redis_is_array(page) ? page->elements : 0;
		retain_first(page, limit, first, sizeof(first));
		last = count ? redis_text(page->element[count - 1], 0) : NULL;
		/* All of a page are old: they go, the last one with the next page. */
		if (first[0] || last)
			rc = retain_trim(link, "MINID", first[0] ? first : last, err);
		if (rc == 0 && !first[0] && count == 1)
			rc = retain_trim(link, "MAXLEN", "0", err);
		freeReplyObject(page);
	} while (rc == 0 && !first[0] && count > 1);
	return rc;
}

static int retain_changes(struct store_link *link, const struct store_retention *retention,
    schedd_time now, struct schedd_error *err)
{
	char most[24];
	int rc = 0;

	if (retention->max_changes > 0) {
		snprintf(most, sizeof(most), "%lld", (long long)retention->max_changes);
		rc = retain_trim(link, "MAXLEN", most, err);
	}
	if (rc == 0 && retention->keep_for != SCHEDD_SPAN_NONE)
		rc = retain_old_changes(link, now - retention->keep_for, err);
	return rc;
}

/* ---- All of it ---- */

static int retain_rules(struct store_link *link, const struct store_rules *rules, const char *key,
    uint32_t budget, schedd_time now, uint32_t *deleted, struct schedd_error *err)
{
	const struct store_retention *retention = &rules->retention;
	int rc = 0;

	if (retention->max_runs >= 0)
		rc = retain_total(link, retention->max_runs, budget, deleted, err);
	if (rc == 0 && retention->keep_for != SCHEDD_SPAN_NONE && *deleted < budget)
		rc = retain_age(
		    link, rules, key, now - retention->keep_for, budget, deleted, err);
	if (rc == 0 && retention->keep_runs >= 0 && *deleted < budget)
		rc = retain_runs(link, rules, key, budget, deleted, err);
	if (rc == 0 && !rules->job)
		rc = retain_changes(link, retention, now, err);
	return rc;
}

int store_redis_retain(struct store_link *link, const struct store_rules *rules, uint32_t budget,
    schedd_time now, uint32_t *deleted, struct schedd_error *err)
{
	char *key = NULL;
	int rc = rules->job ? store_redis_key(link, rules->job, &key, err) : 0;

	*deleted = 0;
	/* A job without a key has no runs. */
	if (rc == 0 && (!rules->job || key))
		rc = retain_rules(link, rules, key, budget, now, deleted, err);
	free(key);
	return rc;
}

int store_redis_sizes(
    struct store_link *link, int64_t *runs, int64_t *bytes, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply;
	int rc;

	redis_command_init(&command, "ZCARD");
	redis_command_key(&command, link, "log");
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	*runs = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
	*bytes = -1;
	freeReplyObject(reply);
	return 0;
}
