/* SPDX-License-Identifier: MIT */
/* Whatever a start hangs on, and whatever becomes of who makes it: the loop goes on, and so do others. */
#include "executor/spawner_pool.h"

#include "executor/process_stat.h"
#include "support/task_case.h"
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct task_case kase;

/* A file whose execution waits for a process that does not answer. */
struct leased {
	char path[64];
	pid_t holder;
};

/* False: leases cannot be had here. */
static bool lease(struct leased *leased)
{
	int ready[2];
	char byte = 0;
	int fd;

	snprintf(leased->path, sizeof(leased->path), "/tmp/schedd-leased-%ld", (long)getpid());
	fd = open(leased->path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0700);
	cr_assert_geq(write(fd, "#!/bin/sh\nexit 0\n", 17), 17);
	close(fd);
	cr_assert_eq(pipe(ready), 0);
	leased->holder = fork();
	if (leased->holder == 0) {
		/* A test that fails must not leave it with what it writes to. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGIO, SIG_IGN);
		fd = open(leased->path, O_RDWR);
		byte = fcntl(fd, F_SETLEASE, F_WRLCK) == 0 ? 'y' : 'n';
		(void)!write(ready[1], &byte, 1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return byte == 'y';
}

static void release(struct leased *leased)
{
	kill(leased->holder, SIGKILL);
	waitpid(leased->holder, NULL, 0);
	unlink(leased->path);
}

static void leased_probe(struct task_probe *probe, const struct leased *leased)
{
	char json[96];

	snprintf(json, sizeof(json), "[\"%s\"]", leased->path);
	task_probe_init(probe, "command", json);
}

/* The programs that start jobs, at most 8 of them. */
static int spawners(pid_t *out)
{
	pid_t *children = NULL;
	int count = 0, found = 0;

	cr_assert(process_stat_children(getpid(), &children, &count));
	for (int i = 0; i < count && found < 8; i++) {
		char path[64], name[32] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%ld/comm", (long)children[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		/* A process that is being made has that name, too, but is nobody's yet. */
		if (read(fd, name, sizeof(name) - 1) > 0 && strcmp(name, "schedd-spawn\n") == 0 &&
		    executor_owns(kase.executor, children[i]))
			out[found++] = children[i];
		close(fd);
	}
	free(children);
	return found;
}

static int64_t seconds(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us / SCHEDD_SECOND;
}

Test(spawner_pool, passes_over_a_start_that_hangs_and_fails_it_in_time)
{
	struct leased leased;
	struct task_probe hanging, other;

	if (!lease(&leased))
		cr_skip("no leases here");
	task_case_open(&kase, (struct executor_config){
				  .type = "subprocess", .start_limit = 2 * SCHEDD_SECOND});
	leased_probe(&hanging, &leased);
	task_probe_start(&kase, &hanging);
	for (int i = 0; i < 20; i++) {
		task_probe_init(&other, "command", "[\"/bin/true\"]");
		task_probe_run(&kase, &other);
		cr_expect_eq(other.result.exit_code, 0, "%s", other.reason);
		task_probe_clear(&other);
	}
	cr_expect_eq(hanging.done, 0, "it hangs");
	task_case_until(&kase, &hanging.done, 1);
	cr_expect_not(hanging.result.started);
	cr_expect_eq(hanging.started, 0);
	cr_expect(strstr(hanging.reason, "no answer within 2 s"), "%s", hanging.reason);
	task_probe_clear(&hanging);
	task_case_close(&kase);
	release(&leased);
}

/* Words of several starts are gathered; one that hangs must not keep back those of starts before it. */
Test(spawner_pool, tells_of_what_it_made_before_a_start_that_hangs)
{
	struct leased leased;
	struct task_probe made[12], hanging[4];

	if (!lease(&leased))
		cr_skip("no leases here");
	task_case_open(&kase, (struct executor_config){
				  .type = "subprocess", .start_limit = 30 * SCHEDD_SECOND});
	for (size_t i = 0; i < 12; i++) {
		task_probe_init(&made[i], "command", "[\"/bin/true\"]");
		task_probe_start(&kase, &made[i]);
		/* Behind some of each program's; so many are held up at once. */
		if (i % 3 == 2) {
			leased_probe(&hanging[i / 3], &leased);
			task_probe_start(&kase, &hanging[i / 3]);
		}
	}
	for (size_t i = 0; i < 12; i++) {
		task_case_until(&kase, &made[i].done, 1);
		cr_expect_eq(made[i].result.exit_code, 0, "%s", made[i].reason);
		task_probe_clear(&made[i]);
	}
	for (size_t i = 0; i < 4; i++) {
		cr_expect_eq(hanging[i].done, 0, "it hangs");
		cr_expect_eq(executor_signal(hanging[i].task, SIGKILL, NULL), 0);
		task_case_until(&kase, &hanging[i].done, 1);
		task_probe_clear(&hanging[i]);
	}
	task_case_close(&kase);
	release(&leased);
}

Test(spawner_pool, ends_a_start_that_hangs_when_told_to)
{
	struct leased leased;
	struct task_probe probe;
	int64_t begun = seconds();

	if (!lease(&leased))
		cr_skip("no leases here");
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	leased_probe(&probe, &leased);
	task_probe_start(&kase, &probe);
	for (int i = 0; i < 30; i++)
		schedd_loop_dispatch(kase.loop, 10);
	cr_expect_eq(executor_signal(probe.task, SIGKILL, NULL), 0);
	cr_expect_eq(probe.done, 0, "not inside");
	task_case_until(&kase, &probe.done, 1);
	cr_expect_eq(probe.result.signal, SIGKILL);
	cr_expect_lt(seconds() - begun, 8, "before the limit");
	task_probe_clear(&probe);
	task_case_close(&kase);
	release(&leased);
}

Test(spawner_pool, calls_off_a_start_that_has_not_begun)
{
	enum { COUNT = 40 };
	struct task_probe probes[COUNT];

	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	for (int i = 0; i < COUNT; i++) {
		task_probe_init(&probes[i], "command", "[\"/bin/sleep\", \"0.01\"]");
		task_probe_start(&kase, &probes[i]);
	}
	/* The last ones are in the queue. */
	for (int i = COUNT - 5; i < COUNT; i++)
		cr_expect_eq(executor_signal(probes[i].task, SIGTERM, NULL), 0);
	for (int i = 0; i < COUNT; i++) {
		bool off = i >= COUNT - 5;

		task_case_until(&kase, &probes[i].done, 1);
		cr_expect_eq(probes[i].started, !off);
		cr_expect_eq(probes[i].result.signal, off ? SIGTERM : 0);
		task_probe_clear(&probes[i]);
	}
	task_case_close(&kase);
}

static bool zombies(void)
{
	pid_t *children = NULL;
	int count = 0, dead = 0;

	cr_assert(process_stat_children(getpid(), &children, &count));
	for (int i = 0; i < count; i++) {
		struct process_stat child;

		dead += process_stat_read(children[i], &child) && child.state == 'Z';
	}
	free(children);
	return dead > 0;
}

/* Whatever had been done of it by then: copies of secrets, or a process. */
Test(spawner_pool, leaves_nothing_of_a_start_that_is_called_off)
{
	enum { COUNT = 100, SECRETS = 20 };
	char secret[64], json[4096] = "", place[COUNT][64], path[96];
	struct task_probe probe;
	int fd;

	snprintf(secret, sizeof(secret), "/tmp/schedd-secret-%ld", (long)getpid());
	for (int i = 0; i < SECRETS; i++)
		sprintf(json + strlen(json), "%s\"S%d\": \"%s\"", i ? ", " : "{", i, secret);
	strcat(json, "}");
	fd = open(secret, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_eq(ftruncate(fd, 1000000), 0);
	close(fd);
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	for (int i = 0; i < COUNT; i++) {
		snprintf(place[i], sizeof(place[i]), "schedd-test-%ld-%d", (long)getpid(), i);
		task_probe_init(&probe, "command", "[\"/bin/true\"]");
		task_probe_set(&probe, "secrets", json);
		probe.request.secrets = place[i];
		task_probe_start(&kase, &probe);
		usleep((useconds_t)(i % 20) * 200);
		(void)!executor_signal(probe.task, SIGKILL, NULL);
		task_case_until(&kase, &probe.done, 1);
		task_probe_clear(&probe);
	}
	/* The program is done with the last of them when it has made another. */
	cr_expect_str_eq(task_case_shell(&kase, "\"echo\""), "\n");
	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof(path), "/dev/shm/schedd-test-%ld-%d", (long)getpid(), i);
		cr_expect_neq(access(path, F_OK), 0, "%s is left", path);
	}
	for (int turns = 0; turns < 300 && zombies(); turns++)
		schedd_loop_dispatch(kase.loop, 10);
	cr_expect_not(zombies());
	task_case_close(&kase);
	unlink(secret);
}

/* It would write to nowhere, or read nothing, and nobody would know. */
Test(spawner_pool, starts_nothing_without_its_descriptors)
{
	struct spawn_inherit few;
	struct task_probe probe;

	spawn_inherit_capture(&few);
	few.nofile = (struct rlimit){5, 5};
	task_case_open(&kase, (struct executor_config){.type = "subprocess", .inherit = &few});
	task_probe_init(&probe, "command", "[\"/bin/true\"]");
	task_probe_set(&probe, "capture", "\"split\"");
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.started, 0);
	cr_expect_str_eq(probe.reason, "preparing the process: Too many open files");
	task_probe_clear(&probe);
	task_case_close(&kase);
}

