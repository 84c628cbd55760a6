/* SPDX-License-Identifier: MIT */
/*
 * The jobs of a history in memory: by id, and by a number that whoever writes
 * their runs may keep. An entry lives while a run names it, someone holds it, or
 * it has a last run to remember; and for a while longer.
 */
#include <stdlib.h>
#include <string.h>
#include "store/store_history_parts.h"

/* Entries of jobs that may be without any run, and more where half of all are not. */
#define HISTORY_IDLE 1024

/* False: no memory. */
static bool history_number(struct store_history *history, struct history_job *job)
{
	uint32_t number = history->known_free;

	if (number) {
		history->known_free = (uint32_t)(history->known[number].free >> 1);
	} else {
		number = history->known_count + 1;
		if (number >= history->known_capacity) {
			uint32_t capacity = number < 16 ? 32 : number * 2;
			union history_known *known =
			    realloc(history->known, capacity * sizeof(known[0]));

			if (!known)
				return false;
			history->known = known;
			history->known_capacity = capacity;
		}
		history->known_count = number;
	}
	history->known[number].job = job;
	job->known = number;
	return true;
}

static void history_number_back(struct store_history *history, uint32_t number)
{
	history->known[number].free = (uintptr_t)history->known_free << 1 | 1;
	history->known_free = number;
}

/* The job of that number, if that is its id. */
static struct history_job *history_by_number(
    const struct store_history *history, uint32_t number, const char *id)
{
	const union history_known *known = history->known + number;

	return number > 0 && number <= history->known_count && !(known->free & 1) &&
		       strcmp(known->job->id, id) == 0
		   ? known->job
		   : NULL;
}

static struct history_job *history_job_new(struct store_history *history, const char *id)
{
	size_t length = strlen(id);
	struct history_job *job = malloc(sizeof(*job) + length + 1);

	if (!job)
		return NULL;
	*job = (struct history_job){.newest = HISTORY_NONE, .oldest = HISTORY_NONE};
	memcpy(job->id, id, length + 1);
	if (!history_number(history, job)) {
		free(job);
		return NULL;
	}
	if (strmap_put(&history->jobs, job) < 0) {
		history_number_back(history, job->known);
		free(job);
		return NULL;
	}
	history->idle++;
	return job;
}

struct history_job *store_history_hold_known(
    struct store_history *history, const char *id, uint32_t known)
{
	struct history_job *job = history_by_number(history, known, id);

	if (!job)
		job = strmap_get(&history->jobs, id);
	if (!job)
		job = history_job_new(history, id);
	if (!job)
		return NULL;
	if (!job->holds && !job->last_run)
		history->idle--;
	job->holds++;
	return job;
}

struct history_job *store_history_hold(struct store_history *history, const char *id)
{
	return store_history_hold_known(history, id, 0);
}

/* Without memory they stay. */
static void history_sweep(struct store_history *history)
{
	struct history_job **idle = malloc(history->idle * sizeof(idle[0])), *job;
	uint32_t position = 0, count = 0;

	if (!idle)
		return;
	while ((job = strmap_next(&history->jobs, &position)) != NULL)
		if (!job->holds && !job->last_run)
			idle[count++] = job;
	while (count-- > 0) {
		strmap_remove(&history->jobs, idle[count]->id);
		history_number_back(history, idle[count]->known);
		free(idle[count]);
	}
	history->idle = 0;
	free(idle);
}

void store_history_release(struct store_history *history, struct history_job *job)
{
	if (--job->holds > 0 || job->last_run > 0)
		return;
	/* The last run of a busy job goes when another one of its runs comes. */
	history->idle++;
	if (history->idle > HISTORY_IDLE && history->idle > history->jobs.count / 2)
		history_sweep(history);
}

void store_history_remember(struct history_job *job, uint32_t last_run)
{
	if (last_run > job->last_run)
		job->last_run = last_run;
}

uint32_t store_history_last_run(const struct store_history *history, const char *id)
{
	const struct history_job *job = strmap_get(&history->jobs, id);

	if (!job)
		return 0;
	return job->highest > job->last_run ? job->highest : job->last_run;
}

uint32_t store_history_count(const struct store_history *history, const struct history_job *job)
{
	return job ? job->count : history->count;
}

struct history_job *store_history_find(const struct store_history *history, const char *id)
{
	struct history_job *job = strmap_get(&history->jobs, id);

	return job && (job->holds || job->last_run) ? job : NULL;
}

void store_history_fetch(const struct store_history *history, uint32_t known)
{
	if (known > 0 && known <= history->known_count && !(history->known[known].free & 1))
		__builtin_prefetch(history->known[known].job, 1);
}

const char *store_history_id(const struct history_job *job)
{
	return job->id;
}
