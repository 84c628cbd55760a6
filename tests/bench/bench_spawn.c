/* SPDX-License-Identifier: MIT */
/*
 * Process jobs through the executor against a bare posix_spawn + wait loop,
 * the two taken in turns: one at a time, from a parent of 1 GiB, and 1,000 at
 * one instant. Ratios of CPU (of this process, the programs that start jobs and
 * the jobs) and time are what counts; over 1 is worse.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "executor/executor.h"
#include "executor/process_stat.h"

#define ROUNDS 7
#define SERIAL 150   /* jobs in a round */
#define INSTANT 1000 /* jobs at one instant */

struct figures {
	double seconds;     /* until all were done */
	double cpu;         /* seconds, of parent and children */
	double first, last; /* seconds until the first and the last had started */
};

struct bench {
	struct schedd_loop *loop;
	struct executor *executor;
	struct task_request request;
	double begun;
	struct figures now;
	int started, done;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of children that live: those that start processes. */
static double cpu_of_helpers(void)
{
	double sum = 0;
	pid_t *list = NULL;
	int count = 0;

	(void)process_stat_children(getpid(), &list, &count);
	for (int i = 0; i < count; i++) {
		struct timespec used;
		clockid_t clock;

		if (clock_getcpuclockid(list[i], &clock) == 0 && clock_gettime(clock, &used) == 0)
			sum += (double)used.tv_sec + (double)used.tv_nsec / 1e9;
	}
	free(list);
	return sum;
}

static double cpu(void)
{
	double sum = cpu_of_helpers();
	int who[] = {RUSAGE_SELF, RUSAGE_CHILDREN};

	for (int i = 0; i < 2; i++) {
		struct rusage usage;

		getrusage(who[i], &usage);
		sum += (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
		       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	}
	return sum;
}

static void job_started(pid_t pid, uint64_t pid_start, void *context)
{
	struct bench *bench = context;

	(void)pid;
	(void)pid_start;
	bench->now.last = seconds() - bench->begun;
	if (bench->started++ == 0)
		bench->now.first = bench->now.last;
}

static void job_done(const struct task_result *result, void *context)
{
	struct bench *bench = context;

	if (result->exit_code != 0) {
		fprintf(stderr, "bench_spawn: %s\n", result->reason ? result->reason : "failed");
		exit(1);
	}
	bench->done++;
}

static void finish(struct bench *bench, double cpu_before)
{
	bench->now.seconds = seconds() - bench->begun;
	bench->now.cpu = cpu() - cpu_before;
}

/* count jobs, at most width at a time. */
static struct figures through_executor(struct bench *bench, int count, int width)
{
	double cpu_before = cpu();
	int begun = 0;

	bench->started = bench->done = 0;
	bench->begun = seconds();
	while (bench->done < count) {
		while (begun < count && begun - bench->done < width) {
			begun++;
			executor_start(bench->executor, &bench->request);
		}
		schedd_loop_dispatch(bench->loop, 1000);
	}
	finish(bench, cpu_before);
	return bench->now;
}

static struct figures through_posix_spawn(struct bench *bench, int count, int width)
{
	char program[] = "/bin/true";
	char *argv[] = {program, NULL}, *envp[] = {NULL};
	double cpu_before = cpu();

	bench->started = 0;
	bench->begun = seconds();
	for (int begun = 0, ended = 0; ended < count;) {
		while (begun < count && begun - ended < width) {
			pid_t pid;

			if (posix_spawn(&pid, argv[0], NULL, NULL, argv, envp) != 0)
				exit(1);
			begun++;
			job_started(pid, 0, bench);
		}
		if (waitpid(-1, NULL, 0) > 0)
			ended++;
	}
	finish(bench, cpu_before);
	return bench->now;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static void measure(struct bench *bench, const char *name, int count, int width)
{
	double rate[ROUNDS], floor_rate[ROUNDS], time_ratio[ROUNDS], cpu_ratio[ROUNDS];
	double cpu_us[ROUNDS], first[ROUNDS], last[ROUNDS], floor_last[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct figures bare = through_posix_spawn(bench, count, width);
		struct figures ours = through_executor(bench, count, width);

		rate[i] = count / ours.seconds;
		floor_rate[i] = count / bare.seconds;
		time_ratio[i] = ours.seconds / bare.seconds;
		cpu_ratio[i] = ours.cpu / bare.cpu;
		cpu_us[i] = ours.cpu / count * 1e6;
		first[i] = ours.first * 1e3;
		last[i] = ours.last * 1e3;
		floor_last[i] = bare.last * 1e3;
	}
	printf("{\"bench\":\"%s\",\"per_second\":%.0f,\"floor_per_second\":%.0f,"
	       "\"time_ratio\":%.3f,\"cpu_ratio\":%.3f,\"cpu_us\":%.0f",
	    name, median(rate), median(floor_rate), median(time_ratio), median(cpu_ratio),
	    median(cpu_us));
	if (width > 1)
		printf(
		    ",\"first_start_ms\":%.2f,\"last_start_ms\":%.1f,\"floor_last_start_ms\":%.1f",
		    median(first), median(last), median(floor_last));
	printf("}\n");
	fflush(stdout);
}

static void open_bench(struct bench *bench, const char *capture)
{
	struct executor_config config = {.name = "default", .type = "subprocess"};
	struct schedd_error err;

	memset(bench, 0, sizeof(*bench));
	bench->loop = schedd_loop_new_fd(NULL);
	config.loop = bench->loop;
	bench->request = (struct task_request){
	    .job = schedd_job_new(),
	    .run_id = "bench/1",
	    .attempt = 1,
	    .socket = "/run/bench.sock",
	    .output = output_new(NULL, 65536),
	    .started = job_started,
	    .done = job_done,
	    .context = bench,
	};
	if (executor_open(&config, &bench->executor, &err) < 0 ||
	    schedd_job_set(bench->request.job, "id", "\"bench\"", &err) < 0 ||
	    schedd_job_set(bench->request.job, "capture", capture, &err) < 0 ||
	    schedd_job_set(bench->request.job, "command", "[\"/bin/true\"]", &err) < 0) {
		fprintf(stderr, "bench_spawn: %s\n", err.message);
		exit(1);
	}
}

static void close_bench(struct bench *bench)
{
	executor_close(bench->executor);
	schedd_loop_free(bench->loop);
	output_free(bench->request.output);
	schedd_job_unref(bench->request.job);
}

int main(void)
{
	const size_t gibibyte = (size_t)1 << 30;
	struct rlimit limit;
	struct bench bench;
	char *large;

	setenv("SCHEDD_MODULE_DIR", BENCH_MODULES, 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	open_bench(&bench, "\"none\"");
	measure(&bench, "spawn_serial_no_output", SERIAL, 1);
	close_bench(&bench);
	open_bench(&bench, "\"merged\"");
	measure(&bench, "spawn_serial", SERIAL, 1);
	measure(&bench, "spawn_instant", INSTANT, INSTANT);
	large = malloc(gibibyte);
	if (large) {
		memset(large, 1, gibibyte);
		measure(&bench, "spawn_serial_1gib_parent", SERIAL, 1);
		free(large);
	}
	close_bench(&bench);
	return 0;
}
