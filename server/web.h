/* SPDX-License-Identifier: MIT */
/*
 * Between the daemon and its HTTP side, the module schedd_web: what the daemon
 * offers to it, and what it offers to the daemon. The module is loaded only
 * where the config has http.listen, and holds its own copy of the libraries it
 * uses; nothing else goes to and fro.
 */
#ifndef SCHEDD_SERVER_WEB_H
#define SCHEDD_SERVER_WEB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <schedd/error.h>
#include <schedd/log.h>
#include "base/strbuf.h"
#include "base/value.h"

struct connection;
struct connection_sink;
struct event_base;
struct offloop_work;
struct web;

/* The section http: of the config; texts are the config's. */
struct web_config {
	const char *const *listen;      /* "127.0.0.1:8630", "unix:/path"; NULL: no HTTP */
	const char *certificate;        /* PEM file; NULL: no TLS */
	const char *key;                /* PEM file; NULL: no TLS */
	const char *tokens;             /* file of tokens; NULL: none */
	const char *basic;              /* file of passwords; NULL: none */
	const char *executor;           /* what `func` goes to; NULL: the only worker executor */
	const char *prefix;             /* of Flask-APScheduler's routes */
	const char *const *allow_hosts; /* names answered; NULL: the addresses and localhost */
	uint32_t connections;           /* at one time */
	uint32_t mode;                  /* of a unix: listener */
	bool if_match;                  /* changes of jobs need a condition */
	bool insecure;                  /* addresses that others reach may do without TLS */
};

/* Who asks, once a token or password has said so. */
struct web_identity {
	const char *name;    /* of the token, or the user of the password */
	const char *role;    /* "user", "operator", "admin" */
	const char *account; /* whose jobs it adds; NULL: the daemon's */
};

/* What the daemon offers. All on the loop's thread. */
struct web_host {
	void *context; /* passed to all of them */
	struct event_base *base;
	const struct schedd_log *log;
	/* A connection without a socket for that caller; see connection.h. NULL and *err: no memory,
	 * or no such account or role. */
	struct connection *(*open)(void *context, const struct web_identity *identity,
	    const struct connection_sink *sink, void *sink_context, struct schedd_error *err);
	void (*close)(struct connection *connection);
	/* See connection_drained(). False: its client may not be told of this any more, see connection_judge(). */
	bool (*drained)(struct connection *connection);
	/* See connection_is_full(). */
	bool (*full)(const struct connection *connection);
	/* See rpc_local_call(). */
	void (*call)(struct connection *connection, uint32_t msgid, const char *method,
	    struct arena *arena, const struct value *params, size_t bytes);
	/* Can requests be served: are the jobs there, and is it not stopping? reason: a literal. */
	bool (*ready)(void *context, const char **reason);
	/* Another number whenever what calls answer may have changed. */
	uint64_t (*generation)(void *context);
	/* A directory for what it keeps. */
	const char *state_dir;
	/* As offloop_start() and offloop_leave(). */
	bool (*work)(void *context, struct offloop_work *work);
	void (*leave)(struct offloop_work *work);
	/* An event: somebody was refused, of whom text says who and why. */
	void (*denied)(void *context, const char *text);
};

/* What the module offers; in schedd_module.service. */
struct web_ops {
	/* Reads the files of the config, listens and serves. SCHEDD_EFILE for what the config gets
	 * wrong. host and config outlive it. */
	int (*open)(const struct web_config *config, const struct web_host *host, struct web **out,
	    struct schedd_error *err);
	/* Ends all connections. */
	void (*close)(struct web *web);
	/* Reads the files that config names; on success the caller puts it into the place of the
	 * config given to open. On failure all stays as it was. */
	int (*reload)(
	    struct web *web, const struct web_config *config, struct schedd_error *err);
	/* token.add, token.list, token.remove: the answer is built in the arena. */
	int (*token_add)(struct web *web, const char *name, const char *role, const char *account,
	    struct arena *arena, struct value *answer, struct schedd_error *err);
	int (*token_list)(struct web *web, struct arena *arena, struct value *answer,
	    struct schedd_error *err);
	int (*token_remove)(struct web *web, const char *name, struct schedd_error *err);
	/* Adds what status shows of it to a map. */
	void (*status)(const struct web *web, struct arena *arena, struct value *map);
};

#endif
