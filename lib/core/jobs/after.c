/* SPDX-License-Identifier: MIT */
/* An index from the id that is waited for to the jobs that wait. */
#include "core/jobs/after.h"

#include <stdlib.h>
#include <string.h>

/* A longer chain is refused; it bounds the search for cycles. */
#define AFTER_DEPTH_MAX 1000

static const char *after_key(const void *item)
{
	return ((const struct after_list *)item)->id;
}

void after_init(struct schedd_scheduler *scheduler)
{
	strmap_init(&scheduler->jobs.after, after_key);
}

static void after_list_free(struct after_list *list)
{
	free(list->entries);
	free(list->id);
	free(list);
}

void after_clear(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;
	struct after_list *list;

	while ((list = strmap_next(&scheduler->jobs.after, &position)))
		after_list_free(list);
	strmap_clear(&scheduler->jobs.after);
}

static struct after_list *after_list_of(struct schedd_scheduler *scheduler, const char *id)
{
	struct after_list *list = strmap_get(&scheduler->jobs.after, id);

	if (list)
		return list;
	list = calloc(1, sizeof(*list));
	if (!list)
		return NULL;
	list->id = strdup(id);
	if (!list->id || strmap_put(&scheduler->jobs.after, list)) {
		after_list_free(list);
		return NULL;
	}
	return list;
}

static bool after_list_add(struct after_list *list, struct entry *entry)
{
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? list->capacity * 2 : 4;
		struct entry **entries = realloc(list->entries, capacity * sizeof(entries[0]));

		if (!entries)
			return false;
		list->entries = entries;
		list->capacity = capacity;
	}
	list->entries[list->count++] = entry;
	return true;
}

bool after_link(struct schedd_scheduler *scheduler, struct entry *entry)
{
	const struct job_details *details = job_details(entry->job);
	bool all = true;

	for (uint32_t i = 0; i < details->after_count; i++) {
		struct after_list *list = after_list_of(scheduler, details->after[i].job);

		if (list && after_list_add(list, entry))
			continue;
		log_error(scheduler->log, "job %s: no memory for its after", entry->job->id);
		all = false;
	}
	return all;
}

void after_unlink(struct schedd_scheduler *scheduler, struct entry *entry)
{
	const struct job_details *details = job_details(entry->job);

	for (uint32_t i = 0; i < details->after_count; i++) {
		struct after_list *list = strmap_get(&scheduler->jobs.after, details->after[i].job);

		for (uint32_t k = 0; list && k < list->count; k++)
			if (list->entries[k] == entry)
				list->entries[k--] = list->entries[--list->count];
		if (list && list->count == 0) {
			strmap_remove(&scheduler->jobs.after, list->id);
			after_list_free(list);
		}
	}
}

/* A search for a circle: each job is looked into once, however many chains lead to it. */
struct after_search {
	struct schedd_scheduler *scheduler;
	const char *goal;
	struct strmap seen; /* entries that were looked into */
	struct strbuf path; /* "a after b after c" */
	bool too_long;
	bool out_of_memory;
};

static const char *after_seen_key(const void *item)
{
	return ((const struct entry *)item)->job->id;
}

/* Does job wait, through any chain, for the goal? path gets the way. */
static bool after_reaches(struct after_search *search, const struct schedd_job *job, int depth)
{
	const struct job_details *details = job_details(job);

	if (depth > AFTER_DEPTH_MAX)
		search->too_long = true;
	if (search->too_long)
		return false;
	for (uint32_t i = 0; i < details->after_count; i++) {
		const char *id = details->after[i].job;
		struct entry *entry;
		size_t mark = search->path.length;
		int rc;

		strbuf_printf(&search->path, " after %s", id);
		if (strcmp(id, search->goal) == 0)
			return true;
		entry = strmap_get(&search->scheduler->jobs.entries, id);
		rc = entry ? strmap_put(&search->seen, entry) : SCHEDD_ECONFLICT;
		if (rc == SCHEDD_ENOMEM)
			search->out_of_memory = true;
		if (rc == 0 && after_reaches(search, entry->job, depth + 1))
			return true;
		search->path.length = mark;
		if (search->path.data)
			search->path.data[mark] = '\0';
	}
	return false;
}

int after_check(
    struct schedd_scheduler *scheduler, const struct schedd_job *job, struct schedd_error *err)
{
	struct after_search search = {
	    .scheduler = scheduler, .goal = job->id, .path = STRBUF_EMPTY};
	int rc = 0;

	if (job_details(job)->after_count == 0)
		return 0;
	strmap_init(&search.seen, after_seen_key);
	strbuf_add(&search.path, job->id);
	if (after_reaches(&search, job, 0))
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "after: the jobs would wait for each other in a circle: %s",
		    strbuf_peek(&search.path));
	else if (search.too_long)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "after: the chain of jobs that wait for each other is longer than %d",
		    AFTER_DEPTH_MAX);
	else if (search.out_of_memory)
		rc = schedd_error_nomem(err);
	strmap_clear(&search.seen);
	strbuf_clear(&search.path);
	return rc;
}

static bool after_matches(enum job_after_on on, enum run_state state)
{
	if (on == JOB_AFTER_ANY)
		return true;
	return (on == JOB_AFTER_OK) == (state == RUN_SUCCESS);
}

/* Has the run come to an outcome, so that others may follow? */
static bool after_counts(enum run_state state)
{
	return state == RUN_SUCCESS || state == RUN_FAILED || state == RUN_TIMEOUT ||
	       state == RUN_KILLED || state == RUN_LOST;
}

bool after_wants(const struct entry *entry, const char *id, enum run_state state)
{
	const struct job_details *details = job_details(entry->job);

	for (uint32_t i = 0; after_counts(state) && !entry->hidden && i < details->after_count; i++)
		if (strcmp(details->after[i].job, id) == 0)
			return after_matches(details->after[i].on, state);
	return false;
}

const struct after_list *after_list_get(const struct schedd_scheduler *scheduler, const char *id)
{
	return strmap_get(&scheduler->jobs.after, id);
}

const char *after_waits(const struct schedd_scheduler *scheduler, const char *id)
{
	const struct after_list *list = strmap_get(&scheduler->jobs.after, id);

	return list && list->count ? list->entries[0]->job->id : NULL;
}
