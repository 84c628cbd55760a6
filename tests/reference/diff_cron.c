/* SPDX-License-Identifier: MIT */
/*
 * Cron schedules against a slow reference that shares no code with them: random
 * descriptions, whose fire times in a window are found by looking at every
 * minute (or second) of it with the C library's own conversion. Windows lie
 * mostly around changes of offset. Each zone has a process of its own.
 *
 *   diff_cron [SEED [CASES]]     also SCHEDD_SEED, SCHEDD_CASES, and SCHEDD_ZONE for one zone
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "reference/cron_spec.h"

#define CASES_PER_WINDOW 100
#define STEPS_MAX 100 /* fire times that are stepped through in one case */
#define DAY INT64_C(86400)
#define CHANGES_MAX 600

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
    "Australia/Lord_Howe", "Europe/Dublin", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Beirut",
    "Pacific/Apia", "Asia/Kathmandu", "America/St_Johns", "Africa/Monrovia", "Asia/Tehran",
    "Antarctica/Troll", "Pacific/Chatham", "America/Havana", "Africa/Cairo", "Asia/Gaza",
    "America/Nuuk", "Pacific/Kwajalein", "Asia/Pyongyang", "America/Caracas", "Europe/Moscow",
    "Africa/El_Aaiun", "Antarctica/Casey", "Asia/Amman", "America/Asuncion", "Pacific/Easter",
    "Asia/Dhaka", "Europe/London", "America/Scoresbysund", "Asia/Shanghai"};

#define ZONES (sizeof(zones) / sizeof(zones[0]))

/* One process's part of the work. */
struct run {
	const char *name; /* of the zone */
	const struct zone *zone;
	struct random random;
	struct wall_table table;
	int64_t changes[CHANGES_MAX]; /* days near which the offset changed */
	int change_count;
	int64_t *fires; /* what the reference found, room for all of the table's entries */
	bool *moved;    /* is it there only because of a gap? */
	size_t fire_count;
};

static void find_changes(struct run *run)
{
	long offset = 0;

	for (int64_t at = 2 * DAY; at < 50000 * DAY && run->change_count < CHANGES_MAX; at += DAY) {
		time_t when = (time_t)at;
		struct tm tm;

		localtime_r(&when, &tm);
		if (at > 2 * DAY && tm.tm_gmtoff != offset)
			run->changes[run->change_count++] = at;
		offset = tm.tm_gmtoff;
	}
}

static int64_t random_instant(struct random *random, int64_t begin, int64_t end)
{
	return begin + (int64_t)(random_next(random) % (uint64_t)(end - begin));
}

static void choose_window(struct run *run)
{
	struct random *random = &run->random;
	int64_t length = random_once_in(random, 64) ? 45 * DAY : 3 * DAY / 2;
	int64_t begin;
	int step = 60;

	if (run->change_count > 0 && !random_once_in(random, 4)) {
		int64_t change = run->changes[random_in(random, 0, run->change_count - 1)];

		begin = random_instant(random, change - 2 * DAY, change + DAY / 2);
	} else if (random_once_in(random, 8)) {
		begin = random_instant(random, 2 * DAY, 2932000 * DAY);
	} else {
		begin = random_instant(random, 2 * DAY, 48000 * DAY);
	}
	if (begin < 2 * DAY)
		begin = 2 * DAY;
	if (random_once_in(random, 8))
		step = 1;
	wall_table_fill(&run->table, begin / 60 * 60, begin / 60 * 60 + length, step);
	run->fires = realloc(run->fires, run->table.count * sizeof(*run->fires));
	run->moved = realloc(run->moved, run->table.count * sizeof(*run->moved));
	if (!run->fires || !run->moved)
		exit(1);
}

/* Finds every fire time of the window. */
static void walk(struct run *run, const struct cron_spec *spec)
{
	static bool days[4096];
	bool wildcard = cron_spec_is_wildcard(spec);
	bool times[3][60];

	for (size_t i = 0; i < run->table.day_count; i++)
		days[i] = cron_spec_day_matches(spec, &run->table.days[i]);
	for (int field = SPEC_SECOND; field <= SPEC_HOUR; field++)
		for (int value = 0; value < 60; value++)
			times[field][value] =
			    cron_spec_value_matches(spec, (enum spec_field)field, value);
	run->fire_count = 0;
	for (size_t i = 0; i < run->table.count; i++) {
		const struct wall_entry *entry = &run->table.entries[i];
		bool moved = entry->kind == WALL_MOVED;

		if (!days[entry->day] || !times[SPEC_HOUR][entry->hour] ||
		    !times[SPEC_MINUTE][entry->minute] || !times[SPEC_SECOND][entry->second])
			continue;
		if (entry->kind == (wildcard ? WALL_MOVED : WALL_AGAIN))
			continue;
		if (run->fire_count > 0 && run->fires[run->fire_count - 1] == entry->instant) {
			run->moved[run->fire_count - 1] &= moved;
			continue;
		}
		run->moved[run->fire_count] = moved;
		run->fires[run->fire_count++] = entry->instant;
	}
}

static int differ(const struct run *run, const struct cron_spec *spec, const char *question,
    schedd_time from, schedd_time until, int64_t wanted, int64_t got)
{
	static const char *const names[] = {"cron", "fields", "quartz", "on-calendar"};

	fprintf(stderr,
	    "%s: %s '%s' from %" PRId64 " us until %" PRId64 " us: wanted %" PRId64 ", got %" PRId64
	    " (TZ=%s date -d @%" PRId64 ")\n",
	    question, names[spec->dialect], spec->text, from, until, wanted, got, run->name,
	    from / SCHEDD_SECOND);
	return 1;
}

