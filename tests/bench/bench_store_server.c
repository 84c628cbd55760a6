/* SPDX-License-Identifier: MIT */
/*
 * What a store on a server costs, beside what its client library alone needs
 * for the same writes on the same server, the two taken in turns:
 *
 *   sh tests/support/with_server.sh redis build/bench/tests/bench/bench_store_server
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"
#include "bench/bare.h"
#include "model/job_fields.h"
#include "store/store.h"

#define ROUNDS 5
#define SERIAL 200
#define PIPELINED 4000
#define PIPELINED_ALONE 1000 /* where nothing is measured beside it */
#define IN_FLIGHT 64
#define DUE 1000
#define START 10000
#define LOADED 100000
#define LOADS 3

struct bench {
	const struct bare *bare;
	struct store_config config;
	struct store *store;
	struct trigger_context trigger;
	struct mailbox *mailbox;
	struct schedd_error err;
	char directory[64];
	int jobs;  /* added so far */
	int runs;  /* of each of the first START of them */
	int answered;
	int64_t found;
	bool loaded;
};

static int64_t bench_now(void)
{
	return schedd_clock_system()->mono(NULL).us;
}

static void bench_die(const char *what, const struct schedd_error *err)
{
	fprintf(stderr, "bench_store_server: %s: %s\n", what, err->message);
	exit(1);
}

static int bench_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double bench_median(double *values, int count)
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

/* Times of ours and theirs, in turns, and how they compare. */
struct pair {
	double own[ROUNDS], bare[ROUNDS], ratio[ROUNDS], cpu[ROUNDS];
	int64_t begin, begin_cpu, took, took_cpu; /* of what is measured, and of ours */
	int count;
};

static void pair_begin(struct pair *pair)
{
	pair->begin_cpu = bench_cpu();
	pair->begin = bench_now();
}

/* Of ours, which knows by itself how long it took. */
static void pair_own(struct pair *pair, int64_t took)
{
	pair->took = took;
	pair->took_cpu = bench_cpu() - pair->begin_cpu;
	pair_begin(pair);
}

static void pair_bare(struct pair *pair)
{
	int64_t bare = bench_now() - pair->begin, cpu = bench_cpu() - pair->begin_cpu;

	pair->own[pair->count] = (double)pair->took / 1e6;
	pair->bare[pair->count] = (double)bare / 1e6;
	pair->ratio[pair->count] = (double)pair->took / (double)(bare ? bare : 1);
	pair->cpu[pair->count] = (double)pair->took_cpu / (double)(cpu ? cpu : 1);
	pair->count++;
}

