/* SPDX-License-Identifier: MIT */
/*
 * A store that somebody else writes too: what he does goes through the same line
 * as what is asked for here. He is a node by hand, a store without a scheduler.
 */
#include "support/core_fixture.h"

#include "core/frame/scheduler_state.h"
#include "support/share_case.h"

#define S SCHEDD_SECOND
#define SERVER "core"

/* Each test has its own process. */
static struct core_fixture f;
static struct store_case two;

static void other_drop(const struct store_change *change, void *context)
{
	(void)context;
	if (change->record)
		store_case_drop(change->record);
}

/* That he has taken over what was ours. */
static void other_takes(const struct store_share_news *news, void *taken)
{
	if (news->kind != STORE_SHARE_TAKEN)
		return;
	*(bool *)taken = true;
	store_snapshot_free(news->snapshot);
}

static void other_begin(void)
{
	static struct store_option options[2][8];

	share_options("one", options[0]);
	share_options("two", options[1]);
	fake_server_reset(SERVER);
	f.server = SERVER;
	f.options = options[0];
	core_open(&f, NULL);
	store_case_prepare(&two, "fake");
	two.config.url = "fake://" SERVER;
	two.config.options = options[1];
	cr_assert_eq(store_case_open(&two), 0, "%s", two.err.message);
	store_watch(two.store, other_drop, &two);
	store_case_load(&two);
}

static void other_end(void)
{
	store_case_clear(&two);
	core_close(&f);
	cr_expect_eq(core_tasks(), 0);
}

TestSuite(other_writer, .init = other_begin, .fini = other_end);

static const struct store *our_store(void)
{
	return f.scheduler->stores[0]->store;
}

static void turn(void)
{
	mailbox_wait_for(scheduler_mailbox(f.scheduler), S / 200);
	mailbox_wait_for(two.config.mailbox, S / 200);
	core_settle(&f);
}

/* A field of the job as it is known here, without quotes. */
static const char *field_of(const char *id, const char *field)
{
	static char text[128];
	const char *json = core_field(&f, id, field);

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(json + (*json == '"'), "\""),
	    json + (*json == '"'));
	return text;
}

/* Until it says so. */
static void await_field(const char *id, const char *field, const char *text)
{
	for (int i = 0; i < 6000 && strcmp(field_of(id, field), text) != 0; i++)
		turn();
	cr_assert_str_eq(field_of(id, field), text, "%s of %s", field, id);
}

static void await_tasks(int count)
{
	for (int i = 0; i < 6000 && core_tasks() != count; i++)
		turn();
	cr_assert_eq(core_tasks(), count);
}

/* Cut off, which it notices with its next beat. */
static void cut_off(void)
{
	const struct store *store = our_store();

	fake_server_bar(SERVER, "one", true);
	for (int i = 0; i < 6000 && store_state(store) == STORE_OK; i++)
		turn();
	cr_assert_eq(store_state(store), STORE_AWAY);
}

/* "NAME3": one whose slot stays with us. */
static const char *ours(const char *name)
{
	static char ids[8][32];
	static int next;
	char *id = ids[next++ % 8];
	uint32_t slot;

	for (int i = 0;; i++) {
		snprintf(id, sizeof(ids[0]), "%s%d", name, i);
		slot = node_slot(NULL, id);
		if (node_wants("one", "", slot) > node_wants("two", "", slot))
			return id;
	}
}

/* He writes the job as it is given, due first after so many seconds. */
static void put(const char *id, unsigned revision, const char *more, schedd_span due)
{
	struct store_batch *batch = store_batch_new(two.store);
	struct job_record record;
	char json[300];

	snprintf(json, sizeof(json),
	    "{\"id\":\"%s\",\"command\":[\"x\"],\"trigger\":{\"type\":\"interval\",\"seconds\":10},"
	    "\"revision\":%u%s}",
	    id, revision, more);
	record = store_case_job(&two, json);
	record.state.next_fire = record.state.next_run_time = f.wall + due;
	store_batch_put_job(batch, record.job, &record.state);
	cr_assert_eq(store_case_commit(&two, batch), 0, "%s", two.err.message);
	store_case_drop(&record);
}

