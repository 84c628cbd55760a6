/* SPDX-License-Identifier: MIT */
/* Jobs as rows of SQLite: nothing is lost, people can read them, one bad row harms no other. */
#include "store/store.h"

#include <sqlite3.h>
#include <schedd/error.h>
#include "support/sql_case.h"
#include "support/store_case.h"

/* A job that leaves no field at its default. */
static const char everything[] =
    "{\"id\":\"backup\",\"name\":\"Nächtliche Sicherung\",\"description\":\"all of it\","
    "\"tags\":{\"env\":\"prod\",\"team\":\"\"},\"group\":\"io\",\"priority\":-3,\"owner\":\"ops\","
    "\"command\":[\"/bin/echo\",\"a b\",\"\",\"ü\"],"
    "\"trigger\":{\"cron\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\",\"jitter\":5},"
    "\"executor\":\"fast\",\"store\":\"other\",\"misfire_grace_time\":0.25,\"coalesce\":\"all\","
    "\"max_instances\":3,\"overlap\":\"queue\",\"max_runs\":9,\"keep\":true,\"recover\":true,"
    "\"after\":[{\"job\":\"dump\",\"on\":\"fail\"}],\"cwd\":\"/"
    "srv\",\"env\":{\"A\":\"1\",\"B\":\"x "
    "y\"},\"user\":\"nobody\",\"umask\":\"077\",\"nice\":5,\"rlimits\":{\"nofile\":64},"
    "\"stdin\":{\"text\":\"in\\nput\"},\"secrets\":{\"KEY\":\"/etc/key\"},"
    "\"shell_path\":\"/bin/bash\",\"timeout\":90,\"kill_after\":1.5,\"kill_signal\":\"INT\","
    "\"retry\":{\"limit\":2,\"delay\":5},\"success_codes\":[0,3],"
    "\"notify\":[{\"on\":\"failure\",\"target\":\"mail:root\"}],\"capture\":\"split\","
    "\"output_max\":65536,\"keep_runs\":10,\"keep_for\":86400,"
    "\"next_run_time\":1767229200000000,\"next_fire\":1767229200000001,"
    "\"paused\":true,\"paused_until\":1767232800000000,\"paused_reason\":\"upgrade\","
    "\"revision\":4,\"created_at\":1767225600000000,\"updated_at\":1767225600000001,"
    "\"created_by\":1000,\"run_count\":12,\"last_run\":41,\"finished\":true}";

/* Both records as JSON, for comparing. */
static void assert_same_job(
    struct store_case *sc, const struct job_record *a, const struct job_record *b)
{
	for (const struct job_field *field = job_fields(); field->name; field++) {
		struct value x = job_fields_get(a->job, &a->state, field, &sc->arena);
		struct value y = job_fields_get(b->job, &b->state, field, &sc->arena);

		cr_assert(value_equal(&x, &y), "%s", field->name);
	}
}

static void assert_round_trip(const char *json)
{
	struct store_case sc;
	struct job_record record;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite");
	record = store_case_job(&sc, json);
	batch = store_batch_new(sc.store);
	store_batch_put_job(batch, record.job, &record.state);
	cr_assert_eq(store_case_commit(&sc, batch), 0, "%s", sc.err.message);
	store_case_reopen(&sc);
	cr_assert_eq(store_case_load(&sc), 1u);
	assert_same_job(&sc, &record, &sc.records[0]);
	store_case_drop(&record);
	store_case_clear(&sc);
}

Test(store_sqlite, returns_every_field_of_a_job)
{
	assert_round_trip(everything);
}

