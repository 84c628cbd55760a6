/* SPDX-License-Identifier: MIT */
/*
 * What only MariaDB and MySQL can do to a store: packets that are too long, locks
 * of others, tables that are made by halves, and texts that are none. Run by
 * with_server.sh; nothing is tested without a server.
 */
#include "support/store_case.h"

static struct store_option mysql_options[8];

static bool mysql_prepare(struct store_case *sc)
{
	int count = 0;

	if (!store_case_has("server") || strcmp(getenv("SCHEDD_TEST_STORE_TYPE"), "mysql") != 0)
		return false;
	store_case_prepare(sc, "server");
	mysql_options[count++] = (struct store_option){"timeout", "2s"};
	mysql_options[count++] = (struct store_option){"connect_timeout", "5s"};
	if (geteuid() == 0)
		mysql_options[count++] = (struct store_option){"run_as", "root"};
	mysql_options[count] = (struct store_option){NULL, NULL};
	sc->config.options = mysql_options;
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
	return true;
}

#define MYSQL_TEST(name)                                                                           \
	static void mysql_##name(struct store_case *sc);                                           \
	Test(store_server, name)                                                                   \
	{                                                                                          \
		struct store_case sc;                                                              \
		if (!mysql_prepare(&sc))                                                           \
			return;                                                                    \
		mysql_##name(&sc);                                                                 \
		store_case_clear(&sc);                                                             \
	}                                                                                          \
	static void mysql_##name(struct store_case *sc)

static void mysql_admin(const char *text)
{
	char command[1000];

	snprintf(command, sizeof(command), "%s \"%s\" >/dev/null", getenv("SCHEDD_TEST_ADMIN"), text);
	cr_assert_eq(system(command), 0, "%s", text);
}

static int mysql_put_number(struct store_case *sc, int64_t number)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_put_number(batch, "n", number);
	return store_case_commit(sc, batch);
}

