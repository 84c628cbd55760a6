/* SPDX-License-Identifier: MIT */
/* What it costs to read and write job files of many jobs, and to keep a job in memory. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "jobfile/jobfile.h"
#include "jobfile/jobfile_write.h"
#include "model/job_fields.h"

#define JOBS 100000

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void write_jobs(struct strbuf *out, enum jobfile_form form, const struct value *jobs)
{
	jobfile_write_begin(out, form, NULL);
	for (uint32_t i = 0; i < jobs->array.count; i++)
		jobfile_write_job(out, form, &jobs->array.items[i], i);
	jobfile_write_end(out, form, jobs->array.count);
}

static void measure_read(
    const char *name, const struct strbuf *text, const struct trigger_context *context)
{
	struct diagnostics diagnostics;
	struct jobfile set;
	double start = now_s();
	int rc;

	jobfile_init(&set);
	diagnostics_init(&diagnostics);
	rc = jobfile_read(&set, "f", text->data, text->length, context, &diagnostics);
	printf("{\"bench\":\"%s\",\"jobs\":%u,\"bytes\":%zu,\"rc\":%d,\"seconds\":%.3f,"
	       "\"arena_bytes\":%zu}\n",
	    name, set.jobs.array.count, text->length, rc, now_s() - start, set.arena.total);
	jobfile_clear(&set);
	diagnostics_clear(&diagnostics);
}

static struct value make_jobs(struct arena *arena)
{
	struct value jobs = value_array();

	for (int i = 0; i < JOBS; i++) {
		struct value job = value_map(), argv = value_array(), trigger = value_map();

		value_put(arena, &job, "id", value_string_ref(arena_printf(arena, "job-%06d", i)));
		value_append(arena, &argv, value_string_ref("/usr/bin/backup"));
		value_append(arena, &argv, value_string_ref("--all"));
		value_put(arena, &job, "command", argv);
		value_put(arena, &trigger, "cron",
		    value_string_ref(arena_printf(arena, "%d %d * * *", i % 60, i / 60 % 24)));
		value_put(arena, &job, "trigger", trigger);
		value_append(arena, &jobs, job);
	}
	return jobs;
}

/* Bytes of the heap that a job with nothing but command and trigger takes, the trigger aside. */
static void measure_memory(const struct value *jobs)
{
	struct schedd_job **made = calloc(JOBS, sizeof(struct schedd_job *));
	struct mallinfo2 before = mallinfo2(), after;

	for (uint32_t i = 0; made && i < JOBS; i++) {
		const struct value *map = &jobs->array.items[i];
		struct value parts = *map;

		parts.map.count = 2; /* id and command */
		made[i] = job_new();
		if (!made[i] ||
		    job_fields_read(made[i], NULL, &parts, JOB_FIELD_ADD_ONLY, NULL, NULL))
			abort();
	}
	after = mallinfo2();
	printf("{\"bench\":\"job_memory\",\"bytes\":%.1f}\n",
	    (double)(after.uordblks - before.uordblks) / JOBS);
	for (uint32_t i = 0; made && i < JOBS; i++)
		job_unref(made[i]);
	free(made);
}

int main(void)
{
	struct zone_cache *zones = zone_cache_new(NULL);
	struct trigger_context context = {.zones = zones, .zone = zone_utc(), .seed = 1};
	struct strbuf yaml = STRBUF_EMPTY, json = STRBUF_EMPTY;
	struct arena arena;
	struct value jobs;
	double start;

	arena_init(&arena);
	jobs = make_jobs(&arena);
	start = now_s();
	write_jobs(&yaml, JOBFILE_YAML, &jobs);
	printf("{\"bench\":\"jobfile_write_yaml\",\"seconds\":%.3f}\n", now_s() - start);
	write_jobs(&json, JOBFILE_JSON, &jobs);
	measure_read("jobfile_read_yaml", &yaml, &context);
	measure_read("jobfile_read_json", &json, &context);
	measure_memory(&jobs);
	strbuf_clear(&yaml);
	strbuf_clear(&json);
	arena_clear(&arena);
	zone_cache_free(zones);
	return 0;
}