/* One that was being made as its program was killed has that one's name for a while. */
static bool belongs(pid_t pid, const struct task_probe *probes, int count)
{
	for (int i = 0; i < count; i++)
		if (probes[i].pid == pid)
			return true;
	return false;
}

/* Starts jobs that leave a line each, while what is done to the programs is done. */
static void count_lines(void (*disturb)(pid_t pid))
{
	enum { COUNT = 300 };
	static struct task_probe probes[COUNT];
	char path[64], line[128];
	struct stat st;

	snprintf(path, sizeof(path), "/tmp/schedd-lines-%ld", (long)getpid());
	snprintf(line, sizeof(line), "\"echo >> %s\"", path);
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	for (int i = 0; i < COUNT; i++) {
		pid_t pids[8];
		int count = i % 20 == 19 ? spawners(pids) : 0;

		task_probe_init(&probes[i], "shell", line);
		task_probe_start(&kase, &probes[i]);
		for (int k = 0; k < count; k++)
			if (!belongs(pids[k], probes, i))
				disturb(pids[k]);
		schedd_loop_dispatch(kase.loop, 0);
	}
	for (int i = 0; i < COUNT; i++) {
		task_case_until(&kase, &probes[i].done, 1);
		cr_expect_eq(probes[i].done, 1);
		cr_expect_eq(probes[i].result.exit_code, 0, "%d: exit code %d, signal %d, %s", i,
		    probes[i].result.exit_code, probes[i].result.signal, probes[i].reason);
		task_probe_clear(&probes[i]);
	}
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, COUNT, "each once, not %ld times", (long)st.st_size);
	unlink(path);
	task_case_close(&kase);
}