/* Steps forward from a time. */
static int check_next(const struct run *run, const struct cron_spec *spec, const struct cron *cron,
    schedd_time from, size_t first)
{
	schedd_time at = from, end = run->table.end * SCHEDD_SECOND;

	for (size_t i = first; i < run->fire_count && i < first + STEPS_MAX; i++) {
		schedd_time wanted = run->fires[i] * SCHEDD_SECOND;
		schedd_time fire = cron_next(cron, run->zone, at);

		if (fire != wanted)
			return differ(run, spec, "next", at, end, wanted, fire);
		if (cron_moved(cron, run->zone, fire) != run->moved[i])
			return differ(run, spec, "moved", fire, end, run->moved[i], !run->moved[i]);
		at = fire + 1;
	}
	if (run->fire_count - first > STEPS_MAX)
		return 0;
	at = cron_next(cron, run->zone, at);
	if (at != SCHEDD_TIME_NONE && at < end)
		return differ(run, spec, "next", from, end, SCHEDD_TIME_NONE, at);
	return 0;
}

static int check_range(const struct run *run, const struct cron_spec *spec, const struct cron *cron,
    schedd_time from, schedd_time until, size_t first)
{
	schedd_time last = SCHEDD_TIME_NONE, got;
	uint64_t count = 0, counted;

	for (size_t i = first; i < run->fire_count && run->fires[i] * SCHEDD_SECOND <= until; i++) {
		last = run->fires[i] * SCHEDD_SECOND;
		count++;
	}
	got = cron_latest(cron, run->zone, from, until);
	if (got != last)
		return differ(run, spec, "latest", from, until, last, got);
	counted = cron_count(cron, run->zone, from, until, UINT64_MAX);
	if (counted != count)
		return differ(run, spec, "count", from, until, (int64_t)count, (int64_t)counted);
	counted = cron_count(cron, run->zone, from, until, 3);
	if (counted != (count < 3 ? count : 3))
		return differ(
		    run, spec, "count up to 3", from, until, (int64_t)count, (int64_t)counted);
	return 0;
}

static int check_case(struct run *run)
{
	struct wall_table *table = &run->table;
	struct schedd_error err = {0};
	struct cron_spec spec;
	struct cron *cron;
	schedd_time from, until;
	size_t first = 0;
	int rc;

	cron_spec_make(&spec, &run->random,
	    &table->days[random_in(&run->random, 0, (int)table->day_count - 1)], table->step == 1);
	if (cron_parse(spec.dialect, spec.text, NULL, &cron, NULL, &err) != 0) {
		fprintf(stderr, "refused: %s\n", err.message);
		return 1;
	}
	walk(run, &spec);
	from = random_instant(&run->random, table->begin, table->end) * SCHEDD_SECOND;
	if (random_once_in(&run->random, 2))
		from = table->begin * SCHEDD_SECOND;
	else if (random_once_in(&run->random, 2))
		from += random_in(&run->random, 1, 999999);
	until = random_instant(&run->random, table->begin, table->end) * SCHEDD_SECOND;
	if (until < from)
		until = from;
	while (first < run->fire_count && run->fires[first] * SCHEDD_SECOND < from)
		first++;
	rc = check_next(run, &spec, cron, from, first) ||
	     check_range(run, &spec, cron, from, until, first);
	cron_free(cron);
	return rc;
}

/* One zone's part, in a process whose TZ is that zone. */
static int run_zone(const char *name, uint64_t seed, uint64_t cases)
{
	struct run run = {.name = name, .random = {seed}};
	struct zone_cache *cache = zone_cache_new(NULL);
	struct schedd_error err = {0};
	int rc = 0;

	if (!cache || zone_cache_get(cache, name, &run.zone, &err) != 0) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	setenv("TZ", name, 1);
	tzset();
	find_changes(&run);
	for (uint64_t i = 0; i < cases && rc == 0; i++) {
		if (i % CASES_PER_WINDOW == 0)
			choose_window(&run);
		rc = check_case(&run);
	}
	wall_table_clear(&run.table);
	free(run.fires);
	free(run.moved);
	zone_cache_free(cache);
	return rc;
}

/* Returns how many zones failed. */
static int run_child(const char *name, uint64_t seed, uint64_t cases)
{
	struct random own = {seed};
	int status = 0;
	pid_t pid;

	for (const char *at = name; *at; at++)
		own.state = random_next(&own) ^ (unsigned char)*at;
	pid = fork();
	if (pid == 0)
		exit(run_zone(name, random_next(&own), cases));
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return 0;
	fprintf(stderr, "again: SCHEDD_SEED=%" PRIu64 " SCHEDD_CASES=%" PRIu64 " SCHEDD_ZONE=%s\n",
	    seed, cases, name);
	return 1;
}

static uint64_t setting(const char *variable, const char *argument, uint64_t fallback)
{
	const char *text = getenv(variable);

	if (!text)
		text = argument;
	return text ? strtoull(text, NULL, 0) : fallback;
}

int main(int argc, char **argv)
{
	uint64_t seed = setting("SCHEDD_SEED", argc > 1 ? argv[1] : NULL, 1);
	uint64_t cases = setting("SCHEDD_CASES", argc > 2 ? argv[2] : NULL, 25000);
	const char *only = getenv("SCHEDD_ZONE");
	int failures = 0;

	for (size_t i = 0; i < ZONES && !only; i++)
		failures += run_child(zones[i], seed, cases / ZONES + 1);
	if (only)
		failures = run_child(only, seed, cases);
	printf("seed %" PRIu64 ", %" PRIu64 " cases, %d zones with differences\n", seed, cases,
	    failures);
	return failures > 0;
}
