/* SPDX-License-Identifier: MIT */
/*
 * A scheduler on a clock that stands still until it is told, with a store in
 * memory or in a file, and an executor whose attempts end when the test says.
 */
#ifndef SCHEDD_TESTS_SUPPORT_CORE_FIXTURE_H
#define SCHEDD_TESTS_SUPPORT_CORE_FIXTURE_H

#include <stdbool.h>
#include <schedd/scheduler.h>
#include "core/scheduler.h"
#include "store/store.h"
#include "support/core_fake.h"

#define CORE_EVENTS_MAX 4096

/* 2026-03-02 00:00:00 UTC, a Monday. */
#define CORE_EPOCH ((schedd_time)1772409600 * SCHEDD_SECOND)

struct core_fixture {
	struct schedd_scheduler *scheduler;
	struct schedd_clock clock;
	schedd_time wall;
	int64_t mono;
	const char *store_path; /* NULL: memory */
	const char *server;     /* the fake server that keeps the jobs, "core"; NULL: none */
	const struct store_option *options; /* of the store there; NULL: none */
	char made[96];          /* a database of the fixture's own; "": none */
	unsigned max_workers;   /* of the fake executor; 0: no limit */
	/* Called between making and starting; NULL: nothing. */
	void (*before_start)(struct schedd_scheduler *scheduler, void *context);
	void *before_start_context;
	const char *boot_id; /* told before the start; NULL: none */
	struct scheduler_settings settings;
	/* The answer of the last request. */
	int rc;
	bool answered;
	struct schedd_error err;
	char run[160]; /* "run" of the answer, or "" */
	char *json;    /* the whole answer as JSON */
	/* Events since core_forget_events(), as "job_added a" or "job_executed a/1". */
	char *events[CORE_EVENTS_MAX];
	int event_count;
	struct schedd_listener *listener;
	/* Function jobs. */
	int calls;         /* of "count" */
	int result;        /* what "count" returns */
	schedd_span takes; /* how long "count" holds up the loop */
	schedd_span look;  /* how long each look at the monotonic clock takes */
};

/*
 * Opens and starts it. store_path NULL: memory, or by SCHEDD_TEST_STORE a new file ("sqlite"). A
 * fake server ("fake") takes the place of either, emptied when it is opened first.
 */
void core_open(struct core_fixture *fixture, const char *store_path);
/* In that database always: for who looks into it beside the scheduler. */
void core_open_file(struct core_fixture *fixture, const char *store_path);
/* Closes without a word, as if the process had died (the store keeps what was committed). */
void core_close(struct core_fixture *fixture);
/* close, then open with the same store and clock. */
void core_reopen(struct core_fixture *fixture);
/* Moves both clocks on and ticks at each wake-up in between. */
void core_advance(struct core_fixture *fixture, schedd_span span);
/* Moves both clocks at once and ticks. */
void core_jump(struct core_fixture *fixture, schedd_span span);
/* Sets the wall clock by hand. */
void core_step(struct core_fixture *fixture, schedd_span span);
/* Waits until its store's jobs are read, the first time or anew. */
void core_await_store(struct core_fixture *fixture);
/* Delivers what threads have posted until nothing comes any more. */
void core_settle(struct core_fixture *fixture);

/* Each waits for the answer; returns its code. json: single quotes stand for double ones. */
int core_add(struct core_fixture *fixture, const char *json);
int core_add_flags(struct core_fixture *fixture, const char *json, unsigned flags);
int core_modify(struct core_fixture *fixture, const char *id, const char *json);
int core_remove(struct core_fixture *fixture, const char *id);
int core_pause(struct core_fixture *fixture, const char *id, const char *reason);
int core_resume(struct core_fixture *fixture, const char *id, bool run_missed);
int core_run(struct core_fixture *fixture, const char *id);
int core_kill(struct core_fixture *fixture, const char *id, unsigned number);
int core_apply(
    struct core_fixture *fixture, const char *json, const char *owner, bool prune, bool dry_run);
struct scheduler_reply core_reply(struct core_fixture *fixture);

/* A field of the job as JSON text; "" if it is not there. Valid until the next call. */
const char *core_field(struct core_fixture *fixture, const char *id, const char *field);
/* next_run_time of the job, SCHEDD_TIME_NONE for null. */
schedd_time core_next(struct core_fixture *fixture, const char *id);
/* The trigger's next fire time that is not claimed yet. */
schedd_time core_next_fire(struct core_fixture *fixture, const char *id);
/* Rows of the job, oldest first: "1 success", "2-2 missed x3 …". Compared with expect. */
void core_expect_runs(struct core_fixture *fixture, const char *id, const char *expect);
/* Asks for one run; the answer is in json. */
void core_show_run(struct core_fixture *fixture, const char *id, unsigned number);
/* The reason of the newest row. */
const char *core_last_reason(struct core_fixture *fixture, const char *id);
void core_expect_events(struct core_fixture *fixture, const char *expect);
void core_forget_events(struct core_fixture *fixture);

#endif
