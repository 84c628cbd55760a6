/* SPDX-License-Identifier: MIT */
/*
 * What only stores of keys and values go through: batches that are larger than
 * a transaction, a journal that is left behind, a lease. Over a real server by
 * with_server.sh; nothing is tested without one that keeps jobs alone.
 */
#include <signal.h>
#include <sys/wait.h>
#include "support/store_case.h"

#define KEYS_TEST(name)                                                                            \
	static void keys_##name(struct store_case *sc);                                            \
	Test(store_server, name)                                                                   \
	{                                                                                          \
		struct store_case sc;                                                              \
		if (!keys_has())                                                                   \
			return;                                                                    \
		store_case_prepare(&sc, "server");                                                 \
		sc.config.options = keys_options;                                                  \
		cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);                       \
		keys_##name(&sc);                                                                  \
		store_case_clear(&sc);                                                             \
	}                                                                                          \
	static void keys_##name(struct store_case *sc)

static const struct store_option keys_options[] = {{"run_as", "root"}, {"timeout", "20s"},
    {"lease", "5m"}, {NULL, NULL}};
/* Of one whose end is waited for. */
static const struct store_option keys_brief[] = {{"run_as", "root"}, {"timeout", "20s"}, {"lease", "3s"},
    {NULL, NULL}};

static bool keys_has(void)
{
	const char *type = getenv("SCHEDD_TEST_STORE_TYPE");

	return type && !store_type_keeps_history(type);
}

static void keys_move(const char *what)
{
	char command[700];

	snprintf(command, sizeof(command), "%s %s >/dev/null", getenv("SCHEDD_TEST_MOVE"), what);
	cr_assert_eq(system(command), 0, "%s", what);
}

static struct store_batch *keys_jobs(struct store_case *sc, int count)
{
	struct store_batch *batch = store_batch_new(sc->store);
	char json[200];

	for (int i = 0; i < count; i++) {
		snprintf(json, sizeof(json),
		    "{\"id\":\"job%04d\",\"shell\":\"true\",\"description\":\"%0100d\"%s}", i, i,
		    geteuid() == 0 ? ",\"user\":\"root\"" : "");
		store_case_put_job(sc, batch, json);
	}
	return batch;
}

static void keys_claim(struct store_batch *batch, int job, uint32_t number,
    enum store_verdict *verdict)
{
	struct job_state state;
	char id[16];

	snprintf(id, sizeof(id), "job%04d", job);
	job_state_init(&state);
	state.last_run = number;
	state.run_count = number;
	state.next_fire = state.next_run_time = STORE_CASE_NOW + number;
	store_batch_claim(batch, id, number - 1, &state, verdict);
	store_case_put_run(batch, id, number, RUN_RUNNING, 0);
}

/* Many transactions, each with whole claims. */
KEYS_TEST(claims_a_thousand_at_once)
{
	static enum store_verdict verdicts[1000];
	struct store_batch *batch;
	size_t count;

	cr_assert_eq(store_case_commit(sc, keys_jobs(sc, 1000)), 0, "%s", sc->err.message);
	batch = store_batch_new(sc->store);
	keys_claim(batch, 500, 1, &verdicts[0]);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	batch = store_batch_new(sc->store);
	for (int i = 0; i < 1000; i++)
		keys_claim(batch, i, 1, &verdicts[i]);
	store_batch_put_number(batch, "n", 7);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(verdicts[i], i == 500 ? STORE_CLAIM_LOST : STORE_CLAIM_DONE, "%d", i);
	store_case_reopen(sc);
	cr_assert_eq(sc->record_count, 1000u);
	for (size_t i = 0; i < 1000; i++)
		cr_assert_eq(sc->records[i].state.last_run, 1u);
	(void)store_snapshot_runs(sc->snapshot, &count);
	cr_assert_eq(count, 1000u);
	cr_assert_eq(store_snapshot_number(sc->snapshot, "n", 0), 7);
}

/* The server dies between two of its transactions: what was stored is not done twice. */
KEYS_TEST(goes_on_with_claims_when_the_server_dies_among_them)
{
	static enum store_verdict verdicts[600];

	cr_assert_eq(store_case_commit(sc, keys_jobs(sc, 600)), 0, "%s", sc->err.message);
	for (uint32_t round = 1; round <= 4; round++) {
		struct store_batch *batch = store_batch_new(sc->store);
		int before = sc->answers;

		for (int i = 0; i < 600; i++)
			keys_claim(batch, i, round, &verdicts[i]);
		store_commit(sc->store, batch, store_case_done, sc);
		mailbox_wait_for(sc->config.mailbox, round * 15 * SCHEDD_SECOND / 1000);
		keys_move("cut");
		for (int i = 0; i < 600 && sc->answers == before; i++)
			mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
		cr_assert_eq(sc->answers, before + 1);
		cr_assert_eq(sc->rc, 0, "%s", sc->err.message);
		for (int i = 0; i < 600; i++)
			cr_assert_eq(verdicts[i], STORE_CLAIM_DONE, "round %u: %d", round, i);
	}
	cr_assert_eq(store_case_load_when_back(sc), 600u);
	for (size_t i = 0; i < 600; i++)
		cr_assert_eq(sc->records[i].state.run_count, 4u);
}

