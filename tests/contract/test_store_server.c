/* SPDX-License-Identifier: MIT */
/*
 * What only a store on a server can go through: it is away, stands still, ends
 * between a commit and its answer, has another owner. Run over a real server by
 * with_server.sh; nothing is tested without one.
 */
#include <signal.h>
#include <sys/wait.h>
#include "support/store_case.h"

#define SERVER_TEST(name)                                                                          \
	static void server_##name(struct store_case *sc);                                          \
	Test(store_server, name)                                                                   \
	{                                                                                          \
		struct store_case sc;                                                              \
		if (!store_case_has("server"))                                                     \
			return;                                                                    \
		server_prepare(&sc);                                                               \
		server_##name(&sc);                                                                \
		server_signal(SIGCONT);                                                            \
		store_case_clear(&sc);                                                             \
	}                                                                                          \
	static void server_##name(struct store_case *sc)

static struct store_option server_options[8];

static void server_prepare(struct store_case *sc)
{
	int count = 0;

	store_case_prepare(sc, "server");
	server_options[count++] = (struct store_option){"timeout", "2s"};
	server_options[count++] = (struct store_option){"connect_timeout", "2s"};
	if (geteuid() == 0)
		server_options[count++] = (struct store_option){"run_as", "root"};
	server_options[count] = (struct store_option){NULL, NULL};
	sc->config.options = server_options;
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
}

static void server_signal(int signal)
{
	pid_t pid = atoi(getenv("SCHEDD_TEST_SERVER_PID"));

	cr_assert_eq(kill(pid, signal), 0);
}

/* All of its processes: the server itself, and those that serve a connection. */
static void server_signal_all(int number)
{
	char command[160];

	server_signal(number);
	/* One that ends meanwhile is none to wait for. */
	snprintf(command, sizeof(command), "for p in $(cat /proc/%s/task/*/children); do kill -%d $p || :; done",
	    getenv("SCHEDD_TEST_SERVER_PID"), number);
	cr_assert_eq(system(command), 0);
}

/* Something that each type's server does in its own way, see server_moves.sh. */
static void server_move(const char *what)
{
	char command[700];

	snprintf(command, sizeof(command), "%s %s >/dev/null", getenv("SCHEDD_TEST_MOVE"), what);
	cr_assert_eq(system(command), 0, "%s", what);
}

/* Lets the loop turn until the state is that. */
static void server_await(struct store_case *sc, enum store_state state)
{
	for (int i = 0; i < 600 && store_state(sc->store) != state; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	cr_assert_eq(store_state(sc->store), state, "%s", store_state_why(sc->store));
}

static void put_number(struct store_case *sc, int64_t number)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_put_number(batch, "n", number);
	store_commit(sc->store, batch, store_case_done, sc);
}

SERVER_TEST(says_what_it_is_and_what_it_promises)
{
	struct value status = store_status(sc->store, &sc->arena);

	cr_expect_str_eq(value_get_string(&status, "state"), "ok");
	cr_expect(value_get_string(&status, "address"));
	cr_expect(strstr(value_get_string(&status, "durability"), "survives a crash"), "%s",
	    value_get_string(&status, "durability"));
	cr_expect_eq(value_get(&status, "round_trip")->type != VALUE_NIL, true);
	cr_expect(store_remote(sc->store));
	cr_expect_eq(store_epoch(sc->store), 1u);
}

