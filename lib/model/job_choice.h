/* SPDX-License-Identifier: MIT */
/* Which jobs are meant: of many ids each is looked up, and only patterns are tried one by one. */
#ifndef SCHEDD_MODEL_JOB_CHOICE_H
#define SCHEDD_MODEL_JOB_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <schedd/error.h>
#include "base/arena.h"

#define JOB_CHOICE_PATTERNS_MAX 64

struct job_choice {
	const char **ids; /* in their order */
	size_t id_count;
	const char **patterns;
	size_t pattern_count;
	bool all; /* none was named: every job is meant */
};

/* Is it one that may stand for several ids? */
bool job_choice_is_pattern(const char *text);
/* Are there so few in a list that ends with NULL (NULL: none) that each row and event may be held against them? */
int job_choice_check(const char *const *list, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Copied into the arena; check arena_failed() after. A list that is NULL or empty means all. */
void job_choice_init(struct job_choice *choice, const char *const *list, struct arena *arena);
bool job_choice_has(const struct job_choice *choice, const char *id);

#endif
