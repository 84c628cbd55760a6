/* SPDX-License-Identifier: MIT */
/*
 * What a call of the real daemon costs, beside a raw ping-pong of the same
 * bytes over the same kind of socket, the two taken in turns, all on one CPU.
 *
 *   bench_rpc SCHEDD        the path of the daemon's program
 */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <schedd/clock.h>
#include "base/strbuf.h"
#include "proto/message.h"
#include "proto/rpc_client.h"

#define ROUNDS 9
#define PINGS 20000
#define JOBS 100000
#define IN_FLIGHT 512
#define LISTED 10000
#define LISTS 9

struct bench {
	char directory[64];
	char socket[96];
	pid_t daemon;
	struct rpc_client *client;
	struct schedd_error err;
};

static int64_t bench_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

static void bench_die(const char *what, const struct schedd_error *err)
{
	fprintf(stderr, "bench_rpc: %s: %s\n", what, err ? err->message : "failed");
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

/* Client, daemon and echo all run on the first CPU: crossing CPUs would drown everything else. */
static void bench_pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void bench_start(struct bench *bench, const char *program)
{
	char state[96];

	strcpy(bench->directory, "/tmp/bench-rpc-XXXXXX");
	if (!mkdtemp(bench->directory))
		bench_die("mkdtemp", NULL);
	snprintf(bench->socket, sizeof(bench->socket), "%s/s", bench->directory);
	snprintf(state, sizeof(state), "%s/state", bench->directory);
	bench->daemon = fork();
	if (bench->daemon == 0) {
		setenv("HOME", bench->directory, 1);
		execl(program, "schedd", "--socket", bench->socket, "--state-dir", state,
		    "--log-level", "warning", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000; i++) {
		if (rpc_client_connect(
			bench->socket, 30 * SCHEDD_SECOND, &bench->client, &bench->err) == 0)
			return;
		usleep(10000);
	}
	bench_die("connect", &bench->err);
}

static void bench_stop(struct bench *bench)
{
	char command[128];

	rpc_client_close(bench->client);
	kill(bench->daemon, SIGTERM);
	waitpid(bench->daemon, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", bench->directory);
	if (system(command) != 0)
		bench_die("rm", NULL);
}

/* ---- Serial ---- */

/* A child that answers every read by as many bytes as the daemon's answer has. */
static pid_t bench_echo(int *fd, size_t answer)
{
	int fds[2];
	char buffer[4096] = {0};
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		bench_die("socketpair", NULL);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		while (read(fds[1], buffer, sizeof(buffer)) > 0) {
			if (write(fds[1], buffer, answer) < 0)
				break;
		}
		_exit(0);
	}
	close(fds[1]);
	*fd = fds[0];
	return pid;
}

/* µs of one exchange: request out, one read back, nothing parsed on this side. */
static double bench_exchange(int fd, const struct strbuf *request)
{
	char buffer[4096];
	int64_t begin = bench_now();

	for (int i = 0; i < PINGS; i++) {
		if (write(fd, request->data, request->length) < 0 ||
		    read(fd, buffer, sizeof(buffer)) <= 0)
			bench_die("exchange", NULL);
	}
	return (double)(bench_now() - begin) / PINGS;
}

static void bench_serial(struct bench *bench)
{
	struct strbuf request = STRBUF_EMPTY;
	double raw[ROUNDS], rpc[ROUNDS], raw_us, rpc_us;
	int fd, daemon = rpc_client_fd(bench->client);
	char buffer[4096];
	ssize_t answer;
	pid_t echo;

	message_pack_request(&request, 1, "server.ping", NULL);
	if (write(daemon, request.data, request.length) < 0)
		bench_die("write", NULL);
	answer = read(daemon, buffer, sizeof(buffer));
	echo = bench_echo(&fd, (size_t)answer);
	for (int i = 0; i < ROUNDS; i++) {
		raw[i] = bench_exchange(fd, &request);
		rpc[i] = bench_exchange(daemon, &request);
	}
	close(fd);
	waitpid(echo, NULL, 0);
	raw_us = bench_median(raw, ROUNDS);
	rpc_us = bench_median(rpc, ROUNDS);
	printf("{\"bench\":\"rpc_ping\",\"raw_us\":%.2f,\"rpc_us\":%.2f,\"over_us\":%.2f,"
	       "\"goal_over_us\":6}\n",
	    raw_us, rpc_us, rpc_us - raw_us);
	strbuf_clear(&request);
}

/* ---- Pipelined ---- */

static void bench_send_add(struct bench *bench, int number, uint32_t *msgid)
{
	struct value params = value_map(), trigger = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &trigger, "every", value_int(3600));
	value_put(
	    &arena, &params, "id", value_string_ref(arena_printf(&arena, "job-%06d", number)));
	value_put(&arena, &params, "store", value_string_ref("memory"));
	value_put(&arena, &params, "shell", value_string_ref("true"));
	value_put(&arena, &params, "trigger", trigger);
	if (rpc_client_send(bench->client, "job.add", &params, msgid, &bench->err))
		bench_die("job.add", &bench->err);
	arena_clear(&arena);
}

/* Requests are written as one block, as a client would that has them at hand; answers are only
 * counted. */
static void bench_add(struct bench *bench)
{
	static uint32_t msgids[IN_FLIGHT];
	int64_t begin = bench_now(), us;
	struct value result;
	struct arena arena;

	for (int i = 0; i < JOBS + IN_FLIGHT; i++) {
		if (i >= IN_FLIGHT) {
			arena_init(&arena);
			if (rpc_client_receive(
				bench->client, msgids[i % IN_FLIGHT], &arena, &result, &bench->err))
				bench_die("job.add", &bench->err);
			arena_clear(&arena);
		}
		if (i < JOBS)
			bench_send_add(bench, i, &msgids[i % IN_FLIGHT]);
	}
	us = bench_now() - begin;
	printf("{\"bench\":\"rpc_add_memory\",\"in_flight\":%d,\"per_s\":%.0f,\"goal_per_s\":"
	       "140000}\n",
	    IN_FLIGHT, (double)JOBS * 1e6 / (double)us);
}

static void bench_list(struct bench *bench, const char *const *fields, const char *name)
{
	struct value params = value_map(), list = value_array(), result;
	double ms[LISTS];
	struct arena arena;

	arena_init(&arena);
	for (; fields && *fields; fields++)
		value_append(&arena, &list, value_string_ref(*fields));
	value_put(&arena, &params, "limit", value_int(LISTED));
	if (list.array.count)
		value_put(&arena, &params, "fields", list);
	for (int i = 0; i < LISTS; i++) {
		struct arena answer;
		int64_t begin = bench_now();

		arena_init(&answer);
		if (rpc_client_call(
			bench->client, "job.list", &params, &answer, &result, &bench->err))
			bench_die("job.list", &bench->err);
		ms[i] = (double)(bench_now() - begin) / 1000;
		arena_clear(&answer);
	}
	printf("{\"bench\":\"%s\",\"jobs\":%d,\"ms\":%.2f,\"goal_ms\":12}\n", name, LISTED,
	    bench_median(ms, LISTS));
	arena_clear(&arena);
}

int main(int argc, char **argv)
{
	static const char *const shown[] = {
	    "id", "state", "trigger_text", "next_run_time", "last_run", NULL};
	struct bench bench = {0};

	if (argc != 2) {
		fprintf(stderr, "usage: bench_rpc SCHEDD\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_pin();
	bench_start(&bench, argv[1]);
	bench_serial(&bench);
	bench_add(&bench);
	bench_list(&bench, shown, "rpc_list_columns");
	bench_list(&bench, NULL, "rpc_list_whole");
	bench_stop(&bench);
	return 0;
}