/* A job file is applied as a whole or not at all, wherever schedd is killed. */
KEYS_TEST(applies_many_jobs_whole_or_not_at_all)
{
	int whole = 0, none = 0;

	store_close(sc->store);
	for (int life = 0; life < 10; life++) {
		pid_t pid;
		size_t count;

		cr_assert_eq(system(getenv("SCHEDD_TEST_STORE_RESET")), 0);
		pid = fork();
		cr_assert_geq(pid, 0);
		if (pid == 0) {
			sc->config.mailbox = mailbox_new(NULL, &sc->err);
			sc->config.history = NULL;
			if (store_case_open(sc))
				_exit(1);
			store_commit(sc->store, keys_jobs(sc, 2500), store_case_done, sc);
			store_case_flush(sc);
			_exit(0);
		}
		usleep(100000 + (useconds_t)life * 60000);
		kill(pid, SIGKILL);
		cr_assert_eq(waitpid(pid, NULL, 0), pid);
		cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
		count = store_case_load(sc);
		cr_assert(count == 0 || count == 2500, "%zu of 2500 jobs", count);
		whole += count == 2500;
		none += count == 0;
		store_close(sc->store);
	}
	cr_log_info("whole %d, none %d", whole, none);
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
}

KEYS_TEST(says_how_large_a_definition_may_be)
{
	struct strbuf json = STRBUF_EMPTY;
	struct store_batch *batch = store_batch_new(sc->store);

	strbuf_add(&json, "{\"id\":\"big\",\"shell\":\"true\",\"description\":\"small\",\"stdin\":{\"text\":\"");
	for (int i = 0; i < 1700; i++)
		strbuf_printf(&json, "%01000d", i);
	strbuf_add(&json, "\"}}");
	store_case_put_job(sc, batch, strbuf_peek(&json));
	cr_assert_eq(store_case_commit(sc, batch), SCHEDD_EINVAL);
	cr_assert(strstr(sc->err.message, "job 'big' takes 17001"), "%s", sc->err.message);
	cr_assert(strstr(sc->err.message, "takes at most "), "%s", sc->err.message);
	strbuf_clear(&json);
	/* One that just fits, with whatever stands beside it. */
	strbuf_add(&json, "{\"id\":\"big\",\"shell\":\"true\",\"stdin\":{\"text\":\"");
	for (int i = 0; i < 900; i++)
		strbuf_printf(&json, "%01000d", i);
	strbuf_add(&json, "\"}}");
	batch = store_batch_new(sc->store);
	store_case_put_job(sc, batch, strbuf_peek(&json));
	store_batch_put_change(batch, 5, "big", "{\"event\":\"job_added\"}");
	for (int i = 0; i < 10; i++)
		store_case_put_run(batch, "big", (uint32_t)i + 1, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	strbuf_clear(&json);
	store_case_reopen(sc);
	cr_assert_eq(sc->record_count, 1u);
	cr_assert_eq(sc->records[0].state.invalid, NULL, "%s", sc->records[0].state.invalid);
}

/* Another takes it when the lease of one that was killed has ended. */
KEYS_TEST(is_taken_over_when_a_lease_has_ended)
{
	char directory[] = "/tmp/schedd-other-XXXXXX", command[64];
	struct schedd_mono begin;
	uint64_t epoch = store_epoch(sc->store);
	int64_t took;
	pid_t pid;

	store_close(sc->store);
	sc->config.options = keys_brief;
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		sc->config.mailbox = mailbox_new(NULL, &sc->err);
		sc->config.history = NULL;
		if (store_case_open(sc))
			_exit(1);
		raise(SIGKILL);
	}
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	begin = schedd_clock_system()->mono(NULL);
	cr_assert(mkdtemp(directory));
	sc->config.state_dir = directory;
	cr_assert_eq(store_open_wait(&sc->config, SCHEDD_SECOND, &sc->store, &sc->err), 0);
	for (int i = 0; i < 600 && store_state(sc->store) != STORE_OK; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	cr_assert_eq(store_state(sc->store), STORE_OK, "%s", store_state_why(sc->store));
	took = schedd_clock_system()->mono(NULL).us - begin.us;
	cr_expect_gt(took, SCHEDD_SECOND / 2);
	cr_expect_gt(store_epoch(sc->store), epoch + 1);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}
