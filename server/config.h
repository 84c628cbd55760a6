/* SPDX-License-Identifier: MIT */
/* schedd.yaml and conf.d: read whole, checked whole, then never changed. */
#ifndef SCHEDD_SERVER_CONFIG_H
#define SCHEDD_SERVER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include "base/arena.h"
#include "base/value.h"
#include "core/scheduler.h"
#include "executor/worker_config.h"
#include "server/rpc/rpc_state.h"
#include "server/cron_tables.h"
#include "server/web.h"

#define CONFIG_SETTINGS_MAX 128 /* rows of the table */
#define CONFIG_DEFAULTS_MAX 64  /* fields of a job */

/* What an account may have. */
struct config_limits {
	int64_t jobs;        /* defined */
	int64_t running;     /* runs that go on at one time */
	int64_t queued;      /* runs that wait */
	schedd_span every;   /* no interval shorter than this */
	int64_t output;      /* bytes of kept output, of all its runs */
	int64_t history;     /* runs kept */
	int64_t clients;     /* connections at one time */
	int64_t requests;    /* worked on at one time; more wait */
};

struct config_account {
	const char *name;
	struct config_limits limits; /* INT64_MIN: as for all accounts */
};

struct users_known;

/* Whom schedd of root serves beside root. Names of accounts, "@group" or "*"; NULL: nobody. */
struct config_users {
	const char *const *allow;
	const char *const *deny; /* stronger than all else */
	const char *const *operators;
	const char *const *admins;
	bool cron_files; /* /etc/cron.allow and /etc/cron.deny decide in the place of allow */
	struct config_limits limits;
	struct config_account *accounts; /* exceptions */
	uint32_t account_count;
	struct users_known *known; /* whose names they were; NULL: that is not kept. Not owned */
};

struct config_group {
	const char *name;
	bool users; /* accounts may put jobs into it */
};

struct config_store {
	const char *name;
	const char *type; /* "sqlite", "memory", …; NULL: by the url, else sqlite */
	const char *path; /* sqlite; NULL: NAME.db in the state directory */
	const char *url;  /* of a server, secrets included; NULL: none */
	/* Of those on servers, as they stand there; NULL: not given. */
	const char *prefix, *compact, *connect_timeout, *timeout, *lease, *outbox, *password_file,
	    *tls_ca, *tls_cert,
	    *tls_key;
	const char *const *run_as; /* accounts */
	const char *history;       /* another store that keeps its runs; NULL: none is named */
	bool users;       /* accounts may keep jobs there */
	bool shared;      /* with other daemons */
};

/* What this daemon is among those that share a store; NULL: not given. */
struct config_node {
	const char *name;
	const char *labels; /* as node_labels_read() */
};

struct config_executor {
	const char *name;
	const char *type;            /* "subprocess", … */
	uint32_t max_workers;        /* 0: the type's default */
	bool users;                  /* accounts may use it */
	struct worker_config worker; /* of type worker; without its world, which is made of this: */
	struct value cwd, env, user, umask, nice, rlimits; /* as of a job; nil: not given */
};

/* Who is told of events. Exactly one of run, call and http. */
struct config_listener {
	const char *name;
	const char *const *events; /* names; NULL: all */
	const char *const *jobs;   /* ids or globs; NULL: all */
	const char *const *tags;   /* "K" or "K=V", all must hold; NULL: any */
	const char *run;           /* a line for /bin/sh */
	const char *call;          /* "plugin:function" */
	const char *http;          /* "POST https://…" */
	schedd_span timeout;       /* of one delivery; 10 s */
	uint32_t queue;            /* events that wait at most; 1000 */
};

/* All texts live in the arena. */
struct config {
	struct arena arena;
	const char *timezone;  /* IANA name; NULL: the machine's own */
	const char *socket;    /* NULL: the default place */
	const char *state_dir; /* NULL: likewise */
	struct config_node node;
	int log_level;         /* enum schedd_log_level */
	int log_format;        /* 0 text, 1 json */
	const char *log_file;  /* NULL: stderr */
	struct scheduler_settings settings;
	struct rpc_limits limits;
	uint32_t clients;       /* limits.clients as the table has it */
	schedd_span stop_limit; /* how long a stop waits for runs; SCHEDD_SPAN_NONE: for ever */
	const char *sendmail;   /* sends mail; NULL: /usr/sbin/sendmail */
	bool stop_detach;       /* a stop leaves running jobs alone */
	struct config_users users;
	struct config_group *groups;
	uint32_t group_count;
	struct config_store *stores;
	uint32_t store_count;
	struct config_executor *executors;
	uint32_t executor_count;
	struct config_listener *listeners;
	uint32_t listener_count;
	struct web_config web;   /* the section http: */
	struct cron_config cron; /* the section cron: */
	/* By field of a job: what one gets that does not say; nil: nothing. */
	struct value defaults[CONFIG_DEFAULTS_MAX];
	const char *const *jobs; /* paths of job files and directories; NULL: none */
	const char **files;      /* that were read */
	uint32_t file_count;
	bool given[CONFIG_SETTINGS_MAX]; /* by row of the table: a file said it */
};

/* All defaults, no files. */
void config_init(struct config *config);
void config_clear(struct config *config);
/*
 * Reads file (must_exist: not being there is an error) and then every *.yaml of
 * conf_dir in the order of names; what comes later wins, stores, executors and
 * listeners add up. SCHEDD_EFILE: "FILE:LINE:COLUMN: reason". config must be
 * fresh from config_init, and is to be cleared after an error too.
 */
/* Does another store keep its runs? */
bool config_store_apart(const struct config_store *store);
/*
 * Of each whose runs another store keeps: is that there, and does it keep them itself?
 * SCHEDD_EFILE.
 */
int config_check_histories(const struct config *config, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Can each be shared that is to be, and are its spans in their bounds? SCHEDD_EFILE. */
int config_check_stores(const struct config *config, struct schedd_error *err)
    __attribute__((warn_unused_result));
int config_read(struct config *config, const char *file, bool must_exist, const char *conf_dir,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* One text, as config_read reads a file; for tests. */
int config_read_text(struct config *config, const char *name, const char *text, size_t length,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
