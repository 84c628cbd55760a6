/* SPDX-License-Identifier: MIT */
/*
 * A year of a thousand mixed jobs with failures, pauses, downtime, steps of
 * the clock and long runs. Nothing may run twice, and each fire time of each
 * trigger must end in exactly one recorded outcome or one coalesced count.
 */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIM_JOBS 1000
/* Sanitizers take their time. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIM_DAYS 20
#else
#define SIM_DAYS 365
#endif
#define S SCHEDD_SECOND
#define H SCHEDD_HOUR

struct sim_job {
	char id[16];
	schedd_time added;
	schedd_time last; /* fire time of the last run that began */
	bool manual;      /* may be run by hand: its order means nothing */
};

struct sim {
	struct core_fixture f;
	struct sim_job jobs[SIM_JOBS];
	unsigned seed;
	uint64_t fires;    /* attempts that began */
	uint64_t doubles;  /* of them, those that had run before */
	uint64_t outcomes; /* fire times accounted for */
	char directory[64];
	char database[96];
};

static unsigned sim_random(struct sim *sim, unsigned below)
{
	return (unsigned)rand_r(&sim->seed) % below;
}

/* The function of most jobs: remembers what ran, fails now and then. */
static int sim_call(const struct schedd_call *call, void *context)
{
	struct sim *sim = context;
	struct sim_job *job = &sim->jobs[atoi(call->job_id + 4)];

	sim->fires++;
	if (call->attempt == 1 && !job->manual) {
		if (call->scheduled_at <= job->last)
			sim->doubles++;
		job->last = call->scheduled_at;
	}
	return sim_random(sim, 10) == 0;
}

static void sim_register(struct schedd_scheduler *scheduler, void *context)
{
	cr_assert_eq(schedd_scheduler_register(scheduler, "sim", sim_call, context, NULL), 0);
}

/* The triggers, by the job's number. Most times lie on full hours: a tick serves many. */
static void sim_trigger(unsigned i, char *text, size_t size)
{
	static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York"};
	const char *zone = zones[i % 3];

	if (i < 60)
		snprintf(text, size, "{'type':'interval','seconds':3600,'start':'2026-03-01'}");
	else if (i < 120)
		snprintf(text, size, "{'cron':'0 * * * *','timezone':'%s'}", zone);
	else if (i < 125)
		snprintf(text, size, "{'every':'6h','start':'2026-03-01','jitter':30}");
	else if (i % 10 < 5)
		snprintf(text, size, "{'cron':'0 %u * * *','timezone':'%s'}", i % 24, zone);
	else if (i % 10 == 5)
		snprintf(text, size, "{'fields':'day_of_week=mon-fri hour=%u','timezone':'%s'}",
		    i % 24, zone);
	else if (i % 10 == 6)
		snprintf(text, size, "{'every':'%uh','start':'2026-03-01'}", 2 + i % 40);
	else if (i % 10 == 7)
		snprintf(text, size, "{'cron':'0 %u 1,15 * *'}", i % 24);
	else if (i % 10 == 8)
		snprintf(text, size,
		    "{'any':[{'cron':'0 6 * * *'},{'cron':'0 %u * * 1'}],'timezone':'%s'}", i % 24,
		    zone);
	else
		snprintf(
		    text, size, "{'on_calendar':'Mon..Sat %02u:00','timezone':'%s'}", i % 24, zone);
}

static void sim_add(struct sim *sim, unsigned i)
{
	static const char *const coalesce[] = {"latest", "earliest", "all"};
	static const char *const graces[] = {"null", "60", "3600", "86400"};
	static const char *const overlaps[] = {"skip", "queue", "replace"};
	struct sim_job *job = &sim->jobs[i];
	char trigger[256], json[768];
	bool runs_long = i >= 125 && i % 50 == 0;

	snprintf(job->id, sizeof(job->id), "sim-%u", i);
	sim_trigger(i, trigger, sizeof(trigger));
	snprintf(json, sizeof(json),
	    "{'id':'%s','trigger':%s,'coalesce':'%s','misfire_grace_time':%s,'overlap':'%s',"
	    "%s%s}",
	    job->id, trigger, coalesce[i % 3], graces[i / 3 % 4], overlaps[i / 7 % 3],
	    i % 20 == 0 ? "'retry':{'limit':1,'delay':30}," : "",
	    runs_long ? "'command':['x']" : "'call':{'function':'sim'}");
	job->added = sim->f.wall;
	job->manual = i % 100 == 99;
	cr_assert_eq(core_add(&sim->f, json), 0, "%s: %s", json, sim->f.err.message);
}

