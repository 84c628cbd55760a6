/* SPDX-License-Identifier: MIT */
/*
 * Order matters twice. At the start the executors are made before the limit of
 * descriptors is raised and signals are taken, so that jobs are given what
 * schedd found. At the end everything that calls the scheduler goes before it.
 */
#include "server/daemon.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <event2/event.h>
#include <schedd/scheduler.h>
#include "base/file.h"
#include "base/log.h"
#include "executor/cgroup.h"
#include "loop/offloop.h"
#include "model/job_fields.h"
#include "server/boot_id.h"
#include "server/config_jobs.h"
#include "server/config_table.h"
#include "server/daemon_state.h"
#include "server/notify_systemd.h"
#include "server/reexec.h"
#include "server/reload.h"
#include "server/users_guard.h"
#include "server/users_known.h"
#include "server/rpc/rpc.h"
#include "server/rpc/rpc_serve.h"

/* ---- Start ---- */

static int daemon_lock(struct daemon *daemon, struct schedd_error *err)
{
	const char *directory = daemon->setup.paths->state_dir;
	char *path = NULL, *what = NULL;
	struct stat st;
	int rc = paths_make_directory(directory, err);

	if (!rc && stat(directory, &st) == 0)
		rc = file_trust(&st, directory, err);
	if (!rc && (asprintf(&path, "%s/schedd.lock", directory) < 0 ||
		       asprintf(&what, "state directory '%s'", directory) < 0))
		rc = schedd_error_nomem(err);
	if (!rc)
		rc = lock_take(&daemon->lock, path, what, err);
	if (!rc)
		rc = lock_take_directory(&daemon->lock, directory, what, err);
	free(path);
	free(what);
	return rc;
}

