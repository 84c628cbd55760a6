/* SPDX-License-Identifier: MIT */
/*
 * History is deleted from the oldest run on, so is output: in each job's
 * directory the lowest number is asked for in the store, and deleted if it is
 * not there, until one is. One question at a time, one step per turn; the
 * directories are read by the janitor.
 */
#include "core/keep/output_sweep.h"

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/frame/janitor.h"
#include "core/frame/store_origin.h"
#include "core/runs/output_place.h"
#include "core/runs/run_live.h"

struct output_sweep {
	struct janitor_task task; /* reads a directory: that of all jobs, or of the one at hand */
	struct schedd_scheduler *scheduler;
	char path[4096];    /* of that directory */
	struct timer timer; /* makes the next step */
	bool sweeping;
	char **jobs; /* directories that were there when it began; owned */
	uint32_t job_count;
	uint32_t job_at;          /* the next one */
	char job[JOB_ID_MAX + 1]; /* the one at hand */
	uint32_t *numbers;        /* its files, ascending; owned */
	uint32_t number_count;
	uint32_t number_at;
};

static void output_sweep_step(struct timer *timer);

struct output_sweep *output_sweep_new(struct schedd_scheduler *scheduler)
{
	struct output_sweep *sweep = calloc(1, sizeof(*sweep));

	if (sweep) {
		sweep->scheduler = scheduler;
		timer_init(&sweep->timer, output_sweep_step);
	}
	return sweep;
}

static void output_sweep_end(struct output_sweep *sweep)
{
	for (uint32_t i = 0; i < sweep->job_count; i++)
		free(sweep->jobs[i]);
	free(sweep->jobs);
	free(sweep->numbers);
	sweep->jobs = NULL;
	sweep->numbers = NULL;
	sweep->job_count = sweep->number_count = 0;
	sweep->sweeping = false;
}

void output_sweep_free(struct output_sweep *sweep)
{
	if (sweep)
		output_sweep_end(sweep);
	free(sweep);
}

static void output_sweep_next(struct output_sweep *sweep)
{
	struct schedd_scheduler *scheduler = sweep->scheduler;

	if (timers_set(&scheduler->timers, &sweep->timer, scheduler_mono(scheduler)))
		output_sweep_end(sweep);
}

/* Room for one more element; the array grows by half. */
static void *output_sweep_grow(void *array, uint32_t count, size_t size)
{
	/* At 0, 16, 32, 64, … elements. */
	if (count == 0)
		return realloc(array, 16 * size);
	if (count < 16 || (count & (count - 1)))
		return array;
	return realloc(array, (size_t)count * 2 * size);
}

static void output_sweep_list_jobs(struct janitor_task *task)
{
	struct output_sweep *sweep = (struct output_sweep *)task;
	struct dirent *entry;
	DIR *jobs = opendir(sweep->path);

	while (jobs && (entry = readdir(jobs))) {
		char **list;

		if (entry->d_name[0] == '.' || strlen(entry->d_name) > JOB_ID_MAX)
			continue;
		list = output_sweep_grow(sweep->jobs, sweep->job_count, sizeof(list[0]));
		if (!list)
			break;
		sweep->jobs = list;
		list[sweep->job_count] = strdup(entry->d_name);
		if (!list[sweep->job_count])
			break;
		sweep->job_count++;
	}
	if (jobs)
		closedir(jobs);
}

static int output_sweep_compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void output_sweep_list_numbers(struct janitor_task *task)
{
	struct output_sweep *sweep = (struct output_sweep *)task;
	struct dirent *entry;
	DIR *files = opendir(sweep->path);

	while (files && (entry = readdir(files))) {
		uint32_t number = (uint32_t)strtoul(entry->d_name, NULL, 10);
		uint32_t *list;

		if (number == 0)
			continue;
		list = output_sweep_grow(sweep->numbers, sweep->number_count, sizeof(list[0]));
		if (!list)
			break;
		sweep->numbers = list;
		list[sweep->number_count++] = number;
	}
	if (files)
		closedir(files);
	if (sweep->number_count)
		qsort(sweep->numbers, sweep->number_count, sizeof(sweep->numbers[0]),
		    output_sweep_compare);
}

static void output_sweep_answered(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct output_sweep *sweep = context;

	(void)err;
	(void)runs;
	(void)cursor;
	scheduler_enter(sweep->scheduler);
	if (rc || count > 0) {
		/* This one is still known, and so are those behind it. */
		sweep->number_at = sweep->number_count;
	} else {
		output_place_remove(sweep->scheduler, sweep->job, sweep->numbers[sweep->number_at]);
		sweep->number_at++;
	}
	output_sweep_next(sweep);
	scheduler_leave(sweep->scheduler);
}

/* Where the job's history is; NULL: that cannot be told, so its output stays. */
static struct store_slot *output_sweep_store(const struct output_sweep *sweep)
{
	struct schedd_scheduler *scheduler = sweep->scheduler;
	const struct entry *entry = entry_get(scheduler, sweep->job);

	if (entry)
		return entry->store;
	return scheduler->store_count == 1 ? scheduler->stores[0] : NULL;
}

static void output_sweep_ask(struct output_sweep *sweep)
{
	const char *jobs[] = {sweep->job, NULL};
	struct store_run_query query = {.jobs = jobs,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .number = sweep->numbers[sweep->number_at],
	    .limit = 1};
	struct store_slot *store = output_sweep_store(sweep);

	if (store && !run_live_find(sweep->scheduler, sweep->job, query.number)) {
		store_origin_ask(store, &query, output_sweep_answered, sweep);
		return;
	}
	sweep->number_at = sweep->number_count;
	output_sweep_next(sweep);
}

static void output_sweep_listed(struct janitor_task *task)
{
	struct output_sweep *sweep = (struct output_sweep *)task;

	scheduler_enter(sweep->scheduler);
	/* Nothing goes on in a scheduler that is freed. */
	if (sweep->scheduler->phase == SCHEDULER_STOPPED)
		output_sweep_end(sweep);
	else
		output_sweep_next(sweep);
	scheduler_leave(sweep->scheduler);
}

static void output_sweep_read(struct output_sweep *sweep, void (*list)(struct janitor_task *task))
{
	sweep->task.work = list;
	sweep->task.done = output_sweep_listed;
	janitor_do(sweep->scheduler->janitor, &sweep->task);
}

static void output_sweep_step(struct timer *timer)
{
	struct output_sweep *sweep =
	    (struct output_sweep *)(void *)((char *)timer - offsetof(struct output_sweep, timer));

	if (sweep->number_at < sweep->number_count) {
		output_sweep_ask(sweep);
	} else if (sweep->job_at < sweep->job_count) {
		snprintf(sweep->job, sizeof(sweep->job), "%s", sweep->jobs[sweep->job_at++]);
		sweep->number_count = sweep->number_at = 0;
		free(sweep->numbers);
		sweep->numbers = NULL;
		snprintf(sweep->path, sizeof(sweep->path), "%s/output/%s",
		    sweep->scheduler->state_dir, sweep->job);
		output_sweep_read(sweep, output_sweep_list_numbers);
	} else {
		output_sweep_end(sweep);
	}
}

void output_sweep_begin(struct output_sweep *sweep)
{
	if (sweep->sweeping || !sweep->scheduler->state_dir)
		return;
	sweep->sweeping = true;
	sweep->job_at = 0;
	sweep->number_at = 0;
	snprintf(sweep->path, sizeof(sweep->path), "%s/output", sweep->scheduler->state_dir);
	output_sweep_read(sweep, output_sweep_list_jobs);
}