/* Something happens to some jobs. */
static void sim_disturb(struct sim *sim)
{
	struct core_fixture *f = &sim->f;
	const char *some = sim->jobs[sim_random(sim, SIM_JOBS)].id;

	switch (sim_random(sim, 8)) {
	case 0:
		cr_assert_eq(core_pause(f, some, "why not"), 0);
		break;
	case 1:
		cr_assert_eq(core_resume(f, some, sim_random(sim, 2)), 0);
		break;
	case 2:
		core_reopen(f);
		break;
	case 3: /* downtime */
		core_close(f);
		f->wall += (schedd_span)sim_random(sim, 30) * H / 2;
		core_open(f, sim->database);
		break;
	case 4:
		core_step(f, ((schedd_span)sim_random(sim, 7200) - 3600) * S);
		break;
	case 5: /* asleep */
		core_jump(f, (schedd_span)sim_random(sim, 8) * H);
		break;
	case 6:
		cr_assert_eq(core_modify(f, some, "{'name':'changed'}"), 0);
		break;
	default:
		core_run(f, sim->jobs[sim_random(sim, 10) * 100 + 99].id);
	}
}

/* Long runs end after a while, mostly. */
static void sim_end_some(struct sim *sim)
{
	for (int i = core_tasks() - 1; i >= 0; i--) {
		if (core_task_signal(i))
			core_task_end_signal(i, core_task_signal(i));
		else if (sim_random(sim, 3) == 0)
			core_task_end(i, (int)sim_random(sim, 2));
	}
}

struct sim_sum {
	uint64_t times;
};

static void sim_sum_runs(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct sim_sum *sum = context;

	(void)err;
	(void)cursor;
	cr_assert_eq(rc, 0);
	for (size_t i = 0; i < count; i++) {
		if (runs[i].trigger != RUN_BY_SCHEDULE && runs[i].trigger != RUN_BY_CATCHUP)
			continue;
		sum->times += runs[i].count + runs[i].coalesced;
	}
}

static void sim_account(struct sim *sim, const struct sim_job *job)
{
	const struct schedd_job *now = scheduler_job_peek(sim->f.scheduler, job->id);
	const char *jobs[] = {job->id, NULL};
	struct store_run_query query = {
	    .jobs = jobs, .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE, .limit = 1000000};
	struct sim_sum sum = {0};
	schedd_time next;
	uint64_t expect;

	cr_assert_not_null(now, "job %s is gone", job->id);
	store_query_runs(scheduler_store(sim->f.scheduler, "default"), &query, sim_sum_runs, &sum);
	core_settle(&sim->f);
	next = core_next_fire(&sim->f, job->id);
	expect = trigger_count(now->trigger, job->added, next - 1, UINT64_MAX - 1);
	cr_expect_eq(sum.times, expect, "job %s: %llu of %llu fire times are accounted for",
	    job->id, (unsigned long long)sum.times, (unsigned long long)expect);
	sim->outcomes += sum.times;
}

static void sim_open(struct sim *sim)
{
	bool shm = access("/dev/shm", W_OK) == 0;

	sim->seed = 20260302;
	snprintf(sim->directory, sizeof(sim->directory), "%s/schedd-sim-XXXXXX",
	    shm ? "/dev/shm" : "/tmp");
	cr_assert_not_null(mkdtemp(sim->directory));
	snprintf(sim->database, sizeof(sim->database), "%s/jobs.db", sim->directory);
	sim->f.before_start = sim_register;
	sim->f.before_start_context = sim;
	core_open(&sim->f, sim->database);
	for (unsigned i = 0; i < SIM_JOBS; i++)
		sim_add(sim, i);
}

static void sim_close(struct sim *sim)
{
	char command[96];

	core_close(&sim->f);
	snprintf(command, sizeof(command), "rm -rf %s", sim->directory);
	cr_assert_eq(system(command), 0);
}

Test(simulation, accounts_for_every_fire_time_of_a_year, .timeout = 600)
{
	static struct sim sim;
	const char *text = getenv("SCHEDD_SIM_DAYS");
	int days = text ? atoi(text) : SIM_DAYS;
	schedd_time end;

	sim_open(&sim);
	end = sim.f.wall + days * SCHEDD_DAY;
	while (sim.f.wall < end) {
		core_advance(&sim.f, (schedd_span)(1 + sim_random(&sim, 12)) * H);
		sim_end_some(&sim);
		if (sim_random(&sim, 3) == 0)
			sim_disturb(&sim);
		core_forget_events(&sim.f);
	}
	for (unsigned i = 0; i < SIM_JOBS; i++)
		core_resume(&sim.f, sim.jobs[i].id, false);
	while (core_tasks() > 0)
		core_task_end(0, 0);
	core_advance(&sim.f, SCHEDD_MINUTE);
	cr_expect_eq(sim.doubles, 0);
	for (unsigned i = 0; i < SIM_JOBS; i++)
		sim_account(&sim, &sim.jobs[i]);
	if (days >= 365)
		cr_expect_geq(sim.outcomes, 1000000);
	printf("%llu fire times, %llu attempts\n", (unsigned long long)sim.outcomes,
	    (unsigned long long)sim.fires);
	sim_close(&sim);
}