static int daemon_make_loop(struct daemon *daemon, struct schedd_error *err)
{
	struct event_config *config = event_config_new();

	/* One thread, and nothing but a few timers of our own: the cheapest base there is. */
	if (config) {
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
		daemon->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	if (!daemon->base)
		return schedd_error_set(err, SCHEDD_EFAILED, "cannot make an event loop");
	daemon->loop = schedd_loop_new_libevent(daemon->base, err);
	return daemon->loop ? 0 : SCHEDD_EFAILED;
}

/* Goes on with what the program before it left in this process, if there was one. */
static int daemon_take_over(struct daemon *daemon, struct schedd_error *err)
{
	struct arena arena;
	struct value state;
	int rc;

	arena_init(&arena);
	rc = reexec_load(&arena, &state, err);
	if (!rc && state.type == VALUE_MAP)
		rc = scheduler_take_over(daemon->scheduler, &state, err);
	arena_clear(&arena);
	return rc;
}

static int daemon_make_scheduler(struct daemon *daemon, struct schedd_error *err)
{
	struct schedd_scheduler_options options = {
	    .loop = daemon->loop,
	    .log = daemon_log(daemon),
	    .timezone = daemon->setup.config->timezone,
	    .state_dir = daemon->setup.paths->state_dir,
	    .socket = daemon->setup.paths->socket,
	};
	char boot[64], cgroup[PATH_MAX];
	int rc = schedd_scheduler_new(&options, &daemon->scheduler, err);

	if (rc)
		return rc;
	scheduler_set_settings(daemon->scheduler, &daemon->setup.config->settings);
	scheduler_set_guard(daemon->scheduler, users_guard, daemon);
	rc = users_known_new(options.state_dir, daemon_log(daemon), &daemon->setup.config->users.known, err);
	if (rc)
		return rc;
	scheduler_set_accounts(daemon->scheduler, users_judge_account, daemon);
	if (scheduler_set_sendmail(daemon->scheduler, daemon->setup.config->sendmail, err))
		return SCHEDD_ENOMEM;
	if (boot_id_read(boot, sizeof(boot)))
		scheduler_set_boot(daemon->scheduler, boot);
	rc = daemon_take_over(daemon, err);
	if (!rc && cgroup_find(cgroup, sizeof(cgroup)) == 0)
		rc = scheduler_set_cgroup(daemon->scheduler, cgroup, err);
	return rc ? rc : daemon_add_parts(daemon, err);
}

static int daemon_listen(struct daemon *daemon, struct schedd_error *err)
{
	const struct paths *paths = daemon->setup.paths;
	int rc = 0;
	int inherited =
	    listener_inherit(&daemon->listener, reexec_is_second() ? paths->socket : NULL, err);

	reexec_settled();
	if (inherited < 0)
		return inherited;
	if (!inherited)
		rc = listener_open(
		    &daemon->listener, paths->socket, !paths->socket_explicit, err);
	return rc ? rc : daemon_admit(daemon, daemon->setup.config, err);
}

/* Says once that the machine names two zones; status says it always. */
static void daemon_tell_zone(struct daemon *daemon)
{
	const struct zone_local *local = scheduler_zone(daemon->scheduler);

	if (local->conflict[0] && strcmp(local->conflict, daemon->told_conflict) != 0)
		log_warn(daemon_log(daemon), "the time zone is %s, from %s, although %s",
		    zone_name(local->zone), local->origin, local->conflict);
	snprintf(daemon->told_conflict, sizeof(daemon->told_conflict), "%s", local->conflict);
}

static void daemon_on_zones(void *context)
{
	struct daemon *daemon = context;
	int changed = scheduler_refresh_zones(daemon->scheduler);

	daemon_tell_zone(daemon);
	if (changed > 0)
		log_info(daemon_log(daemon),
		    "%d time zone%s changed: next run times were computed anew", changed,
		    changed == 1 ? "" : "s");
}

static int daemon_watch_zones(struct daemon *daemon, struct schedd_error *err)
{
	static const char *const local[] = {"localtime", "timezone", NULL};
	const struct file_watch_config config = {.base = daemon->base,
	    .log = daemon_log(daemon),
	    .unnoticed = "changes of the time zones will not be noticed, only at a reload",
	    .pause = SCHEDD_SECOND,
	    .call = daemon_on_zones,
	    .context = daemon};
	int rc = file_watch_new(&config, &daemon->zones, err);

	if (rc)
		return rc;
	file_watch_add(daemon->zones, "/etc", local, 0);
	/* Such as America/Argentina. */
	file_watch_add(
	    daemon->zones, zone_cache_directory(scheduler_zones(daemon->scheduler)), NULL, 2);
	return 0;
}

static void daemon_on_watchdog(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	notify_systemd("WATCHDOG=1");
}

static int daemon_make_watchdog(struct daemon *daemon, struct schedd_error *err)
{
	schedd_span pause = notify_systemd_watchdog();
	struct timeval every = {.tv_sec = pause / SCHEDD_SECOND, .tv_usec = pause % SCHEDD_SECOND};

	if (pause == 0)
		return 0;
	daemon->watchdog = event_new(daemon->base, -1, EV_PERSIST, daemon_on_watchdog, daemon);
	if (!daemon->watchdog || event_add(daemon->watchdog, &every) < 0)
		return schedd_error_nomem(err);
	return 0;
}

static void daemon_begin_stop(struct daemon *daemon, enum daemon_stop how);
static int daemon_begin_reexec(struct daemon *daemon, struct schedd_error *err);
static void daemon_on_signal(int signo, void *context);

/* What stands around the scheduler. */
static int daemon_make_surroundings(struct daemon *daemon, struct schedd_error *err)
{
	const struct config *config = daemon->setup.config;
	int rc = signals_new(daemon->base, daemon_on_signal, daemon, &daemon->signals, err);

	if (!rc)
		rc = orphans_new(daemon->base, &daemon->orphans, err);
	if (!rc)
		rc = daemon_watch_zones(daemon, err);
	if (!rc)
		rc = cron_tables_new(
		    daemon->base, daemon->scheduler, daemon_log(daemon), &daemon->cron, err);
	if (!rc)
		rc = daemon_watch_accounts(daemon, err);
	if (!rc)
		rc = log_events_new(
		    daemon->scheduler, daemon->setup.sink, &daemon->log_events, err);
	if (!rc)
		rc = listeners_new(daemon->scheduler, daemon->loop, daemon_log(daemon), config,
		    &daemon->listeners, err);
	if (rc == SCHEDD_EINVAL || rc == SCHEDD_ENOTFOUND)
		rc = SCHEDD_EFILE;
	return rc ? rc : daemon_make_watchdog(daemon, err);
}

static void daemon_on_settled(
    int rc, const struct schedd_error *err, uint32_t changes, void *context)
{
	struct daemon *daemon = context;

	(void)rc; /* it was logged; the jobs are as they were at the last start */
	(void)err;
	(void)changes;
	daemon->settled = true;
}

/*
 * Starts the scheduler and applies the jobs of the config. Clients wait in the
 * queue of the socket meanwhile, so that none sees a state in between.
 */
static int daemon_settle(
    struct daemon *daemon, const struct jobfile *jobs, struct schedd_error *err)
{
	int rc = schedd_scheduler_start(daemon->scheduler, err);

	if (rc)
		return rc;
	config_jobs_apply(
	    daemon->scheduler, daemon_log(daemon), jobs, NULL, daemon_on_settled, daemon);
	while (!daemon->settled && !daemon->drained)
		if (event_base_loop(daemon->base, EVLOOP_ONCE) < 0)
			return schedd_error_set(err, SCHEDD_EFAILED, "the event loop failed");
	daemon->settled = true;
	cron_tables_configure(daemon->cron, &daemon->setup.config->cron);
	rc = rpc_new(daemon, daemon->base, daemon->listener.fd, &daemon->setup.config->limits,
	    &daemon->rpc, err);
	if (!rc)
		rpc_serve(daemon->rpc, daemon->scheduler);
	return rc ? rc
		  : web_link_open(
			daemon, daemon->rpc, &daemon->setup.config->web, &daemon->web, err);
}

static int daemon_make(struct daemon *daemon, struct schedd_error *err)
{
	struct jobfile jobs;
	int rc = config_jobs_load(daemon->setup.config, &jobs, err);

	if (!rc)
		rc = daemon_lock(daemon, err);
	if (!rc)
		rc = daemon_make_loop(daemon, err);
	if (!rc)
		rc = daemon_make_scheduler(daemon, err);
	if (!rc)
		rc = daemon_listen(daemon, err);
	if (!rc) {
		listener_raise_limit(daemon->setup.config->limits.clients);
		rc = daemon_make_surroundings(daemon, err);
	}
	if (!rc)
		rc = daemon_settle(daemon, &jobs, err);
	jobfile_clear(&jobs);
	return rc;
}

static const struct daemon_control daemon_control = {
    .stop = daemon_begin_stop,
    .reexec = daemon_begin_reexec,
    .reload = reload_config,
};

int daemon_new(const struct daemon_setup *setup, struct daemon **out, struct schedd_error *err)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	int rc;

	if (!daemon)
		return schedd_error_nomem(err);
	daemon->setup = *setup;
	daemon->control = &daemon_control;
	daemon->lock.fd = daemon->lock.folder = -1;
	daemon->listener.fd = -1;
	daemon->listener.lock.fd = daemon->listener.lock.folder = -1;
	daemon->started_at = clock->wall(clock->context);
	daemon->started = clock->mono(clock->context);
	rc = daemon_make(daemon, err);
	if (rc) {
		daemon_free(daemon);
		return rc;
	}
	*out = daemon;
	return 0;
}