static void remove_job(const char *id)
{
	struct store_batch *batch = store_batch_new(two.store);

	store_batch_delete_job(batch, id, 0);
	cr_assert_eq(store_case_commit(&two, batch), 0, "%s", two.err.message);
}

Test(other_writer, adds_changes_and_removes_jobs)
{
	const char *a = ours("a");
	char event[64];

	core_forget_events(&f);
	put(a, 1, "", 10 * S);
	await_field(a, "id", a);
	/* It is due here as any other. */
	core_advance(&f, 10 * S);
	await_tasks(1);
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, a, "1 success");
	store_case_load(&two);
	cr_expect_eq(store_case_record(&two, a)->state.last_run, 1u);
	cr_expect_str_eq(store_case_runs(&two, a), strcat(strcpy(event, a), "/1"));
	put(a, 2, ",\"last_run\":1,\"name\":\"Other\"", 20 * S);
	await_field(a, "name", "Other");
	cr_expect_eq(core_next(&f, a), f.wall + 20 * S);
	remove_job(a);
	await_field(a, "id", "");
	core_advance(&f, 60 * S);
	cr_expect_eq(core_tasks(), 0);
	core_expect_runs(&f, a, "1 success");
	for (int i = 0, seen = 0; i < f.event_count; i++) {
		static const char *const told[] = {"job_added", "job_executed", "job_modified", "job_removed"};

		if (seen < 4 && strncmp(f.events[i], told[seen], strlen(told[seen])) == 0)
			seen++;
		cr_expect(i < f.event_count - 1 || seen == 4, "only %d were told", seen);
	}
}

/* What he has claimed does not begin here; what comes behind it does. */
Test(other_writer, claims_before_us)
{
	const char *a = ours("a");
	enum store_verdict verdict = STORE_CLAIM_REFUSED;
	struct store_batch *batch;
	struct job_state state;

	put(a, 1, "", 10 * S);
	await_field(a, "id", a);
	job_state_init(&state);
	state.next_fire = state.next_run_time = f.wall + 20 * S;
	state.revision = state.last_run = 1;
	state.run_count = 1;
	batch = store_batch_new(two.store);
	store_batch_claim(batch, a, 0, &state, &verdict);
	store_case_put_run(batch, a, 1, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(&two, batch), 0, "%s", two.err.message);
	cr_assert_eq(verdict, STORE_CLAIM_DONE);
	core_advance(&f, 11 * S);
	await_field(a, "run_count", "1");
	cr_expect_eq(core_tasks(), 0, "what another has claimed began here");
	core_advance(&f, 9 * S);
	await_tasks(1);
	cr_expect_str_eq(strrchr(core_task_run(0), '/'), "/2");
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, a, "1 running; 2 success");
}

/* Nor what he claimed without our having heard of it: the store refuses ours, and the job is read again. */
Test(other_writer, claims_unheard)
{
	const char *a = ours("a");

	put(a, 1, "", 10 * S);
	await_field(a, "id", a);
	fake_server_claim(SERVER, a, 1);
	core_advance(&f, 10 * S);
	await_tasks(1);
	cr_expect_str_eq(strrchr(core_task_run(0), '/'), "/2", "what another has claimed began here");
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, a, "2 success");
	cr_expect_str_eq(field_of(a, "last_run"), "2");
}

/* By a definition that was changed meanwhile nothing begins. */
Test(other_writer, changes_a_job_just_before_it_is_due)
{
	const char *a = ours("a");

	put(a, 1, "", 10 * S);
	await_field(a, "id", a);
	put(a, 2, "", 60 * S);
	core_advance(&f, 11 * S);
	await_field(a, "revision", "2");
	cr_expect_eq(core_tasks(), 0, "the old definition began");
	core_advance(&f, 50 * S);
	await_tasks(1);
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, a, "1 success");
}

