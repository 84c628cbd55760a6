/* SPDX-License-Identifier: MIT */
/* A store that always has something to commit does the rest, too. */
#include "support/share_case.h"

/* Twice what goes into one commit is always on its way: behind each stands another. */
#define FLOOD 1024

struct flood {
	struct store_case *sc;
	bool over;
	int open;
};

static void flood_go(struct flood *flood);

static void flood_answered(int rc, const struct schedd_error *err, void *context)
{
	struct flood *flood = context;

	cr_expect_eq(rc, 0, "%s", err ? err->message : "");
	flood->open--;
	if (!flood->over)
		flood_go(flood);
}

static void flood_go(struct flood *flood)
{
	struct store_batch *batch = store_batch_new(flood->sc->store);

	store_batch_put_number(batch, "flood", 1);
	flood->open++;
	store_commit(flood->sc->store, batch, flood_answered, flood);
}

SHARE_FAKE_TEST(hears_of_others_while_it_is_never_idle)
{
	struct flood flood = {.sc = one};
	struct store_batch *batch;

	fake_server_delay(FAKE, 30000);
	for (int i = 0; i < FLOOD; i++)
		flood_go(&flood);
	/* Not waited for: who is never idle would be meanwhile. */
	batch = store_batch_new(two->store);
	store_case_put_job(two, batch, "{\"id\":\"a\",\"shell\":\"true\",\"revision\":1}");
	store_commit(two->store, batch, store_case_done, two);
	share_await(both, one, "a 1/0;");
	flood.over = true;
	while (flood.open)
		share_turn(both);
	fake_server_delay(FAKE, 0);
}
