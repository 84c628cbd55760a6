/* SPDX-License-Identifier: MIT */
#include "bench/server_bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"

int64_t bench_now(void)
{
	return schedd_clock_system()->mono(NULL).us;
}

void bench_die(const char *what, const struct schedd_error *err)
{
	fprintf(stderr, "bench_store_server: %s: %s\n", what, err->message);
	exit(1);
}

static int bench_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double bench_median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(values[0]), bench_compare);
	return values[count / 2];
}

static int64_t bench_cpu_of(pid_t pid)
{
	struct timespec time = {.tv_sec = 0};
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) == 0)
		(void)clock_gettime(clock, &time);
	return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

/* What this process and the server's have worked: of a busy machine the steadier figure. */
static int64_t bench_cpu(void)
{
	const char *server = getenv("SCHEDD_TEST_SERVER_PID");
	int64_t sum = bench_cpu_of(getpid());
	char path[64];
	FILE *file;
	int pid;

	if (!server)
		return sum;
	sum += bench_cpu_of((pid_t)strtol(server, NULL, 10));
	snprintf(path, sizeof(path), "/proc/%.10s/task/%.10s/children", server, server);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &pid) == 1)
		sum += bench_cpu_of(pid);
	if (file)
		fclose(file);
	return sum;
}

void pair_begin(struct pair *pair)
{
	pair->begin_cpu = bench_cpu();
	pair->begin = bench_now();
}

void pair_own(struct pair *pair, int64_t took)
{
	pair->took = took;
	pair->took_cpu = bench_cpu() - pair->begin_cpu;
	pair_begin(pair);
}

void pair_bare(struct pair *pair)
{
	int64_t bare = bench_now() - pair->begin, cpu = bench_cpu() - pair->begin_cpu;

	pair->own[pair->count] = (double)pair->took / 1e6;
	pair->bare[pair->count] = (double)bare / 1e6;
	pair->ratio[pair->count] = (double)pair->took / (double)(bare ? bare : 1);
	pair->cpu[pair->count] = (double)pair->took_cpu / (double)(cpu ? cpu : 1);
	pair->count++;
}

void pair_tell(
    struct pair *pair, const struct bench *bench, const char *name, int count, double goal)
{
	double own = bench_median(pair->own, pair->count);
	double bare = bench_median(pair->bare, pair->count);
	double ratio = bench_median(pair->ratio, pair->count);
	double cpu = bench_median(pair->cpu, pair->count);

	if (!bench->bare->adds)
		printf("{\"bench\":\"store_%s_%s\",\"%s\":%.1f}\n", bench->bare->type, name,
		    count ? "per_second" : "ms", count ? count / own : own * 1e3);
	else if (count)
		printf("{\"bench\":\"store_%s_%s\",\"per_second\":%.0f,\"bare_per_second\":%.0f,"
		       "\"ratio_to_bare\":%.2f,\"cpu_of_bare\":%.2f,\"goal_ratio_to_bare\":%g}\n",
		    bench->bare->type, name, count / own, count / bare, 1 / ratio, cpu, goal);
	else
		printf("{\"bench\":\"store_%s_%s\",\"ms\":%.1f,\"bare_ms\":%.1f,\"of_bare\":%.2f,"
		       "\"cpu_of_bare\":%.2f,\"goal_of_bare\":%g}\n",
		    bench->bare->type, name, own * 1e3, bare * 1e3, ratio, cpu, goal);
	fflush(stdout);
}

/* ---- The store ---- */

void bench_open(struct bench *bench)
{
	if (store_open_wait(&bench->config, 30 * SCHEDD_SECOND, &bench->store, &bench->err) ||
	    store_wait(bench->store, 30 * SCHEDD_SECOND, &bench->err))
		bench_die("open", &bench->err);
}

struct job_record bench_job(struct bench *bench, int number)
{
	struct job_fields_context context = {.trigger = &bench->trigger};
	struct job_record record = {.job = job_new()};
	struct arena arena;
	struct value map;
	char json[400];