Test(store_sqlite, returns_every_kind_of_action_and_trigger)
{
	assert_round_trip("{\"id\":\"a\",\"shell\":\"echo \\\"$HOME\\\"; true\","
			  "\"trigger\":{\"every\":\"15m\"}}");
	assert_round_trip("{\"id\":\"a\",\"call\":{\"function\":\"p:f\",\"args\":{\"n\":[1,2.5]}},"
			  "\"trigger\":{\"manual\":true}}");
	assert_round_trip("{\"id\":\"a\",\"http\":\"POST http://localhost/x\","
			  "\"trigger\":{\"any\":[{\"cron\":\"H 3 * * *\"},{\"at\":"
			  "\"2027-01-01T00:00:00Z\"}]}}");
	assert_round_trip("{\"id\":\"a\",\"command\":[\"true\"],\"stdin\":\"/etc/hosts\","
			  "\"trigger\":{\"calendar\":\"months=1 time=08:00:00\",\"splay\":30}}");
	assert_round_trip("{\"id\":\"a\",\"command\":[\"true\"]}");
}

Test(store_sqlite, keeps_the_hash_of_a_job_in_its_trigger)
{
	struct store_case sc;
	struct job_record record;
	struct store_batch *batch;
	schedd_time next;

	store_case_init(&sc, "sqlite");
	record = store_case_job(
	    &sc, "{\"id\":\"hashed\",\"shell\":\"true\",\"trigger\":{\"cron\":\"H H * * *\"}}");
	next = trigger_next(record.job->trigger, sc.now);
	batch = store_batch_new(sc.store);
	store_batch_put_job(batch, record.job, &record.state);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	store_case_reopen(&sc);
	cr_assert_eq(store_case_load(&sc), 1u);
	cr_assert_eq(trigger_next(sc.records[0].job->trigger, sc.now), next);
	store_case_drop(&record);
	store_case_clear(&sc);
}

Test(store_sqlite, changes_by_a_claim_what_a_claim_changes)
{
	struct store_case sc;
	struct job_record *record;
	struct store_batch *batch;
	struct job_state state;

	store_case_init(&sc, "sqlite");
	batch = store_batch_new(sc.store);
	store_case_put_job(&sc, batch, everything);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	job_state_init(&state);
	state.next_fire = 77;
	state.next_run_time = 78;
	state.run_count = 13;
	state.last_run = 42;
	batch = store_batch_new(sc.store);
	store_batch_claim(batch, "backup", 41, &state, NULL);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	cr_assert_eq(store_case_load(&sc), 1u);
	record = &sc.records[0];
	cr_assert_eq(record->state.next_fire, 77);
	cr_assert_eq(record->state.next_run_time, 78);
	cr_assert_eq(record->state.run_count, 13u);
	cr_assert_eq(record->state.last_run, 42u);
	cr_assert_eq(record->state.revision, 4u);
	cr_assert_str_eq(record->state.paused_reason, "upgrade");
	state.next_fire = state.next_run_time = SCHEDD_TIME_NONE;
	batch = store_batch_new(sc.store);
	store_batch_claim(batch, "backup", 42, &state, NULL);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	cr_assert_eq(store_case_load(&sc), 1u);
	cr_assert_eq(sc.records[0].state.next_run_time, SCHEDD_TIME_NONE);
	store_case_clear(&sc);
}

