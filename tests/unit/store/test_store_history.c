/* SPDX-License-Identifier: MIT */
/* The lists of runs in memory hold under random changes, against a plain table. */
#include "store/store_history.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define JOBS 7
#define NUMBERS 60

struct model {
	bool there[JOBS][NUMBERS];
	uint32_t count;
	uint32_t known[JOBS]; /* their numbers, as they were told last */
};

static void put(struct store_history *history, struct model *model, int job, int number)
{
	struct history_run *prepared = NULL;
	/* Now the right number, now another one's, now none at all. */
	uint32_t known = number % 5 ? model->known[job] : (uint32_t)number;
	struct run run;
	char id[16];

	snprintf(id, sizeof(id), "job-%d", job);
	run_init(&run);
	run.job = id;
	run.number = (uint32_t)number;
	run.state = RUN_SUCCESS;
	run.scheduled_at = number;
	run.reason = number % 3 == 0 ? (char *)"a reason" : NULL;
	cr_assert(store_history_prepare(history, &run, &known, &prepared));
	model->known[job] = known;
	if (number % 11 == 0) {
		store_history_discard(history, prepared);
		return;
	}
	store_history_insert(history, prepared);
	model->count += !model->there[job][number];
	model->there[job][number] = true;
}

static void purge(struct store_history *history, struct model *model, int job, int number)
{
	char id[16];

	snprintf(id, sizeof(id), "job-%d", job);
	store_history_purge(history, id, (uint32_t)number);
	for (int n = 0; n < NUMBERS; n++)
		if ((number == 0 || n == number) && model->there[job][n]) {
			model->there[job][n] = false;
			model->count--;
		}
}

static void compare(const struct store_history *history, const struct model *model)
{
	uint32_t count = 0;
	struct run run;

	for (uint32_t place = store_history_newest(history, NULL); place != HISTORY_NONE;
	     place = store_history_older(history, NULL, place)) {
		store_history_view(history, place, &run);
		cr_assert(model->there[atoi(run.job + 4)][run.number]);
		cr_assert_eq(run.reason != NULL, run.number % 3 == 0);
		count++;
	}
	cr_assert_eq(count, model->count);
	cr_assert(store_history_check(history));
}

Test(store_history, holds_exactly_what_is_in_it_under_random_changes)
{
	struct store_history history;
	struct model model = {0};
	unsigned seed = 3;

	store_history_init(&history, UINT32_MAX);
	for (int step = 0; step < 50000; step++) {
		int job = rand_r(&seed) % JOBS, number = 1 + rand_r(&seed) % (NUMBERS - 1);

		if (rand_r(&seed) % 40 == 0)
			purge(&history, &model, job, rand_r(&seed) % 4 ? number : 0);
		else
			put(&history, &model, job, number);
		if (step % 250 == 0)
			compare(&history, &model);
	}
	compare(&history, &model);
	store_history_clear(&history);
}

Test(store_history, makes_room_from_the_oldest_that_has_ended)
{
	struct store_history history;
	struct history_run *prepared = NULL;
	uint32_t known = 0;
	struct model model = {0};
	struct run run;

	store_history_init(&history, 10);
	run_init(&run);
	run.job = (char *)"going";
	run.number = 1;
	run.state = RUN_RUNNING;
	cr_assert(store_history_prepare(&history, &run, &known, &prepared));
	store_history_insert(&history, prepared);
	for (int i = 1; i < NUMBERS; i++)
		put(&history, &model, i % 2, i);
	cr_assert_eq(store_history_count(&history, NULL), 10u);
	cr_assert_eq(store_history_count(&history, store_history_find(&history, "going")), 1u);
	cr_assert(store_history_check(&history));
	store_history_clear(&history);
}

/* Rows of a batch: all of them, in their order, or none; also more than there is room for. */
Test(store_history, takes_rows_together)
{
	struct store_history history;
	uint32_t known = 0, place;
	struct run run, seen;

	store_history_init(&history, 10);
	run_init(&run);
	run.job = (char *)"job";
	run.state = RUN_SUCCESS;
	for (int round = 0; round < 40; round++) {
		struct history_run *rows = NULL;
		uint32_t most = (uint32_t)round % 25 + 1, before = history.count;

		for (uint32_t i = 1; i <= most; i++) {
			/* The highest first, so that the order is not that of the numbers. */
			run.number = (uint32_t)round * 100 + 50 - i;
			cr_assert(store_history_prepare(&history, &run, &known, &rows));
		}
		if (round % 3 == 0) {
			store_history_discard(&history, rows);
			cr_assert_eq(history.count, before);
			continue;
		}
		store_history_insert(&history, rows);
		place = store_history_newest(&history, NULL);
		for (uint32_t i = most; i > 0 && most - i < 10; i--) {
			store_history_view(&history, place, &seen);
			cr_assert_eq(seen.number, (uint32_t)round * 100 + 50 - i);
			place = store_history_older(&history, NULL, place);
		}
		cr_assert(store_history_check(&history));
	}
	cr_assert_eq(history.count, 10u);
	cr_assert_eq(store_history_last_run(&history, "job"), 38u * 100 + 45);
	store_history_clear(&history);
}

Test(store_history, forgets_ids_that_nothing_speaks_of)
{
	struct store_history history;
	struct history_job *held;
	struct model model = {0};

	store_history_init(&history, UINT32_MAX);
	put(&history, &model, 1, 5);
	put(&history, &model, 2, 5);
	held = store_history_hold(&history, "job-2");
	store_history_remember(held, 9);
	store_history_release(&history, held);
	store_history_purge(&history, NULL, 0);
	cr_assert_null(store_history_find(&history, "job-1"));
	cr_assert_eq(store_history_last_run(&history, "job-1"), 0u);
	cr_assert_eq(store_history_last_run(&history, "job-2"), 9u);
	cr_assert_eq(history.jobs.count - history.idle, 1u);
	cr_assert(store_history_check(&history));
	store_history_clear(&history);
}

/* Jobs that had their only run dropped are kept for a while, but not all that ever were. */
Test(store_history, forgets_jobs_without_runs)
{
	struct store_history history;
	struct history_run *prepared = NULL;
	uint32_t known, first = 0;
	struct run run;
	char id[16];

	store_history_init(&history, 10);
	run_init(&run);
	run.job = id;
	run.number = 1;
	run.state = RUN_SUCCESS;
	for (int i = 0; i < 20000; i++) {
		/* One is there again and again, with its number. */
		snprintf(id, sizeof(id), "job-%d", i % 20 ? i : 0);
		known = i % 20 ? 0 : first;
		prepared = NULL;
		cr_assert(store_history_prepare(&history, &run, &known, &prepared));
		first = i % 20 ? first : known;
		store_history_insert(&history, prepared);
	}
	cr_assert(store_history_check(&history));
	cr_assert_eq(store_history_count(&history, NULL), 10u);
	cr_assert_lt(history.jobs.count, 3000u);
	store_history_clear(&history);
}