/* ---- Stop ---- */

static const struct timeval daemon_patience = {.tv_sec = 5};

static void daemon_on_last_wait(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context; /* the loop has returned, which was all */
}

static void daemon_on_listeners_done(void *context)
{
	struct daemon *daemon = context;

	daemon->drained = true;
	event_base_loopbreak(daemon->base);
}

static void daemon_on_patience_over(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	log_warn(daemon_log(daemon), "listeners are not done: they are ended");
	listeners_abandon(daemon->listeners);
}

/* At once: what ended from here on would end without anybody's notice. */
static void daemon_hand_over(struct daemon *daemon)
{
	struct schedd_error err;
	struct arena arena;
	struct value state;

	arena_init(&arena);
	state = scheduler_hand_over(daemon->scheduler, &arena);
	if (reexec_save(&daemon->reexec, &state, &err))
		log_error(daemon_log(daemon), "%s", err.message);
	arena_clear(&arena);
}

static void daemon_on_drained(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct daemon *daemon = context;

	(void)result;
	if (--daemon->drains > 0)
		return; /* a more impatient request has taken this one's place */
	daemon->ending = true;
	if (rc)
		log_error(daemon_log(daemon), "stopping: %s", err->message);
	if (daemon->wants_exec)
		daemon_hand_over(daemon);
	if (listeners_finish(daemon->listeners, daemon_on_listeners_done, daemon)) {
		daemon_on_listeners_done(daemon);
		return;
	}
	/* They are told of the end too, but nothing waits for them for long. */
	daemon->patience = event_new(daemon->base, -1, 0, daemon_on_patience_over, daemon);
	if (!daemon->patience || event_add(daemon->patience, &daemon_patience) < 0)
		listeners_abandon(daemon->listeners);
}

