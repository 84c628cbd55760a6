/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <schedd/clock.h>
#include "model/job.h"
#include "model/job_choice.h"

static struct arena arena;
static struct job_choice choice;

static void setup(void)
{
	arena_init(&arena);
}

static void teardown(void)
{
	arena_clear(&arena);
}

TestSuite(job_choice, .init = setup, .fini = teardown);

Test(job_choice, of_nothing_is_all)
{
	const char *none[] = {NULL};

	job_choice_init(&choice, NULL, &arena);
	cr_assert(job_choice_has(&choice, "a"));
	job_choice_init(&choice, none, &arena);
	cr_assert(job_choice_has(&choice, "a"));
}

Test(job_choice, has_ids_and_patterns)
{
	const char *list[] = {"z", "b*", "m", "[xy]", "a", "m", NULL};

	cr_assert_eq(job_choice_check(list, NULL), 0);
	job_choice_init(&choice, list, &arena);
	cr_assert(job_choice_has(&choice, "a"));
	cr_assert(job_choice_has(&choice, "m"));
	cr_assert(job_choice_has(&choice, "z"));
	cr_assert(job_choice_has(&choice, "backup"));
	cr_assert(job_choice_has(&choice, "x"));
	cr_assert_not(job_choice_has(&choice, "c"));
	cr_assert_not(job_choice_has(&choice, ""));
	cr_assert_not(job_choice_has(&choice, "zz"));
}

Test(job_choice, knows_the_daemons_own)
{
	const char *list[] = {JOB_OWN_PREFIX "*", JOB_OWN_PREFIX "a:b", NULL};

	job_choice_init(&choice, list, &arena);
	cr_assert(job_choice_has(&choice, "a"));
	cr_assert_not(job_choice_has(&choice, "a:b"));
}

/* Each of many rows is held against the whole list: that must not be the product of both. */
Test(job_choice, looks_ids_up)
{
	enum { MANY = 60000 };
	const struct schedd_clock *clock = schedd_clock_system();
	const char **list = arena_alloc(&arena, (MANY + 1) * sizeof(*list));
	char id[16];
	int64_t begun;

	for (int i = 0; i < MANY; i++)
		list[i] = arena_printf(&arena, "j%d", i);
	job_choice_init(&choice, list, &arena);
	begun = clock->mono(clock->context).us;
	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "j%d", MANY - 1 - i);
		cr_assert(job_choice_has(&choice, id));
		snprintf(id, sizeof(id), "k%d", i);
		cr_assert_not(job_choice_has(&choice, id));
	}
	/* Compared one by one it is 5,400,000,000 comparisons. */
	cr_assert_lt(clock->mono(clock->context).us - begun, 10 * SCHEDD_SECOND);
}

Test(job_choice, of_many_patterns_is_refused)
{
	const char *list[JOB_CHOICE_PATTERNS_MAX + 3] = {"id"};
	struct schedd_error err;

	for (int i = 1; i <= JOB_CHOICE_PATTERNS_MAX; i++)
		list[i] = "a*";
	cr_assert_eq(job_choice_check(NULL, &err), 0);
	cr_assert_eq(job_choice_check(list, &err), 0);
	list[JOB_CHOICE_PATTERNS_MAX + 1] = "?";
	cr_assert_eq(job_choice_check(list, &err), SCHEDD_EINVAL);
	cr_assert_str_eq(err.message, "jobs: 65 patterns are more than 64; ids may be any number");
}
