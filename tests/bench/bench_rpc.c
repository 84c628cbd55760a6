/* SPDX-License-Identifier: MIT */
/*
 * What a call of the real daemon costs, beside a raw ping-pong of the same
 * bytes over the same kind of socket, the two taken in turns, all on one CPU.
 *
 *   bench_rpc SCHEDD        the path of the daemon's program
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <schedd/clock.h>
#include "base/strbuf.h"
#include "base/frame.h"
#include "base/message.h"
#include "proto/rpc_client.h"

#define ROUNDS 9
#define PINGS 20000
#define JOBS 100000
#define IN_FLIGHT 500
#define LISTED 10000
#define LISTS 9
#define COMMITS 300

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

	/* The client waits by poll; the exchange is to wait in read, as the echo does. */
	fcntl(daemon, F_SETFL, fcntl(daemon, F_GETFL) & ~O_NONBLOCK);
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
	fcntl(daemon, F_SETFL, fcntl(daemon, F_GETFL) | O_NONBLOCK);
	raw_us = bench_median(raw, ROUNDS);
	rpc_us = bench_median(rpc, ROUNDS);
	printf("{\"bench\":\"rpc_ping\",\"raw_us\":%.2f,\"rpc_us\":%.2f,\"over_us\":%.2f,"
	       "\"goal_over_us\":6}\n",
	    raw_us, rpc_us, rpc_us - raw_us);
	strbuf_clear(&request);
}

/* ---- Pipelined ---- */

struct bench_adds {
	const char *name, *store;
	int first, jobs, in_flight;
};

static void bench_pack_add(const struct bench_adds *adds, int number, struct strbuf *out)
{
	struct value params = value_map(), trigger = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &trigger, "every", value_int(3600));
	value_put(&arena, &params, "id",
	    value_string_ref(arena_printf(&arena, "%s-%06d", adds->name, number)));
	value_put(&arena, &params, "store", value_string_ref(adds->store));
	value_put(&arena, &params, "shell", value_string_ref("true"));
	value_put(&arena, &params, "trigger", trigger);
	message_pack_request(out, (uint32_t)number, "job.add", &params);
	arena_clear(&arena);
}

/* Reads until count answers came; they are counted, not unpacked. */
static void bench_answers(int fd, struct strbuf *in, int count)
{
	static const struct frame_limits limits = {.bytes = 64 << 20, .depth = 32};
	struct frame_scan scan = {0};
	struct schedd_error err;

	while (count > 0) {
		ssize_t got;
		size_t done = 0;

		if (!strbuf_reserve(in, 1 << 16))
			bench_die("read", NULL);
		got = read(fd, in->data + in->length, 1 << 16);
		if (got <= 0)
			bench_die("read", NULL);
		in->length += (size_t)got;
		while (done < in->length &&
		       frame_scan(&scan, in->data + done, in->length - done, &limits, &err) == 1) {
			done += scan.offset;
			scan = (struct frame_scan){0};
			count--;
		}
		memmove(in->data, in->data + done, in->length - done);
		in->length -= done;
	}
}

/* Adds a second. Each time as many as are in flight: packed before, written as one block, and all
 * answers read. */
static double bench_add(struct bench *bench, const struct bench_adds *adds)
{
	struct strbuf out = STRBUF_EMPTY, in = STRBUF_EMPTY;
	int fd = rpc_client_fd(bench->client), flags = fcntl(fd, F_GETFL);
	int64_t us = 0, begin;

	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	for (int i = 0; i < adds->jobs; i += adds->in_flight) {
		strbuf_reset(&out);
		for (int j = 0; j < adds->in_flight; j++)
			bench_pack_add(adds, adds->first + i + j, &out);
		begin = bench_now();
		if (write(fd, out.data, out.length) != (ssize_t)out.length)
			bench_die("write", NULL);
		bench_answers(fd, &in, adds->in_flight);
		us += bench_now() - begin;
	}
	fcntl(fd, F_SETFL, flags);
	strbuf_clear(&out);
	strbuf_clear(&in);
	return (double)adds->jobs * 1e6 / (double)us;
}

static void bench_memory(struct bench *bench)
{
	const struct bench_adds adds = {"m", "memory", 0, JOBS, IN_FLIGHT};

	printf("{\"bench\":\"rpc_add_memory\",\"in_flight\":%d,\"per_s\":%.0f,"
	       "\"goal_per_s\":140000}\n",
	    adds.in_flight, bench_add(bench, &adds));
}

/* ---- Durable ---- */

static void bare_exec(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		bench_die(sqlite3_errmsg(db), NULL);
}

/* What SQLite alone does: a row of the same size a transaction. */
static double bare_commits(sqlite3 *db, int first, int count)
{
	char text[256];
	int64_t begin = bench_now();

	for (int i = 0; i < count; i++) {
		snprintf(text, sizeof(text),
		    "INSERT INTO jobs VALUES ('job-%06d', 'true', "
		    "'{\"type\":\"interval\",\"seconds\":3600}', 1800000000000000)",
		    first + i);
		bare_exec(db, text);
	}
	return count * 1e6 / (double)(bench_now() - begin);
}

