/* SPDX-License-Identifier: MIT */
/*
 * Logging in: what the server is and promises, schedd's functions on it, and
 * whose store it is. All questions of a log-in go out at once, for a server may be far away.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/iso8601.h"
#include "base/log.h"
#include "store/modules/store_redis.h"

/* ---- The log-in ---- */

/* With a password alone the user is "default"; so it is for a name that is empty. */
static int login_send(struct store_link *link, struct schedd_error *err)
{
	const struct store_url *url = &link->config->url;
	const char *database = store_url_param(url, "db");
	struct redis_command command;
	int rc = 0;

	if (url->password) {
		redis_command_init(&command, "AUTH");
		redis_command_text(&command, url->user && url->user[0] ? url->user : "default");
		redis_command_text(&command, url->password);
		rc = store_redis_send(link, &command, err);
	}
	if (!database && strcmp(url->scheme, "unix") != 0 && url->path[0])
		database = url->path;
	if (rc == 0) {
		redis_command_init(&command, "SELECT");
		redis_command_text(&command, database ? database : "0");
		rc = store_redis_send(link, &command, err);
	}
	return rc;
}

static int login_receive(struct store_link *link, struct schedd_error *err)
{
	redisReply *reply;
	int rc = 0;

	for (int i = link->config->url.password ? 0 : 1; i < 2 && rc == 0; i++) {
		rc = store_redis_receive(link, &reply, err);
		if (rc == 0 && reply->type != REDIS_REPLY_STATUS)
			rc = store_redis_nonsense(link, err);
		if (rc == 0)
			freeReplyObject(reply);
	}
	return rc;
}

/* ---- What it is ---- */

static int own_send_questions(struct store_link *link, struct schedd_error *err)
{
	struct redis_command command;
	int rc;

	redis_command_init(&command, "INFO");
	rc = store_redis_send(link, &command, err);
	if (rc)
		return rc;
	redis_command_init(&command, "CONFIG");
	redis_command_text(&command, "GET");
	redis_command_text(&command, "appendfsync");
	rc = store_redis_send(link, &command, err);
	if (rc)
		return rc;
	redis_command_init(&command, "FUNCTION");
	redis_command_text(&command, "LIST");
	redis_command_text(&command, "LIBRARYNAME");
	redis_command_text(&command, REDIS_LIBRARY);
	redis_command_text(&command, "WITHCODE");
	return store_redis_send(link, &command, err);
}

/* A line of INFO, "" where there is none. */
static void own_line(const char *info, const char *name, char *out, size_t size)
{
	size_t length = strlen(name);

	out[0] = '\0';
	for (const char *at = info; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (strncmp(at, name, length) == 0 && at[length] == ':')
			snprintf(out, size, "%.*s", (int)strcspn(at + length + 1, "\r\n"),
			    at + length + 1);
}

static int own_check_version(struct store_link *link, const char *info, struct schedd_error *err)
{
	char version[32], role[16], host[64], port[16];

	own_line(info, "redis_version", version, sizeof(version));
	own_line(info, "role", role, sizeof(role));
	if (!version[0])
		return store_redis_nonsense(link, err);
	if (atoi(version) < 7)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "the server is Redis %s, it must be 7 or later", version);
	if (strcmp(role, "slave") != 0)
		return 0;
	own_line(info, "master_host", host, sizeof(host));
	own_line(info, "master_port", port, sizeof(port));
	return store_link_fail(link, STORE_FAULT_READ_ONLY, err,
	    "the server is a replica of %s:%s and takes no writes", host, port);
}

/* What a crash takes with it, as far as the server lets itself be asked. */
static const char *own_survives(bool aof, const char *fsync)
{
	if (!aof)
		return "a crash of the server loses all changes since its last snapshot";
	if (strcmp(fsync, "always") == 0)
		return "survives a crash of the server";
	if (strcmp(fsync, "everysec") == 0)
		return "survives the server being killed, a crash of its machine may lose 2 s of "
		       "changes";
	if (strcmp(fsync, "no") == 0)
		return "survives the server being killed, a crash of its machine may lose changes";
	return "survives the server being killed; what a crash of its machine loses is unknown";
}

/*
 * It has another number after each start, and a replica has one as it takes its primary's place, from which it knows the
 * primary's. One that writes all down before it answers has it after a start.
 */
static void own_identify(struct store_link *link, const char *info, const char *fsync)
{
	struct redis_link *redis = redis_of(link);
	char before[48], aof[8];

	own_line(info, "master_replid", redis->server, sizeof(redis->server));
	own_line(info, "master_replid2", before, sizeof(before));
	own_line(info, "aof_enabled", aof, sizeof(aof));
	redis->whole = strcmp(aof, "1") == 0 && strcmp(fsync, "always") == 0 && strspn(before, "0") == strlen(before);
}

