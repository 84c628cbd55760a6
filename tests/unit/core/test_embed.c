/* SPDX-License-Identifier: MIT */
/* The library as strangers use it: its public names alone, real processes, a real clock. */
#include <schedd/scheduler.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct schedd_scheduler *scheduler;
static struct schedd_error err;
static char state[] = "/tmp/schedd-embed.XXXXXX";

static void make(void)
{
	struct schedd_scheduler_options options = {.state_dir = state, .timezone = "UTC"};

	cr_assert(mkdtemp(state));
	cr_assert_eq(schedd_scheduler_new(&options, &scheduler, &err), 0, "%s", err.message);
}

static void unmake(void)
{
	char command[64];

	schedd_scheduler_free(scheduler);
	snprintf(command, sizeof(command), "rm -rf %s", state);
	cr_assert_eq(system(command), 0);
}

TestSuite(embed, .init = make, .fini = unmake);

static struct schedd_job *shell_job(const char *id, const char *line)
{
	struct schedd_job *job = schedd_job_new();

	cr_assert(job);
	cr_assert_eq(schedd_job_set_text(job, "id", id, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_text(job, "shell", line, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_text(job, "trigger", "manual", &err), 0, "%s", err.message);
	return job;
}

static void add(const char *id, const char *line)
{
	struct schedd_job *job = shell_job(id, line);

	cr_assert_eq(schedd_scheduler_add(scheduler, job, &err), 0, "%s", err.message);
	schedd_job_unref(job);
}

static void says(char *json, const char *what)
{
	cr_assert_not_null(json);
	cr_expect(strstr(json, what), "%s", json);
	free(json);
}

Test(embed, sets_and_reads_numbers_and_booleans)
{
	struct schedd_job *job = schedd_job_new();
	int64_t number = 0;
	bool flag = false;

	cr_expect_eq(schedd_job_set_int(job, "max_instances", 3, &err), 0, "%s", err.message);
	cr_expect_eq(schedd_job_set_bool(job, "keep", true, &err), 0, "%s", err.message);
	cr_expect_eq(schedd_job_set_real(job, "timeout", 1.5, &err), 0, "%s", err.message);
	cr_expect_eq(schedd_job_get_int(job, "max_instances", &number, &err), 0, "%s", err.message);
	cr_expect_eq(number, 3);
	cr_expect_eq(schedd_job_get_bool(job, "keep", &flag, &err), 0, "%s", err.message);
	cr_expect(flag);
	/* A text that looks like a number stays one. */
	cr_expect_eq(schedd_job_set_text(job, "name", "5", &err), 0, "%s", err.message);
	says(schedd_job_json(job), "\"name\":\"5\"");
	cr_expect_eq(schedd_job_set_int(job, "keep", 1, &err), SCHEDD_EINVAL);
	cr_expect_eq(schedd_job_set_int(job, "max_instances", -1, &err), SCHEDD_EINVAL);
	cr_expect_eq(schedd_job_set_bool(job, "kep", true, &err), SCHEDD_EINVAL);
	cr_expect(strstr(err.message, "keep"), "%s", err.message);
	cr_expect_eq(schedd_job_get_int(job, "name", &number, &err), SCHEDD_EINVAL);
	cr_expect_eq(schedd_job_get_bool(job, "state", &flag, &err), SCHEDD_EINVAL);
	schedd_job_unref(job);
}

Test(embed, lists_replaces_and_reschedules)
{
	struct schedd_trigger *trigger;
	struct schedd_job *job;
	char *json;

	add("a1", "true");
	add("a2", "true");
	add("b", "true");
	cr_assert_eq(schedd_scheduler_list(scheduler, "a*", &json, &err), 0, "%s", err.message);
	cr_expect_null(strstr(json, "\"id\":\"b\""));
	says(json, "\"id\":\"a2\"");
	cr_assert_eq(schedd_scheduler_list(scheduler, NULL, &json, &err), 0);
	says(json, "\"id\":\"b\"");
	cr_assert_eq(schedd_scheduler_list(scheduler, "zz", &json, &err), 0);
	says(json, "[]");
	job = shell_job("b", "false");
	cr_expect_eq(schedd_scheduler_add(scheduler, job, &err), SCHEDD_ECONFLICT);
	cr_expect_null(strstr(err.message, "--"), "%s", err.message);
	cr_expect_eq(schedd_scheduler_replace(scheduler, job, &err), 0, "%s", err.message);
	schedd_job_unref(job);
	says(schedd_scheduler_get(scheduler, "b"), "\"shell\":\"false\"");
	cr_assert_eq(schedd_trigger_parse("every 2h", "UTC", 0, &trigger, &err), 0);
	cr_expect_eq(
	    schedd_scheduler_reschedule(scheduler, "b", trigger, &err), 0, "%s", err.message);
	cr_expect_eq(schedd_scheduler_reschedule(scheduler, "c", trigger, &err), SCHEDD_ENOTFOUND);
	schedd_trigger_unref(trigger);
	says(schedd_scheduler_get(scheduler, "b"), "\"seconds\":7200");
}

static void waits_for_a_run(void)
{
	struct schedd_job *job;
	uint32_t run = 0;
	int code = 0;
	size_t length;
	char *text, *json;

	job = shell_job("job", "echo out; echo err >&2; exit 3");
	cr_assert_eq(schedd_job_set_text(job, "capture", "split", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_add(scheduler, job, &err), 0, "%s", err.message);
	schedd_job_unref(job);
	cr_assert_eq(schedd_scheduler_run_job(scheduler, "job", &run, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_wait(scheduler, "job", run, 60 * SCHEDD_SECOND, &code, &err),
	    0, "%s", err.message);
	cr_expect_eq(code, 3);
	/* It has ended: at once. */
	cr_expect_eq(schedd_scheduler_wait(scheduler, "job", run, 0, &code, &err), 0);
	cr_assert_eq(
	    schedd_scheduler_output(scheduler, "job", run, SCHEDD_STREAM_ALL, &text, &length, &err),
	    0, "%s", err.message);
	cr_expect_eq(length, strlen(text));
	says(text, "out");
	cr_assert_eq(schedd_scheduler_output(
			 scheduler, "job", run, SCHEDD_STREAM_STDERR, &text, &length, &err),
	    0);
	cr_expect_str_eq(text, "err\n");
	free(text);
	cr_assert_eq(schedd_scheduler_history(scheduler, "job", 5, &json, &err), 0);
	says(json, "\"exit_code\":3");
	cr_expect_eq(schedd_scheduler_wait(scheduler, "job", 77, 0, &code, &err), SCHEDD_ENOTFOUND);
	add("long", "sleep 600");
	cr_assert_eq(schedd_scheduler_run_job(scheduler, "long", &run, &err), 0);
	cr_expect_eq(
	    schedd_scheduler_wait(scheduler, "long", run, 50000, &code, &err), SCHEDD_ETIMEOUT);
	cr_expect_eq(schedd_scheduler_kill(scheduler, "long", run, 0, &err), 0, "%s", err.message);
	cr_expect_eq(
	    schedd_scheduler_wait(scheduler, "long", run, 60 * SCHEDD_SECOND, &code, &err), 0);
	cr_expect_eq(schedd_scheduler_kill(scheduler, "long", run, 0, &err), SCHEDD_ECONFLICT);
}

Test(embed, waits_for_a_run_in_its_own_thread)
{
	cr_assert_eq(schedd_scheduler_start_thread(scheduler, &err), 0, "%s", err.message);
	waits_for_a_run();
	cr_expect_eq(schedd_scheduler_start_thread(scheduler, &err), SCHEDD_ECONFLICT);
	cr_expect(strstr(err.message, "runs in a thread already"), "%s", err.message);
	cr_expect_eq(schedd_scheduler_start(scheduler, &err), SCHEDD_ECONFLICT);
	cr_expect(strstr(err.message, "started already"), "%s", err.message);
	schedd_scheduler_stop(scheduler, SCHEDD_SECOND);
	cr_expect_eq(schedd_scheduler_start(scheduler, &err), SCHEDD_ECONFLICT);
	cr_expect(strstr(err.message, "has stopped"), "%s", err.message);
}

Test(embed, waits_for_a_run_turning_the_loop)
{
	cr_assert_eq(schedd_scheduler_start(scheduler, &err), 0, "%s", err.message);
	waits_for_a_run();
	cr_expect_eq(schedd_scheduler_run(scheduler, &err), SCHEDD_ECONFLICT);
	schedd_scheduler_stop(scheduler, SCHEDD_SECOND);
}

struct waiter {
	bool called;
	int rc;
};

/* Inside the loop's own thread nothing would go on. */
static int wait_inside(const struct schedd_call *call, void *context)
{
	struct waiter *waiter = context;

	(void)call;
	waiter->rc = schedd_scheduler_wait(scheduler, "call", 1, SCHEDD_SPAN_NONE, NULL, NULL);
	waiter->called = true;
	return 0;
}

Test(embed, refuses_to_wait_for_itself)
{
	struct schedd_job *job = schedd_job_new();
	struct waiter waiter = {0};
	uint32_t run;

	cr_assert_eq(schedd_scheduler_register(scheduler, "inside", wait_inside, &waiter, &err), 0);
	cr_assert_eq(schedd_scheduler_start_thread(scheduler, &err), 0);
	cr_assert_eq(schedd_job_set_text(job, "id", "call", &err), 0);
	cr_assert_eq(schedd_job_set_text(job, "trigger", "manual", &err), 0);
	cr_assert_eq(schedd_job_set_call(job, "inside", NULL, &err), 0);
	cr_assert_eq(schedd_scheduler_add(scheduler, job, &err), 0, "%s", err.message);
	schedd_job_unref(job);
	cr_assert_eq(schedd_scheduler_run_job(scheduler, "call", &run, &err), 0, "%s", err.message);
	cr_assert_eq(
	    schedd_scheduler_wait(scheduler, "call", run, 60 * SCHEDD_SECOND, NULL, &err), 0);
	cr_expect(waiter.called);
	cr_expect_eq(waiter.rc, SCHEDD_ECONFLICT);
	schedd_scheduler_stop(scheduler, 0);
}

static int count_call(const struct schedd_call *call, void *context)
{
	(void)call;
	__atomic_add_fetch((int *)context, 1, __ATOMIC_RELAXED);
	return 0;
}

/* Its thread has the scheduler to itself: what others add goes there. */
Test(embed, takes_stores_executors_and_functions_while_its_thread_runs)
{
	char path[64], name[16];
	struct schedd_job *job;
	int calls = 0, code;
	uint32_t run;

	cr_assert_eq(schedd_scheduler_start_thread(scheduler, &err), 0, "%s", err.message);
	add("busy", "true");
	cr_assert_eq(schedd_scheduler_modify(scheduler, "busy", "{\"trigger\":{\"every\":0.001}}", &err), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		snprintf(path, sizeof(path), "%s/%s.db", state, name);
		cr_assert_eq(schedd_scheduler_add_store(scheduler, name, "sqlite", path, &err), 0, "%s",
		    err.message);
		cr_assert_eq(schedd_scheduler_add_executor(scheduler, name, "threadpool", 2, &err), 0,
		    "%s", err.message);
		cr_assert_eq(schedd_scheduler_register(scheduler, name, count_call, &calls, &err), 0,
		    "%s", err.message);
	}
	cr_expect_eq(schedd_scheduler_add_store(scheduler, "s1", "memory", NULL, &err), SCHEDD_ECONFLICT);
	cr_expect_lt(schedd_scheduler_add_store(scheduler, "x", "sqlite", "/nonexistent/x.db", &err), 0);
	cr_expect(strstr(err.message, "/nonexistent"), "%s", err.message);
	cr_expect_eq(schedd_scheduler_add_store(scheduler, "x", "oracle", NULL, &err), SCHEDD_EINVAL);
	cr_expect_eq(schedd_scheduler_add_executor(scheduler, "s1", "threadpool", 2, &err), SCHEDD_ECONFLICT);
	cr_expect_lt(schedd_scheduler_register(scheduler, "s1", count_call, &calls, &err), 0);
	job = schedd_job_new();
	cr_assert_eq(schedd_job_set_text(job, "id", "c", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_text(job, "store", "s19", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_text(job, "executor", "s19", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_text(job, "trigger", "manual", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_call(job, "s19", NULL, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_add(scheduler, job, &err), 0, "%s", err.message);
	schedd_job_unref(job);
	cr_assert_eq(schedd_scheduler_run_job(scheduler, "c", &run, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_wait(scheduler, "c", run, SCHEDD_SPAN_NONE, &code, &err), 0, "%s",
	    err.message);
	cr_expect_eq(code, 0);
	cr_expect_eq(calls, 1);
	schedd_scheduler_stop(scheduler, 0);
}

static int call_until_told(const struct schedd_call *call, void *context)
{
	(void)call;
	return sem_wait(context);
}

/* A function cannot be stopped: who asks for it is told so, and the run ends as it would have. */
Test(embed, says_how_a_run_ended_that_could_not_be_killed)
{
	struct schedd_job *job = schedd_job_new();
	sem_t told;
	char *json = NULL;
	uint32_t run;
	int rc;

	sem_init(&told, 0, 0);
	cr_assert_eq(schedd_scheduler_add_executor(scheduler, "pool", "threadpool", 1, &err), 0);
	cr_assert_eq(schedd_scheduler_register(scheduler, "wait", call_until_told, &told, &err), 0);
	cr_assert_eq(schedd_scheduler_start_thread(scheduler, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_text(job, "id", "c", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_text(job, "executor", "pool", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_text(job, "trigger", "manual", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_call(job, "wait", NULL, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_add(scheduler, job, &err), 0, "%s", err.message);
	schedd_job_unref(job);
	cr_assert_eq(schedd_scheduler_run_job(scheduler, "c", &run, &err), 0, "%s", err.message);
	/* It may still be on its way there, where it can be called off. */
	while ((rc = schedd_scheduler_kill(scheduler, "c", run, 0, &err)) != SCHEDD_EFAILED)
		if (rc == 0)
			cr_assert_eq(schedd_scheduler_run_job(scheduler, "c", &run, &err), 0, "%s",
			    err.message);
	cr_expect(strstr(err.message, "cannot be stopped"), "%s", err.message);
	sem_post(&told);
	cr_assert_eq(schedd_scheduler_wait(scheduler, "c", run, SCHEDD_SPAN_NONE, NULL, &err), 0);
	cr_assert_eq(schedd_scheduler_history(scheduler, "c", 1, &json, &err), 0, "%s", err.message);
	says(json, "\"state\":\"success\"");
	schedd_scheduler_stop(scheduler, 0);
	sem_destroy(&told);
}