static void bench_durable(struct bench *bench)
{
	double bare[ROUNDS], serial[ROUNDS], many[ROUNDS];
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/bare.db", bench->directory);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		bench_die(path, NULL);
	bare_exec(db,
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE jobs "
	    "(id TEXT PRIMARY KEY, shell TEXT, trigger TEXT, next INTEGER) WITHOUT ROWID");
	for (int i = 0; i < ROUNDS; i++) {
		const struct bench_adds one = {"s", "default", i * COMMITS, COMMITS, 1};
		const struct bench_adds batch = {"p", "default", i * 2560, 2560, 64};

		bare[i] = bare_commits(db, i * COMMITS, COMMITS);
		serial[i] = bench_add(bench, &one);
		many[i] = bench_add(bench, &batch);
	}
	sqlite3_close(db);
	bench_median(bare, ROUNDS);
	bench_median(serial, ROUNDS);
	bench_median(many, ROUNDS);
	printf("{\"bench\":\"rpc_add_sqlite_serial\",\"per_s\":%.0f,\"bare_per_s\":%.0f,"
	       "\"ratio_to_bare\":%.2f,\"goal_ratio_to_bare\":0.6}\n",
	    serial[ROUNDS / 2], bare[ROUNDS / 2], serial[ROUNDS / 2] / bare[ROUNDS / 2]);
	/* APScheduler's, tuned, does a third of the bare commits. */
	printf("{\"bench\":\"rpc_add_sqlite_64\",\"per_s\":%.0f,\"goal_per_s\":27156,"
	       "\"ratio_to_bare\":%.2f}\n",
	    many[ROUNDS / 2], many[ROUNDS / 2] / bare[ROUNDS / 2]);
}

/* Milliseconds until all has arrived. */
static double bench_list(struct bench *bench, const char *const *fields, const char *name)
{
	struct value params = value_map(), list = value_array(), result;
	struct strbuf request = STRBUF_EMPTY, in = STRBUF_EMPTY;
	int fd = rpc_client_fd(bench->client), flags = fcntl(fd, F_GETFL);
	double ms[LISTS], arrived[LISTS], median;
	struct arena arena;

	arena_init(&arena);
	for (; fields && *fields; fields++)
		value_append(&arena, &list, value_string_ref(*fields));
	value_put(&arena, &params, "limit", value_int(LISTED));
	if (list.array.count)
		value_put(&arena, &params, "fields", list);
	message_pack_request(&request, 1, "job.list", &params);
	for (int i = 0; i < LISTS; i++) {
		struct arena answer;
		int64_t begin = bench_now();

		arena_init(&answer);
		if (rpc_client_call(
			bench->client, "job.list", &params, &answer, &result, &bench->err))
			bench_die("job.list", &bench->err);
		ms[i] = (double)(bench_now() - begin) / 1000;
		arena_clear(&answer);
		/* What of it is the daemon's: the same without a client that takes it apart. */
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
		begin = bench_now();
		if (write(fd, request.data, request.length) < 0)
			bench_die("write", NULL);
		bench_answers(fd, &in, 1);
		arrived[i] = (double)(bench_now() - begin) / 1000;
		fcntl(fd, F_SETFL, flags);
	}
	median = bench_median(arrived, LISTS);
	printf("{\"bench\":\"%s\",\"jobs\":%d,\"arrived_ms\":%.2f,\"goal_arrived_ms\":12,"
	       "\"unpacked_ms\":%.2f}\n",
	    name, LISTED, median, bench_median(ms, LISTS));
	strbuf_clear(&request);
	strbuf_clear(&in);
	arena_clear(&arena);
	return median;
}

/* Whole jobs beside three columns of them. */
static void bench_lists(struct bench *bench)
{
	static const char *const three[] = {"id", "state", "next_run_time", NULL};
	static const char *const shown[] = {
	    "id", "state", "next_run_time", "trigger_words", "last_state", NULL};
	double few = bench_list(bench, three, "rpc_list_three"), whole;

	bench_list(bench, shown, "rpc_list_columns");
	whole = bench_list(bench, NULL, "rpc_list_whole");
	printf("{\"bench\":\"rpc_list_whole_to_three\",\"ratio\":%.2f,\"goal_ratio\":2}\n", whole / few);
}

int main(int argc, char **argv)
{
	struct bench bench = {0};

	if (argc != 2) {
		fprintf(stderr, "usage: bench_rpc SCHEDD\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_pin();
	bench_start(&bench, argv[1]);
	bench_serial(&bench);
	bench_memory(&bench);
	bench_lists(&bench);
	bench_durable(&bench);
	bench_stop(&bench);
	return 0;
}
