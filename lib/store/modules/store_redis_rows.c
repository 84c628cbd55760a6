/* SPDX-License-Identifier: MIT */
/* Fields of hashes: one by its name, a job, and rows of runs by those that an index named. */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_redis.h"

int store_redis_field(struct store_link *link, const char *hash, const char *field, char **out,
    struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply;
	int rc;

	*out = NULL;
	redis_command_init(&command, "HGET");
	redis_command_key(&command, link, hash);
	redis_command_text(&command, field);
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	if (reply->type == REDIS_REPLY_STRING)
		*out = strdup(reply->str);
	if (reply->type == REDIS_REPLY_STRING && !*out)
		rc = schedd_error_nomem(err);
	freeReplyObject(reply);
	return rc;
}

int store_redis_key(struct store_link *link, const char *id, char **out, struct schedd_error *err)
{
	return store_redis_field(link, "keys", id, out, err);
}

/* ---- A job ---- */

int store_redis_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	struct store_counters counters;
	struct redis_command command;
	const char *definition;
	redisReply *reply;
	int rc;

	/* Of one moment: others may write between two questions. */
	redis_command_function(&command, link, REDIS_FUNCTION("job"));
	redis_command_text(&command, id);
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	definition = redis_text(reply, 0);
	if (definition && store_redis_state_read(redis_text(reply, 1), &counters))
		store_watching_job(watching, id, definition, reply->element[0]->len, &counters);
	else
		store_watching_job(watching, id, NULL, 0, NULL);
	freeReplyObject(reply);
	return 0;
}

/* ---- Runs ---- */

static int rows_send(struct store_link *link, const char *hash, const redisReply *fields,
    struct schedd_error *err)
{
	struct redis_command command;

	redis_command_init(&command, "HMGET");
	redis_command_key(&command, link, hash);
	for (size_t i = 0; i < fields->elements; i++)
		redis_command_text(&command, redis_text(fields, i));
	return store_redis_send(link, &command, err);
}

/* The ids of jobs, by the number before the slash. */
static int rows_send_ids(struct store_link *link, const redisReply *fields, struct schedd_error *err)
{
	struct redis_command command;

	redis_command_init(&command, "HMGET");
	redis_command_key(&command, link, "ids");
	for (size_t i = 0; i < fields->elements; i++) {
		const char *field = redis_text(fields, i);

		redis_command_bytes(&command, field, field ? strcspn(field, "/") : 0);
	}
	return store_redis_send(link, &command, err);
}

/* "serial done {…}" of field "KEY/N". False: it is none. */
static bool rows_read(
    const redisReply *row, const char *field, struct arena *arena, struct run *run)
{
	const char *slash = field ? strchr(field, '/') : NULL, *json;

	if (!slash || !row || row->type != REDIS_REPLY_STRING)
		return false;
	json = strchr(row->str, '{');
	if (!json || !store_redis_row_read(json, (size_t)(row->str + row->len - json), arena, run))
		return false;
	run->serial = strtoull(row->str, NULL, 10);
	run->number = (uint32_t)strtoul(slash + 1, NULL, 10);
	return true;
}

static int rows_tell(struct store_link *link, struct redis_rows *rows, const redisReply *fields,
    redisReply *const answers[3], struct schedd_error *err)
{
	struct arena arena;

	for (int i = 0; i < 3; i++)
		if (answers[i] &&
		    (!redis_is_array(answers[i]) || answers[i]->elements != fields->elements))
			return store_redis_nonsense(link, err);
	arena_init(&arena);
	for (size_t i = 0; i < fields->elements && !rows->stopped; i++) {
		const char *id = rows->job ? rows->job : redis_text(answers[1], i);
		struct run run;

		arena_reset(&arena);
		if (!id || !rows_read(answers[0]->element[i], redis_text(fields, i), &arena, &run))
			continue;
		rows->at = i;
		run.job = (char *)(uintptr_t)id;
		run.result = answers[2] ? (char *)(uintptr_t)redis_text(answers[2], i) : NULL;
		rows->stopped = !rows->call(&run, rows->context);
	}
	arena_clear(&arena);
	return 0;
}

int store_redis_rows(struct store_link *link, struct redis_rows *rows, const redisReply *fields,
    struct schedd_error *err)
{
	redisReply *answers[3] = {NULL};
	int rc;

	if (!redis_is_array(fields))
		return store_redis_nonsense(link, err);
	if (fields->elements == 0)
		return 0;
	rc = rows_send(link, "runs", fields, err);
	if (rc == 0 && !rows->job)
		rc = rows_send_ids(link, fields, err);
	if (rc == 0 && rows->results)
		rc = rows_send(link, "results", fields, err);
	if (rc == 0)
		rc = store_redis_receive(link, &answers[0], err);
	if (rc == 0 && !rows->job)
		rc = store_redis_receive(link, &answers[1], err);
	if (rc == 0 && rows->results)
		rc = store_redis_receive(link, &answers[2], err);
	if (rc == 0)
		rc = rows_tell(link, rows, fields, answers, err);
	for (int i = 0; i < 3; i++)
		freeReplyObject(answers[i]);
	return rc;
}
