/* SPDX-License-Identifier: MIT */
/* The world of a command, and how its end is seen. */
#include "support/task_case.h"

#include <fcntl.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "executor/process_stat.h"
#include "executor/spawn.h"

static struct task_case kase;

static void open_case(void)
{
	task_case_open(&kase, (struct executor_config){
				  .type = "subprocess",
				  .drain = SCHEDD_SECOND / 5,
			      });
}

static void close_case(void)
{
	task_case_close(&kase);
}

TestSuite(exec_subprocess, .init = open_case, .fini = close_case);

/* Runs a shell line with one field more set. */
static void run_with(
    struct task_probe *probe, const char *line, const char *field, const char *json)
{
	task_probe_init(probe, "shell", line);
	if (field)
		task_probe_set(probe, field, json);
	task_probe_run(&kase, probe);
}

/* The same, and what it wrote. */
static const char *wrote(const char *line, const char *field, const char *json)
{
	struct task_probe probe;
	const char *text;

	run_with(&probe, line, field, json);
	cr_expect_eq(
	    probe.result.exit_code, 0, "%s: %d %s", line, probe.result.exit_code, probe.reason);
	text = task_probe_text(&probe);
	task_probe_clear(&probe);
	return text;
}

Test(exec_subprocess, leaves_no_descriptor_open)
{
	int leak = open("/dev/null", O_RDONLY); /* not even close-on-exec */

	cr_assert_geq(leak, 0);
	/* ls itself opens one to read the directory. */
	cr_expect_str_eq(wrote("\"exec ls /proc/self/fd\"", NULL, NULL), "0\n1\n2\n3\n");
	close(leak);
}

Test(exec_subprocess, gives_a_small_clean_environment)
{
	const char *text;

	setenv("LEAKED", "yes", 1);
	setenv("LANG", "C.UTF-8", 1);
	text = wrote("\"env\"", "tags", "{\"team.name\": \"ops\"}");
	cr_expect_not(strstr(text, "LEAKED"));
	cr_expect(strstr(text, "PATH=/usr/local/bin:/usr/bin:/bin\n"));
	cr_expect(strstr(text, "LANG=C.UTF-8\n"));
	cr_expect(strstr(text, "SCHEDD_JOB_ID=probe\n"));
	cr_expect(strstr(text, "SCHEDD_JOB_NAME=probe\n"));
	cr_expect(strstr(text, "SCHEDD_RUN=probe/1\n"));
	cr_expect(strstr(text, "SCHEDD_ATTEMPT=1\n"));
	cr_expect(strstr(text, "SCHEDD_SCHEDULED_AT=2026-01-01T00:00:00Z\n"));
	cr_expect(strstr(text, "SCHEDD_TAG_TEAM_NAME=ops\n"));
	cr_expect(strstr(text, "HOME=/"));
	cr_expect(strstr(text, "LOGNAME="));
	cr_expect(strstr(text, "SHELL=/"));
}

Test(exec_subprocess, puts_the_request_over_the_job_over_the_defaults)
{
	char name[] = "B", text[] = "request";
	struct job_pair more = {name, text};
	struct job_pairs extra = {.items = &more, .count = 1};
	struct task_probe probe;

	task_probe_init(&probe, "shell", "\"echo $A $B $PATH $SCHEDD_RUN\"");
	task_probe_set(&probe, "env",
	    "{\"A\": \"job\", \"B\": \"job\", \"PATH\": \"/bin\", \"SCHEDD_RUN\": \"forged\"}");
	probe.request.extra_env = &extra;
	task_probe_run(&kase, &probe);
	cr_expect_str_eq(task_probe_text(&probe), "job request /bin probe/1\n");
	task_probe_clear(&probe);
}

Test(exec_subprocess, runs_in_its_directory)
{
	struct task_probe probe;

	cr_expect_str_eq(wrote("\"pwd\"", "cwd", "\"/usr\""), "/usr\n");
	cr_expect_str_eq(wrote("\"[ \\\"$(pwd -P)\\\" = \\\"$(cd 2>/dev/null || cd /; pwd -P)\\\" "
			       "] && echo home\"",
			     NULL, NULL),
	    "home\n");
	run_with(&probe, "\"pwd\"", "cwd", "\"/no/such/place\"");
	cr_expect_not(probe.result.started);
	cr_expect_str_eq(probe.reason, "cwd '/no/such/place': No such file or directory");
	task_probe_clear(&probe);
}