Test(store_sqlite, removes_and_renames_jobs)
{
	struct store_case sc;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite");
	batch = store_batch_new(sc.store);
	store_case_put_job(&sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	store_case_put_job(&sc, batch, "{\"id\":\"b\",\"shell\":\"true\",\"last_run\":5}");
	store_case_put_job(&sc, batch, "{\"id\":\"a\",\"shell\":\"false\"}");
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	cr_assert_eq(store_case_load(&sc), 2u);
	cr_assert_str_eq(store_case_record(&sc, "a")->job->shell, "false");
	batch = store_batch_new(sc.store);
	store_batch_delete_job(batch, "a", 0);
	store_batch_rename(batch, "b", "c");
	store_commit(sc.store, batch, NULL, NULL);
	cr_assert_eq(store_case_last_run(&sc, "b"), 5u);
	store_case_flush(&sc);
	store_case_reopen(&sc);
	cr_assert_eq(store_case_load(&sc), 1u);
	cr_assert_str_eq(sc.records[0].job->id, "c");
	cr_assert_eq(store_case_last_run(&sc, "b"), 5u);
	cr_assert_eq(store_case_last_run(&sc, "a"), 0u);
	store_case_clear(&sc);
}

Test(store_sqlite, shows_people_what_they_look_for)
{
	struct store_case sc;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite");
	batch = store_batch_new(sc.store);
	store_case_put_job(&sc, batch, everything);
	store_case_put_run(batch, "backup", 41, RUN_SUCCESS, 3);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	cr_assert_str_eq(sql_case_text(sc.path,
			     "SELECT priority || kill_signal || umask || misfire_grace_time || "
			     "coalesce || keep || env || command FROM jobs"),
	    "-3INT0770.25all1{\"A\":\"1\",\"B\":\"x y\"}[\"/bin/echo\",\"a b\",\"\",\"ü\"]");
	cr_assert_str_eq(sql_case_text(sc.path,
			     "SELECT id || ' ' || state || ' ' || next_run_utc FROM job_list"),
	    "backup finished 2026-01-01T01:00:00.000Z");
	cr_assert_str_eq(sql_case_text(sc.path,
			     "SELECT run || ' ' || state || ' ' || scheduled_utc || ' ' || seconds "
			     "FROM run_list"),
	    "backup/41 success 2026-01-01T00:41:00.000Z 3.0");
	cr_assert_str_eq(
	    sql_case_text(sc.path, "SELECT count(*) FROM jobs WHERE keep_runs IS NULL"), "0");
	cr_assert_str_eq(sql_case_text(sc.path, "PRAGMA integrity_check"), "ok");
	store_case_clear(&sc);
}

/* ---- Rows that cannot be read ---- */

static void put_three(struct store_case *sc)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_job(sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	store_case_put_job(
	    sc, batch, "{\"id\":\"b\",\"shell\":\"true\",\"last_run\":7,\"priority\":3}");
	store_case_put_job(sc, batch, "{\"id\":\"c\",\"shell\":\"true\"}");
	cr_assert_eq(store_case_commit(sc, batch), 0);
}

Test(store_sqlite, marks_rows_that_cannot_be_read_and_leaves_them)
{
	static const char *const damage[][2] = {
	    {"UPDATE jobs SET env = '{\"A\"' WHERE id = 'b'", "env"},
	    {"UPDATE jobs SET \"trigger\" = '{\"cron\":\"61 * * * *\"}' WHERE id = 'b'", "61"},
	    {"UPDATE jobs SET max_instances = 'many' WHERE id = 'b'", "max_instances"},
	    {"UPDATE jobs SET coalesce = 'sometimes' WHERE id = 'b'", "sometimes"},
	    {"UPDATE jobs SET kill_signal = X'00ff' WHERE id = 'b'", "kill_signal"},
	    {"UPDATE jobs SET command = '{}' WHERE id = 'b'", "command"},
	    {"UPDATE jobs SET \"trigger\" = NULL WHERE id = 'b'", "trigger"},
	    {"UPDATE jobs SET command = NULL, shell = NULL, call = NULL WHERE id = 'b'", "nothing to run"},
	};

	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		struct store_case sc;
		struct job_record *bad;

		store_case_init(&sc, "sqlite");
		put_three(&sc);
		sql_case_exec(sc.path, damage[i][0]);
		store_case_reopen(&sc);
		cr_assert_eq(store_case_load(&sc), 3u);
		cr_assert_null(store_case_record(&sc, "a")->state.invalid);
		cr_assert_null(store_case_record(&sc, "c")->state.invalid);
		bad = store_case_record(&sc, "b");
		cr_assert_not_null(bad->state.invalid, "%s", damage[i][0]);
		cr_assert(strstr(bad->state.invalid, damage[i][1]), "%s", bad->state.invalid);
		cr_assert_eq(bad->state.last_run, 7u);
		cr_assert_null(bad->job->trigger);
		cr_assert(strstr(bad->raw, "\"id\":\"b\""), "%s", bad->raw);
		cr_assert(strstr(bad->raw, "\"priority\":3"), "%s", bad->raw);
		cr_assert_str_eq(
		    sql_case_text(sc.path, "SELECT priority FROM jobs WHERE id = 'b'"), "3");
		store_case_clear(&sc);
	}
}

