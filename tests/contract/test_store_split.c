/* SPDX-License-Identifier: MIT */
/* What only a store over two goes through: the one is there while the other is not. */
#include <signal.h>
#include <sys/wait.h>
#include "base/log.h"
#include "support/store_case.h"

/* Until nothing waits for the history any more. */
static void split_settle(struct store_case *sc)
{
	for (int i = 0; i < 600; i++) {
		struct value status = store_status(sc->store, &sc->arena);

		if (value_get_int(&status, "history_waiting", -1) == 0 && store_flush(sc->store, 0) == 0)
			break;
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	}
	store_case_flush(sc);
}

static int64_t split_status(struct store_case *sc, const char *key)
{
	struct value status = store_status(sc->store, &sc->arena);

	return value_get_int(&status, key, -1);
}

static void split_await_history(struct store_case *sc, bool there)
{
	for (int i = 0; i < 600 && (store_state(sc->history) == STORE_OK) != there; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	cr_assert_eq(store_state(sc->history) == STORE_OK, there);
}

static void split_put_job(struct store_case *sc, const char *json)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_job(sc, batch, json);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
}

static void split_claim(struct store_case *sc, uint32_t number, enum store_verdict *verdict)
{
	struct store_batch *batch = store_batch_new(sc->store);
	struct job_state state;

	job_state_init(&state);
	state.last_run = number;
	state.run_count = number;
	store_batch_claim(batch, "a", number - 1, &state, verdict);
	store_case_put_run(batch, "a", number, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
}

static void split_end(struct store_case *sc, uint32_t number)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_run(batch, "a", number, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
}

Test(store_split, says_which_store_keeps_its_history)
{
	struct store_case sc;

	store_case_init(&sc, "sqlite_over_memory");
	cr_assert_eq(store_history(sc.store), sc.history);
	cr_assert_null(store_history(sc.history));
	sc.value = store_status(sc.store, &sc.arena);
	cr_assert_str_eq(value_get_string(&sc.value, "history"), "past");
	cr_assert_str_eq(value_get_string(&sc.value, "type"), "sqlite");
	cr_assert_eq(split_status(&sc, "history_lost"), 0);
	store_case_clear(&sc);
}

/* The row of a run that goes on is the job store's; another's restart must not find it. */
Test(store_split, keeps_what_goes_on_out_of_the_history)
{
	enum store_verdict verdict;
	struct store_case sc;
	struct store *own;

	store_case_init(&sc, "alone_over_sqlite");
	split_put_job(&sc, "{\"id\":\"a\",\"shell\":\"true\"}");
	split_claim(&sc, 1, &verdict);
	cr_assert_eq(verdict, STORE_CLAIM_DONE);
	cr_assert_str_eq(store_case_runs(&sc, "a"), "a/1");
	cr_assert_eq(sc.runs[0].state, RUN_RUNNING);
	own = sc.store;
	sc.store = sc.history;
	cr_assert_str_eq(store_case_runs(&sc, NULL), "");
	store_case_load(&sc);
	sc.store = own;
	split_end(&sc, 1);
	split_settle(&sc);
	sc.store = sc.history;
	cr_assert_str_eq(store_case_runs(&sc, NULL), "a/1");
	sc.store = own;
	/* Of two that are asked, one tells it. */
	{
		struct store_run_query here = STORE_CASE_ALL;

		here.here = true;
		cr_assert_str_eq(store_case_list(&sc, &here), "");
	}
	store_case_clear(&sc);
}

Test(store_split, goes_on_while_the_history_is_away_and_catches_up)
{
	enum store_verdict verdict;
	struct store_case sc;

	store_case_init(&sc, "sqlite_over_fake");
	split_put_job(&sc, "{\"id\":\"a\",\"shell\":\"true\"}");
	fake_server_down("past", true);
	split_await_history(&sc, false);
	for (uint32_t number = 1; number <= 20; number++) {
		split_claim(&sc, number, &verdict);
		cr_assert_eq(verdict, STORE_CLAIM_DONE);
		split_end(&sc, number);
	}
	cr_assert_eq(split_status(&sc, "history_waiting"), 20);
	/* It cannot be asked; that is said. */
	{
		struct store_run_query all = STORE_CASE_ALL;

		cr_assert_eq(store_case_query(&sc, &all), SCHEDD_EFAILED);
		cr_assert(strstr(sc.err.message, "store 'past'"), "%s", sc.err.message);
	}
	fake_server_down("past", false);
	split_await_history(&sc, true);
	split_settle(&sc);
	cr_assert_eq(split_status(&sc, "history_waiting"), 0);
	store_case_runs(&sc, "a");
	cr_assert_eq(sc.run_count, 20u);
	cr_assert_eq(split_status(&sc, "runs"), 0);
	store_case_clear(&sc);
}

/* What waited when it was closed is found by the next, in the job store alone. */
Test(store_split, finds_what_waited_when_it_is_opened_again)
{
	enum store_verdict verdict;
	struct store_batch *batch;
	struct store_case sc;

	store_case_init(&sc, "alone_over_fake");
	split_put_job(&sc, "{\"id\":\"a\",\"shell\":\"true\"}");
	fake_server_down("past", true);
	split_await_history(&sc, false);
	split_claim(&sc, 1, &verdict);
	split_end(&sc, 1);
	split_claim(&sc, 2, &verdict);
	batch = store_batch_new(sc.store);
	store_batch_put_change(batch, STORE_CASE_NOW, "a", "{\"event\":\"job_modified\"}");
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	store_close(sc.store);
	cr_assert_eq(store_case_open(&sc), 0);
	cr_assert_eq(store_case_load(&sc), 1u);
	{
		size_t count;
		const struct run *runs = store_snapshot_runs(sc.snapshot, &count);

		cr_assert_eq(count, 1u);
		cr_assert_eq(runs[0].number, 2u);
		cr_assert_eq(runs[0].state, RUN_RUNNING);
	}
	cr_assert_eq(split_status(&sc, "history_waiting"), 2);
	fake_server_down("past", false);
	split_await_history(&sc, true);
	split_settle(&sc);
	cr_assert_str_eq(store_case_runs(&sc, "a"), "a/2 a/1");
	cr_assert_eq(sc.runs[1].state, RUN_SUCCESS);
	store_query_changes(sc.store, "a", SCHEDD_TIME_NONE, 10, store_case_take_value, &sc);
	store_case_flush(&sc);
	cr_assert_eq(sc.value.array.count, 1u);
	store_case_clear(&sc);
}

/* The history had it, and the job store had no time to forget it. */
Test(store_split, writes_no_change_twice)
{
	static const char note[] =
	    "[{\"when\":5,\"job\":\"a\",\"change\":\"{\\\"event\\\":\\\"job_added\\\"}\"},"
	    "{\"rename\":\"a\",\"to\":\"b\"}]";
	struct store_batch *batch;
	struct store_case sc;
	struct store *own;

	store_case_init(&sc, "sqlite_over_memory");
	own = sc.store;
	sc.store = sc.history;
	batch = store_batch_new(sc.history);
	store_batch_put_change(batch, 5, "a", "{\"event\":\"job_added\"}");
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	sc.store = own;
	/* As an earlier life would have left them: the one is there, the other is not. */
	batch = store_batch_new(sc.store);
	store_batch_put_text(batch, "history.0000000000000001", note);
	store_batch_put_text(batch, "history.0000000000000002",
	    "[{\"when\":6,\"job\":\"a\",\"change\":\"{\\\"event\\\":\\\"job_removed\\\"}\"}]");
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	cr_assert_eq(store_case_load(&sc), 0u);
	split_settle(&sc);
	store_query_changes(sc.store, "a", SCHEDD_TIME_NONE, 10, store_case_take_value, &sc);
	store_case_flush(&sc);
	cr_assert_str_eq(store_case_json(&sc),
	    "[{\"event\":\"job_removed\",\"time\":6,\"job\":\"a\"},"
	    "{\"event\":\"job_added\",\"time\":5,\"job\":\"a\"}]");
	cr_assert_str_eq(store_case_runs(&sc, NULL), "a/1");
	for (int i = 0; i < 600 && store_case_texts(&sc, "history.")[0]; i++)
		mailbox_wait_for(sc.config.mailbox, SCHEDD_SECOND / 10);
	cr_assert_str_eq(store_case_texts(&sc, "history."), "");
	store_case_clear(&sc);
}

/* Numbers go on from what another store's job of that id has left in the history. */
Test(store_split, gives_no_number_that_the_history_knows)
{
	struct job_record record;
	struct store_batch *batch;
	uint32_t last_run = 0;
	struct store_case sc;
	struct store *own;

	store_case_init(&sc, "alone_over_fake");
	own = sc.store;
	sc.store = sc.history;
	batch = store_batch_new(sc.history);
	store_case_put_run(batch, "a", 7, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	sc.store = own;
	record = store_case_job(&sc, "{\"id\":\"a\",\"shell\":\"true\"}");
	batch = store_batch_new(sc.store);
	store_batch_add_job(batch, record.job, &record.state, &last_run);
	cr_assert_eq(store_case_commit(&sc, batch), 0, "%s", sc.err.message);
	cr_assert_eq(last_run, 7u);
	/* While it cannot be asked no such id is taken. */
	fake_server_down("past", true);
	split_await_history(&sc, false);
	batch = store_batch_new(sc.store);
	store_batch_add_job(batch, record.job, &record.state, &last_run);
	cr_assert_eq(store_case_commit(&sc, batch), SCHEDD_EFAILED);
	cr_assert(strstr(sc.err.message, "store 'default': its history: store 'past'"), "%s",
	    sc.err.message);
	store_case_drop(&record);
	store_case_clear(&sc);
}

Test(store_split, refuses_a_history_that_is_kept_elsewhere_or_nowhere)
{
	struct store_case sc;
	struct store_config config;
	struct store *third = NULL;

	store_case_init(&sc, "sqlite_over_memory");
	config = sc.config;
	config.name = "third";
	config.type = "memory";
	config.path = NULL;
	config.history = sc.store;
	cr_assert_eq(store_open_wait(&config, STORE_CASE_LIMIT, &third, &sc.err), SCHEDD_EINVAL);
	cr_assert_str_eq(sc.err.message,
	    "store 'third': history: store 'default' keeps its own runs in store 'past', name that "
	    "one");
	store_case_clear(&sc);

	store_case_init(&sc, "alone");
	config = sc.config;
	config.name = "third";
	config.type = "memory";
	config.path = config.url = NULL;
	config.options = NULL;
	config.history = sc.store;
	cr_assert_eq(store_open_wait(&config, STORE_CASE_LIMIT, &third, &sc.err), SCHEDD_EINVAL);
	cr_assert_str_eq(sc.err.message,
	    "store 'third': history: store 'default' is of type 'alone', which keeps no history: name "
	    "another one");
	store_case_clear(&sc);
}

/* A store that kept its runs itself hands them over. */
Test(store_split, moves_the_runs_that_the_job_store_had)
{
	struct store_case sc;
	struct store *past;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite_over_memory");
	store_close(sc.store);
	past = sc.history;
	sc.history = NULL;
	sc.config.history = NULL;
	cr_assert_eq(store_case_open(&sc), 0);
	batch = store_batch_new(sc.store);
	for (uint32_t number = 1; number <= 1200; number++)
		store_case_put_run(batch, "a", number, RUN_SUCCESS, 1);
	store_case_put_run(batch, "b", 1, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	store_close(sc.store);
	sc.config.history = sc.history = past;
	cr_assert_eq(store_case_open(&sc), 0);
	store_case_load(&sc);
	for (int i = 0; i < 600 && split_status(&sc, "runs") != 1; i++)
		mailbox_wait_for(sc.config.mailbox, SCHEDD_SECOND / 10);
	for (int i = 0; i < 600; i++) {
		struct store_run_query query = {.limit = 2000,
		    .since = SCHEDD_TIME_NONE,
		    .until = SCHEDD_TIME_NONE};

		cr_assert_eq(store_case_query(&sc, &query), 0);
		if (sc.run_count == 1201)
			break;
		mailbox_wait_for(sc.config.mailbox, SCHEDD_SECOND / 10);
	}
	cr_assert_eq(sc.run_count, 1201u);
	store_case_clear(&sc);
}

/* ---- kill -9 at any instant ---- */

/* Claims and ends runs until it is killed; what was answered goes to the pipe. */
static void split_live(struct store_case *sc, int pipe)
{
	enum store_verdict verdict;
	struct job_record *record;
	uint32_t number;

	cr_assert_eq(store_case_load(sc), 1u);
	record = store_case_record(sc, "a");
	number = record->state.last_run;
	for (;;) {
		split_claim(sc, ++number, &verdict);
		cr_assert_eq(write(pipe, &number, sizeof(number)), (ssize_t)sizeof(number));
		split_end(sc, number);
	}
}

static bool split_told[65536];

static void split_read_told(int pipe, uint32_t *last)
{
	uint32_t number;

	while (read(pipe, &number, sizeof(number)) == (ssize_t)sizeof(number)) {
		/* None is claimed twice. */
		cr_assert_lt(number, 65536u);
		cr_assert_not(split_told[number], "run %u was claimed twice", number);
		split_told[number] = true;
		*last = number;
	}
}

/* Both in files: "sqlite_over_sqlite" of directory sc->directory, in a process of its own. */
static void split_kill_one(struct store_case *sc, int life, uint32_t *last)
{
	int pipes[2];
	pid_t pid;

	cr_assert_eq(pipe(pipes), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		sc->config.mailbox = mailbox_new(NULL, &sc->err);
		{
			struct store_config past = sc->config;

			past.name = "past";
			past.path = sc->past;
			past.history = NULL;
			if (store_open_wait(&past, STORE_CASE_LIMIT, &sc->history, &sc->err))
				_exit(1);
		}
		sc->config.history = sc->history;
		if (store_case_open(sc))
			_exit(2);
		split_live(sc, pipes[1]);
	}
	close(pipes[1]);
	usleep(20000 + (useconds_t)(life * 3700) % 60000);
	kill(pid, SIGKILL);
	split_read_told(pipes[0], last);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	close(pipes[0]);
}

/* The first run up to last that has no row; 0: none. Each has one at most. */
static uint32_t split_missing(struct store_case *sc, uint32_t last)
{
	struct store_run_query query = {
	    .limit = 65536, .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE};
	bool *there = calloc(last + 2, sizeof(*there));
	uint32_t missing = 0;

	cr_assert_eq(store_case_query(sc, &query), 0);
	for (size_t i = 0; i < sc->run_count; i++) {
		uint32_t number = sc->runs[i].number;

		cr_assert_not(number <= last && there[number], "run %u has two rows", number);
		if (number <= last)
			there[number] = true;
	}
	for (uint32_t number = 1; number <= last && !missing; number++)
		if (!there[number])
			missing = number;
	free(there);
	return missing;
}

Test(store_split, loses_no_row_and_doubles_none_when_it_is_killed)
{
	struct store_case sc;
	uint32_t last = 0;
	int lives = 0;
	size_t open;

	store_case_init(&sc, "sqlite_over_sqlite");
	split_put_job(&sc, "{\"id\":\"a\",\"shell\":\"true\"}");
	store_close(sc.store);
	store_close(sc.history);
	/* On a busy machine some lives are over before they have done anything. */
	for (; lives < 25 || (last <= 25 && lives < 1000); lives++)
		split_kill_one(&sc, lives, &last);
	{
		struct store_config past = sc.config;

		past.name = "past";
		past.path = sc.past;
		past.history = NULL;
		cr_assert_eq(store_open_wait(&past, STORE_CASE_LIMIT, &sc.history, &sc.err), 0);
	}
	sc.config.history = sc.history;
	cr_assert_eq(store_case_open(&sc), 0);
	cr_assert_eq(store_case_load(&sc), 1u);
	(void)store_snapshot_runs(sc.snapshot, &open);
	cr_assert_gt(last, 25u);
	/* What was over lies in the job store's own history, which is looked at in the background. */
	for (int i = 0; i < 600 && split_missing(&sc, last); i++)
		mailbox_wait_for(sc.config.mailbox, SCHEDD_SECOND / 10);
	cr_assert_eq(split_missing(&sc, last), 0u, "run %u has no row", split_missing(&sc, last));
	cr_assert_leq(open, (size_t)lives);
	store_case_clear(&sc);
}
