/* SPDX-License-Identifier: MIT */
/* Commands, answers, and what the server's errors mean. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_redis.h"

/* What a server takes in one command by its defaults. */
#define TALK_BYTES_MOST (900u << 20)

/* ---- Commands ---- */

void redis_command_init(struct redis_command *command, const char *name)
{
	memset(command, 0, sizeof(*command));
	arena_init(&command->arena);
	redis_command_text(command, name);
}

void redis_command_clear(struct redis_command *command)
{
	free(command->texts);
	free(command->lengths);
	command->texts = NULL;
	command->lengths = NULL;
	arena_clear(&command->arena);
}

static bool command_room(struct redis_command *command)
{
	int room = command->room ? command->room * 2 : 16;
	const char **texts;
	size_t *lengths;

	if (command->count < command->room)
		return true;
	texts = realloc(command->texts, (size_t)room * sizeof(texts[0]));
	if (texts)
		command->texts = texts;
	lengths = texts ? realloc(command->lengths, (size_t)room * sizeof(lengths[0])) : NULL;
	if (!lengths)
		return false;
	command->lengths = lengths;
	command->room = room;
	return true;
}

void redis_command_bytes(struct redis_command *command, const char *text, size_t length)
{
	if (!text || !command_room(command)) {
		command->failed = true;
		return;
	}
	command->texts[command->count] = text;
	command->lengths[command->count++] = length;
	command->bytes += length + 16;
}

void redis_command_text(struct redis_command *command, const char *text)
{
	redis_command_bytes(command, text, text ? strlen(text) : 0);
}

char *redis_digits(char *to, int64_t number)
{
	char text[24], *at = text + sizeof(text);
	uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	size_t length;

	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (number < 0)
		*--at = '-';
	length = (size_t)(text + sizeof(text) - at);
	memcpy(to, at, length);
	return to + length;
}

void redis_command_number(struct redis_command *command, int64_t number)
{
	char text[REDIS_DIGITS_SIZE];

	redis_command_copy(command, text, (size_t)(redis_digits(text, number) - text));
}

void redis_command_copy(struct redis_command *command, const char *text, size_t length)
{
	redis_command_bytes(command, arena_strndup(&command->arena, text, length), length);
}

void redis_command_copy_buf(struct redis_command *command, const struct strbuf *text)
{
	if (strbuf_failed(text))
		command->failed = true;
	else
		redis_command_copy(command, strbuf_peek(text), text->length);
}

static const char *talk_prefix(const struct store_link *link)
{
	return link->config->prefix ? link->config->prefix : "schedd:";
}

void redis_command_key(
    struct redis_command *command, const struct store_link *link, const char *name)
{
	redis_command_text(
	    command, arena_printf(&command->arena, "{%s}%s", talk_prefix(link), name));
}

void redis_command_function(
    struct redis_command *command, const struct store_link *link, const char *name)
{
	redis_command_init(command, "FCALL");
	redis_command_text(command, name);
	redis_command_text(command, "1");
	redis_command_key(command, link, "");
}

int store_redis_send(
    struct store_link *link, struct redis_command *command, struct schedd_error *err)
{
	char *bytes = NULL;
	int length = -1, rc;

	if (command->bytes > TALK_BYTES_MOST) {
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': a change of %zu MB is more than a Redis server takes at once (%u MB): "
		    "make it in parts",
		    link->config->name, command->bytes >> 20, TALK_BYTES_MOST >> 20);
		redis_command_clear(command);
		return rc;
	}
	if (!command->failed)
		length = redisFormatCommandArgv(
		    &bytes, command->count, command->texts, command->lengths);
	rc = length < 0 ? schedd_error_nomem(err)
			: store_redis_wire_write(link, bytes, (size_t)length, err);
	if (bytes) {
		/* It may have been a password. */
		if (length > 0 && length < 4096)
			explicit_bzero(bytes, (size_t)length);
		free(bytes);
	}
	redis_command_clear(command);
	return rc;
}

/* ---- Errors ---- */