/* A change here of what has changed there meanwhile is made of what is there. */
Test(other_writer, changes_what_we_change)
{
	const char *a = ours("a");

	put(a, 1, "", 3600 * S);
	await_field(a, "id", a);
	put(a, 2, ",\"name\":\"Other\"", 3600 * S);
	cr_expect_eq(core_modify(&f, a, "{'description':'ours'}"), 0, "%s", f.err.message);
	cr_expect_str_eq(field_of(a, "name"), "Other");
	cr_expect_str_eq(field_of(a, "description"), "ours");
	cr_expect_str_eq(field_of(a, "revision"), "3");
}

/* What he wrote meanwhile is read on from where it was left; what ended meanwhile is stored. */
Test(other_writer, writes_while_we_are_cut_off)
{
	const char *a = ours("a"), *b = ours("b"), *c = ours("c"), *d = ours("d");
	uint64_t epoch = store_epoch(our_store());

	put(a, 1, "", 10 * S);
	put(b, 1, "", 3600 * S);
	put(c, 1, "", 3600 * S);
	await_field(c, "id", c);
	core_advance(&f, 10 * S);
	await_tasks(1);
	cut_off();
	core_task_end(0, 0);
	put(b, 2, ",\"name\":\"Other\"", 3600 * S);
	remove_job(c);
	put(d, 1, "", 3600 * S);
	fake_server_bar(SERVER, "one", false);
	await_field(d, "id", d);
	cr_expect_str_eq(field_of(b, "name"), "Other");
	cr_expect_str_eq(field_of(c, "id"), "");
	core_await_store(&f);
	cr_expect_eq(store_epoch(our_store()), epoch);
	core_advance(&f, 1 * S);
	core_expect_runs(&f, a, "1 success");
}

/* Nor is anything missed where the feed does not reach back: all is read anew. */
Test(other_writer, writes_more_than_the_feed_keeps)
{
	const char *b = ours("b"), *c = ours("c"), *d = ours("d"), *e = ours("e");
	uint64_t epoch = store_epoch(our_store());

	put(b, 1, "", 3600 * S);
	put(c, 1, "", 3600 * S);
	await_field(c, "id", c);
	cut_off();
	put(b, 2, ",\"name\":\"Other\"", 3600 * S);
	remove_job(c);
	put(d, 1, "", 10 * S);
	fake_server_forget_feed(SERVER);
	put(e, 1, "", 3600 * S);
	fake_server_bar(SERVER, "one", false);
	await_field(d, "id", d);
	await_field(b, "name", "Other");
	await_field(c, "id", "");
	await_field(e, "id", e);
	cr_expect_gt(store_epoch(our_store()), epoch);
	core_await_store(&f);
	core_advance(&f, 10 * S);
	await_tasks(1);
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, d, "1 success");
	/* And listens on. */
	remove_job(e);
	await_field(e, "id", "");
}

/* What the server refused as it began is seen there as soon as it takes it. */
Test(other_writer, sees_what_began_while_the_server_took_nothing)
{
	const struct store_slot *slot = f.scheduler->stores[0];
	const char *a = ours("a");

	put(a, 1, "", 10 * S);
	await_field(a, "id", a);
	core_advance(&f, 10 * S);
	await_tasks(1);
	fake_server_read_only(SERVER, true);
	core_advance(&f, 1 * S);
	for (int i = 0; i < 6000 && !slot->failing; i++)
		turn();
	cr_assert(slot->failing);
	store_case_runs(&two, a);
	cr_assert_eq(two.run_count, 1u);
	cr_expect_eq(two.runs[0].pid, 0);
	fake_server_read_only(SERVER, false);
	for (int i = 0; i < 6000 && (two.run_count == 0 || two.runs[0].pid == 0); i++) {
		core_advance(&f, S / 10);
		turn();
		store_case_runs(&two, a);
	}
	cr_expect_eq(two.runs[0].state, RUN_RUNNING);
	cr_expect_eq(two.runs[0].pid, 4001);
	cr_expect_neq(two.runs[0].started_at, SCHEDD_TIME_NONE);
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, a, "1 success");
}