static void daemon_drain(struct daemon *daemon, enum daemon_stop how)
{
	const struct config *config = daemon->setup.config;
	struct scheduler_reply reply = {.call = daemon_on_drained, .context = daemon};
	enum scheduler_drain_how drain = SCHEDULER_DRAIN_WAIT;
	schedd_span limit = config->stop_limit;

	if (how == DAEMON_STOP_WAIT)
		limit = SCHEDD_SPAN_NONE;
	if (how == DAEMON_STOP_NOW)
		limit = 0;
	if (!daemon->stopping)
		notify_systemd("STOPPING=1\nSTATUS=Waiting for running jobs");
	log_info(daemon_log(daemon), "stopping%s",
	    how == DAEMON_STOP_NOW    ? " at once"
	    : how == DAEMON_STOP_WAIT ? " when no job is running"
				      : "");
	daemon->stopping = true;
	daemon->drains++;
	if (daemon->wants_exec)
		drain = SCHEDULER_DRAIN_HAND_OVER;
	else if (config->stop_detach && how != DAEMON_STOP_NOW)
		drain = SCHEDULER_DRAIN_DETACH;
	scheduler_drain(daemon->scheduler, limit, drain, reply);
}

static void daemon_begin_stop(struct daemon *daemon, enum daemon_stop how)
{
	/* All has ended but those who are told of it; once is enough. */
	if (daemon->ending) {
		daemon->stop_again = daemon->wants_exec;
		if (how == DAEMON_STOP_NOW)
			listeners_abandon(daemon->listeners);
		return;
	}
	if (daemon->wants_exec) {
		log_info(daemon_log(daemon), "schedd is not run anew, as it is to stop");
		daemon->wants_exec = false;
		reexec_drop(&daemon->reexec);
	}
	daemon_drain(daemon, how);
}

static int daemon_check_config(struct daemon *daemon, struct schedd_error *err)
{
	const struct paths *paths = daemon->setup.paths;
	struct config config;
	struct jobfile jobs;
	int rc;

	config_init(&config);
	rc = config_read(&config, paths->config, paths->config_explicit, paths->conf_dir, err);
	if (!rc) {
		rc = config_jobs_load(&config, &jobs, err);
		jobfile_clear(&jobs);
	}
	config_clear(&config);
	return rc;
}

struct reexec daemon_take_reexec(struct daemon *daemon)
{
	struct reexec reexec = daemon->reexec;

	daemon->reexec = (struct reexec){.listening = -1, .state = -1};
	return reexec;
}

static int daemon_begin_reexec(struct daemon *daemon, struct schedd_error *err)
{
	if (daemon->stopping)
		return schedd_error_set(err, SCHEDD_ECONFLICT, "schedd is stopping already");
	/* Whatever would keep the next program from starting is found out before. */
	if (daemon_check_config(daemon, err))
		return SCHEDD_EFILE;
	if (reexec_prepare(&daemon->reexec, daemon->listener.fd, err))
		return SCHEDD_EFAILED;
	daemon->wants_exec = true;
	daemon_drain(daemon, DAEMON_STOP_LIMIT);
	return 0;
}

