/* SPDX-License-Identifier: MIT */
/*
 * In memory, age and totals are judged along the list of all runs from the
 * oldest on, and the number kept per job along each job's list. So a pass costs
 * what it deletes, plus one look at each job.
 */
#include "store/store_retention.h"

#include <stdlib.h>
#include <string.h>

int store_rules_init(
    struct store_rules *rules, const char *job, const struct store_retention *retention)
{
	const char *const *except = retention->except;
	const char **copy;

	memset(rules, 0, sizeof(*rules));
	rules->retention = *retention;
	rules->job = job ? arena_strdup(&rules->arena, job) : NULL;
	while (except && except[rules->except_count])
		rules->except_count++;
	copy = arena_alloc(&rules->arena, (rules->except_count + 1) * sizeof(copy[0]));
	for (size_t i = 0; copy && i < rules->except_count; i++)
		copy[i] = arena_strdup(&rules->arena, except[i]);
	rules->retention.except = copy;
	return arena_failed(&rules->arena) ? SCHEDD_ENOMEM : 0;
}

void store_rules_clear(struct store_rules *rules)
{
	arena_clear(&rules->arena);
}

static int rules_compare(const void *key, const void *item)
{
	const char *const *except = item;

	return strcmp(key, *except);
}

bool store_rules_except(const struct store_rules *rules, const char *id)
{
	return rules->except_count > 0 && bsearch(id, rules->retention.except, rules->except_count,
					      sizeof(rules->retention.except[0]), rules_compare);
}

/* Is it time for this run by its age? */
static bool rules_too_old(const struct store_rules *rules, const struct run *run, schedd_time now)
{
	return rules->retention.keep_for != SCHEDD_SPAN_NONE &&
	       store_query_done_at(run) < now - rules->retention.keep_for;
}

/* The job's runs beyond the number to keep and, for a job asked for by name, beyond the age. */
static uint32_t rules_apply_job(const struct store_rules *rules, struct store_history *history,
    struct history_job *job, uint32_t budget, schedd_time now)
{
	int64_t keep = rules->retention.keep_runs;
	uint32_t left = store_history_count(history, job), deleted = 0;
	uint32_t place = store_history_oldest(history, job), next;

	for (; left > 0 && deleted < budget; place = next, left--) {
		struct run run;

		store_history_view(history, place, &run);
		if (!(keep >= 0 && left > keep) && !(rules->job && rules_too_old(rules, &run, now)))
			break;
		next = store_history_newer(history, job, place);
		if (!run_ended(run.state))
			continue;
		store_history_drop(history, place);
		deleted++;
	}
	return deleted;
}

/* Along all runs from the oldest: too many, too large, too old, or none to keep. */
static uint32_t rules_apply_all(const struct store_rules *rules, struct store_history *history,
    uint32_t budget, schedd_time now)
{
	const struct store_retention *retention = &rules->retention;
	uint32_t deleted = 0, place = store_history_oldest(history, NULL), next;

	for (; place != HISTORY_NONE && deleted < budget; place = next) {
		struct run run;
		bool over = (retention->max_runs >= 0 &&
				store_history_count(history, NULL) > retention->max_runs) ||
			    (retention->max_bytes > 0 &&
				store_history_used(history) > (uint64_t)retention->max_bytes);
		bool excepted;

		store_history_view(history, place, &run);
		next = store_history_newer(history, NULL, place);
		if (!run_ended(run.state))
			continue;
		excepted = store_rules_except(rules, run.job);
		if (!over && excepted)
			continue;
		if (!over && retention->keep_runs != 0 && !rules_too_old(rules, &run, now))
			break;
		store_history_drop(history, place);
		deleted++;
	}
	return deleted;
}

uint32_t store_rules_apply(const struct store_rules *rules, struct store_history *history,
    uint32_t budget, schedd_time now)
{
	struct history_job *job;
	uint32_t deleted = 0, position = 0;

	if (rules->job) {
		job = store_history_find(history, rules->job);
		return job ? rules_apply_job(rules, history, job, budget, now) : 0;
	}
	deleted = rules_apply_all(rules, history, budget, now);
	if (rules->retention.keep_runs <= 0)
		return deleted;
	/* At least one run stays with each, so that no entry leaves the map meanwhile. */
	while (deleted < budget && (job = strmap_next(&history->jobs, &position)) != NULL)
		if (store_history_count(history, job) > rules->retention.keep_runs &&
		    !store_rules_except(rules, store_history_id(job)))
			deleted += rules_apply_job(rules, history, job, budget - deleted, now);
	return deleted;
}