/* By how the server's error begins. %s is all of it. */
static const struct {
	const char *begin;
	enum store_fault fault;
	const char *hint; /* before it; "": it says enough */
} talk_errors[] = {
    {"LOADING", STORE_FAULT_GONE, "the server is still reading its files: "},
    {"MASTERDOWN", STORE_FAULT_GONE, ""},
    {"BUSY ", STORE_FAULT_GONE, "the server is busy with a script: "},
    {"ERR max number of clients", STORE_FAULT_GONE, ""},
    {"ERR Function not found", STORE_FAULT_GONE, "the server has lost schedd's functions: "},
    {"READONLY", STORE_FAULT_READ_ONLY, "the server is a replica and takes no writes: "},
    {"OOM", STORE_FAULT_READ_ONLY, "the server is full (maxmemory) and takes no writes: "},
    {"MISCONF", STORE_FAULT_READ_ONLY, "the server cannot save and takes no writes: "},
    {"NOREPLICAS", STORE_FAULT_READ_ONLY, "the server has too few replicas and takes no writes: "},
    {"NOAUTH", STORE_FAULT_REFUSED,
	"the server wants a password (password_file, or redis://:PASSWORD@HOST): "},
    {"WRONGPASS", STORE_FAULT_REFUSED, "the server refuses the user or its password: "},
    {"ERR Client sent AUTH", STORE_FAULT_REFUSED, ""},
    {"ERR AUTH", STORE_FAULT_REFUSED, ""},
    {"NOPERM", STORE_FAULT_REFUSED, "the user lacks rights, see schedd-stores(7): "},
    {"ERR The user executing the script can't", STORE_FAULT_REFUSED,
	"the user lacks the right to a command that schedd-stores(7) names: "},
    {"ERR ACL failure in script", STORE_FAULT_REFUSED,
	"the user lacks the right to a command that schedd-stores(7) names: "}, /* since 7.2, and Valkey */
    {"DENIED", STORE_FAULT_REFUSED, ""},
    {"MOVED", STORE_FAULT_REFUSED,
	"the server is one of a cluster and does not hold these keys, name the node that does: "},
    {"CLUSTERDOWN", STORE_FAULT_GONE, ""},
    {"ERR DB index", STORE_FAULT_REFUSED, "the server has no such database: "},
    {"ERR SELECT", STORE_FAULT_REFUSED, ""},
    {"ERR unknown command", STORE_FAULT_REFUSED, "it must be Redis 7 or later: "},
    {"WRONGTYPE", STORE_FAULT_REFUSED, "a key is another program's: "},
};

int store_redis_failed(struct store_link *link, const char *text, struct schedd_error *err)
{
	for (size_t i = 0; i < sizeof(talk_errors) / sizeof(talk_errors[0]); i++)
		if (strncmp(text, talk_errors[i].begin, strlen(talk_errors[i].begin)) == 0)
			return store_link_fail(link, talk_errors[i].fault, err, "%s%.300s",
			    talk_errors[i].hint, text);
	/* A script that fails half way has written half: that must not be built upon. */
	return store_link_fail(link, STORE_FAULT_REFUSED, err, "%.400s", text);
}

int store_redis_nonsense(struct store_link *link, struct schedd_error *err)
{
	if (redis_of(link)->sent)
		return store_redis_wire_gone(link, "the server's answer is not understood", err);
	return store_link_fail(link, STORE_FAULT_REFUSED, err,
	    "what answers there is no Redis server, or answers what schedd does not understand");
}

/* ---- Answers ---- */

int store_redis_receive_any(struct store_link *link, redisReply **out, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	void *reply = NULL;

	*out = NULL;
	for (;;) {
		int rc;

		if (redisReaderGetReply(redis->reader, &reply))
			return redis->reader->err == REDIS_ERR_OOM
				   ? store_redis_wire_gone(link, "out of memory", err)
				   : store_redis_nonsense(link, err);
		if (reply)
			break;
		rc = store_redis_wire_read(link, err);
		if (rc)
			return rc;
	}
	redis->heard = true;
	*out = reply;
	return 0;
}

int store_redis_receive(struct store_link *link, redisReply **out, struct schedd_error *err)
{
	int rc = store_redis_receive_any(link, out, err);

	if (rc || (*out)->type != REDIS_REPLY_ERROR)
		return rc;
	rc = store_redis_failed(link, (*out)->str, err);
	freeReplyObject(*out);
	*out = NULL;
	return rc;
}

int store_redis_ask(struct store_link *link, struct redis_command *command, redisReply **out,
    struct schedd_error *err)
{
	redisReply *reply = NULL;
	int rc = store_redis_send(link, command, err);

	if (rc == 0)
		rc = store_redis_receive(link, &reply, err);
	if (rc == 0 && out)
		*out = reply;
	else
		freeReplyObject(reply);
	return rc;
}

bool redis_is_array(const redisReply *reply)
{
	return reply && reply->type == REDIS_REPLY_ARRAY;
}

const char *redis_text(const redisReply *reply, size_t at)
{
	const redisReply *item =
	    redis_is_array(reply) && at < reply->elements ? reply->element[at] : NULL;

	return item && (item->type == REDIS_REPLY_STRING || item->type == REDIS_REPLY_STATUS)
		   ? item->str
		   : NULL;
}
