/* SPDX-License-Identifier: MIT */
/*
 * No-op C functions due each second on the memory store: CPU per fire,
 * lateness, missed fire times; and how many fires a second saturate one CPU.
 * The floor beside it is a bare heap whose entries are called and put back, the
 * same whatever becomes of the library's.
 */
#include "core/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>

struct bench_fire {
	int64_t *late; /* µs of each fire */
	size_t count, capacity;
	bool by_clock; /* measure lateness */
};

static int bench_noop(const struct schedd_call *call, void *context)
{
	struct bench_fire *bench = context;
	const struct schedd_clock *clock = schedd_clock_system();

	if (bench->by_clock && bench->count < bench->capacity)
		bench->late[bench->count] = clock->wall(clock->context) - call->scheduled_at;
	bench->count++;
	return 0;
}

static double bench_cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int bench_compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void bench_die(const char *what, const struct schedd_error *err)
{
	fprintf(stderr, "bench_fire: %s: %s\n", what, err->message);
	exit(1);
}

static struct schedd_scheduler *bench_scheduler(
    const struct schedd_clock *clock, struct bench_fire *bench)
{
	struct schedd_scheduler_options options = {.clock = clock, .timezone = "UTC"};
	struct schedd_scheduler *scheduler;
	struct schedd_error err;

	if (schedd_scheduler_new(&options, &scheduler, &err) ||
	    schedd_scheduler_register(scheduler, "noop", bench_noop, bench, &err))
		bench_die("new", &err);
	return scheduler;
}

static void bench_added(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	(void)result;
	(void)context;
	if (rc)
		bench_die("add", err);
}

/* All on one grid, so that they are due at one instant. */
static void bench_add(struct schedd_scheduler *scheduler, unsigned jobs, schedd_time start)
{
	for (unsigned i = 0; i < jobs; i++) {
		struct value fields = value_map(), trigger = value_map(), call = value_map();
		struct arena arena;

		arena_init(&arena);
		value_put(&arena, &trigger, "type", value_string_ref("interval"));
		value_put(&arena, &trigger, "seconds", value_int(1));
		value_put(&arena, &trigger, "start", value_int(start));
		value_put(&arena, &call, "function", value_string_ref("noop"));
		value_put(&arena, &fields, "id",
		    value_string(&arena, arena_printf(&arena, "job-%06u", i)));
		value_put(&arena, &fields, "trigger", trigger);
		value_put(&arena, &fields, "call", call);
		scheduler_add(
		    scheduler, &fields, 0, NULL, (struct scheduler_reply){bench_added, NULL});
		arena_clear(&arena);
	}
}

static void bench_sleep(schedd_time until)
{
	const struct schedd_clock *clock = schedd_clock_system();
	schedd_span left = until - clock->wall(clock->context);
	struct timespec pause = {left / SCHEDD_SECOND, left % SCHEDD_SECOND * 1000};

	if (left > 0)
		nanosleep(&pause, NULL);
}

struct bench_entry {
	int64_t key;
	uint32_t *place; /* where it is, as an entry that can be removed has to know */
};

/* The first entry of a heap of four children a node goes to its place. */
static void bench_down(struct bench_entry *heap, uint32_t count)
{
	struct bench_entry entry = heap[0];
	uint32_t at = 0, first, least;

	for (; (first = at * 4 + 1) < count; at = least) {
		uint32_t last = first + 4 < count ? first + 4 : count;

		least = first;
		for (uint32_t child = first + 1; child < last; child++)
			if (heap[child].key < heap[least].key)
				least = child;
		if (entry.key <= heap[least].key)
			break;
		heap[at] = heap[least];
		*heap[at].place = at;
	}
	heap[at] = entry;
	*entry.place = at;
}

