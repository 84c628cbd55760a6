/* SPDX-License-Identifier: MIT */
#include "model/job_choice.h"

#include <stdlib.h>
#include <string.h>
#include "model/job.h"

bool job_choice_is_pattern(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL || strncmp(text, JOB_OWN_PREFIX, strlen(JOB_OWN_PREFIX)) == 0;
}

static size_t choice_patterns(const char *const *list)
{
	size_t count = 0;

	for (; list && *list; list++)
		count += job_choice_is_pattern(*list);
	return count;
}

int job_choice_check(const char *const *list, struct schedd_error *err)
{
	size_t patterns = choice_patterns(list);

	if (patterns <= JOB_CHOICE_PATTERNS_MAX)
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "jobs: %zu patterns are more than %d; ids may be any number", patterns,
	    JOB_CHOICE_PATTERNS_MAX);
}

static int choice_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void job_choice_init(struct job_choice *choice, const char *const *list, struct arena *arena)
{
	size_t patterns = choice_patterns(list), count = 0;

	*choice = (struct job_choice){.all = !list || !list[0]};
	while (list && list[count])
		count++;
	choice->ids = arena_alloc(arena, (count - patterns + 1) * sizeof(*choice->ids));
	choice->patterns = arena_alloc(arena, (patterns + 1) * sizeof(*choice->patterns));
	if (!choice->ids || !choice->patterns)
		return;
	for (size_t i = 0; i < count; i++) {
		const char *copy = arena_strdup(arena, list[i]);

		if (!copy)
			return;
		if (job_choice_is_pattern(copy))
			choice->patterns[choice->pattern_count++] = copy;
		else
			choice->ids[choice->id_count++] = copy;
	}
	if (choice->id_count > 1)
		qsort((void *)choice->ids, choice->id_count, sizeof(*choice->ids), choice_order);
}

bool job_choice_has(const struct job_choice *choice, const char *id)
{
	if (choice->all)
		return true;
	if (choice->id_count && bsearch(&id, (const void *)choice->ids, choice->id_count,
				    sizeof(*choice->ids), choice_order))
		return true;
	for (size_t i = 0; i < choice->pattern_count; i++)
		if (job_id_matches(choice->patterns[i], id))
			return true;
	return false;
}