static void kill_it(pid_t pid)
{
	kill(pid, SIGKILL);
}

static void stop_it(pid_t pid)
{
	kill(pid, SIGSTOP);
}

Test(spawner_pool, runs_each_once_though_its_programs_are_killed)
{
	count_lines(kill_it);
}

Test(spawner_pool, runs_each_once_though_its_programs_are_stopped)
{
	count_lines(stop_it);
}

Test(spawner_pool, starts_here_where_there_is_no_program)
{
	pid_t pids[8];

	setenv("SCHEDD_MODULE_DIR", "/nonexistent", 1);
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	cr_expect_str_eq(task_case_shell(&kase, "\"echo here\""), "here\n");
	cr_expect_eq(spawners(pids), 0);
	task_case_close(&kase);
}

Test(spawner_pool, starts_here_where_the_program_does_not_work)
{
	char directory[64], path[96];

	snprintf(directory, sizeof(directory), "/tmp/schedd-broken-%ld", (long)getpid());
	snprintf(path, sizeof(path), "%s/schedd-spawn", directory);
	cr_assert_eq(mkdir(directory, 0700), 0);
	cr_assert_eq(symlink("/bin/true", path), 0);
	setenv("SCHEDD_MODULE_DIR", directory, 1);
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	cr_expect_str_eq(task_case_shell(&kase, "\"echo here\""), "here\n");
	task_case_close(&kase);
	unlink(path);
	rmdir(directory);
}

/* Not even a large one before it, nor schedd's own size, shows in what a small job took. */
Test(spawner_pool, measures_a_small_program_as_small)
{
	const size_t large = (size_t)64 << 20;
	char *memory = malloc(large), *json = malloc(200000);
	struct task_probe probe;

	memset(memory, 1, large);
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	strcpy(json, "[\"/bin/true\"");
	for (int i = 0; i < 3; i++)
		sprintf(json + strlen(json), ",\"%050000d\"", i);
	strcat(json, "]");
	task_probe_init(&probe, "command", json);
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.result.exit_code, 0, "%s", probe.reason);
	task_probe_clear(&probe);
	for (int i = 0; i < 4; i++) {
		task_probe_init(&probe, "command", "[\"/bin/true\"]");
		task_probe_run(&kase, &probe);
		cr_expect_gt(probe.result.max_rss, 100000);
		cr_expect_lt(probe.result.max_rss, 3000000, "%lld bytes",
		    (long long)probe.result.max_rss);
		task_probe_clear(&probe);
	}
	task_case_close(&kase);
	free(memory);
	free(json);
}

Test(spawner_pool, gives_its_children_the_cpus_that_schedd_has)
{
	cpu_set_t own;
	char expected[32];

	sched_getaffinity(0, sizeof(own), &own);
	snprintf(expected, sizeof(expected), "%d\n", CPU_COUNT(&own));
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(task_case_shell(&kase, "\"nproc\""), expected);
	task_case_close(&kase);
}

Test(spawner_pool, leaves_no_program_behind)
{
	pid_t pids[8];

	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	cr_expect_str_eq(task_case_shell(&kase, "\"echo\""), "\n");
	cr_expect_gt(spawners(pids), 0);
	task_case_close(&kase);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "all are reaped");
}

Test(spawner_pool, ends_its_programs_when_they_have_nothing_to_do)
{
	pid_t pids[8];
	int64_t deadline = seconds() + 60;

	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	cr_expect_str_eq(task_case_shell(&kase, "\"echo one\""), "one\n");
	cr_assert_gt(spawners(pids), 0);
	while (spawners(pids)) {
		cr_assert_lt(seconds(), deadline, "they stay");
		cr_assert_geq(schedd_loop_dispatch(kase.loop, 1000), 0);
	}
	cr_expect_str_eq(task_case_shell(&kase, "\"echo two\""), "two\n");
	task_case_close(&kase);
}