Test(exec_subprocess, sets_umask_nice_and_limits)
{
	struct task_probe probe;

	cr_expect_str_eq(wrote("\"umask\"", NULL, NULL), "0022\n");
	cr_expect_str_eq(wrote("\"umask\"", "umask", "\"077\""), "0077\n");
	/* Added to what the test itself runs with. */
	cr_expect_eq(atoi(wrote("\"nice\"", "nice", "2")),
	    getpriority(PRIO_PROCESS, 0) > 17 ? 19 : getpriority(PRIO_PROCESS, 0) + 2);
	cr_expect_str_eq(wrote("\"ulimit -n\"", "rlimits", "{\"nofile\": 99}"), "99\n");
	if (geteuid() != 0) {
		run_with(&probe, "\"true\"", "nice", "-5");
		cr_expect_str_eq(probe.reason, "nice -5: Permission denied");
		task_probe_clear(&probe);
	}
}

Test(exec_subprocess, reads_its_stdin)
{
	struct task_probe probe;

	cr_expect_str_eq(wrote("\"cat\"", NULL, NULL), "");
	cr_expect_str_eq(
	    wrote("\"cat\"", "stdin", "{\"text\": \"two\\nlines\\n\"}"), "two\nlines\n");
	cr_expect_str_eq(wrote("\"head -c 5\"", "stdin", "\"/etc/passwd\""), "root:");
	run_with(&probe, "\"cat\"", "stdin", "\"/no/such/file\"");
	cr_expect_str_eq(probe.reason, "stdin '/no/such/file': No such file or directory");
	task_probe_clear(&probe);
}

Test(exec_subprocess, leads_a_session_without_a_terminal)
{
	struct task_probe probe;
	struct process_stat stat;

	task_probe_init(&probe, "command", "[\"sleep\", \"30\"]");
	task_probe_running(&kase, &probe);
	cr_assert(process_stat_read(probe.pid, &stat));
	cr_expect_eq(stat.session, probe.pid);
	cr_expect_eq(stat.pgrp, probe.pid);
	cr_expect_eq(stat.start, probe.pid_start);
	cr_expect(executor_owns(kase.executor, probe.pid));
	cr_expect_not(executor_owns(kase.executor, getpid()));
	cr_assert_eq(executor_signal(probe.task, SIGKILL, NULL), 0);
	task_case_until(&kase, &probe.done, 1);
	cr_expect_eq(probe.result.signal, SIGKILL);
	task_probe_clear(&probe);
}

Test(exec_subprocess, looks_in_the_path_of_the_job)
{
	struct task_probe probe;

	task_probe_init(&probe, "command", "[\"true\"]");
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.result.exit_code, 0);
	task_probe_clear(&probe);
	task_probe_init(&probe, "command", "[\"true\"]");
	task_probe_set(&probe, "env", "{\"PATH\": \"/nowhere:/etc\"}");
	task_probe_run(&kase, &probe);
	cr_expect_str_eq(probe.reason, "command 'true': No such file or directory");
	task_probe_clear(&probe);
	task_probe_init(&probe, "command", "[\"/etc/passwd\"]");
	task_probe_run(&kase, &probe);
	cr_expect_str_eq(probe.reason, "command '/etc/passwd': Permission denied");
	task_probe_clear(&probe);
}

Test(exec_subprocess, says_which_interpreter_is_missing)
{
	char path[] = "/tmp/schedd-script-XXXXXX", json[64];
	struct task_probe probe;
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, "#!/bin/nope\n", 12), 12);
	cr_assert_eq(fchmod(fd, 0755), 0);
	close(fd);
	snprintf(json, sizeof(json), "[\"%s\"]", path);
	task_probe_init(&probe, "command", json);
	task_probe_run(&kase, &probe);
	cr_expect(
	    strstr(probe.reason, "the interpreter it names is missing: No such file or directory"),
	    "%s", probe.reason);
	unlink(path);
	task_probe_clear(&probe);
}

Test(exec_subprocess, measures_what_it_used)
{
	struct task_probe probe;

	run_with(&probe, "\"i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done\"", NULL, NULL);
	cr_expect_gt(probe.result.cpu_us, 0);
	cr_expect_gt(probe.result.max_rss, 100 * 1024);
	task_probe_clear(&probe);
}

static void count_piece(const struct output_piece *piece, void *context)
{
	((size_t *)context)[piece->stream] += piece->length;
}

