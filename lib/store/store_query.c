/* SPDX-License-Identifier: MIT */
/*
 * Cursors: "n41" continues one job's runs below number 41, "s812" all runs
 * below the 812th that came to be. Both stay right while runs are added and
 * deleted.
 */
#include "store/store_query.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERY_LIMIT 100

static int query_copy_jobs(struct store_query *query, const char *const *jobs)
{
	job_choice_init(&query->jobs, jobs, &query->arena);
	if (arena_failed(&query->arena))
		return SCHEDD_ENOMEM;
	if (query->jobs.id_count == 1 && !query->jobs.pattern_count)
		query->job = query->jobs.ids[0];
	return 0;
}

static int query_read_cursor(
    struct store_query *query, const char *cursor, struct schedd_error *err)
{
	char *end;

	if (cursor[0] != (query->job ? 'n' : 's') || !isdigit((unsigned char)cursor[1]))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "after '%.40s' does not continue this question, take 'next' of its last answer",
		    cursor);
	errno = 0;
	query->before = strtoull(cursor + 1, &end, 10);
	if (*end || errno)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "after '%.40s' is no answer's 'next'", cursor);
	return 0;
}

int store_query_init(
    struct store_query *query, const struct store_run_query *from, struct schedd_error *err)
{
	memset(query, 0, sizeof(*query));
	query->states = from->states;
	query->since = from->since;
	query->until = from->until;
	query->number = from->number;
	query->limit = from->limit ? from->limit : QUERY_LIMIT;
	query->before = UINT64_MAX;
	if (query_copy_jobs(query, from->jobs) < 0)
		return schedd_error_nomem(err);
	return from->after ? query_read_cursor(query, from->after, err) : 0;
}

void store_query_clear(struct store_query *query)
{
	arena_clear(&query->arena);
}

bool store_query_names(const struct store_query *query, const char *job)
{
	return job_choice_has(&query->jobs, job);
}

bool store_query_matches(const struct store_query *query, const struct run *run)
{
	if (query->states && !(query->states & (1u << run->state)))
		return false;
	if (query->number && run->number != query->number)
		return false;
	if (query->until != SCHEDD_TIME_NONE && run->scheduled_at > query->until)
		return false;
	/* "None" is the smallest time of all. */
	if (query->since != SCHEDD_TIME_NONE && run->scheduled_at < query->since &&
	    run->started_at < query->since && run->ended_at < query->since &&
	    run->until < query->since)
		return false;
	return store_query_names(query, run->job);
}

void store_query_cursor_behind(
    const struct store_run_query *query, const struct run *run, char cursor[STORE_CURSOR_MAX])
{
	const char *const *jobs = query->jobs;

	if (jobs && jobs[0] && !jobs[1] && !job_choice_is_pattern(jobs[0]))
		snprintf(cursor, STORE_CURSOR_MAX, "n%" PRIu32, run->number);
	else
		snprintf(cursor, STORE_CURSOR_MAX, "s%" PRIu64, run->serial);
}

void store_query_cursor(
    const struct store_query *query, const struct run *run, char cursor[STORE_CURSOR_MAX])
{
	if (query->job)
		snprintf(cursor, STORE_CURSOR_MAX, "n%" PRIu32, run->number);
	else
		snprintf(cursor, STORE_CURSOR_MAX, "s%" PRIu64, run->serial);
}

schedd_time store_query_done_at(const struct run *run)
{
	if (!run_ended(run->state))
		return SCHEDD_TIME_NONE;
	if (run->ended_at != SCHEDD_TIME_NONE)
		return run->ended_at;
	/* Lost, but its process is still there: its end is to come. */
	if (run->state == RUN_LOST && run->pid > 0)
		return SCHEDD_TIME_NONE;
	if (run->until != SCHEDD_TIME_NONE)
		return run->until;
	return run->started_at != SCHEDD_TIME_NONE ? run->started_at : run->scheduled_at;
}