/* A bare loop: p99 of its lateness in ms, and *cpu seconds of each fire. */
static double bench_floor(unsigned jobs, int seconds, double *cpu)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct bench_fire bench = {.by_clock = true, .capacity = (size_t)jobs * (size_t)seconds};
	struct bench_entry *heap = calloc(jobs, sizeof(heap[0]));
	uint32_t *places = calloc(jobs, sizeof(places[0]));
	schedd_time due = (clock->wall(NULL) / SCHEDD_SECOND + 1) * SCHEDD_SECOND;
	double p99;

	bench.late = calloc(bench.capacity, sizeof(bench.late[0]));
	for (unsigned i = 0; i < jobs; i++)
		heap[i] = (struct bench_entry){due, &places[i]};
	*cpu = bench_cpu();
	for (int i = 0; i < seconds; i++, due += SCHEDD_SECOND) {
		bench_sleep(due);
		while (heap[0].key <= due) {
			const struct schedd_call call = {.scheduled_at = heap[0].key};

			bench_noop(&call, &bench);
			heap[0].key += SCHEDD_SECOND;
			bench_down(heap, jobs);
		}
	}
	*cpu = (bench_cpu() - *cpu) / (double)bench.count;
	qsort(bench.late, bench.count, sizeof(bench.late[0]), bench_compare);
	p99 = (double)bench.late[bench.count * 99 / 100] / 1e3;
	free(bench.late);
	free(places);
	free(heap);
	return p99;
}

/* What is asked for at some rates, as further members. */
static const char *bench_goals(unsigned jobs)
{
	if (jobs == 100)
		return ",\"goal_late_p99_ms\":1";
	if (jobs == 10000)
		return ",\"goal_late_p99_ms\":7,\"goal_cpu_us_per_fire\":2";
	return jobs == 100000 ? ",\"goal_missed\":0" : "";
}

static void bench_rate(unsigned jobs, int seconds)
{
	struct bench_fire bench = {.by_clock = true};
	const struct schedd_clock *clock = schedd_clock_system();
	struct schedd_scheduler *scheduler = bench_scheduler(NULL, &bench);
	schedd_time begin, end;
	double cpu, floor_cpu, floor = bench_floor(jobs, 3, &floor_cpu);
	struct schedd_error err;

	begin = (clock->wall(NULL) / SCHEDD_SECOND + 2) * SCHEDD_SECOND;
	bench.capacity = (size_t)jobs * (size_t)(seconds + 1);
	bench.late = calloc(bench.capacity, sizeof(bench.late[0]));
	begin += jobs >= 100000 ? 2 * SCHEDD_SECOND : 0;
	end = begin + (seconds - 1) * SCHEDD_SECOND + SCHEDD_SECOND / 2;
	if (schedd_scheduler_start(scheduler, &err))
		bench_die("start", &err);
	bench_add(scheduler, jobs, begin);
	bench.count = 0;
	cpu = bench_cpu();
	while (clock->wall(NULL) < end) {
		schedd_time next = schedd_scheduler_next_wake(scheduler);

		bench_sleep(next > end ? end : next);
		schedd_scheduler_process(scheduler);
	}
	cpu = bench_cpu() - cpu;
	qsort(bench.late, bench.count, sizeof(bench.late[0]), bench_compare);
	printf("{\"bench\":\"fire_rate\",\"jobs\":%u,\"fires\":%zu,\"missed\":%lld,"
	       "\"cpu_us_per_fire\":%.3f,\"floor_cpu_us\":%.3f,\"late_p50_ms\":%.3f,"
	       "\"late_p99_ms\":%.3f,\"floor_p99_ms\":%.3f%s}\n",
	    jobs, bench.count, (long long)jobs * seconds - (long long)bench.count,
	    cpu * 1e6 / (double)bench.count, floor_cpu * 1e6, (double)bench.late[bench.count / 2] / 1e3,
	    (double)bench.late[bench.count * 99 / 100] / 1e3, floor, bench_goals(jobs));
	fflush(stdout);
	schedd_scheduler_free(scheduler);
	free(bench.late);
}

/* ---- Saturation: a clock that jumps from second to second ---- */

static schedd_time bench_now;

static schedd_time bench_wall(void *context)
{
	(void)context;
	return bench_now;
}

static struct schedd_mono bench_mono(void *context)
{
	(void)context;
	return (struct schedd_mono){bench_now};
}

