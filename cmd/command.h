/* SPDX-License-Identifier: MIT */
/* One call of schedctl: what was asked, how to show it, whom to ask. */
#ifndef SCHEDD_CMD_COMMAND_H
#define SCHEDD_CMD_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <schedd/clock.h>
#include "base/value.h"
#include "cmd/args.h"
#include "cmd/exit_code.h"
#include "proto/rpc_client.h"
#include "trigger/trigger.h"
#include "trigger/when.h"
#include "trigger/zone_local.h"

struct verb;

enum out_format { OUT_TABLE, OUT_WIDE, OUT_JSON, OUT_JSONL, OUT_TSV, OUT_NAME, OUT_PROMETHEUS };
enum out_time { OUT_TIME_AUTO, OUT_TIME_RELATIVE, OUT_TIME_LOCAL, OUT_TIME_ISO, OUT_TIME_UNIX };

/* How to show things, settled from options, environment and terminal. */
struct out_settings {
	enum out_format format;
	enum out_time time;
	bool utc;
	bool color;
	bool terminal; /* stdout is one */
	bool headers;
	bool quiet;
	bool verbose;
	int width;           /* columns of the terminal; 0: never cut */
	const char *columns; /* "id,next"; NULL: the verb's own */
	const char *sort;    /* "-next"; NULL: the verb's own */
};

#define COMMAND_TIME_KEYS 128

/* A key of JSON that was looked up. */
struct out_time_key {
	char key[23]; /* "" while the place is free */
	bool is_time;
};

struct command {
	const struct verb *const *verbs; /* all there are, NULL-terminated */
	const struct verb *verb;
	struct args args;
	struct out_settings out;
	struct arena arena;        /* lives as long as the command */
	struct rpc_client *client; /* NULL until command_call needed it */
	const char *socket;        /* the daemon that was reached; NULL: none yet */
	bool alone;                /* no daemon is to be asked */
	bool job_status;           /* we exit as a job does: our own failures are 125 */
	struct zone_cache *zones;
	struct zone_local zone;         /* this machine's own; .zone NULL until command_zone() */
	const struct zone *daemon_zone; /* NULL until command_daemon_zone() */
	char host[HOST_NAME_MAX + 1];   /* the daemon's, which splay hashes; "" if unknown */
	schedd_time now;                /* when it began */
	struct out_time_key time_keys[COMMAND_TIME_KEYS];
};

/* The caller's zone, looked up on first use; UTC where there is none. */
const struct zone *command_zone(struct command *command);
/*
 * The daemon's zone, which triggers are in that name none: asked for in a round
 * trip of its own. The caller's where no daemon answers or is to be asked.
 */
const struct zone *command_daemon_zone(struct command *command);
/* May the daemon be one of another machine? */
bool command_elsewhere(const struct command *command);
/* How triggers are read: in the caller's zone, from when the command began; of no job yet.
 * Valid as long as the command. */
struct trigger_context command_triggers(struct command *command);
/* Likewise times, strictly: what does not exist or comes twice is an error. */
struct when_context command_times(struct command *command);
/* The daemon's connection, made on first use. */
int command_connect(struct command *command, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* One round trip; params NULL: none. The result lives in the command's arena. */
int command_call(struct command *command, const char *method, const struct value *params,
    struct value *result, struct schedd_error *err) __attribute__((warn_unused_result));
/* The same into an arena of its own, for results that are dropped one by one. */
int command_call_in(struct command *command, struct arena *arena, const char *method,
    const struct value *params, struct value *result, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The same; sent (may be NULL) is called between the two halves: params are needed no more. */
int command_call_sent(struct command *command, struct arena *arena, const char *method,
    const struct value *params, void (*sent)(void *context), void *context, struct value *result,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Waits for the daemon's next notification as rpc_client_next() does, for so long or
 * SCHEDD_SPAN_NONE: for ever; *method NULL: none came. 0: whoever reads our output went
 * away meanwhile.
 */
int command_next(struct command *command, schedd_span within, struct arena *arena,
    const char **method, struct value *params, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