Test(store_sqlite, loads_unfinished_runs)
{
	struct store_case sc;
	struct store_batch *batch;
	const struct run *runs;
	size_t count;

	store_case_init(&sc, "sqlite");
	batch = store_batch_new(sc.store);
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 3);
	store_case_put_run(batch, "a", 2, RUN_RUNNING, 0);
	store_case_put_run(batch, "a", 3, RUN_MISSED, 0);
	store_case_put_run(batch, "b", 1, RUN_QUEUED, 0);
	store_case_put_run(batch, "b", 2, RUN_RETRYING, 0);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	store_case_reopen(&sc);
	store_case_load(&sc);
	runs = store_snapshot_runs(sc.snapshot, &count);
	cr_assert_eq(count, 3u);
	cr_assert_str_eq(runs[0].job, "a");
	cr_assert_eq(runs[0].number, 2u);
	cr_assert_eq(runs[1].state, RUN_QUEUED);
	cr_assert_eq(runs[2].state, RUN_RETRYING);
	store_case_clear(&sc);
}

/* ---- Living with others ---- */

Test(store_sqlite, commits_while_another_process_reads)
{
	struct store_case sc;
	struct store_batch *batch;
	sqlite3_stmt *stmt;
	sqlite3 *other;

	store_case_init(&sc, "sqlite");
	put_three(&sc);
	cr_assert_eq(sqlite3_open(sc.path, &other), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(other, "SELECT id FROM jobs", -1, &stmt, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
	batch = store_batch_new(sc.store);
	store_batch_delete_job(batch, "b", 9);
	cr_assert_eq(store_case_commit(&sc, batch), 0, "%s", sc.err.message);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
	sqlite3_finalize(stmt);
	sqlite3_close(other);
	store_case_clear(&sc);
}

Test(store_sqlite, counts_its_runs_anew_when_rows_went_by_hand)
{
	struct store_case sc;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite");
	batch = store_batch_new(sc.store);
	for (uint32_t i = 1; i <= 10; i++)
		store_case_put_run(batch, "a", i, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	sql_case_exec(sc.path, "DELETE FROM runs WHERE number < 8");
	store_case_reopen(&sc);
	sc.value = store_status(sc.store, &sc.arena);
	cr_assert_eq(value_get_int(&sc.value, "runs", -1), 3);
	store_case_reopen(&sc);
	cr_assert_str_eq(
	    sql_case_text(sc.path, "SELECT value FROM meta WHERE key = 'store.runs'"), "3");
	store_case_clear(&sc);
}

/* Ids that were removed are forgotten with the last that refers to them, unless a number is kept. */
Test(store_sqlite, forgets_ids_of_no_use)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_case sc;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite");
	batch = store_batch_new(sc.store);
	for (int i = 0; i < 300; i++) {
		char id[32];

		snprintf(id, sizeof(id), "j%d", i);
		store_batch_put_change(batch, 5, id, "{}");
		store_batch_delete_job(batch, id, i == 7 ? 3 : 0);
	}
	store_case_put_job(&sc, batch, "{\"id\":\"j8\",\"shell\":\"true\"}");
	store_case_put_run(batch, "j9", 1, RUN_RUNNING, 0);
	store_batch_put_change(batch, 6, "j10", "{}");
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	retention.max_changes = 1;
	store_case_retain(&sc, NULL, retention, 1000);
	cr_expect_str_eq(sql_case_text(sc.path, "SELECT group_concat(id) FROM (SELECT id FROM ids ORDER BY key)"),
	    "j7,j8,j9,j10");
	cr_expect_eq(store_case_last_run(&sc, "j7"), 3u);
	store_case_clear(&sc);
}

Test(store_sqlite, gives_space_back)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_case sc;
	struct store_batch *batch;
	struct stat before, after;

	store_case_init(&sc, "sqlite");
	batch = store_batch_new(sc.store);
	for (uint32_t i = 1; i <= 20000; i++)
		store_case_put_run(batch, "a", i, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	store_case_reopen(&sc);
	cr_assert_eq(stat(sc.path, &before), 0);
	retention.keep_runs = 100;
	cr_assert_eq(store_case_retain(&sc, NULL, retention, 100000), 19900);
	store_case_reopen(&sc);
	cr_assert_eq(stat(sc.path, &after), 0);
	cr_assert_lt(after.st_size, before.st_size / 4);
	cr_assert_str_eq(sql_case_text(sc.path, "PRAGMA integrity_check"), "ok");
	store_case_clear(&sc);
}

static off_t size_of(const struct store_case *sc, const char *suffix)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", sc->path, suffix);
	cr_assert_eq(stat(path, &st), 0);
	return st.st_size;
}

Test(store_sqlite, gives_space_back_while_it_is_open)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_case sc;
	off_t before;

	store_case_init(&sc, "sqlite");
	for (uint32_t i = 1; i <= 40000;) {
		struct store_batch *batch = store_batch_new(sc.store);

		for (uint32_t end = i + 500; i < end; i++)
			store_case_put_run(batch, i % 2 ? "a" : "b", i, RUN_SUCCESS, 1);
		cr_assert_eq(store_case_commit(&sc, batch), 0);
	}
	before = size_of(&sc, "") + size_of(&sc, "-wal");
	retention.max_runs = 100;
	cr_assert_eq(store_case_retain(&sc, NULL, retention, 100000), 39900);
	cr_expect_lt(size_of(&sc, ""), before / 4);
	cr_expect_eq(size_of(&sc, "-wal"), 0);
	store_case_clear(&sc);
}

