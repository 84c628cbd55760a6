/* SPDX-License-Identifier: MIT */
/* What is read back of jobs. Pages: a server that answers everything at once serves nobody else meanwhile. */
#include <stdlib.h>
#include <string.h>
#include "base/strmap.h"
#include "store/modules/store_redis.h"

#define READ_PAGE 4000        /* jobs: a server is at it for some milliseconds */
#define READ_PAGE_BYTES 2e6   /* if they are as large as those before */

/* ---- Jobs ---- */

struct read_id {
	const char *text;
};

static const char *read_id_key(const void *item)
{
	return ((const struct read_id *)item)->text;
}

struct reading {
	struct store_link *link;
	struct store_loading *loading;
	struct strmap seen; /* a scan may tell of a job twice */
	struct arena arena;
	char cursor[32];
	size_t page; /* jobs asked for at a time */
};

static int read_scan(const struct reading *reading, struct schedd_error *err)
{
	struct redis_command command;

	redis_command_init(&command, "HSCAN");
	redis_command_key(&command, reading->link, "jobs");
	redis_command_text(&command, reading->cursor);
	redis_command_text(&command, "COUNT");
	redis_command_number(&command, (int64_t)reading->page);
	return store_redis_send(reading->link, &command, err);
}

static int read_send_states(
    const struct reading *reading, const redisReply *page, struct schedd_error *err)
{
	struct redis_command command;

	redis_command_init(&command, "HMGET");
	redis_command_key(&command, reading->link, "state");
	for (size_t i = 0; i < page->elements; i += 2)
		redis_command_bytes(
		    &command, page->element[i]->str, page->element[i]->len);
	return store_redis_send(reading->link, &command, err);
}

static int read_jobs(struct reading *reading, const redisReply *page, const redisReply *states,
    struct schedd_error *err)
{
	size_t bytes = 0;
	int rc = 0;

	for (size_t i = 0; i + 1 < page->elements && rc == 0; i += 2) {
		struct read_id *id = arena_alloc(&reading->arena, sizeof(*id));
		struct store_counters counters;

		if (id)
			id->text = arena_strdup(&reading->arena, page->element[i]->str);
		if (arena_failed(&reading->arena))
			return schedd_error_nomem(err);
		rc = strmap_put(&reading->seen, id);
		bytes += page->element[i + 1]->len;
		if (rc == SCHEDD_ECONFLICT) {
			rc = 0;
			continue;
		}
		store_redis_state_read(redis_text(states, i / 2), &counters);
		if (rc == 0)
			rc = store_loading_job(reading->loading, id->text,
			    page->element[i + 1]->str, page->element[i + 1]->len, &counters);
	}
	if (bytes > 0) {
		double fit = READ_PAGE_BYTES / ((double)bytes / (double)(page->elements / 2));

		reading->page = fit > READ_PAGE ? READ_PAGE : fit < 10 ? 10 : (size_t)fit;
	}
	return rc ? schedd_error_set(err, rc, "store '%s': loading was given up",
			reading->link->config->name)
		  : 0;
}

/* A page: its states are asked for together with the next page. */
static int read_page(
    struct reading *reading, const redisReply *scan, struct schedd_error *err)
{
	const redisReply *page = redis_is_array(scan) && scan->elements == 2 ? scan->element[1] : NULL;
	const char *cursor = redis_text(scan, 0);
	redisReply *states = NULL;
	int rc = 0;

	if (!page || !redis_is_array(page) || page->elements % 2 || !cursor || strlen(cursor) > 30)
		return store_redis_nonsense(reading->link, err);
	for (size_t i = 0; i < page->elements; i++)
		if (page->element[i]->type != REDIS_REPLY_STRING)
			return store_redis_nonsense(reading->link, err);
	strcpy(reading->cursor, cursor);
	if (page->elements)
		rc = read_send_states(reading, page, err);
	if (rc == 0 && strcmp(reading->cursor, "0") != 0)
		rc = read_scan(reading, err);
	if (rc == 0 && page->elements)
		rc = store_redis_receive(reading->link, &states, err);
	if (rc == 0)
		rc = read_jobs(reading, page, states, err);
	freeReplyObject(states);
	return rc;
}