/* A rate where there is a count, else a time. */
static void pair_tell(
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

static void bench_open(struct bench *bench)
{
	if (store_open_wait(&bench->config, 30 * SCHEDD_SECOND, &bench->store, &bench->err) ||
	    store_wait(bench->store, 30 * SCHEDD_SECOND, &bench->err))
		bench_die("open", &bench->err);
}

static struct job_record bench_job(struct bench *bench, int number)
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

static void bench_drop(struct job_record *record)
{
	job_unref(record->job);
	job_state_clear(&record->state);
	free(record->raw);
}

static void bench_done(int rc, const struct schedd_error *err, void *context)
{
	struct bench *bench = context;

	if (rc < 0)
		bench_die("commit", err);
	bench->answered++;
}

static void bench_await(struct bench *bench, int answered)
{
	while (bench->answered < answered)
		mailbox_wait_for(bench->mailbox, SCHEDD_SECOND);
}

/* So many batches of so many jobs each; how long the last of them took. */
static int64_t bench_adds(struct bench *bench, int count, int in_flight, int each)
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

/* Batches of so many claims with a run each, all handed over at once. */
static int64_t bench_claims(struct bench *bench, int from, int batches, int each)
{
	enum store_verdict *verdicts = calloc((size_t)batches * (size_t)each, sizeof(verdicts[0]));
	int64_t begin = bench_now();
	struct job_state state;
	struct run run;
	char id[16];

	job_state_init(&state);
	state.last_run = (uint32_t)bench->runs + 1;
	state.run_count = state.last_run;
	state.next_fire = state.next_run_time = 1800000000 * SCHEDD_SECOND;
	run_init(&run);
	run.job = id;
	run.number = state.last_run;
	run.state = RUN_RUNNING;
	run.scheduled_at = 1800000000 * SCHEDD_SECOND;
	run.started_at = run.scheduled_at + 100;
	bench->answered = 0;
	for (int b = 0; b < batches; b++) {
		struct store_batch *batch = store_batch_new(bench->store);

		for (int i = 0; i < each; i++) {
			snprintf(id, sizeof(id), "job-%06d", from + b * each + i);
			store_batch_claim(batch, id, (uint32_t)bench->runs, &state,
			    &verdicts[b * each + i]);
			store_batch_put_run(batch, &run);
		}
		store_commit(bench->store, batch, bench_done, bench);
	}
	bench_await(bench, batches);
	begin = bench_now() - begin;
	for (int i = 0; i < batches * each; i++)
		if (verdicts[i] != STORE_CLAIM_DONE)
			bench_die("a claim was lost", &bench->err);
	free(verdicts);
	return begin;
}

static int bench_keep(struct job_record *record, void *context)
{
	((struct bench *)context)->found++;
	bench_drop(record);
	return 0;
}

static void bench_loaded(
    int rc, const struct schedd_error *err, struct store_snapshot *snapshot, void *context)
{
	struct bench *bench = context;

	if (rc < 0)
		bench_die("load", err);
	store_snapshot_free(snapshot);
	bench->loaded = true;
}

static int64_t bench_load(struct bench *bench)
{
	int64_t begin = bench_now();

	bench->found = 0;
	bench->loaded = false;
	store_load(bench->store, bench_keep, bench_loaded, bench);
	while (!bench->loaded)
		mailbox_wait_for(bench->mailbox, SCHEDD_SECOND);
	begin = bench_now() - begin;
	if (bench->found != bench->jobs)
		bench_die("jobs are missing", &bench->err);
	return begin;
}

/* ---- Figures ---- */

static void figure_adds(
    struct bench *bench, const char *name, int count, int in_flight, double goal)
{
	struct pair pair = {.count = 0};
	int bare = bench->jobs;

	for (int i = 0; i < ROUNDS; i++, bare += count) {
		pair_begin(&pair);
		pair_own(&pair, bench_adds(bench, count, in_flight, 1));
		if (bench->bare->adds)
			bench->bare->adds(bare, count, in_flight);
		pair_bare(&pair);
	}
	pair_tell(&pair, bench, name, count, goal);
}

static void bench_bare_claims(const struct bench *bench, int batches, int number)
{
	for (int b = 0; b < batches && bench->bare->claims; b++)
		bench->bare->claims(b * DUE, DUE, number);
}

static void figure_claims(struct bench *bench)
{
	struct pair one = {.count = 0}, all = {.count = 0};
	int there = bench->jobs;

	while (bench->jobs < START)
		bench_adds(bench, 1, 1, DUE);
	if (there < bench->jobs && bench->bare->adds)
		bench->bare->adds(there, bench->jobs - there, 1000);
	for (int i = 0; i < ROUNDS; i++) {
		pair_begin(&one);
		pair_own(&one, bench_claims(bench, 0, 1, DUE));
		bench_bare_claims(bench, 1, 2 * i + 1);
		pair_bare(&one);
		/* The rest of them catches up, unmeasured. */
		bench_claims(bench, DUE, (START - DUE) / DUE, DUE);
		for (int b = 1; b < START / DUE && bench->bare->claims; b++)
			bench->bare->claims(b * DUE, DUE, 2 * i + 1);
		bench->runs++;
		pair_begin(&all);
		pair_own(&all, bench_claims(bench, 0, START / DUE, DUE));
		bench->runs++;
		bench_bare_claims(bench, START / DUE, 2 * i + 2);
		pair_bare(&all);
	}
	pair_tell(&one, bench, "claims_1000", 0, 1.5);
	pair_tell(&all, bench, "due_10000", 0, 2);
}

/* The same jobs in a file: what the rest of a load costs. */
static double figure_sqlite(struct bench *bench)
{
	struct bench file = *bench;
	double times[LOADS];
	char path[128];

	snprintf(path, sizeof(path), "%s/jobs.db", bench->directory);
	file.config.type = "sqlite";
	file.config.path = path;
	file.config.url = NULL;
	file.config.options = NULL;
	file.jobs = 0;
	bench_open(&file);
	bench_adds(&file, bench->jobs / DUE, 8, DUE);
	for (int i = 0; i < LOADS; i++)
		times[i] = (double)bench_load(&file) / 1e6;
	store_close(file.store);
	return bench_median(times, LOADS);
}

static void figure_load_beside(struct bench *bench)
{
	struct pair pair = {.count = 0};
	int missing = LOADED - bench->jobs, bare = bench->jobs;
	double sqlite, own, read;

	bench_adds(bench, missing / DUE, 8, DUE);
	if (bench->jobs < LOADED)
		bench_adds(bench, 1, 1, LOADED - bench->jobs);
	bench->bare->adds(bare, LOADED - bare, 1000);
	for (int i = 0; i < LOADS; i++) {
		pair_begin(&pair);
		pair_own(&pair, bench_load(bench));
		if (bench->bare->load() != LOADED)
			bench_die("jobs are missing", &bench->err);
		pair_bare(&pair);
	}
	sqlite = figure_sqlite(bench);
	own = bench_median(pair.own, pair.count);
	read = bench_median(pair.bare, pair.count);
	printf("{\"bench\":\"store_%s_load_100000\",\"ms\":%.1f,\"bare_ms\":%.1f,\"sqlite_ms\":%.1f,"
	       "\"of_greater\":%.2f,\"goal_of_greater\":1.5}\n",
	    bench->bare->type, own * 1e3, read * 1e3, sqlite * 1e3,
	    own / (read > sqlite ? read : sqlite));
}

static void figure_load(struct bench *bench)
{
	if (bench->bare->load)
		figure_load_beside(bench);
}

static void bench_init(struct bench *bench)
{
	static struct bare alone;
	static const struct store_option options[] = {{"run_as", "root"}, {NULL, NULL}};
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
	    .options = geteuid() == 0 ? options : NULL,
	    .state_dir = bench->directory,
	    .mailbox = bench->mailbox,
	    .trigger = &bench->trigger};
}