static void daemon_on_signal(int signo, void *context)
{
	struct daemon *daemon = context;
	struct schedd_error err;
	int rc = 0;

	switch (signo) {
	case SIGTERM:
	case SIGINT:
		daemon_stop(daemon, daemon->stopping && !daemon->wants_exec ? DAEMON_STOP_NOW
									    : DAEMON_STOP_LIMIT);
		return;
	case SIGUSR2:
		rc = daemon_reexec(daemon, &err);
		break;
	case SIGHUP:
		/* While it starts the config has just been read. */
		if (daemon->settled)
			daemon_reload(daemon, NULL, NULL, NULL);
		break;
	}
	if (rc)
		log_error(daemon_log(daemon), "%s", err.message);
}

/*
 * What was asked for and came too late for the scheduler's own end is answered
 * all the same, as far as that takes no patience.
 */
static void daemon_answer_last(struct daemon *daemon)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t until = clock->mono(clock->context).us + daemon_patience.tv_sec * SCHEDD_SECOND;
	struct event *alarm = event_new(daemon->base, -1, 0, daemon_on_last_wait, daemon);

	rpc_finish(daemon->rpc);
	if (alarm && rpc_is_busy(daemon->rpc) && event_add(alarm, &daemon_patience) == 0)
		while (rpc_is_busy(daemon->rpc) && clock->mono(clock->context).us < until)
			if (event_base_loop(daemon->base, EVLOOP_ONCE) < 0)
				break;
	if (alarm)
		event_free(alarm);
	rpc_flush(daemon->rpc);
}

int daemon_run(struct daemon *daemon, struct schedd_error *err)
{
	char detail[64];

	snprintf(detail, sizeof(detail), "%llu jobs",
	    (unsigned long long)scheduler_job_count(daemon->scheduler));
	log_info(daemon_log(daemon), "schedd %s runs with pid %ld and %s, listening at %s",
	    SCHEDD_VERSION, (long)getpid(), detail, daemon->setup.paths->socket);
	daemon_tell_zone(daemon);
	/* What the start took and freed, above all on the threads of stores, their allocators would keep. */
	malloc_trim(0);
	notify_systemd("READY=1\nSTATUS=Running with %s", detail);
	while (!daemon->drained) {
		/* Without EVLOOP_NO_EXIT_ON_EMPTY: signals keep it from being empty. */
		if (event_base_dispatch(daemon->base) < 0)
			return schedd_error_set(
			    err, SCHEDD_EFAILED, "the event loop failed: %s", strerror(errno));
	}
	daemon_answer_last(daemon);
	log_info(daemon_log(daemon),
	    daemon->wants_exec ? "running the installed schedd anew" : "stopped");
	return 0;
}

void daemon_free(struct daemon *daemon)
{
	if (!daemon)
		return;
	web_link_close(daemon->web);
	if (daemon->rpc)
		rpc_close(daemon->rpc);
	listeners_free(daemon->listeners);
	log_events_free(daemon->log_events);
	file_watch_free(daemon->zones);
	cron_tables_close(daemon->cron);
	offloop_free(daemon->offloop);
	account_watch_free(daemon->account_watch);
	if (daemon->accounts_again)
		event_free(daemon->accounts_again);
	daemon->accounts_again = NULL;
	if (daemon->watchdog)
		event_free(daemon->watchdog);
	if (daemon->patience)
		event_free(daemon->patience);
	orphans_free(daemon->orphans);
	if (daemon->wants_exec)
		signals_hold();
	if (daemon->stop_again)
		kill(getpid(), SIGTERM);
	signals_free(daemon->signals);
	if (daemon->wants_exec)
		listener_leave(&daemon->listener);
	listener_close(&daemon->listener);
	schedd_scheduler_free(daemon->scheduler);
	cron_tables_free(daemon->cron);
	if (daemon->begun.type != VALUE_NIL)
		arena_clear(&daemon->begun_arena);
	users_known_free(daemon->setup.config->users.known);
	daemon->setup.config->users.known = NULL;
	rpc_free(daemon->rpc); /* the scheduler's last answers went to its calls */
	schedd_loop_free(daemon->loop);
	if (daemon->base)
		event_base_free(daemon->base);
	lock_release(&daemon->lock);
	free(daemon);
}