static void own_promise(struct store_link *link, const char *info, const redisReply *config)
{
	char version[32], aof[8], policy[32], valkey[32], replicas[16];
	const char *fsync = redis_text(config, 1);

	own_line(info, "valkey_version", valkey, sizeof(valkey));
	own_line(info, "redis_version", version, sizeof(version));
	own_line(info, "aof_enabled", aof, sizeof(aof));
	own_line(info, "maxmemory_policy", policy, sizeof(policy));
	own_line(info, "connected_slaves", replicas, sizeof(replicas));
	fsync = fsync ? fsync : "unknown";
	own_identify(link, info, fsync);
	snprintf(link->durability, sizeof(link->durability),
	    "%s %s, %s (aof_enabled %s, appendfsync %s, maxmemory_policy %s%s%s)",
	    valkey[0] ? "Valkey" : "Redis", valkey[0] ? valkey : version,
	    own_survives(strcmp(aof, "1") == 0, fsync), aof[0] ? aof : "unknown", fsync,
	    policy[0] ? policy : "unknown",
	    policy[0] && strcmp(policy, "noeviction") != 0 ? ": it may delete jobs" : "",
	    atoi(replicas) > 0 ? "; a fail-over to a replica may lose some" : "");
	/* Said once: what is lost there was begun, and is begun again. */
	if (link->config->shared && link->epoch == 0 && strcmp(aof, "1") != 0)
		log_warn(link->log,
		    "store '%s': it is shared, and %s: runs begun since then would be begun again",
		    link->config->name, own_survives(false, fsync));
}

/* ---- schedd's functions ---- */

/* True: they are there, and are these. */
static int own_check_library(
    struct store_link *link, const redisReply *list, bool *there, struct schedd_error *err)
{
	const redisReply *library =
	    redis_is_array(list) && list->elements ? list->element[0] : NULL;

	*there = false;
	for (size_t i = 0; library && redis_is_array(library) && i + 1 < library->elements; i += 2) {
		const char *name = redis_text(library, i), *code = redis_text(library, i + 1);

		if (!name || strcmp(name, "library_code") != 0 || !code)
			continue;
		*there = true;
		if (strcmp(code, store_redis_library) != 0)
			return store_link_fail(link, STORE_FAULT_REFUSED, err,
			    "the library of functions '" REDIS_LIBRARY
			    "' on the server is not this schedd's: let the same build use it, or, where "
			    "no other schedd does, FUNCTION DELETE " REDIS_LIBRARY);
	}
	return 0;
}

static int own_load_library(struct store_link *link, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply = NULL;
	int rc;

	redis_command_init(&command, "FUNCTION");
	redis_command_text(&command, "LOAD");
	redis_command_text(&command, store_redis_library);
	rc = store_redis_send(link, &command, err);
	if (rc == 0)
		rc = store_redis_receive_any(link, &reply, err);
	/* Two that come at once do it once. */
	if (rc == 0 && reply->type == REDIS_REPLY_ERROR && !strstr(reply->str, "already exists"))
		rc = store_redis_failed(link, reply->str, err);
	freeReplyObject(reply);
	return rc;
}

/* ---- Whose it is ---- */

void store_redis_session(struct redis_link *redis)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), 0) < 0)
		random = (uint64_t)schedd_clock_system()->mono(NULL).us;
	snprintf(redis->session, sizeof(redis->session), "%016" PRIx64, random);
}

static int own_held(struct store_link *link, const redisReply *reply, struct schedd_error *err)
{
	struct strbuf since = STRBUF_EMPTY;
	const char *holder = redis_text(reply, 1), *when = redis_text(reply, 2);

	iso8601_format(&since, when ? strtoll(when, NULL, 10) / SCHEDD_SECOND * SCHEDD_SECOND : 0,
	    0, true);
	store_link_fail(link, STORE_FAULT_HELD, err, "it belongs to %s since %s",
	    holder ? holder : "another schedd", strbuf_peek(&since));
	strbuf_clear(&since);
	return SCHEDD_EFAILED;
}

/* What a schema that is not ours to use is called, with one more word of the server's. */
static const struct {
	const char *word, *sentence;
} own_wrongs[] = {
    {"half", "its keys are not all there (%s of them, but no schema) or another program's; they are "
	     "left as they are, use another prefix"},
    {"foreign", "keys of its prefix are another program's%s; they are left as they are, use another "
		"prefix"},
    {"schema", "it was written by a newer schedd (schema %s, known is " REDIS_SCHEMA
	       "); it is left as it is: run that version here"},
    {"missing", "keys of its %s jobs are gone, deleted or evicted on the server; what is left stays "
		"as it is, bring them back or use another prefix"},
    {"emptied", "all of its keys are gone, deleted on the server%s: bring them back, or restart "
		"schedd to begin anew"},
};