/* A reader that stays at what it saw keeps the log from being copied, not the store from going on.
 */
Test(store_sqlite, goes_on_beside_a_reader_that_does_not_end)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_case sc;
	sqlite3 *reader;

	store_case_init(&sc, "sqlite");
	cr_assert_eq(sqlite3_open(sc.path, &reader), SQLITE_OK);
	cr_assert_eq(
	    sqlite3_exec(reader, "BEGIN; SELECT * FROM meta", NULL, NULL, NULL), SQLITE_OK);
	for (uint32_t i = 1; i <= 40000;) {
		struct store_batch *batch = store_batch_new(sc.store);

		for (uint32_t end = i + 1000; i < end; i++)
			store_case_put_run(batch, "a", i, RUN_SUCCESS, 1);
		cr_assert_eq(store_case_commit(&sc, batch), 0);
	}
	retention.max_runs = 100;
	cr_assert_eq(store_case_retain(&sc, NULL, retention, 100000), 39900);
	cr_assert_eq(sqlite3_close(reader), SQLITE_OK);
	store_case_clear(&sc);
}

Test(store_sqlite, keeps_below_a_size)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_case sc;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite");
	batch = store_batch_new(sc.store);
	for (uint32_t i = 1; i <= 5000; i++)
		store_case_put_run(batch, "a", i, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	retention.max_bytes = 300000;
	cr_assert_gt(store_case_retain(&sc, NULL, retention, 5000), 1000);
	cr_assert_lt(atoll(sql_case_text(sc.path,
			 "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
			 "pragma_freelist_count, pragma_page_size")),
	    300001);
	cr_assert_neq(store_case_runs(&sc, "a")[0], '\0');
	store_case_clear(&sc);
}

/* ---- Its files taken away, its lock held ---- */

static void refuses_until_it_is_back(struct store_case *sc, const char *suffix)
{
	char from[128], to[160];
	struct store_batch *batch = store_batch_new(sc->store);

	put_three(sc);
	snprintf(from, sizeof(from), "%s%s", sc->path, suffix);
	snprintf(to, sizeof(to), "%s.away", from);
	cr_assert_eq(rename(from, to), 0);
	store_batch_put_number(batch, "n", 5);
	cr_assert_eq(store_case_commit(sc, batch), SCHEDD_EFAILED);
	cr_assert(strstr(sc->err.message, "was removed or replaced while it was in use"), "%s",
	    sc->err.message);
	cr_assert(strstr(sc->err.message, from), "%s", sc->err.message);
	cr_assert_eq(rename(to, from), 0);
	batch = store_batch_new(sc->store);
	store_batch_put_number(batch, "n", 6);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	store_case_reopen(sc);
	cr_assert_eq(store_case_number(sc, "n", 0), 6);
}

