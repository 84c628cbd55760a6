/* SPDX-License-Identifier: MIT */
#include "bench/bare.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static redisContext *redis;

static void redis_die(const char *what)
{
	fprintf(stderr, "bare_redis: %s: %s\n", what, redis ? redis->errstr : "no connection");
	exit(1);
}

static redisReply *redis_next(void)
{
	redisReply *reply = NULL;

	if (redisGetReply(redis, (void **)&reply) || !reply || reply->type == REDIS_REPLY_ERROR)
		redis_die(reply ? reply->str : "no answer");
	return reply;
}

static void redis_take(int count)
{
	while (count-- > 0)
		freeReplyObject(redis_next());
}

static void redis_open(void)
{
	redis = redisConnectUnix(getenv("SCHEDD_TEST_SERVER_SOCKET"));
	if (!redis || redis->err)
		redis_die("connect");
	redisAppendCommand(redis, "SELECT 5");
	redisAppendCommand(redis, "FLUSHDB");
	redis_take(2);
}

/* Both in one transaction: four commands, one answer that counts. */
static void redis_send_add(int number)
{
	char id[16], text[300];

	snprintf(id, sizeof(id), "job-%06d", number);
	snprintf(text, sizeof(text), BARE_DEFINITION, number, number, 60 + number % 60);
	redisAppendCommand(redis, "MULTI");
	redisAppendCommand(redis, "HSET jobs %s %s", id, text);
	redisAppendCommand(redis, "HSET state %s %s", id, "1800000000000000 1800000000000000 0 0 1");
	redisAppendCommand(redis, "EXEC");
}

static void redis_adds(int from, int count, int in_flight)
{
	int sent = 0, answered = 0;

	while (answered < count) {
		while (sent < count && sent - answered < in_flight)
			redis_send_add(from + sent++);
		redis_take(4);
		answered++;
	}
}

/* Appends one multi-value command. */
static void redis_send_many(const char *command, const char *key, int from, int count,
    void (*put)(int number, int argument, char field[40], char text[300]), int argument)
{
	const char **words = malloc(((size_t)count * 2 + 2) * sizeof(words[0]));
	size_t *lengths = malloc(((size_t)count * 2 + 2) * sizeof(lengths[0]));
	char(*fields)[40] = malloc((size_t)count * sizeof(fields[0]));
	char(*texts)[300] = malloc((size_t)count * sizeof(texts[0]));

	words[0] = command;
	words[1] = key;
	for (int i = 0; i < count; i++) {
		put(from + i, argument, fields[i], texts[i]);
		words[2 + 2 * i] = fields[i];
		words[3 + 2 * i] = texts[i];
	}
	for (int i = 0; i < 2 + 2 * count; i++)
		lengths[i] = strlen(words[i]);
	redisAppendCommandArgv(redis, 2 + 2 * count, words, lengths);
	free(words);
	free(lengths);
	free(fields);
	free(texts);
}

static void put_state(int number, int run, char field[40], char text[300])
{
	snprintf(field, 40, "job-%06d", number);
	snprintf(text, 300, "1800000000000000 1800000000000000 %d %d 1", run, run);
}

static void put_run(int number, int run, char field[40], char text[300])
{
	snprintf(field, 40, "%d/%d", number, run);
	snprintf(text, 300, "%d - " BARE_RUN, number);
}

static void put_serial(int number, int run, char field[40], char text[300])
{
	snprintf(field, 40, "%d", number + run * 100000);
	snprintf(text, 300, "%d/%d", number, run);
}

static void redis_claims(int from, int count, int run)
{
	redisAppendCommand(redis, "MULTI");
	redis_send_many("HSET", "state", from, count, put_state, run);
	redis_send_many("HSET", "runs", from, count, put_run, run);
	redis_send_many("ZADD", "log", from, count, put_serial, run);
	redis_send_many("ZADD", "open", from, count, put_serial, run);
	for (int i = 0; i < count; i++)
		redisAppendCommand(redis, "ZADD of:%d %d %d", from + i, run, run);
	redisAppendCommand(redis, "EXEC");
	redis_take(count + 6);
}

static void redis_raw(int number)
{
	redisAppendCommand(redis, "SET batch %d", number);
	redis_take(1);
}

static int redis_load(void)
{
	char cursor[32] = "0";
	int found = 0;

	do {
		redisReply *scan, *states;
		const char *words[2002] = {"HMGET", "state"};
		int count = 2;

		redisAppendCommand(redis, "HSCAN jobs %s COUNT 1000", cursor);
		scan = redis_next();
		snprintf(cursor, sizeof(cursor), "%s", scan->element[0]->str);
		for (size_t i = 0; i < scan->element[1]->elements && count < 2002; i += 2)
			words[count++] = scan->element[1]->element[i]->str;
		if (count > 2) {
			redisAppendCommandArgv(redis, count, words, NULL);
			states = redis_next();
			found += (int)states->elements;
			freeReplyObject(states);
		}
		freeReplyObject(scan);
	} while (strcmp(cursor, "0") != 0);
	return found;
}

static void redis_close(void)
{
	redisAppendCommand(redis, "FLUSHDB");
	redis_take(1);
	redisFree(redis);
}

const struct bare bare_redis = {
    "redis", redis_open, redis_adds, redis_claims, redis_load, redis_close, NULL, redis_raw};
