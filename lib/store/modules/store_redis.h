/* SPDX-License-Identifier: MIT */
/* The parts of type "redis": one link's connection, its commands, rows on their way. */
#ifndef SCHEDD_STORE_MODULES_STORE_REDIS_H
#define SCHEDD_STORE_MODULES_STORE_REDIS_H

#include <hiredis/hiredis.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_nodes.h"

/* What the library writes; it says so itself. */
#define REDIS_SCHEMA "2"
/* Of the function library, which is never replaced by another version. */
#define REDIS_LIBRARY "schedd_v2"
#define REDIS_FUNCTION(name) REDIS_LIBRARY "_" name

struct store_lookup;

struct redis_link {
	bool open; /* fd is one */
	int fd;
	SSL_CTX *context; /* NULL: no TLS */
	SSL *ssl;
	redisReader *reader;
	struct store_lookup *lookup; /* under way; NULL: none */
	bool heard;        /* the server has answered something */
	bool sent;         /* what is on its way changes something, and all of it was handed over */
	int64_t renewed;   /* monotonic: the lease of a store that is ours alone was, or sooner */
	char session[24];  /* of this connection; the owner's record names it, or the node's */
	/* Of the writer's, where the store is shared: */
	struct nodes_feed feed;
	struct nodes_place place;
	uint64_t handed;         /* the batch that was sent last */
	char server[48];         /* which one it is, as it says itself; "": it does not */
	bool whole;              /* it has all that it answered when it was another before, as it does not forget */
	struct store_link *ear; /* waits for lines of the feed; NULL: none */
	bool waiting;           /* it was told to */
};

static inline struct redis_link *redis_of(const struct store_link *link)
{
	return link->state;
}

/* ---- store_redis_wire.c: bytes ---- */

/* Reaches the server within the deadline, TLS included. */
int store_redis_wire_open(struct store_link *link, struct schedd_error *err);
/* Never blocks. */
void store_redis_wire_close(struct store_link *link);
int store_redis_wire_write(
    struct store_link *link, const char *bytes, size_t length, struct schedd_error *err);
/* What goes out at once, and no more; for a farewell. */
void store_redis_wire_throw(struct store_link *link, const char *bytes, size_t length);
/* At least one byte for the reader. */
int store_redis_wire_read(struct store_link *link, struct schedd_error *err);
/* Fails: the connection is gone. */
int store_redis_wire_gone(struct store_link *link, const char *why, struct schedd_error *err);

/* ---- store_redis_talk.c: commands and answers ---- */

/* A command that is put together; texts are borrowed but for numbers. */
struct redis_command {
	const char **texts;
	size_t *lengths;
	int count, room;
	size_t bytes;
	bool failed;
	struct arena arena; /* for what it points to and is nobody's else */
};

void redis_command_init(struct redis_command *command, const char *name);
void redis_command_clear(struct redis_command *command);
void redis_command_text(struct redis_command *command, const char *text);
void redis_command_bytes(struct redis_command *command, const char *text, size_t length);
void redis_command_number(struct redis_command *command, int64_t number);
/* Of what is gone when it is sent. */
void redis_command_copy(struct redis_command *command, const char *text, size_t length);
void redis_command_copy_buf(struct redis_command *command, const struct strbuf *text);
/* Writes it there, without an end; answers where it ends. */
#define REDIS_DIGITS_SIZE 24
char *redis_digits(char *to, int64_t number);
/* The name of a key: prefix and all. */
void redis_command_key(
    struct redis_command *command, const struct store_link *link, const char *name);
/* "FCALL name 1 prefix". */
void redis_command_function(
    struct redis_command *command, const struct store_link *link, const char *name);

/* Hands it over; any number may be under way. Clears the command. */
int store_redis_send(
    struct store_link *link, struct redis_command *command, struct schedd_error *err);
/* The next answer; an error of the server's fails. *out is the caller's to freeReplyObject. */
int store_redis_receive(struct store_link *link, redisReply **out, struct schedd_error *err);
/* The same, and an error of the server's is an answer. */
int store_redis_receive_any(struct store_link *link, redisReply **out, struct schedd_error *err);
/* Both; out may be NULL. */
int store_redis_ask(struct store_link *link, struct redis_command *command, redisReply **out,
    struct schedd_error *err);
/* What an error of the server's means: the fault and the sentence. */
int store_redis_failed(struct store_link *link, const char *text, struct schedd_error *err);
/* Fails: it is no answer of a Redis server. */
int store_redis_nonsense(struct store_link *link, struct schedd_error *err);
/* One of an array's strings; NULL: there is none. */
const char *redis_text(const redisReply *reply, size_t at);
bool redis_is_array(const redisReply *reply);

static inline int64_t redis_number(const redisReply *reply, size_t at)
{
	const char *text = redis_text(reply, at);

	return text ? strtoll(text, NULL, 10) : 0;
}

/* The first word of an answer of our functions. */
static inline bool redis_says(const redisReply *reply, const char *word)
{
	const char *text = redis_text(reply, 0);

	return text && strcmp(text, word) == 0;
}

/* "": there is none. */
static inline const char *redis_text_at(const redisReply *reply, size_t at)
{
	const char *text = redis_text(reply, at);

	return text ? text : "";
}

/* ---- store_redis_own.c ---- */

