/* SPDX-License-Identifier: MIT */
/*
 * An executor on a loop of its own, and attempts that remember what they were
 * told. For one test program each: everything is static.
 */
#ifndef SCHEDD_TESTS_TASK_CASE_H
#define SCHEDD_TESTS_TASK_CASE_H

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/strbuf.h"
#include "executor/executor.h"

#define TASK_CASE_DEADLINE (30 * SCHEDD_SECOND) /* far beyond what anything here takes */

struct task_case {
	struct schedd_loop *loop;
	struct mailbox *mailbox;
	struct function_table *functions;
	struct executor *executor;
};

/* One attempt. */
struct task_probe {
	struct task_request request;
	struct schedd_job *job;
	struct task *task;
	int started; /* how often it was told */
	int done;
	pid_t pid;
	uint64_t pid_start;
	struct task_result result;              /* reason is in the next field */
	char reason[512];                       /* "" : none */
	void (*then)(struct task_probe *probe); /* called at the end of done; NULL: nothing */
	void *context;
};

/* config: what is not at its default; loop, mailbox and functions are filled in. */
static inline void task_case_open(struct task_case *kase, struct executor_config config)
{
	struct schedd_error err = {0};

	kase->loop = schedd_loop_new_fd(NULL);
	kase->mailbox = mailbox_new(kase->loop, NULL);
	if (!kase->functions)
		kase->functions = function_table_new("/nonexistent");
	config.name = config.name ? config.name : "default";
	config.loop = kase->loop;
	config.mailbox = kase->mailbox;
	config.functions = kase->functions;
	cr_assert_eq(executor_open(&config, &kase->executor, &err), 0, "%s", err.message);
}

static inline void task_case_close(struct task_case *kase)
{
	cr_expect_eq(executor_busy(kase->executor), 0);
	executor_close(kase->executor);
	mailbox_free(kase->mailbox);
	function_table_free(kase->functions);
	schedd_loop_free(kase->loop);
	memset(kase, 0, sizeof(*kase));
}

static inline void task_probe_started(pid_t pid, uint64_t pid_start, void *context)
{
	struct task_probe *probe = context;

	cr_expect_eq(probe->done, 0, "started after done");
	probe->started++;
	probe->pid = pid;
	probe->pid_start = pid_start;
}

static inline void task_probe_done(const struct task_result *result, void *context)
{
	struct task_probe *probe = context;

	probe->done++;
	probe->result = *result;
	if (result->reason)
		snprintf(probe->reason, sizeof(probe->reason), "%s", result->reason);
	probe->result.reason = probe->reason;
	if (probe->then)
		probe->then(probe);
}

static inline void task_probe_set(struct task_probe *probe, const char *field, const char *json)
{
	struct schedd_error err = {0};

	cr_assert_eq(
	    schedd_job_set(probe->job, field, json, &err), 0, "%s: %s", field, err.message);
}

/* Tests run side by side, all with a run "probe/1": each is a daemon of its own. */
static inline const char *task_probe_socket(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/run/test-%ld.sock", (long)getpid());
	return path;
}

/* A job "probe" with that field ("command", "shell", "call") set; run "probe/1". */
static inline void task_probe_init(struct task_probe *probe, const char *field, const char *json)
{
	memset(probe, 0, sizeof(*probe));
	probe->job = schedd_job_new();
	task_probe_set(probe, "id", "\"probe\"");
	task_probe_set(probe, field, json);
	probe->request = (struct task_request){
	    .job = probe->job,
	    .run_id = "probe/1",
	    .scheduled_at = 1767225600 * SCHEDD_SECOND, /* 2026-01-01 */
	    .attempt = 1,
	    .socket = task_probe_socket(),
	    .output = output_new(NULL, (size_t)1024 * 1024),
	    .started = task_probe_started,
	    .done = task_probe_done,
	    .context = probe,
	};
}

static inline void task_probe_clear(struct task_probe *probe)
{
	output_free(probe->request.output);
	schedd_job_unref(probe->job);
}

static inline void task_probe_start(struct task_case *kase, struct task_probe *probe)
{
	probe->task = executor_start(kase->executor, &probe->request);
	cr_expect(probe->task || probe->done, "neither a task nor done");
}

/* Turns the loop until *what is true of number. */
static inline void task_case_until(struct task_case *kase, const int *number, int least)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t deadline = clock->mono(clock->context).us + TASK_CASE_DEADLINE;

	while (*number < least) {
		cr_assert_lt(clock->mono(clock->context).us, deadline, "nothing came");
		cr_assert_geq(schedd_loop_dispatch(kase->loop, 1000), 0);
	}
}

/* Starts it and waits until its program runs. */
static inline void task_probe_running(struct task_case *kase, struct task_probe *probe)
{
	task_probe_start(kase, probe);
	task_case_until(kase, &probe->started, 1);
}

static inline void task_probe_run(struct task_case *kase, struct task_probe *probe)
{
	task_probe_start(kase, probe);
	task_case_until(kase, &probe->done, 1);
}

static inline void task_probe_piece(const struct output_piece *piece, void *context)
{
	if (piece->stream != OUTPUT_GAP)
		strbuf_add_n(context, piece->bytes, piece->length);
}

/* What it wrote; valid until the next call. */
static inline const char *task_probe_text(const struct task_probe *probe)
{
	static struct strbuf text;

	strbuf_clear(&text);
	output_read(probe->request.output, task_probe_piece, &text);
	return strbuf_peek(&text);
}

/* Runs a shell line to its end and returns what it wrote; it must succeed. */
static inline const char *task_case_shell(struct task_case *kase, const char *json)
{
	struct task_probe probe;
	const char *text;

	task_probe_init(&probe, "shell", json);
	task_probe_run(kase, &probe);
	cr_expect_eq(
	    probe.result.exit_code, 0, "exit code %d, %s", probe.result.exit_code, probe.reason);
	text = task_probe_text(&probe);
	task_probe_clear(&probe);
	return text;
}

#endif
