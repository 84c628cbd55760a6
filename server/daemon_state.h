/* SPDX-License-Identifier: MIT */
/* What the daemon consists of; for daemon.c, reload.c and status.c alone. */
#ifndef SCHEDD_SERVER_DAEMON_STATE_H
#define SCHEDD_SERVER_DAEMON_STATE_H

#include <schedd/clock.h>
#include <schedd/loop.h>
#include "server/daemon.h"
#include "server/listener.h"
#include "server/listeners.h"
#include "server/lock.h"
#include "server/orphans.h"
#include "server/reexec.h"
#include "server/rpc/rpc.h"
#include "server/signals.h"
#include "server/zone_watch.h"

struct event;
struct event_base;

struct daemon {
	struct daemon_setup setup; /* its config is replaced by a reload */
	struct lock lock;          /* of the state directory */
	struct listener listener;
	struct event_base *base;
	struct schedd_loop *loop;
	struct schedd_scheduler *scheduler;
	struct rpc *rpc;
	struct signals *signals;
	struct orphans *orphans;
	struct zone_watch *zone_watch;
	char told_conflict[128]; /* what was last logged of zones that disagree, or "" */
	struct listeners *listeners;
	struct event *watchdog; /* NULL: nobody watches */
	struct event *patience; /* with listeners at the end; NULL: not begun */
	schedd_time started_at;
	struct schedd_mono started; /* the same for uptime */
	bool settled;               /* the jobs of the config are there, clients are served */
	unsigned drains;            /* requests to the scheduler to stop, not yet answered */
	bool stopping;
	bool wants_exec;
	struct reexec reexec; /* prepared when wants_exec */
	bool drained;         /* the scheduler has come to its end */
};

#endif
