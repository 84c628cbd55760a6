/* SPDX-License-Identifier: MIT */
/* What the daemon consists of; for daemon.c, daemon_state.c, reload.c and status.c alone. */
#ifndef SCHEDD_SERVER_DAEMON_STATE_H
#define SCHEDD_SERVER_DAEMON_STATE_H

#include <schedd/clock.h>
#include <schedd/loop.h>
#include "base/value.h"
#include "server/account_watch.h"
#include "server/cron_tables.h"
#include "server/daemon.h"
#include "server/file_watch.h"
#include "server/listener.h"
#include "server/listeners.h"
#include "server/lock.h"
#include "server/log_events.h"
#include "server/orphans.h"
#include "server/reexec.h"
#include "server/rpc/rpc_state.h"
#include "server/signals.h"
#include "server/web_link.h"

struct event;
struct event_base;

/* What can be done to the daemon as a whole; what asks for it stands below what does it. */
struct daemon_control {
	void (*stop)(struct daemon *daemon, enum daemon_stop how);
	int (*reexec)(struct daemon *daemon, struct schedd_error *err);
	void (*reload)(struct daemon *daemon, const struct scheduler_actor *actor, reload_fn done,
	    void *context);
};

/* Judges the accounts that have jobs anew, and watches the machine's from now on if it must. */
int daemon_watch_accounts(struct daemon *daemon, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Those of the config, and those that are there anyway. */
int daemon_add_parts(struct daemon *daemon, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Opens the socket to all, or to the daemon's user alone, as that config wants it. */
int daemon_admit(struct daemon *daemon, const struct config *config, struct schedd_error *err)
    __attribute__((warn_unused_result));

struct daemon {
	const struct daemon_control *control;
	struct daemon_setup setup; /* its config is replaced by a reload */
	struct lock lock;          /* of the state directory */
	struct listener listener;
	struct event_base *base;
	struct schedd_loop *loop;
	struct schedd_scheduler *scheduler;
	struct rpc *rpc;
	struct web_link *web; /* NULL: no HTTP */
	struct signals *signals;
	struct orphans *orphans;
	struct file_watch *zones;
	struct event *accounts_again; /* when accounts of which nothing could be said are asked for; NULL: none was */
	struct account_watch *account_watch; /* NULL: no other accounts are served */
	struct cron_tables *cron;
	struct offloop *offloop; /* NULL: nothing was to be done off the loop yet */
	struct arena begun_arena; /* of begun */
	struct value begun;      /* settings a restart alone changes, as they are in force; nil: as last read */
	char told_conflict[128]; /* what was last logged of zones that disagree, or "" */
	struct listeners *listeners;
	struct log_events *log_events;
	struct event *watchdog; /* NULL: nobody watches */
	struct event *patience; /* with listeners at the end; NULL: not begun */
	schedd_time started_at;
	struct schedd_mono started; /* the same for uptime */
	bool settled;               /* the jobs of the config are there, clients are served */
	unsigned drains;            /* requests to the scheduler to stop, not yet answered */
	bool stopping;
	bool ending; /* the scheduler has come to its end */
	bool wants_exec;
	bool stop_again; /* too late for this program: the next one is to stop */
	struct reexec reexec; /* prepared when wants_exec */
	bool drained;         /* the scheduler has come to its end */
};

#endif
