/* SPDX-License-Identifier: MIT */
/* Gathers what each part says of itself. */
#include "server/status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/duration.h"
#include "core/scheduler.h"
#include "server/daemon_state.h"

/* Resident bytes of this process; -1: unknown. */
static int64_t status_rss(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long long pages = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%*s %lld", &pages) != 1)
		pages = -1;
	fclose(file);
	return pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

static struct value status_zone(struct daemon *daemon, struct arena *arena)
{
	const struct zone_local *local = scheduler_zone(daemon->scheduler);
	struct value map = value_map();

	value_put(arena, &map, "name", value_string_ref(zone_name(local->zone)));
	value_put(arena, &map, "origin", value_string_ref(local->origin));
	value_put(
	    arena, &map, "conflict", value_string_ref(local->conflict[0] ? local->conflict : NULL));
	return map;
}

static struct value status_files(const struct config *config, struct arena *arena)
{
	struct value list = value_array();

	for (uint32_t i = 0; i < config->file_count; i++)
		value_append(arena, &list, value_string_ref(config->files[i]));
	return list;
}

const char *status_state(struct daemon *daemon)
{
	struct arena arena;
	struct value scheduler;
	const char *state;
	bool paused;

	if (daemon->stopping)
		return "stopping";
	arena_init(&arena);
	scheduler = scheduler_status(daemon->scheduler, &arena);
	state = value_get_string(&scheduler, "state");
	paused = state && strcmp(state, "paused") == 0;
	arena_clear(&arena);
	return paused ? "paused" : "running";
}

struct value status_value(struct daemon *daemon, struct arena *arena)
{
	const struct schedd_clock *clock = schedd_clock_system();
	const struct rpc_counters *counters = rpc_counters(daemon->rpc);
	const struct paths *paths = daemon->setup.paths;
	schedd_span uptime = clock->mono(clock->context).us - daemon->started.us;
	struct value map = value_map();

	value_put(arena, &map, "version", value_string_ref(SCHEDD_VERSION));
	value_put(arena, &map, "pid", value_int(getpid()));
	value_put(arena, &map, "uid", value_int(geteuid()));
	value_put(arena, &map, "state", value_string_ref(status_state(daemon)));
	value_put(arena, &map, "started_at", value_int(daemon->started_at));
	value_put(arena, &map, "uptime", duration_to_value(uptime));
	value_put(arena, &map, "socket", value_string_ref(paths->socket));
	value_put(arena, &map, "state_dir", value_string_ref(paths->state_dir));
	value_put(arena, &map, "config", status_files(daemon->setup.config, arena));
	value_put(arena, &map, "zone", status_zone(daemon, arena));
	value_put(arena, &map, "clients", value_int(counters->clients));
	value_put(arena, &map, "subscriptions", value_int(counters->subscriptions));
	value_put(arena, &map, "requests", value_int((int64_t)counters->requests));
	value_put(arena, &map, "requests_failed", value_int((int64_t)counters->failed));
	value_put(arena, &map, "clients_refused", value_int((int64_t)counters->refused));
	value_put(arena, &map, "events_dropped", value_int((int64_t)counters->dropped));
	value_put(arena, &map, "listeners", listeners_status(daemon->listeners, arena));
	value_put(arena, &map, "cron", cron_tables_status(daemon->cron, arena));
	value_put(arena, &map, "http", web_link_status(daemon->web, arena));
	value_put(arena, &map, "stores", scheduler_stores(daemon->scheduler, arena));
	value_put(arena, &map, "executors", scheduler_executors(daemon->scheduler, arena));
	value_put(arena, &map, "scheduler", scheduler_status(daemon->scheduler, arena));
	value_put(arena, &map, "rss", value_int(status_rss()));
	return map;
}