	snprintf(json, sizeof(json),
	    "{\"id\":\"job-%06d\",\"name\":\"job number %d\",\"command\":[\"/bin/true\"],"
	    "\"trigger\":{\"every\":%d,\"start\":\"2026-01-01T00:00:00Z\"},"
	    "\"next_run_time\":1800000000000000,\"next_fire\":1800000000000000,"
	    "\"created_at\":1767225600000000,\"revision\":1}",
	    number, number, 60 + number % 60);
	arena_init(&arena);
	job_state_init(&record.state);
	if (json_parse(json, strlen(json), &arena, &map, &bench->err) < 0 ||
	    job_fields_read(record.job, &record.state, &map,
		JOB_FIELD_READONLY | JOB_FIELD_STATE | JOB_FIELD_ADD_ONLY, &context,
		&bench->err) < 0)
		bench_die(json, &bench->err);
	arena_clear(&arena);
	return record;
}

void bench_drop(struct job_record *record)
{
	job_unref(record->job);
	job_state_clear(&record->state);
	free(record->raw);
}

void bench_done(int rc, const struct schedd_error *err, void *context)
{
	struct bench *bench = context;

	if (rc < 0)
		bench_die("commit", err);
	bench->answered++;
}

void bench_await(struct bench *bench, int answered)
{
	while (bench->answered < answered)
		mailbox_wait_for(bench->mailbox, SCHEDD_SECOND);
}

int64_t bench_adds(struct bench *bench, int count, int in_flight, int each)
{
	struct job_record *records = calloc((size_t)count * (size_t)each, sizeof(records[0]));
	int64_t begin;
	int sent = 0;

	for (int i = 0; i < count * each; i++)
		records[i] = bench_job(bench, bench->jobs++);
	bench->answered = 0;
	begin = bench_now();
	while (bench->answered < count) {
		while (sent < count && sent - bench->answered < in_flight) {
			struct store_batch *batch = store_batch_new(bench->store);

			for (int i = 0; i < each; i++)
				store_batch_add_job(batch, records[sent * each + i].job,
				    &records[sent * each + i].state, NULL);
			store_commit(bench->store, batch, bench_done, bench);
			sent++;
		}
		bench_await(bench, bench->answered + 1);
	}
	begin = bench_now() - begin;
	for (int i = 0; i < count * each; i++)
		bench_drop(&records[i]);
	free(records);
	return begin;
}

/* ---- All of it ---- */

void bench_init(struct bench *bench, const struct store_option *options)
{
	static struct bare alone;
	const char *type = getenv("SCHEDD_TEST_STORE_TYPE"), *reset = getenv("SCHEDD_TEST_STORE_RESET");

	if (!type || !reset || system(reset) != 0) {
		fprintf(stderr, "bench_store_server: run it by tests/support/with_server.sh\n");
		exit(2);
	}
	setenv("SCHEDD_MODULE_DIR", BENCH_MODULES, 0);
	/* Of the other types there is nothing to measure them beside. */
	alone.type = type;
	bench->bare = strcmp(type, "redis") == 0	? &bare_redis
		      : strcmp(type, "postgresql") == 0 ? &bare_postgresql
							: &alone;
	strcpy(bench->directory, "/tmp/schedd-bench-XXXXXX");
	if (!mkdtemp(bench->directory))
		exit(1);
	bench->mailbox = mailbox_new(NULL, &bench->err);
	bench->trigger.zones = zone_cache_new(NULL);
	bench->trigger.zone = zone_utc();
	bench->trigger.now = 1767225600 * SCHEDD_SECOND;
	bench->trigger.host = "host";
	bench->config = (struct store_config){.name = "default",
	    .type = type,
	    .url = getenv("SCHEDD_TEST_STORE_URL"),
	    .options = options,
	    .state_dir = bench->directory,
	    .mailbox = bench->mailbox,
	    .trigger = &bench->trigger};
}

void bench_end(struct bench *bench)
{
	char command[100];

	if (bench->bare->close)
		bench->bare->close();
	store_close(bench->store);
	mailbox_free(bench->mailbox);
	zone_cache_free(bench->trigger.zones);
	snprintf(command, sizeof(command), "rm -rf '%s'", bench->directory);
	if (system(command) != 0)
		exit(1);
}