static void figure_serial(struct bench *bench)
{
	figure_adds(bench, "adds_serial", SERIAL, 1, 0.6);
}

static void figure_pipelined(struct bench *bench)
{
	figure_adds(bench, "adds_64", bench->bare->adds ? PIPELINED : PIPELINED_ALONE, IN_FLIGHT, 0.4);
}

static const struct {
	const char *name;
	void (*measure)(struct bench *bench);
} figures[] = {{"adds_serial", figure_serial},
    {"adds_64", figure_pipelined},
    {"load", figure_load}, /* before there are runs, of which the bare read knows nothing */
    {"claims", figure_claims}};

/* With names of figures those alone. */
int main(int argc, char **argv)
{
	static struct bench bench;
	char command[100];

	bench_init(&bench);
	bench_open(&bench);
	if (bench.bare->open)
		bench.bare->open();
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		bool wanted = argc == 1;

		for (int a = 1; a < argc; a++)
			wanted = wanted || strcmp(argv[a], figures[i].name) == 0;
		if (wanted)
			figures[i].measure(&bench);
	}
	if (bench.bare->close)
		bench.bare->close();
	store_close(bench.store);
	mailbox_free(bench.mailbox);
	zone_cache_free(bench.trigger.zones);
	snprintf(command, sizeof(command), "rm -rf '%s'", bench.directory);
	return system(command) != 0;
}