static int read_all_jobs(struct reading *reading, struct schedd_error *err)
{
	redisReply *scan = NULL;
	int rc;

	strcpy(reading->cursor, "0");
	reading->page = 50;
	rc = read_scan(reading, err);
	do {
		if (rc == 0)
			rc = store_redis_receive(reading->link, &scan, err);
		if (rc == 0)
			rc = read_page(reading, scan, err);
		freeReplyObject(scan);
		scan = NULL;
	} while (rc == 0 && strcmp(reading->cursor, "0") != 0);
	return rc;
}

/* ---- What stands beside them ---- */

static int read_values(struct reading *reading, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply;
	int rc;

	redis_command_init(&command, "HGETALL");
	redis_command_key(&command, reading->link, "values");
	rc = store_redis_ask(reading->link, &command, &reply, err);
	if (rc)
		return rc;
	for (size_t i = 0; redis_is_array(reply) && i + 1 < reply->elements; i += 2) {
		const char *key = redis_text(reply, i), *text = redis_text(reply, i + 1);

		if (key && text && text[0] == 't')
			store_loading_text(reading->loading, key, text + 1);
		else if (key && text && text[0] == 'n')
			store_loading_number(reading->loading, key, strtoll(text + 1, NULL, 10));
	}
	freeReplyObject(reply);
	return 0;
}

struct read_runs {
	struct store_loading *loading;
	struct redis_rows rows;
	bool taken[READ_PAGE]; /* of the page: another's before, whose process is none of ours */
};

static bool read_open_run(struct run *run, void *context)
{
	struct read_runs *runs = context;

	if (runs->taken[runs->rows.at]) {
		run->pid = 0;
		run->pid_start = 0;
	}
	store_loading_run(runs->loading, run);
	return true;
}

static int read_open_runs(struct reading *reading, struct schedd_error *err)
{
	struct read_runs runs = {.loading = reading->loading, .rows.call = read_open_run};
	struct redis_command command;
	redisReply *reply;
	int64_t from = 0;
	size_t count;
	int rc;

	runs.rows.context = &runs;
	do {
		redis_command_init(&command, "ZRANGE");
		redis_command_key(&command, reading->link, "open");
		redis_command_number(&command, from);
		redis_command_number(&command, from + READ_PAGE - 1);
		rc = store_redis_ask(reading->link, &command, &reply, err);
		if (rc)
			return rc;
		count = redis_is_array(reply) ? reply->elements : 0;
		if (reading->link->config->shared)
			rc = store_redis_own_runs(reading->link, reply, runs.taken, err);
		if (rc == 0)
			rc = store_redis_rows(reading->link, &runs.rows, reply, err);
		from += (int64_t)count;
		freeReplyObject(reply);
	} while (rc == 0 && count == READ_PAGE);
	return rc;
}

int store_redis_load(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err)
{
	struct reading reading = {.link = link, .loading = loading};
	int rc;

	strmap_init(&reading.seen, read_id_key);
	arena_init(&reading.arena);
	/* What is changed while it is read has a line in the feed behind that. */
	rc = link->config->shared ? store_redis_load_slots(link, loading, err) : 0;
	if (rc == 0)
		rc = read_all_jobs(&reading, err);
	if (rc == 0)
		rc = read_values(&reading, err);
	if (rc == 0)
		rc = read_open_runs(&reading, err);
	strmap_clear(&reading.seen);
	arena_clear(&reading.arena);
	/* Answers may still be on their way. */
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	return rc;
}

/* ---- One job ---- */

/* The highest number among its runs that are kept. */
static int read_top(struct store_link *link, const char *key, int64_t *out, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply;
	int rc;

	redis_command_init(&command, "ZREVRANGE");
	redis_command_key(&command, link, arena_printf(&command.arena, "of:%s", key));
	redis_command_text(&command, "0");
	redis_command_text(&command, "0");
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	*out = redis_text(reply, 0) ? strtoll(redis_text(reply, 0), NULL, 10) : 0;
	freeReplyObject(reply);
	return 0;
}

int store_redis_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err)
{
	struct store_counters counters;
	char *state = NULL, *key = NULL;
	int64_t top = 0;
	int rc = store_redis_field(link, "state", id, &state, err);

	store_redis_state_read(state, &counters);
	free(state);
	if (rc == 0)
		rc = store_redis_key(link, id, &key, err);
	if (rc == 0 && key)
		rc = read_top(link, key, &top, err);
	free(key);
	*out = counters.last_run > top ? counters.last_run : top;
	return rc;
}
