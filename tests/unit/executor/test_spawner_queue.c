/* SPDX-License-Identifier: MIT */
#include "executor/spawner_queue.h"

#include <criterion/criterion.h>

/* The accounts in the order of the queue, as letters. */
static const char *order(const struct spawner_queue *queue)
{
	static char text[64];
	size_t at = 0;
	const struct spawner_start *last = NULL;

	for (const struct spawner_start *start = queue->first; start; start = start->next) {
		cr_expect(start->previous == last);
		last = start;
		text[at++] = (char)start->uid;
	}
	cr_expect(queue->last == last);
	text[at] = '\0';
	return text;
}

static void deal(struct spawner_queue *queue, struct spawner_start *starts, const char *uids)
{
	for (size_t i = 0; uids[i]; i++) {
		starts[i] = (struct spawner_start){.uid = (unsigned char)uids[i]};
		spawner_queue_deal(queue, &starts[i]);
	}
}

Test(spawner_queue, deals_turns_to_accounts)
{
	struct spawner_queue queue = {0};
	struct spawner_start starts[16];

	deal(&queue, starts, "aaaaabab");
	cr_expect_str_eq(order(&queue), "ababaaaa");
}

/* What came before and was answered counts for nobody: a new one is before all but the next. */
Test(spawner_queue, lets_who_comes_late_go_first)
{
	struct spawner_queue queue = {0};
	struct spawner_start starts[16], late = {.uid = 'z'};

	deal(&queue, starts, "aaaaaa");
	for (int i = 0; i < 3; i++) {
		struct spawner_start *start = queue.first;

		spawner_queue_remove(&queue, start);
		spawner_queue_pass(&queue, start);
	}
	spawner_queue_deal(&queue, &late);
	cr_expect_str_eq(order(&queue), "azaa");
	/* One that comes back finds its place. */
	spawner_queue_remove(&queue, &starts[4]);
	cr_expect_str_eq(order(&queue), "aza");
	spawner_queue_return(&queue, &starts[4]);
	cr_expect_str_eq(order(&queue), "azaa");
	spawner_queue_remove(&queue, &starts[5]);
	spawner_queue_add(&queue, &starts[5], true);
	cr_expect_str_eq(order(&queue), "aaza");
}
