/* SPDX-License-Identifier: MIT */
/* Who waits for an end is told when it is on disk, or that it is not; and is never forgotten. */
#include "support/core_fixture.h"
#include "support/fake_store.h"
#include "support/faulty_vfs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/json.h"
#include "core/frame/store_await.h"

#define S SCHEDD_SECOND
#define MANUAL "{'id':'a','trigger':{'type':'manual'},'command':['x']}"
#define UNSTORED "\"stored\":false"

/* Each test has its own process. */
static struct core_fixture f;

struct answer {
	int count;
	int rc;
	char text[4096];
};

static void answer_take(int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct answer *answer = context;
	struct strbuf text = STRBUF_EMPTY;

	answer->count++;
	answer->rc = rc;
	json_write(&text, result);
	snprintf(answer->text, sizeof(answer->text), "%s", rc ? err->message : strbuf_peek(&text));
	strbuf_clear(&text);
}

static struct scheduler_reply answer_of(struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	return (struct scheduler_reply){answer_take, answer};
}

/* What has come by now, and comes in a moment. */
static void turn(void)
{
	for (int i = 0; i < 10; i++) {
		mailbox_wait_for(scheduler_mailbox(f.scheduler), S / 200);
		scheduler_tick(f.scheduler);
	}
}

static void await(const struct answer *answer)
{
	for (int i = 0; i < 6000 && !answer->count; i++) {
		mailbox_wait_for(scheduler_mailbox(f.scheduler), S / 100);
		scheduler_tick(f.scheduler);
	}
	cr_assert_eq(answer->count, 1);
}

static void server_open(void)
{
	static const struct store_option root[] = {{"run_as", "root"}, {NULL, NULL}};

	f.server = "core";
	f.options = geteuid() == 0 ? root : NULL;
	fake_server_reset(f.server);
	core_open_file(&f, NULL);
	cr_assert_eq(core_add(&f, MANUAL), 0, "%s", f.err.message);
	cr_assert_eq(core_run(&f, "a"), 0);
	core_settle(&f);
	cr_assert_eq(core_tasks(), 1);
}

Test(wait, is_answered_when_the_end_is_on_disk)
{
	struct answer run, idle, late, late_idle;

	server_open();
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&run));
	scheduler_wait_idle(f.scheduler, "a", answer_of(&idle));
	fake_server_freeze("core", true);
	core_task_end(0, 7);
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&late));
	scheduler_wait_idle(f.scheduler, "a", answer_of(&late_idle));
	turn();
	cr_expect_eq(run.count + idle.count + late.count + late_idle.count, 0, "told before it was on disk");
	fake_server_freeze("core", false);
	await(&run);
	await(&idle);
	await(&late);
	await(&late_idle);
	cr_expect(run.rc == 0 && strstr(run.text, "\"exit_code\":7") && !strstr(run.text, "stored"), "%s", run.text);
	cr_expect(late.rc == 0 && strstr(late.text, "\"exit_code\":7") && !strstr(late.text, "stored"), "%s", late.text);
	cr_expect(idle.rc == 0 && late_idle.rc == 0);
	core_close(&f);
}

Test(wait, goes_without_waiting_for_more)
{
	struct answer run;

	server_open();
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&run));
	core_task_end(0, 0);
	/* Its commit was not kept for others: no clock has gone on. */
	await(&run);
	cr_expect(strstr(run.text, "\"state\":\"success\"") && !strstr(run.text, "stored"), "%s", run.text);
	core_close(&f);
}

Test(wait, is_told_that_a_silent_store_has_no_word_of_it)
{
	struct answer run, idle;

	server_open();
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&run));
	scheduler_wait_idle(f.scheduler, "a", answer_of(&idle));
	fake_server_freeze("core", true);
	core_task_end(0, 0);
	f.mono += STORE_AWAIT_LIMIT - 1;
	scheduler_tick(f.scheduler);
	cr_expect_eq(run.count + idle.count, 0);
	f.mono += 1;
	scheduler_tick(f.scheduler);
	cr_expect_eq(run.count, 1);
	cr_expect_eq(idle.count, 1);
	cr_expect(run.rc == 0 && strstr(run.text, "\"state\":\"success\"") && strstr(run.text, UNSTORED), "%s", run.text);
	fake_server_freeze("core", false);
	core_settle(&f);
	core_expect_runs(&f, "a", "1 success");
	core_close(&f);
}