Test(exec_subprocess, captures_streams_apart_where_asked)
{
	size_t counts[3] = {0};
	struct task_probe probe;

	run_with(&probe, "\"echo out; echo error >&2\"", "capture", "\"split\"");
	output_read(probe.request.output, count_piece, counts);
	cr_expect_eq(counts[OUTPUT_STDOUT], 4);
	cr_expect_eq(counts[OUTPUT_STDERR], 6);
	task_probe_clear(&probe);
	run_with(&probe, "\"echo out; echo error >&2\"", "capture", "\"none\"");
	cr_expect_eq(output_written(probe.request.output), 0);
	task_probe_clear(&probe);
}

Test(exec_subprocess, lets_a_flood_pass)
{
	struct task_probe probe;

	task_probe_init(&probe, "shell", "\"head -c 50000000 /dev/zero; echo end\"");
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.result.exit_code, 0);
	cr_expect_eq(output_written(probe.request.output), 50000004);
	cr_expect_eq(output_dropped(probe.request.output), 50000004 - 1024 * 1024);
	task_probe_clear(&probe);
}

Test(exec_subprocess, does_not_wait_for_a_grandchild_that_holds_the_pipe)
{
	struct task_probe probe;
	pid_t left;

	run_with(&probe, "\"sleep 30 & echo $!; exit 3\"", NULL, NULL);
	cr_expect_eq(probe.result.exit_code, 3);
	cr_expect_str_eq(probe.reason,
	    "a process it left behind kept its output open: not read any more after 0.2 s");
	left = (pid_t)atol(task_probe_text(&probe));
	cr_expect_eq(kill(left, SIGKILL), 0, "it lives on");
	task_probe_clear(&probe);
}

Test(exec_subprocess, reads_on_while_the_main_process_is_silent)
{
	/* Both ends of the pipe are gone before the process is. */
	struct task_probe probe;

	run_with(&probe, "\"echo words; exec >/dev/null 2>&1; sleep 0.05; exit 4\"", NULL, NULL);
	cr_expect_eq(probe.result.exit_code, 4);
	cr_expect_str_eq(task_probe_text(&probe), "words\n");
	task_probe_clear(&probe);
}

Test(exec_subprocess, hands_over_secrets_as_private_copies)
{
	char directory[256];
	struct task_probe probe;

	run_with(&probe, "\"stat -c %a $DB_FILE; head -c 5 $DB_FILE; echo; dirname $DB_FILE\"",
	    "secrets", "{\"DB\": \"/etc/passwd\"}");
	cr_expect_eq(probe.result.exit_code, 0, "%s", probe.reason);
	cr_expect_eq(sscanf(task_probe_text(&probe), "400\nroot:\n%255s", directory), 1);
	cr_expect_eq(access(directory, F_OK), -1, "%s is gone after the run", directory);
	task_probe_clear(&probe);
	run_with(&probe, "\"true\"", "secrets", "{\"DB\": \"/no/such/secret\"}");
	cr_expect_str_eq(probe.reason, "secret DB: /no/such/secret: No such file or directory");
	task_probe_clear(&probe);
}

Test(exec_subprocess, takes_no_pipe_for_a_secret)
{
	char path[64], json[128], reason[192];
	struct task_probe probe;

	snprintf(path, sizeof(path), "/tmp/schedd-secret-pipe-%ld", (long)getpid());
	snprintf(json, sizeof(json), "{\"S\": \"%s\"}", path);
	snprintf(reason, sizeof(reason), "secret S: %s: it is a pipe, and must be a file", path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	run_with(&probe, "\"true\"", "secrets", json);
	cr_expect_str_eq(probe.reason, reason);
	task_probe_clear(&probe);
	cr_expect_eq(unlink(path), 0);
}

Test(exec_subprocess, becomes_the_user_that_is_asked_for)
{
	struct task_probe probe;

	run_with(&probe, "\"id -un; id -gn; id -G; echo $HOME $USER\"", "user", "\"daemon\"");
	if (geteuid() == 0)
		cr_expect_str_eq(task_probe_text(&probe), "daemon\ndaemon\n1\n/usr/sbin daemon\n");
	else
		cr_expect(strstr(probe.reason, "cannot become another: Operation not permitted"),
		    "%s", probe.reason);
	task_probe_clear(&probe);
	run_with(&probe, "\"true\"", "user", "\"nobody-of-that-name\"");
	cr_expect_str_eq(probe.reason, "user 'nobody-of-that-name': no such user");
	task_probe_clear(&probe);
}

Test(exec_subprocess, tells_signals_apart_from_exit_codes)
{
	struct task_probe probe;

	run_with(&probe, "\"kill -9 $$\"", NULL, NULL);
	cr_expect_eq(probe.result.exit_code, -1);
	cr_expect_eq(probe.result.signal, SIGKILL);
	task_probe_clear(&probe);
}

Test(exec_subprocess, reads_five_hundred_at_once)
{
	enum { COUNT = 500 };
	static struct task_probe probes[COUNT];
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < COUNT; i++) {
		task_probe_init(&probes[i], "command", "[\"/usr/bin/seq\", \"2000\"]");
		task_probe_start(&kase, &probes[i]);
	}
	for (int i = 0; i < COUNT; i++) {
		task_case_until(&kase, &probes[i].done, 1);
		cr_expect_eq(probes[i].result.exit_code, 0, "%s", probes[i].reason);
		cr_expect_eq(output_written(probes[i].request.output), 8893);
		task_probe_clear(&probes[i]);
	}
}

