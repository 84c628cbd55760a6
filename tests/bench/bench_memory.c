/* SPDX-License-Identifier: MIT */
/* Resident memory per job, of interval and of cron jobs. */
#include "core/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

static long bench_rss(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size = 0, resident = 0;

	if (file) {
		if (fscanf(file, "%ld %ld", &size, &resident) != 2)
			resident = 0;
		fclose(file);
	}
	return resident * sysconf(_SC_PAGESIZE);
}

static void bench_added(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	(void)result;
	(void)context;
	if (!rc)
		return;
	fprintf(stderr, "bench_memory: %s\n", err->message);
	exit(1);
}

/* As a client adds it: with an id and a name of its own. */
static void bench_add(struct schedd_scheduler *scheduler, unsigned i, const char *kind)
{
	struct value fields = value_map(), trigger = value_map(), argv = value_array();
	struct arena arena;

	arena_init(&arena);
	if (strcmp(kind, "interval") == 0)
		value_put(&arena, &trigger, "every",
		    value_string(&arena, arena_printf(&arena, "%us", 3600 + i % 7200)));
	else
		value_put(&arena, &trigger, "cron",
		    value_string(&arena, arena_printf(&arena, "%u %u * * *", i % 60, i / 60 % 24)));
	value_append(&arena, &argv, value_string_ref("/usr/local/bin/backup"));
	value_append(&arena, &argv, value_string_ref("--all"));
	value_put(&arena, &fields, "id",
	    value_string(&arena, arena_printf(&arena, "customer-%06u-sync", i)));
	value_put(&arena, &fields, "name",
	    value_string(&arena, arena_printf(&arena, "Sync of customer %u", i)));
	value_put(&arena, &fields, "trigger", trigger);
	value_put(&arena, &fields, "command", argv);
	scheduler_add(scheduler, &fields, 0, NULL, (struct scheduler_reply){bench_added, NULL});
	arena_clear(&arena);
}

static void bench_memory(const char *kind, unsigned jobs)
{
	struct schedd_scheduler_options options = {.timezone = "Europe/Berlin"};
	struct schedd_scheduler *scheduler;
	struct schedd_error err;
	long empty, full;

	if (schedd_scheduler_new(&options, &scheduler, &err) ||
	    schedd_scheduler_start(scheduler, &err)) {
		fprintf(stderr, "bench_memory: %s\n", err.message);
		exit(1);
	}
	bench_add(scheduler, 999999, kind);
	empty = bench_rss();
	for (unsigned i = 0; i < jobs; i++)
		bench_add(scheduler, i, kind);
	full = bench_rss();
	printf("{\"bench\":\"memory\",\"kind\":\"%s\",\"jobs\":%u,\"empty_mb\":%.1f,"
	       "\"bytes_per_job\":%.0f",
	    kind, jobs, (double)empty / 1e6, (double)(full - empty) / jobs);
	/* The ring of events, full after 10,000, counts for little among many jobs. */
	if (jobs >= 100000)
		printf(",\"goal_bytes_per_job\":%d", strcmp(kind, "cron") == 0 ? 450 : 400);
	printf("}\n");
	fflush(stdout);
	schedd_scheduler_free(scheduler);
}

/* Each in a process of its own, so that none uses the memory another gave back. */
int main(void)
{
	static const struct {
		const char *kind;
		unsigned jobs;
	} cases[] = {{"interval", 10000}, {"interval", 100000}, {"cron", 10000}, {"cron", 100000}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			bench_memory(cases[i].kind, cases[i].jobs);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
			return 1;
	}
	return 0;
}