/* Logs in; the writer's link sees what the server is and promises. */
int store_redis_login(struct store_link *link, struct schedd_error *err);
/* The writer's link becomes the owner. */
int store_redis_own(struct store_link *link, struct schedd_error *err);
int store_redis_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err);
/* Lets others have it at once. */
void store_redis_release(struct store_link *link);
/* A number for the connection that no other has. */
void store_redis_session(struct redis_link *redis);
/* Of what a function answers that took nothing: whose it is, or what is wrong with it. */
int store_redis_not_ours(
    struct store_link *link, const redisReply *reply, struct schedd_error *err);
extern const char store_redis_library[];

/* ---- store_redis_share.c ---- */

/* The writer's link: takes our name's lease, sets link->node and epoch. */
int store_redis_join(struct store_link *link, struct schedd_error *err);
/* Of a link that is going; never blocks. */
void store_redis_part(struct store_link *link);
int store_redis_renew(
    struct store_link *link, struct store_renewing *renewing, struct schedd_error *err);
/* What others wrote since, and whose lease is over. */
int store_redis_listen(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err);
int store_redis_refresh(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err);
/* On the asker's link: what commits kept of a run's output. */
int store_redis_output(struct store_link *link, const char *job, uint32_t number,
    struct store_kept *kept, struct schedd_error *err);
/* Readable: others have written. */
int store_redis_share_fd(const struct store_link *link);

/* ---- store_redis_feed.c ---- */

extern const struct nodes_driver store_redis_nodes;
/* Before anything is loaded: who has which slot, and where the feed stands. */
int store_redis_load_slots(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err);
/* Leaves of those fields of open runs ours alone; *taken[i]: it was another's before. */
int store_redis_own_runs(
    struct store_link *link, redisReply *fields, bool *taken, struct schedd_error *err);

/* ---- store_redis_row.c ---- */

/*
 * A run as JSON of what is not at its default; without job, number, serial and result. node: where it
 * runs, NULL where that is not said.
 */
void store_redis_row_write(struct strbuf *out, const struct run *run, const char *node);
/* Texts live in the arena. False: it is no row. */
bool store_redis_row_read(const char *text, size_t length, struct arena *arena, struct run *run);
/* A time as text that sorts as it does; "-": none. */
#define REDIS_WHEN_SIZE 24
void store_redis_when(schedd_time when, char text[REDIS_WHEN_SIZE]);
/* The part of a state that nobody on the server looks into, without an end; answers where it ends. */
#define REDIS_TIMES_SIZE 80
char *store_redis_times_write(
    char *text, schedd_time next_fire, schedd_time next_run_time, uint64_t run_count);
/* "fire time count last revision", or the last run alone. False: the job was removed. */
bool store_redis_state_read(const char *text, struct store_counters *counters);

/* ---- store_redis_starts.c ---- */

struct redis_starts {
	struct store_op **runs; /* each the first of its claim */
	size_t count;
};

/* Finds and marks them; without `wanted` nothing is one. They are the command's. */
void store_redis_starts_find(struct redis_starts *starts, struct redis_command *command,
    struct store_batch *first, struct store_batch *end, bool wanted);
/* Is that run or claim part of one? */
bool store_redis_started(const struct store_op *op);
/* Column by column. */
void store_redis_starts_put(const struct redis_starts *starts, struct redis_command *command);

/* ---- store_redis_rows.c ---- */

/* One field of a hash; *out is the caller's to free, NULL: it is not there. */
int store_redis_field(struct store_link *link, const char *hash, const char *field, char **out,
    struct schedd_error *err);
/* One job, by store_watching_job(). */
int store_redis_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err);
/* The number by which a job's runs know it; *out is the caller's to free, NULL: it has none. */
int store_redis_key(
    struct store_link *link, const char *id, char **out, struct schedd_error *err);
/* Rows of runs by "KEY/N": calls for each that is there. call returns false to stop. */
struct redis_rows {
	bool (*call)(struct run *run, void *context);
	void *context;
	const char *job; /* whose they are; NULL: looked up */
	bool results;    /* with what calls returned */
	size_t at;       /* which of the fields it is */
	bool stopped;
};
int store_redis_rows(struct store_link *link, struct redis_rows *rows, const redisReply *fields,
    struct schedd_error *err);

/* ---- store_redis_commit.c, _resolve.c, _read.c, _history.c, _retain.c: the driver's functions ---- */

int store_redis_commit(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err);
/* Whose state the verdict about an entry is read from; NULL: it has none. */
const char *store_redis_state_id(const struct store_op *op);
int store_redis_resolve(struct store_link *link, struct store_batch *first,
    struct store_batch *end, bool *stored, struct schedd_error *err);
int store_redis_load(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err);
int store_redis_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err);
int store_redis_runs(struct store_link *link, const struct store_query *query,
    struct store_asked *asked, struct schedd_error *err);
int store_redis_changes(struct store_link *link, const char *job, schedd_time since,
    uint64_t limit, struct store_asked *asked, struct schedd_error *err);
int store_redis_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err);
int store_redis_retain(struct store_link *link, const struct store_rules *rules, uint32_t budget,
    schedd_time now, uint32_t *deleted, struct schedd_error *err);
int store_redis_sizes(
    struct store_link *link, int64_t *runs, int64_t *bytes, struct schedd_error *err);

#endif