/* A link in the account's own folder to what root alone may read. */
Test(exec_subprocess, opens_secrets_with_the_rights_of_the_account)
{
	char directory[64], link[96], own[96], json[128];
	struct task_probe probe;
	int fd;

	if (geteuid() != 0)
		cr_skip("needs root");
	snprintf(directory, sizeof(directory), "/tmp/schedd-secret-%ld", (long)getpid());
	snprintf(link, sizeof(link), "%s/link", directory);
	snprintf(own, sizeof(own), "%s/own", directory);
	cr_assert_eq(mkdir(directory, 0755), 0);
	cr_assert_eq(chown(directory, 1, 1), 0);
	cr_assert_eq(symlink("/etc/shadow", link), 0);
	fd = open(own, O_CREAT | O_WRONLY, 0600);
	cr_assert_eq(write(fd, "mine\n", 5), 5);
	cr_assert_eq(fchown(fd, 1, 1), 0);
	close(fd);

	snprintf(json, sizeof(json), "{\"S\": \"%s\"}", link);
	task_probe_init(&probe, "shell", "\"cat $S_FILE\"");
	task_probe_set(&probe, "user", "\"daemon\"");
	task_probe_set(&probe, "secrets", json);
	task_probe_run(&kase, &probe);
	cr_expect_not(probe.result.started);
	cr_expect(strstr(probe.reason, "Permission denied to user 'daemon', and others than root can "
				       "replace it"),
	    "%s", probe.reason);
	task_probe_clear(&probe);

	snprintf(json, sizeof(json), "{\"S\": \"%s\"}", own);
	task_probe_init(&probe, "shell", "\"cat $S_FILE\"");
	task_probe_set(&probe, "user", "\"daemon\"");
	task_probe_set(&probe, "secrets", json);
	task_probe_run(&kase, &probe);
	cr_expect_str_eq(task_probe_text(&probe), "mine\n");
	task_probe_clear(&probe);

	/* Where root alone decides what stands there, it is handed on. */
	task_probe_init(&probe, "shell", "\"head -c 5 $S_FILE; stat -c ' %a %u' $S_FILE\"");
	task_probe_set(&probe, "user", "\"daemon\"");
	task_probe_set(&probe, "secrets", "{\"S\": \"/etc/shadow\"}");
	task_probe_run(&kase, &probe);
	cr_expect_str_eq(task_probe_text(&probe), "root: 400 1\n", "%s", probe.reason);
	task_probe_clear(&probe);
	unlink(link);
	unlink(own);
	rmdir(directory);
}

/* As it would be with -c, but that its place is $0. */
Test(exec_subprocess, runs_a_script_that_is_longer_than_an_argument_can_be)
{
	const size_t length = 300000;
	char *json = malloc(length + 256);
	struct task_probe probe;

	strcpy(json, "\"read line; echo \\\"$line\\\"; false\\n#");
	memset(json + strlen(json), 'x', length);
	strcpy(json + length, "\\necho $#; exit 7\"");
	task_probe_init(&probe, "shell", json);
	task_probe_set(&probe, "stdin", "{\"text\": \"a line\\n\"}");
	task_probe_run(&kase, &probe);
	cr_expect_str_eq(task_probe_text(&probe), "a line\n0\n", "%s", probe.reason);
	cr_expect_eq(probe.result.exit_code, 7, "%s", probe.reason);
	task_probe_clear(&probe);
	if (geteuid() == 0) {
		task_probe_init(&probe, "shell", json);
		task_probe_set(&probe, "user", "\"daemon\"");
		task_probe_run(&kase, &probe);
		cr_expect_eq(probe.result.exit_code, 7, "%s", probe.reason);
		task_probe_clear(&probe);
	}
	free(json);
}