SERVER_TEST(fails_within_its_time_while_the_server_stands_still_and_loses_nothing)
{
	struct schedd_mono begin = schedd_clock_system()->mono(NULL);
	int64_t took;

	put_number(sc, 1);
	store_case_flush(sc);
	cr_assert_eq(sc->rc, 0);
	server_signal_all(SIGSTOP);
	put_number(sc, 2);
	server_await(sc, STORE_AWAY);
	took = schedd_clock_system()->mono(NULL).us - begin.us;
	cr_expect_lt(took, 10 * SCHEDD_SECOND);
	/* What comes while it is away is told so in time; what was sent is in doubt. */
	put_number(sc, 3);
	for (int i = 0; i < 100 && sc->answers < 2; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	server_signal_all(SIGCONT);
	store_case_flush(sc);
	server_await(sc, STORE_OK);
	cr_expect_eq(sc->answers, 3);
	put_number(sc, 4);
	store_case_flush(sc);
	cr_assert_eq(sc->rc, 0, "%s", sc->err.message);
	cr_expect_eq(store_case_number(sc, "n", 0), 4);
}

static void count_unknown(const struct schedd_error *err, void *context)
{
	cr_expect(strstr(err->message, "not known yet"), "%s", err->message);
	((struct store_case *)context)->answers += 100;
}

/* Claims the next run of a, until it is in doubt or answered. */
static void server_claim_in_doubt(
    struct store_case *sc, const struct job_state *state, enum store_verdict *verdict)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_claim(batch, "a", state->last_run - 1, state, verdict);
	store_case_put_run(batch, "a", state->last_run, RUN_RUNNING, 0);
	store_batch_on_unknown(batch, count_unknown);
	sc->answers = 0;
	store_commit(sc->store, batch, store_case_done, sc);
	for (int i = 0; i < 300 && sc->answers == 0; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
}

/* The answer of a commit that was sent is found out, and it is neither lost nor done twice. */
SERVER_TEST(finds_out_what_became_of_a_commit_in_doubt)
{
	enum store_verdict verdict = STORE_CLAIM_LOST;
	struct store_batch *batch;
	struct job_state state;
	char newest[32];

	/* It asks before it sends: nothing is in doubt then; see test_store_cut.c. */
	if (strcmp(sc->config.type, "mongodb") == 0)
		return;
	batch = store_batch_new(sc->store);
	store_case_put_job(sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	cr_assert_eq(store_case_commit(sc, batch), 0);
	job_state_init(&state);
	state.last_run = 1;
	state.next_fire = state.next_run_time = STORE_CASE_NOW;
	/* It may be done before all of the server stands still; or what it was about to ask before may not be, and
	 * nothing was sent. */
	for (int tries = 0; tries < 10; tries++) {
		server_signal_all(SIGSTOP);
		server_claim_in_doubt(sc, &state, &verdict);
		if (sc->answers >= 100)
			break;
		cr_assert_eq(sc->answers, 1);
		state.last_run += sc->rc == 0;
		server_signal_all(SIGCONT);
		server_await(sc, STORE_OK);
	}
	cr_assert_eq(sc->answers, 100);
	server_signal_all(SIGCONT);
	store_case_flush(sc);
	cr_assert_eq(sc->answers, 101);
	cr_assert_eq(sc->rc, 0, "%s", sc->err.message);
	cr_assert_eq(verdict, STORE_CLAIM_DONE);
	snprintf(newest, sizeof(newest), "a/%u", (unsigned)state.last_run);
	cr_assert(strncmp(store_case_runs(sc, "a"), newest, strlen(newest)) == 0);
	cr_assert_eq(store_case_load(sc), 1u);
	cr_assert_eq(sc->records[0].state.last_run, state.last_run);
}

SERVER_TEST(comes_back_when_its_connections_are_cut)
{
	for (int i = 1; i <= 5; i++) {
		for (int n = 0; n < 20; n++)
			put_number(sc, i * 100 + n);
		server_move("cut");
		store_case_flush(sc);
	}
	server_await(sc, STORE_OK);
	put_number(sc, 999);
	store_case_flush(sc);
	cr_assert_eq(sc->rc, 0, "%s", sc->err.message);
	cr_expect_eq(store_case_number(sc, "n", 0), 999);
	cr_expect_eq(store_epoch(sc->store), 1u);
}

SERVER_TEST(belongs_to_one_at_a_time)
{
	struct store_case other = *sc;
	char directory[] = "/tmp/schedd-other-XXXXXX", command[64];

	/* Another daemon has another identity. */
	cr_assert(mkdtemp(directory));
	other.config.state_dir = directory;
	cr_assert_eq(store_open_wait(&other.config, SCHEDD_SECOND, &other.store, &other.err), 0);
	for (int i = 0; i < 100 && store_state(other.store) != STORE_HELD; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	cr_assert_eq(store_state(other.store), STORE_HELD);
	cr_expect(strstr(store_state_why(other.store), "it belongs to schedd on "), "%s",
	    store_state_why(other.store));
	/* Once the first is gone the second has it, under another epoch. */
	store_close(sc->store);
	sc->store = other.store;
	server_await(sc, STORE_OK);
	cr_expect_eq(store_epoch(sc->store), 2u);
	put_number(sc, 1);
	store_case_flush(sc);
	cr_assert_eq(sc->rc, 0);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

/* What is on the server, in a file of that name. */
static void server_dump(const char *directory, const char *name)
{
	char command[700];

	snprintf(command, sizeof(command), "%s dump >%s/%s && test -s %s/%s",
	    getenv("SCHEDD_TEST_MOVE"), directory, name, directory, name);
	cr_assert_eq(system(command), 0, "%s", name);
}

/* What that move has made of the store is not used, and is left as it is. */
static void server_refuses(struct store_case *sc, const char *move, const char *words)
{
	char directory[] = "/tmp/schedd-dump-XXXXXX", command[160];

	cr_assert(mkdtemp(directory));
	store_close(sc->store);
	sc->store = NULL;
	server_move(move);
	server_dump(directory, "before");
	cr_assert_eq(store_open_wait(&sc->config, STORE_CASE_LIMIT, &sc->store, &sc->err), 0);
	cr_assert_eq(store_state(sc->store), STORE_REFUSED, "%s: %s", move, store_state_why(sc->store));
	cr_expect(
	    strstr(store_state_why(sc->store), words), "%s: %s", move, store_state_why(sc->store));
	store_close(sc->store);
	sc->store = NULL;
	server_dump(directory, "after");
	snprintf(command, sizeof(command), "cd %s && diff before after; rc=$?; rm -r %s; exit $rc", directory,
	    directory);
	cr_expect_eq(system(command), 0, "%s: something was changed there", move);
}

SERVER_TEST(refuses_what_is_newer_foreign_or_half_there)
{
	server_refuses(sc, "newer", "written by a newer schedd (schema 99");
	server_refuses(sc, "half", "not all there");
	server_refuses(sc, "foreign", "another program's");
}

SERVER_TEST(holds_only_jobs_of_accounts_that_were_named)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_job(sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	cr_assert_eq(store_case_commit(sc, batch), 0);
	batch = store_batch_new(sc->store);
	store_case_put_job(sc, batch, "{\"id\":\"b\",\"shell\":\"true\",\"user\":\"nobody\"}");
	cr_assert_eq(store_case_commit(sc, batch), SCHEDD_EPERM);
	cr_expect_str_eq(sc->err.message,
	    "store 'default' may not hold jobs of the account 'nobody': name it in the store's run_as");
	/* Nor does it believe the server. */
	server_move("give-to-nobody a");
	cr_assert_eq(store_case_load(sc), 1u);
	cr_assert(sc->records[0].state.invalid);
	cr_expect(strstr(sc->records[0].state.invalid, "account 'nobody'"), "%s",
	    sc->records[0].state.invalid);
}

SERVER_TEST(takes_no_writes_from_a_server_that_takes_none)
{
	/* That of the tests takes all. */
	if (strcmp(sc->config.type, "mongodb") == 0)
		return;
	server_move("read-only");
	server_await(sc, STORE_READ_ONLY);
	put_number(sc, 1);
	store_case_flush(sc);
	cr_expect_eq(sc->rc, SCHEDD_EFAILED);
	server_move("writable");
	server_await(sc, STORE_OK);
	put_number(sc, 2);
	store_case_flush(sc);
	cr_expect_eq(sc->rc, 0, "%s", sc->err.message);
}

/* Quotes, backslashes and characters of four bytes come back as they were. */
SERVER_TEST(keeps_every_text_as_it_is)
{
	static const char text[] = "a'b\\\"c{},NULL\n\t😀ä\\\\";
	struct store_batch *batch = store_batch_new(sc->store);
	struct run run = store_case_run("a", 1, RUN_FAILED, 1);

	run.reason = (char *)text;
	store_batch_put_run(batch, &run);
	store_batch_put_text(batch, text, text);
	store_batch_put_change(batch, 5, "a", "{\"event\":\"it's \\\\ \\\"so\\\"\"}");
	store_case_put_job(sc, batch, "{\"id\":\"q\",\"shell\":\"echo 'a' \\\"b\\\" \\\\ 😀\"}");
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	store_case_runs(sc, "a");
	cr_expect_str_eq(sc->runs[0].reason, text);
	cr_assert_eq(store_case_load(sc), 1u);
	cr_expect_str_eq(sc->records[0].job->shell, "echo 'a' \"b\" \\ 😀");
	cr_expect_str_eq(store_case_texts(sc, "a'b") + strlen(text) + 1, "a'b\\\"c{},NULL\n\t😀ä\\\\;");
}

/* In case, in accents and in spaces at their end. */
SERVER_TEST(tells_ids_apart_by_their_bytes)
{
	static const char *const ids[] = {"backup", "Backup", "backup ", "b\u00e4ckup", "back\tup"};
	struct store_batch *batch = store_batch_new(sc->store);
	const uint32_t count = sizeof(ids) / sizeof(ids[0]);

	for (uint32_t i = 0; i < count; i++)
		store_case_put_run(batch, ids[i], i + 1, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	for (uint32_t i = 0; i < count; i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "%s/%u", ids[i], i + 1);
		cr_expect_str_eq(store_case_runs(sc, ids[i]), expected);
		cr_expect_eq(store_case_last_run(sc, ids[i]), i + 1);
	}
}

/* The rights that schedd-stores(7) prints are enough, and those for less are named; for Redis see
 * e2e.store_redis. */
SERVER_TEST(works_with_the_rights_that_the_manual_names)
{
	char url[256], *at;
	struct store_batch *batch;

	if (strcmp(sc->config.type, "redis") == 0 || strcmp(sc->config.type, "mongodb") == 0 ||
	    sc->history)
		return;
	store_close(sc->store);
	sc->store = NULL;
	server_move("narrow");
	snprintf(url, sizeof(url), "%s", getenv("SCHEDD_TEST_STORE_URL"));
	at = strstr(url, "schedd@");
	cr_assert(at);
	memcpy(at, "narrow", 6);
	sc->config.url = url;
	cr_assert_eq(store_open_wait(&sc->config, STORE_CASE_LIMIT, &sc->store, &sc->err), 0);
	cr_assert_eq(store_state(sc->store), STORE_REFUSED);
	cr_expect(
	    strstr(store_state_why(sc->store), "denied"), "%s", store_state_why(sc->store));
	store_close(sc->store);
	server_move("narrow-rights");
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
	batch = store_batch_new(sc->store);
	store_case_put_job(sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	store_batch_put_change(batch, 5, "a", "{}");
	store_batch_put_number(batch, "n", 5);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	cr_expect_str_eq(store_case_runs(sc, "a"), "a/1");
	cr_expect_eq(store_case_load(sc), 1u);
	store_close(sc->store);
	sc->store = NULL;
	server_move("narrow-end");
}