/* Who left is not told; what ends first of the two makes no difference. */
Test(wait, can_be_given_up_while_it_is_held)
{
	struct answer run, other;
	struct scheduler_wait *wait;

	server_open();
	wait = scheduler_wait_run(f.scheduler, "a", 1, answer_of(&run));
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&other));
	fake_server_freeze("core", true);
	core_task_end(0, 0);
	turn();
	scheduler_wait_cancel(wait);
	fake_server_freeze("core", false);
	await(&other);
	core_settle(&f);
	cr_expect_eq(run.count, 0);
	core_close(&f);
}

Test(wait, ends_with_the_scheduler)
{
	struct answer run, asking;

	server_open();
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&run));
	fake_server_freeze("core", true);
	core_task_end(0, 3);
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&asking));
	turn();
	cr_expect_eq(run.count + asking.count, 0);
	core_close(&f);
	cr_expect_eq(run.count, 1);
	cr_expect(run.rc == 0 && strstr(run.text, "\"exit_code\":3") && strstr(run.text, UNSTORED), "%s", run.text);
	cr_expect_eq(asking.count, 1);
}

static void stopped(int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	(void)rc;
	(void)err;
	(void)result;
	*(bool *)context = true;
}

/* The stop waits for the disk, and for those who wait for that. */
Test(wait, is_answered_before_a_stop_is_over)
{
	struct answer run;
	bool over = false;

	server_open();
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&run));
	scheduler_drain(f.scheduler, SCHEDD_SPAN_NONE, SCHEDULER_DRAIN_WAIT, (struct scheduler_reply){stopped, &over});
	cr_expect_not(over);
	core_task_end(0, 0);
	for (int i = 0; i < 6000 && !over; i++) {
		mailbox_wait_for(scheduler_mailbox(f.scheduler), S / 100);
		scheduler_tick(f.scheduler);
	}
	cr_assert(over);
	cr_expect_eq(run.count, 1);
	cr_expect(strstr(run.text, "\"state\":\"success\"") && !strstr(run.text, "stored"), "%s", run.text);
	core_close(&f);
}

static char database[64];

static void database_open(void)
{
	snprintf(database, sizeof(database), "/tmp/schedd-wait-XXXXXX");
	cr_assert_not_null(mkdtemp(database));
	strcat(database, "/jobs.db");
	faulty_install();
	core_open_file(&f, database);
	cr_assert_eq(core_add(&f, MANUAL), 0, "%s", f.err.message);
	cr_assert_eq(core_run(&f, "a"), 0);
	core_settle(&f);
	cr_assert_eq(core_tasks(), 1);
}

static void database_close(void)
{
	char command[128];

	core_close(&f);
	*strrchr(database, '/') = '\0';
	snprintf(command, sizeof(command), "rm -rf %s", database);
	cr_assert_eq(system(command), 0);
}

/* A disk that fails: it is told at once, also to who asks later, and the row comes when it can. */
Test(wait, is_told_of_an_end_that_the_disk_refuses)
{
	struct answer run, late, after;

	database_open();
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&run));
	atomic_store(&faulty.sync, SQLITE_IOERR_FSYNC);
	atomic_store(&faulty.write, SQLITE_IOERR_WRITE);
	core_task_end(0, 7);
	await(&run);
	cr_expect(run.rc == 0 && strstr(run.text, "\"exit_code\":7") && strstr(run.text, UNSTORED), "%s", run.text);
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&late));
	await(&late);
	cr_expect(late.rc == 0 && strstr(late.text, "\"exit_code\":7") && strstr(late.text, UNSTORED), "%s", late.text);
	atomic_store(&faulty.sync, 0);
	atomic_store(&faulty.write, 0);
	core_advance(&f, 60 * S);
	scheduler_wait_run(f.scheduler, "a", 1, answer_of(&after));
	await(&after);
	cr_expect(after.rc == 0 && strstr(after.text, "\"exit_code\":7") && !strstr(after.text, "stored"), "%s", after.text);
	core_expect_runs(&f, "a", "1 failed");
	database_close();
}
