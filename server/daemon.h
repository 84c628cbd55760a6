/* SPDX-License-Identifier: MIT */
/*
 * The daemon: owns the loop, the scheduler, the socket and everything between
 * them, from start to stop. All on one thread.
 */
#ifndef SCHEDD_SERVER_DAEMON_H
#define SCHEDD_SERVER_DAEMON_H

#include <stdbool.h>
#include <schedd/error.h>
#include <schedd/log.h>
#include "server/config.h"
#include "server/log_sink.h"
#include "server/options.h"
#include "server/paths.h"
#include "server/reexec.h"

struct daemon;
struct scheduler_actor;
struct value;
struct web_link;
struct schedd_scheduler;

/* How much patience a stop has with running jobs. */
enum daemon_stop {
	DAEMON_STOP_LIMIT, /* waits for stop.limit, then ends them */
	DAEMON_STOP_WAIT,  /* waits without limit */
	DAEMON_STOP_NOW,   /* ends them at once */
};

/* What main has found out; everything outlives the daemon, which may change config and sink. */
struct daemon_setup {
	const struct options *options;
	const struct paths *paths;
	struct config *config;
	struct log_sink *sink;
	char **argv; /* for running itself anew */
};

/* Takes the state directory, loads the stores, listens. It schedules from here on, and serves once
 * it runs. */
int daemon_new(const struct daemon_setup *setup, struct daemon **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Serves until it was stopped. 0, or an error code. */
int daemon_run(struct daemon *daemon, struct schedd_error *err);
/* NULL is fine. */
void daemon_free(struct daemon *daemon);

struct schedd_scheduler *daemon_scheduler(struct daemon *daemon);
const struct schedd_log *daemon_log(const struct daemon *daemon);
const struct config *daemon_config(const struct daemon *daemon);
const struct paths *daemon_paths(const struct daemon *daemon);
const struct options *daemon_options(const struct daemon *daemon);
/* Its HTTP side; NULL: none. */
struct web_link *daemon_web(const struct daemon *daemon);
struct cron_tables *daemon_cron(const struct daemon *daemon);
/* For what has to wait for a disk or the like; NULL: it cannot be had. */
struct offloop *daemon_offloop(struct daemon *daemon);
/* Of some account the system's databases have said nothing: all are judged again soon. */
void daemon_accounts_again(struct daemon *daemon);
bool daemon_is_stopping(const struct daemon *daemon);
/* Opens a store of the config now; path NULL: NAME.db in the state directory. */
int daemon_add_store(struct daemon *daemon, const struct scheduler_new_store *store,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The same for a request: without the loop waiting for it. */
void daemon_add_store_live(struct daemon *daemon, const struct scheduler_new_store *store,
    const struct scheduler_actor *actor, struct scheduler_reply reply);
/* One of the config, with its options. */
int daemon_add_configured_store(struct daemon *daemon, const struct config_store *config,
    struct schedd_error *err) __attribute__((warn_unused_result));

/* Begins to stop; again with less patience is allowed. */
void daemon_stop(struct daemon *daemon, enum daemon_stop how);
/* Begins to run the installed program in this process; jobs go on. SCHEDD_ECONFLICT while stopping.
 */
int daemon_reexec(struct daemon *daemon, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * What a reload came to. changed and restart, valid during the call: keys that
 * are in force now, and keys that need a restart. SCHEDD_EFILE: the new config
 * or a job file of it is wrong and nothing has changed.
 */
typedef void (*reload_fn)(int rc, const struct schedd_error *err, const struct value *changed,
    const struct value *restart, void *context);
/*
 * Reads the config again (SIGHUP, server.reload) and applies the jobs it names.
 * done (NULL: nobody asks) is called in any case, now or when the jobs are there.
 */
void daemon_reload(
    struct daemon *daemon, const struct scheduler_actor *actor, reload_fn done, void *context);
/* After daemon_run: how the program is to be run anew; its path is NULL if it is not to be. */
struct reexec daemon_take_reexec(struct daemon *daemon);

#endif