static void mysql_await(struct store_case *sc, enum store_state state)
{
	for (int i = 0; i < 600 && store_state(sc->store) != state; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	cr_assert_eq(store_state(sc->store), state, "%s", store_state_why(sc->store));
}

/* A job with a command so long. */
static void mysql_put_long(struct store_case *sc, struct store_batch *batch, int id, size_t length)
{
	struct strbuf json = STRBUF_EMPTY;

	strbuf_printf(&json, "{\"id\":\"long%d\",\"shell\":\"", id);
	for (size_t i = 0; i < length; i++)
		strbuf_add_char(&json, 'x');
	strbuf_add(&json, "\"}");
	store_case_put_job(sc, batch, strbuf_peek(&json));
	strbuf_clear(&json);
}

MYSQL_TEST(cuts_what_does_not_fit_into_a_packet)
{
	struct store_batch *batch;

	store_close(sc->store);
	sc->store = NULL;
	mysql_admin("SET GLOBAL max_allowed_packet = 1048576");
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
	batch = store_batch_new(sc->store);
	for (int i = 0; i < 150; i++)
		mysql_put_long(sc, batch, i, 20000);
	cr_expect_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	/* In hexadecimal it is twice as long. */
	batch = store_batch_new(sc->store);
	store_batch_put_number(batch, "n", 7);
	mysql_put_long(sc, batch, 1000, 600000);
	cr_expect_eq(store_case_commit(sc, batch), SCHEDD_EINVAL);
	cr_expect(strstr(sc->err.message, "the server's max_allowed_packet is 1048576"), "%s",
	    sc->err.message);
	batch = store_batch_new(sc->store);
	mysql_put_long(sc, batch, 1001, 500000);
	cr_expect_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	cr_expect_eq(store_case_load(sc), 151u);
	cr_expect_eq(store_case_number(sc, "n", 0), 0);
	store_close(sc->store);
	sc->store = NULL;
	mysql_admin("SET GLOBAL max_allowed_packet = 16777216");
}

MYSQL_TEST(writes_nothing_once_its_epoch_is_gone)
{
	cr_assert_eq(mysql_put_number(sc, 1), 0);
	mysql_admin("UPDATE schedd_owner SET epoch = epoch + 1, life = 'another'");
	cr_expect_eq(mysql_put_number(sc, 2), SCHEDD_EFAILED);
	cr_expect(strstr(sc->err.message, "another schedd has taken it over"), "%s", sc->err.message);
	/* It has its lock still and nobody else has: then it is the owner again, under a new epoch. */
	for (int i = 0; i < 600 && store_epoch(sc->store) != 3; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	mysql_await(sc, STORE_OK);
	cr_expect_eq(store_epoch(sc->store), 3u);
	cr_expect_eq(store_case_number(sc, "n", 0), 1);
}

/* Each table is a transaction of its own: whoever makes them may die in between. */
MYSQL_TEST(goes_on_where_one_has_died_making_tables)
{
	store_close(sc->store);
	sc->store = NULL;
	mysql_admin("DROP TABLE schedd_runs, schedd_changes; DROP VIEW schedd_run_list; UPDATE schedd_meta "
		    "SET number = 1, \\`key\\` = 'schema.making' WHERE \\`key\\` = 'schema.version'");
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
	cr_assert_eq(mysql_put_number(sc, 1), 0, "%s", sc->err.message);
	store_close(sc->store);
	sc->store = NULL;
	mysql_admin("DROP TABLE schedd_owner, schedd_jobs, schedd_runs, schedd_changes; DELETE FROM "
		    "schedd_meta");
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
	cr_assert_eq(mysql_put_number(sc, 1), 0, "%s", sc->err.message);
	mysql_admin("SELECT * FROM schedd_run_list");
}

/* Version 1 knew nothing of nodes; one may have died on the way from it. */
MYSQL_TEST(brings_tables_of_before_up_to_date)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_job(sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	store_close(sc->store);
	sc->store = NULL;
	mysql_admin("DROP TABLE schedd_nodes, schedd_beats, schedd_batches, schedd_slots; ALTER TABLE schedd_runs "
		    "DROP KEY schedd_runs_node, DROP node, DROP ran, DROP output; UPDATE schedd_meta SET number = 1 "
		    "WHERE \\`key\\` = 'schema.version'");
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
	cr_assert_eq(mysql_put_number(sc, 1), 0, "%s", sc->err.message);
	cr_expect_eq(store_case_load(sc), 1u);
	cr_expect_str_eq(store_case_runs(sc, NULL), "a/1");
	mysql_admin("SELECT r.ran, r.output, s.slot, n.name FROM schedd_runs r, schedd_slots s, schedd_nodes n");
}

/* The statement alone is undone by the server; nothing of the others may be left. */
MYSQL_TEST(gives_up_in_time_where_another_holds_a_lock)
{
	char command[1000];

	cr_assert_eq(mysql_put_number(sc, 1), 0);
	snprintf(command, sizeof(command),
	    "%s \"START TRANSACTION; SELECT * FROM schedd_meta FOR UPDATE; SELECT sleep(6)\" >/dev/null &",
	    getenv("SCHEDD_TEST_ADMIN"));
	cr_assert_eq(system(command), 0);
	/* Until it has it. */
	for (int i = 0; i < 3000 && mysql_put_number(sc, 2) == 0; i++)
		usleep(5000);
	cr_expect_eq(sc->rc, SCHEDD_EFAILED);
	cr_expect(strstr(sc->err.message, "Lock wait timeout"), "%s", sc->err.message);
	mysql_await(sc, STORE_OK);
	for (int i = 0; i < 20 && mysql_put_number(sc, 3); i++)
		mysql_await(sc, STORE_OK);
	cr_expect_eq(store_case_number(sc, "n", 0), 3);
}

MYSQL_TEST(tells_lost_claims_from_those_that_hold)
{
	enum store_verdict verdicts[3];
	struct store_batch *batch = store_batch_new(sc->store);
	struct job_state state;

	for (int i = 0; i < 3; i++) {
		char json[64];

		snprintf(json, sizeof(json), "{\"id\":\"j%d\",\"shell\":\"true\"}", i);
		store_case_put_job(sc, batch, json);
	}
	cr_assert_eq(store_case_commit(sc, batch), 0);
	mysql_admin("UPDATE schedd_jobs SET last_run = 5 WHERE id = 'j1'");
	job_state_init(&state);
	state.last_run = 1;
	batch = store_batch_new(sc->store);
	for (int i = 0; i < 3; i++) {
		char id[8];

		snprintf(id, sizeof(id), "j%d", i);
		store_batch_claim(batch, id, 0, &state, &verdicts[i]);
		store_case_put_run(batch, id, 1, RUN_RUNNING, 0);
	}
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	cr_expect_eq(verdicts[0], STORE_CLAIM_DONE);
	cr_expect_eq(verdicts[1], STORE_CLAIM_LOST);
	cr_expect_eq(verdicts[2], STORE_CLAIM_DONE);
	cr_expect_str_eq(store_case_runs(sc, NULL), "j2/1 j0/1");
}

MYSQL_TEST(keeps_bytes_that_are_no_text)
{
	static const char *const texts[] = {"\xff\xfe\x80", "\\0\\Z\\%_", "' OR 1 = 1; -- ", "\\", "\x1a\x01",
	    "\xf0\x9f\x98", "?t?n%s", "/*!50000 x */"};
	struct store_batch *batch = store_batch_new(sc->store);
	const size_t count = sizeof(texts) / sizeof(texts[0]);

	for (size_t i = 0; i < count; i++) {
		struct run run = store_case_run("a", (uint32_t)i + 1, RUN_FAILED, 1);

		run.reason = (char *)texts[i];
		store_batch_put_run(batch, &run);
		store_batch_put_text(batch, texts[i], texts[i]);
	}
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	store_case_runs(sc, "a");
	cr_assert_eq(sc->run_count, count);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(sc->runs[count - 1 - i].reason, texts[i]);
	for (size_t i = 0; i < count; i++)
		cr_expect(strstr(store_case_texts(sc, texts[i]), texts[i]));
}