Test(store_sqlite, acknowledges_nothing_when_its_database_is_taken_away)
{
	struct store_case sc;

	store_case_init(&sc, "sqlite");
	refuses_until_it_is_back(&sc, "");
	store_case_clear(&sc);
}

Test(store_sqlite, acknowledges_nothing_when_its_log_is_taken_away)
{
	struct store_case sc;

	store_case_init(&sc, "sqlite");
	refuses_until_it_is_back(&sc, "-wal");
	store_case_clear(&sc);
}

/* And what it has can be saved. */
Test(store_sqlite, makes_a_backup_of_a_database_that_was_deleted)
{
	struct store_case sc;
	char copy[128], moved[128];

	store_case_init(&sc, "sqlite");
	put_three(&sc);
	cr_assert_eq(unlink(sc.path), 0);
	snprintf(copy, sizeof(copy), "%s.copy", sc.path);
	snprintf(moved, sizeof(moved), "%s", sc.path);
	store_backup(sc.store, copy, store_case_done, &sc);
	store_case_flush(&sc);
	cr_assert_eq(sc.rc, 0, "%s", sc.err.message);
	store_close(sc.store);
	cr_assert_eq(rename(copy, moved), 0);
	snprintf(copy, sizeof(copy), "%s-wal", sc.path);
	unlink(copy);
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	cr_assert_eq(store_case_load(&sc), 3u);
	store_case_clear(&sc);
}

Test(store_sqlite, answers_while_another_holds_the_lock)
{
	struct store_case sc;
	struct store_batch *batch;
	struct schedd_mono begin;
	sqlite3 *other;

	store_case_init(&sc, "sqlite");
	put_three(&sc);
	cr_assert_eq(sqlite3_open(sc.path, &other), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	begin = schedd_clock_system()->mono(NULL);
	for (int i = 0; i < 5; i++) {
		batch = store_batch_new(sc.store);
		store_batch_put_number(batch, "n", i);
		store_commit(sc.store, batch, store_case_done, &sc);
	}
	sc.answers = 0;
	/* A question does not wait for it. */
	store_query_changes(sc.store, NULL, SCHEDD_TIME_NONE, 1, store_case_take_value, &sc);
	while (sc.answers == 0)
		mailbox_wait_for(sc.config.mailbox, SCHEDD_SECOND);
	cr_expect_eq(sc.rc, 0, "%s", sc.err.message);
	store_case_flush(&sc);
	cr_expect_lt(schedd_clock_system()->mono(NULL).us - begin.us, 5 * SCHEDD_SECOND);
	cr_expect_eq(sc.rc, SCHEDD_EFAILED);
	cr_expect(strstr(sc.err.message, "another process holds the lock"), "%s", sc.err.message);
	sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(other);
	batch = store_batch_new(sc.store);
	store_batch_put_number(batch, "n", 9);
	cr_assert_eq(store_case_commit(&sc, batch), 0, "%s", sc.err.message);
	store_case_clear(&sc);
}

Test(store_sqlite, takes_no_id_that_is_none)
{
	static const struct {
		const char *change, *id, *why;
	} rows[] = {
	    {"UPDATE jobs SET id = '../x' WHERE id = 'c'", "../x", "id: '../x' is not of the form"},
	    {"INSERT INTO jobs (id, shell, \"trigger\") SELECT '', shell, \"trigger\" FROM jobs WHERE id = "
	     "'a'",
		"", "id: '' is not of the form"},
	};
	struct store_case sc;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct job_record *record;

		store_case_init(&sc, "sqlite");
		put_three(&sc);
		sql_case_exec(sc.path, rows[i].change);
		store_case_reopen(&sc);
		cr_assert_geq(store_case_load(&sc), 3u);
		record = store_case_record(&sc, rows[i].id);
		cr_assert(record, "%s", rows[i].change);
		cr_assert(record->state.invalid, "%s", rows[i].change);
		cr_expect(strstr(record->state.invalid, rows[i].why), "%s", record->state.invalid);
		store_case_clear(&sc);
	}
}