int store_redis_not_ours(
    struct store_link *link, const redisReply *reply, struct schedd_error *err)
{
	const char *word = redis_text(reply, 0), *more = redis_text(reply, 1);

	if (word && strcmp(word, "held") == 0)
		return own_held(link, reply, err);
	for (size_t i = 0; word && i < sizeof(own_wrongs) / sizeof(own_wrongs[0]); i++)
		if (strcmp(word, own_wrongs[i].word) == 0) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			return store_link_fail(link, STORE_FAULT_REFUSED, err,
			    own_wrongs[i].sentence, more ? more : "");
#pragma GCC diagnostic pop
		}
	return store_redis_nonsense(link, err);
}

int store_redis_own(struct store_link *link, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	struct redis_command command;
	const char *word;
	redisReply *reply;
	int rc;

	store_redis_session(redis_of(link));
	redis_of(link)->renewed = link->clock->mono(link->clock->context).us;
	redis_command_function(&command, link, REDIS_FUNCTION("own"));
	redis_command_number(&command, (int64_t)link->epoch);
	redis_command_text(&command, config->identity);
	redis_command_text(&command, config->life);
	redis_command_text(&command, config->holder);
	redis_command_number(&command, link->clock->wall(link->clock->context));
	redis_command_number(&command, config->lease / 1000);
	redis_command_text(&command, redis_of(link)->session);
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	word = redis_text(reply, 0);
	if (word && strcmp(word, "ok") == 0 && redis_text(reply, 1))
		link->epoch = strtoull(redis_text(reply, 1), NULL, 10);
	else
		rc = store_redis_not_ours(link, reply, err);
	freeReplyObject(reply);
	return rc;
}

static int own_learn(struct store_link *link, const redisReply *info, const redisReply *config,
    const redisReply *list, struct schedd_error *err)
{
	bool there;
	int rc = 0;

	if (info->type == REDIS_REPLY_ERROR)
		rc = store_redis_failed(link, info->str, err);
	else if (info->type != REDIS_REPLY_STRING)
		rc = store_redis_nonsense(link, err);
	if (rc == 0)
		rc = own_check_version(link, info->str, err);
	if (rc == 0) {
		own_promise(link, info->str, config);
		rc = own_check_library(link, list, &there, err);
	}
	if (rc == 0 && !there)
		rc = own_load_library(link, err);
	return rc;
}

int store_redis_login(struct store_link *link, struct schedd_error *err)
{
	redisReply *replies[3] = {NULL};
	int rc = login_send(link, err);

	if (rc == 0 && link->writer)
		rc = own_send_questions(link, err);
	if (rc == 0)
		rc = login_receive(link, err);
	for (int i = 0; i < 3 && rc == 0 && link->writer; i++)
		rc = store_redis_receive_any(link, &replies[i], err);
	if (rc == 0 && link->writer)
		rc = own_learn(link, replies[0], replies[1], replies[2], err);
	for (int i = 0; i < 3; i++)
		freeReplyObject(replies[i]);
	return rc;
}

/* ---- While it lasts ---- */

int store_redis_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	struct redis_command command;
	const char *word;
	redisReply *reply;
	int rc;

	(void)watching;
	redis_command_function(&command, link, REDIS_FUNCTION("beat"));
	redis_command_number(&command, (int64_t)link->epoch);
	redis_command_text(&command, redis_of(link)->session);
	redis_command_text(&command, link->config->life);
	redis_command_number(&command, link->config->lease / 1000);
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc) {
		if (link->fault == STORE_FAULT_NONE)
			link->fault = STORE_FAULT_GONE;
		return rc;
	}
	word = redis_text(reply, 0);
	if (!word || strcmp(word, "ok") != 0)
		rc = store_link_fail(
		    link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
	freeReplyObject(reply);
	return rc;
}

/* Nobody waits for the answer: if it does not arrive the lease ends by itself. */
void store_redis_release(struct store_link *link)
{
	struct redis_link *redis = redis_of(link);
	struct redis_command command;
	char *bytes = NULL;
	int length;

	if (!redis->open || !redis->session[0] || link->epoch == 0)
		return;
	redis_command_function(&command, link, REDIS_FUNCTION("release"));
	redis_command_number(&command, (int64_t)link->epoch);
	redis_command_text(&command, redis->session);
	length = command.failed ? -1
				: redisFormatCommandArgv(&bytes, command.count, command.texts,
				      command.lengths);
	if (length > 0)
		store_redis_wire_throw(link, bytes, (size_t)length);
	free(bytes);
	redis_command_clear(&command);
}
