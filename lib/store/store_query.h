/* SPDX-License-Identifier: MIT */
/* A question about runs as a backend keeps it: copied, its patterns told apart, its cursor read. */
#ifndef SCHEDD_STORE_STORE_QUERY_H
#define SCHEDD_STORE_STORE_QUERY_H

#include "model/job_choice.h"
#include "store/store.h"

struct store_query {
	struct job_choice jobs;
	const char *job;    /* the one job that is meant, by id; NULL: several, or patterns */
	uint32_t states;    /* set of 1 << enum run_state; 0: all */
	schedd_time since;  /* SCHEDD_TIME_NONE: ever */
	schedd_time until;  /* SCHEDD_TIME_NONE: no limit */
	uint32_t number;    /* 0: any */
	uint64_t limit;     /* at least 1 */
	uint64_t before;    /* only what lies before: a number with job, else a serial; UINT64_MAX:
			       from    the newest */
	struct arena arena; /* holds the texts */
};

/*
 * SCHEDD_EINVAL: a cursor that no answer gave, or one of another kind of
 * question. Clear it even after an error.
 */
int store_query_init(struct store_query *query, const struct store_run_query *from,
    struct schedd_error *err) __attribute__((warn_unused_result));
void store_query_clear(struct store_query *query);
/* All but the cursor and the limit. */
bool store_query_matches(const struct store_query *query, const struct run *run);
/* Does one of the ids or globs name this job? */
bool store_query_names(const struct store_query *query, const char *job);
/* What the next question says in after to continue behind this run, of which serial is set. */
void store_query_cursor(
    const struct store_query *query, const struct run *run, char cursor[STORE_CURSOR_MAX]);
/* The same by the question as it was asked: a history_ops.cursor. */
void store_query_cursor_behind(
    const struct store_run_query *query, const struct run *run, char cursor[STORE_CURSOR_MAX]);
/* When a run was over, for retention and windows; SCHEDD_TIME_NONE: it is not. */
schedd_time store_query_done_at(const struct run *run);

#endif