/* Seconds that one row of history takes in the memory store. */
static double bench_history(int rows)
{
	static char names[1000][16];
	static uint32_t known[1000];
	struct store_config config = {
	    .name = "bench", .type = "memory", .clock = schedd_clock_system()};
	struct mailbox *mailbox;
	struct store *store;
	struct schedd_error err;
	double cpu;

	memset(known, 0, sizeof(known));
	for (int i = 0; i < 1000; i++)
		snprintf(names[i], sizeof(names[i]), "job-%06d", i);
	mailbox = mailbox_new(NULL, &err);
	if (!mailbox)
		bench_die("mailbox", &err);
	config.mailbox = mailbox;
	if (store_open_wait(&config, SCHEDD_SPAN_NONE, &store, &err) < 0)
		bench_die("store", &err);
	cpu = bench_cpu();
	for (int i = 0; i < rows;) {
		struct store_batch *batch = store_batch_new(store);

		for (int k = 0; k < 1000 && i < rows; k++, i++) {
			struct run run;

			run_init(&run);
			run.job = names[i % 1000];
			run.number = (uint32_t)(i / 1000 + 1);
			run.state = RUN_SUCCESS;
			run.exit_code = 0;
			run.scheduled_at = run.started_at = run.ended_at = bench_now + i;
			known[i % 1000] =
			    store_batch_put_known_run(batch, &run, known[i % 1000]);
		}
		store_commit(store, batch, NULL, NULL);
		mailbox_deliver(mailbox);
	}
	cpu = bench_cpu() - cpu;
	store_close(store);
	mailbox_free(mailbox);
	return cpu / rows;
}

static void bench_saturation(unsigned jobs, int seconds)
{
	const struct schedd_clock clock = {bench_wall, bench_mono, NULL};
	struct bench_fire bench = {.by_clock = false};
	struct schedd_scheduler *scheduler;
	struct schedd_error err;
	double cpu, row;

	bench_now = (schedd_time)1772409600 * SCHEDD_SECOND;
	scheduler = bench_scheduler(&clock, &bench);
	if (schedd_scheduler_start(scheduler, &err))
		bench_die("start", &err);
	bench_add(scheduler, jobs, bench_now + SCHEDD_SECOND);
	cpu = bench_cpu();
	for (int i = 0; i < seconds; i++) {
		bench_now += SCHEDD_SECOND;
		do
			schedd_scheduler_process(scheduler);
		while (schedd_scheduler_next_wake(scheduler) <= bench_now);
	}
	cpu = bench_cpu() - cpu;
	printf("{\"bench\":\"fire_saturation\",\"jobs\":%u,\"fires\":%zu,\"cpu_us_per_fire\":%.3f,"
	       "\"fires_per_second\":%.0f,\"goal_fires_per_second\":250000}\n",
	    jobs, bench.count, cpu * 1e6 / (double)bench.count, (double)bench.count / cpu);
	fflush(stdout);
	schedd_scheduler_free(scheduler);
	/* Of what a fire takes without it. */
	row = bench_history((int)bench.count);
	printf("{\"bench\":\"history_cost\",\"jobs\":%u,\"row_ns\":%.0f,\"percent_of_fire\":%.1f,"
	       "\"goal_percent_of_fire\":10}\n",
	    jobs, row * 1e9, row / (cpu / (double)bench.count - row) * 100);
	fflush(stdout);
}

/*
 * Arguments: seconds of each rate (10), and one rate alone; or 0 [JOBS [SECONDS]] for
 * saturation alone: for a profiler.
 */
int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 10;

	if (seconds == 0) {
		bench_saturation(argc > 2 ? (unsigned)atoi(argv[2]) : 100000,
		    argc > 3 ? atoi(argv[3]) : 40);
		return 0;
	}
	if (argc > 2) {
		bench_rate((unsigned)atoi(argv[2]), seconds);
		return 0;
	}
	bench_rate(100, seconds);
	bench_rate(1000, seconds);
	bench_rate(10000, seconds);
	bench_rate(100000, seconds);
	bench_saturation(1000, 1000);
	bench_saturation(100000, 10);
	return 0;
}
