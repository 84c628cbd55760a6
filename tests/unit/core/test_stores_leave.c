/* SPDX-License-Identifier: MIT */
/* A store is taken out while its server keeps silent: all else goes on. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/value.h"
#include "loop/mailbox.h"
#include "support/fake_store.h"

#define S SCHEDD_SECOND
#define FAR "fake://far"
#define TEN "'trigger':{'type':'interval','seconds':10},'call':{'function':'count'}"

/* A request beside those that wait for the fixture's answer. */
struct waiting {
	bool answered;
	int rc;
	struct schedd_error err;
};

static void waiting_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct waiting *waiting = context;

	(void)result;
	waiting->answered = true;
	waiting->rc = rc;
	if (rc)
		waiting->err = *err;
}

static struct scheduler_reply waiting_reply(struct waiting *waiting)
{
	return (struct scheduler_reply){waiting_answered, waiting};
}

static void far_add(struct core_fixture *f)
{
	static const struct store_option named[] = {
	    {"timeout", "1s"}, {"connect_timeout", "1s"}, {"run_as", "root"}, {NULL, NULL}};
	static const struct store_option plain[] = {
	    {"timeout", "1s"}, {"connect_timeout", "1s"}, {NULL, NULL}};
	const struct scheduler_actor actor = {.uid = -1, .pid = -1, .method = "store.add"};
	const struct scheduler_new_store store = {.name = "far",
	    .type = "fake",
	    .url = FAR,
	    .options = geteuid() == 0 ? named : plain};

	scheduler_add_store_live(f->scheduler, &store, &actor, core_reply(f));
	for (int i = 0; i < 600 && !f->answered; i++)
		mailbox_wait_for(scheduler_mailbox(f->scheduler), S / 10);
}

static void far_await(struct core_fixture *f)
{
	struct store *store = scheduler_store(f->scheduler, "far");

	cr_assert_not_null(store);
	for (int i = 0; i < 600 && store_state(store) != STORE_OK; i++)
		mailbox_wait_for(scheduler_mailbox(f->scheduler), S / 10);
	core_settle(f);
	cr_assert_eq(store_state(store), STORE_OK, "%s", store_state_why(store));
}

static uint32_t count_stores(struct core_fixture *f)
{
	struct arena arena;
	uint32_t count;

	arena_init(&arena);
	count = scheduler_stores(f->scheduler, &arena).array.count;
	arena_clear(&arena);
	return count;
}

static void number_told(int rc, const struct schedd_error *err, int64_t number, void *context)
{
	(void)err;
	(void)number;
	cr_expect_eq(rc, SCHEDD_EFAILED);
	*(bool *)context = true;
}

Test(stores_leave, keep_nothing_else_waiting)
{
	struct core_fixture f = {0};
	struct waiting removal = {0};
	bool told = false;

	fake_server_reset("far");
	core_open(&f, NULL);
	far_add(&f);
	cr_assert_eq(f.rc, 0, "%s", f.err.message);
	far_await(&f);
	/* Something is on its way to it as it falls silent. */
	cr_assert_eq(core_add(&f, "{'id':'a','store':'far'," TEN "}"), 0, "%s", f.err.message);
	cr_assert_eq(core_remove(&f, "a"), 0);
	fake_server_freeze("far", true);
	store_last_run(scheduler_store(f.scheduler, "far"), "a", number_told, &told);
	scheduler_remove_store(f.scheduler, "far", NULL, waiting_reply(&removal));
	cr_expect_not(removal.answered);
	cr_expect_eq(count_stores(&f), 1u);
	/* Whoever names it is told, and the others go on. */
	scheduler_remove_store(f.scheduler, "far", NULL, core_reply(&f));
	cr_expect_eq(f.rc, SCHEDD_ECONFLICT);
	cr_expect_not_null(strstr(f.err.message, "being removed already"), "%s", f.err.message);
	far_add(&f);
	cr_expect_eq(f.rc, SCHEDD_ECONFLICT);
	cr_expect_not_null(strstr(f.err.message, "is being removed"), "%s", f.err.message);
	cr_expect_eq(core_add(&f, "{'id':'a','store':'far'," TEN "}"), SCHEDD_ENOTFOUND);
	cr_expect_eq(core_add(&f, "{'id':'b'," TEN "}"), 0, "%s", f.err.message);
	core_advance(&f, 10 * S);
	core_expect_runs(&f, "b", "1 success");
	cr_expect_not(removal.answered);
	core_forget_events(&f);
	while (!removal.answered)
		mailbox_wait_for(scheduler_mailbox(f.scheduler), S / 10);
	cr_expect_eq(removal.rc, 0, "%s", removal.err.message);
	cr_expect(told);
	core_expect_events(&f, "jobstore_removed -");
	/* And it may come back. */
	fake_server_freeze("far", false);
	far_add(&f);
	cr_expect_eq(f.rc, 0, "%s", f.err.message);
	far_await(&f);
	core_close(&f);
}

Test(stores_leave, answer_when_the_scheduler_ends)
{
	struct core_fixture f = {0};
	struct waiting removal = {0};

	fake_server_reset("far");
	core_open(&f, NULL);
	far_add(&f);
	far_await(&f);
	fake_server_freeze("far", true);
	scheduler_remove_store(f.scheduler, "far", NULL, waiting_reply(&removal));
	core_close(&f);
	cr_expect(removal.answered);
	cr_expect_eq(removal.rc, 0);
}

/* Read just as it goes: none of its jobs comes to stay. */
Test(stores_leave, read_nothing_more)
{
	struct core_fixture f = {0};
	struct waiting removal = {0};
	char json[128];

	fake_server_reset("far");
	core_open(&f, NULL);
	far_add(&f);
	far_await(&f);
	for (int i = 0; i < 50; i++) {
		snprintf(json, sizeof(json), "{'id':'j%d','store':'far'," TEN "}", i);
		cr_assert_eq(core_add(&f, json), 0, "%s", f.err.message);
	}
	core_close(&f);

	core_open(&f, NULL);
	far_add(&f);
	/* It is open, asked for its jobs, and none has come. */
	while (store_state(scheduler_store(f.scheduler, "far")) != STORE_OK)
		mailbox_wait_for(scheduler_mailbox(f.scheduler), S / 10);
	cr_assert_null(scheduler_job_state(f.scheduler, "j0"));
	scheduler_remove_store(f.scheduler, "far", NULL, waiting_reply(&removal));
	while (!removal.answered)
		mailbox_wait_for(scheduler_mailbox(f.scheduler), S / 10);
	cr_expect_eq(removal.rc, 0, "%s", removal.err.message);
	cr_expect_null(scheduler_job_state(f.scheduler, "j0"));
	cr_expect_null(scheduler_job_state(f.scheduler, "j49"));
	core_close(&f);
}