/* Or is lost by then: its end alone is told, late. */
Test(other_writer, takes_over_what_began_while_the_server_took_nothing)
{
	const struct store_slot *slot = f.scheduler->stores[0];
	uint64_t epoch = store_epoch(our_store());
	const char *a = ours("a");
	struct store_batch *batch;
	static bool taken;

	store_share(two.store, other_takes, &taken);
	put(a, 1, "", 10 * S);
	await_field(a, "id", a);
	core_advance(&f, 10 * S);
	await_tasks(1);
	cut_off();
	core_advance(&f, 1 * S);
	for (int i = 0; i < 6000 && !slot->failing; i++)
		turn();
	cr_assert(slot->failing);
	fake_server_expire(SERVER, "one");
	/* Who comes looks at the others at once. */
	fake_server_bar(SERVER, "two", true);
	for (int i = 0; i < 6000 && store_state(two.store) == STORE_OK; i++)
		turn();
	fake_server_bar(SERVER, "two", false);
	for (int i = 0; i < 6000 && !taken; i++)
		turn();
	cr_assert(taken);
	batch = store_batch_new(two.store);
	store_case_put_run(batch, a, 1, RUN_LOST, 1);
	cr_assert_eq(store_case_commit(&two, batch), 0, "%s", two.err.message);
	fake_server_bar(SERVER, "one", false);
	for (int i = 0; i < 6000 && (store_epoch(our_store()) == epoch || slot->failing); i++) {
		core_advance(&f, S / 10);
		turn();
	}
	cr_assert_gt(store_epoch(our_store()), epoch);
	core_await_store(&f);
	core_advance(&f, 10 * S);
	core_settle(&f);
	store_case_runs(&two, a);
	cr_expect_eq(two.runs[0].state, RUN_LOST);
	cr_expect_null(two.runs[0].reason, "%s", two.runs[0].reason);
	core_task_end(0, 0);
	core_settle(&f);
	core_advance(&f, 1 * S);
	store_case_runs(&two, a);
	cr_expect_eq(two.runs[0].state, RUN_LOST);
	cr_expect_not_null(two.runs[0].reason);
	cr_expect_str_eq(two.runs[0].reason, "this node lost its lease; told late: success");
}

/* What he had begun is lost, what waited begins here, and what is due of his is ours. */
Test(other_writer, dies)
{
	const char *a = ours("a"), *b = ours("b");
	struct store_batch *batch = store_batch_new(two.store);
	struct store_case *sc = &two;

	put(a, 1, ",\"last_run\":1,\"run_count\":1", 3600 * S);
	put(b, 1, ",\"last_run\":1,\"run_count\":1", 3600 * S);
	store_case_put_run(batch, a, 1, RUN_RUNNING, 0);
	store_case_put_run(batch, b, 1, RUN_QUEUED, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	await_field(b, "id", b);
	fake_server_bar(SERVER, "two", true);
	fake_server_expire(SERVER, "two");
	/* Who comes looks at the others at once. */
	cut_off();
	fake_server_bar(SERVER, "one", false);
	await_tasks(1);
	cr_expect_str_eq(strrchr(core_task_run(0), '/'), "/1");
	cr_expect_eq(strncmp(core_task_run(0), b, strlen(b)), 0);
	core_show_run(&f, b, 1);
	cr_expect(strstr(f.json, "\"node\":\"one\""), "%s", f.json);
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, a, "1 lost");
	core_expect_runs(&f, b, "1 success");
}
