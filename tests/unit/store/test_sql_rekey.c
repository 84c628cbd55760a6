/* SPDX-License-Identifier: MIT */
/* Runs and changes that name their job by its id, brought to keys: whole, in pieces, and through kill -9. */
#include <sys/wait.h>
#include "support/faulty_vfs.h"
#include "support/sql_case.h"
#include "support/sql_old.h"
#include "support/store_case.h"

/*
 * 100 jobs "j0" … with 12,000 runs, of which one goes on and one failed; a run
 * and a change of "gone", that was removed; and "spent", of which nothing but
 * its last number is left.
 */
static const char rekey_rows[] =
    "INSERT INTO jobs (id, shell, \"trigger\", last_run) WITH n AS (SELECT 0 AS i UNION ALL SELECT "
    "i + 1 FROM n WHERE i < 99) SELECT 'j' || i, 'true', '{\"every\":60}', 120 FROM n;"
    "INSERT INTO runs (job, number, state, \"trigger\", scheduled_at, started_at, ended_at, "
    "done_at, result) WITH n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 11999) "
    "SELECT 'j' || (i % 100), i / 100 + 1, 'success', 'schedule', i * 1000000, i * 1000000, "
    "i * 1000000 + 5, i * 1000000 + 5, 'r' || i FROM n;"
    "UPDATE runs SET state = 'running', ended_at = NULL, done_at = NULL WHERE job = 'j7' AND number "
    "= 120; UPDATE runs SET state = 'failed', exit_code = 3 WHERE job = 'j8' AND number = 2;"
    "INSERT INTO runs (job, number, state, \"trigger\", done_at) VALUES ('gone', 4, 'success', "
    "'manual', 9);"
    "INSERT INTO changes (time, job, change) WITH n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n "
    "WHERE i < 4999) SELECT i, 'j' || (i % 100), '{\"n\":' || i || '}' FROM n;"
    "INSERT INTO changes (time, job, change) VALUES (6000, 'gone', '{}'), (6001, NULL, '{\"all\":1}');"
    "INSERT INTO removed VALUES ('gone', 4), ('spent', 17), ('j3', 120);"
    "UPDATE meta SET value = 12001 WHERE key = 'store.runs'";

static void rekey_init(struct store_case *sc)
{
	store_case_init(sc, "sqlite");
	store_close(sc->store);
	sc->store = NULL;
	sql_case_exec(sc->path, SQL_OLD_2);
	sql_case_exec(sc->path, rekey_rows);
}

/* Everything is there, once, and belongs to whom it belonged. */
static void rekey_check(struct store_case *sc)
{
	static const char *const rows[][2] = {
	    {"PRAGMA user_version", "4"},
	    {"PRAGMA integrity_check", "ok"},
	    {"SELECT count(*) FROM sqlite_schema WHERE name IN ('old_runs', 'old_changes', 'removed')", "0"},
	    {"SELECT count(*) FROM sqlite_schema WHERE name IN ('runs_job', 'runs_done', 'runs_trouble', "
	     "'changes_job', 'ids_idle', 'jobs_uncommon')",
		"6"},
	    {"SELECT count(*) FROM runs", "12001"},
	    {"SELECT count(*) FROM runs JOIN ids ON ids.key = runs.job WHERE ids.id = 'j' || ((runs.id - 1) % 100) "
	     "AND number = (runs.id - 1) / 100 + 1 AND result = 'r' || (runs.id - 1)",
		"12000"},
	    {"SELECT group_concat(run || exit_code) FROM run_list WHERE state = 'failed'", "j8/23"},
	    {"SELECT count(*) FROM changes JOIN ids ON ids.key = changes.job WHERE change = '{\"n\":' || time || '}' "
	     "AND ids.id = 'j' || (time % 100)",
		"5000"},
	    {"SELECT change FROM changes WHERE job IS NULL", "{\"all\":1}"},
	    {"SELECT count(*) FROM ids", "102"},
	    {"SELECT group_concat(id || last_run, ' ') FROM (SELECT * FROM ids WHERE last_run IS NOT NULL ORDER BY "
	     "id)",
		"gone4 j3120 spent17"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(sql_case_text(sc->path, rows[i][0]), rows[i][1], "%s: %s", rows[i][0],
		    sql_case_text(sc->path, rows[i][0]));
}

Test(sql_rekey, brings_an_old_history_to_keys)
{
	struct store_case sc;
	const struct run *runs;
	struct stat st;
	char copy[128];
	size_t count;

	rekey_init(&sc);
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	rekey_check(&sc);
	cr_expect_eq(store_case_load(&sc), 100u);
	runs = store_snapshot_runs(sc.snapshot, &count);
	cr_assert_eq(count, 1u);
	cr_expect_str_eq(runs[0].job, "j7");
	cr_expect_eq(runs[0].number, 120u);
	cr_expect_str_eq(store_case_runs(&sc, "gone"), "gone/4");
	cr_expect_eq(store_case_last_run(&sc, "spent"), 17u);
	cr_expect_eq(store_case_last_run(&sc, "j9"), 120u);
	sc.value = store_status(sc.store, &sc.arena);
	cr_expect_eq(value_get_int(&sc.value, "runs", -1), 12001);
	/* What was before is kept beside it. */
	snprintf(copy, sizeof(copy), "%s.v2-20260101T000000Z", sc.path);
	cr_assert_eq(stat(copy, &st), 0);
	cr_expect_str_eq(sql_case_text(copy, "SELECT count(*) FROM runs WHERE job = 'j1'"), "120");
	store_case_clear(&sc);
}

/* Opens it in a process of its own that is killed by its so-manieth write; did it live? */
static bool rekey_round(struct store_case *sc, int writes)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		faulty_install();
		atomic_store(&faulty.killed, writes);
		_exit(store_case_open(sc) == 0 ? 0 : 3);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0,
	    "status %x", status);
	return !WIFSIGNALED(status);
}

Test(sql_rekey, goes_on_where_it_was_killed)
{
	struct store_case sc;
	int rounds = 0;

	rekey_init(&sc);
	/* The first ones do not come far, later ones each a piece or two further. */
	for (int writes = 1; !rekey_round(&sc, writes); writes += writes / 4 + 1)
		rounds++;
	cr_expect_gt(rounds, 10);
	rekey_check(&sc);
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	cr_expect_str_eq(store_case_runs(&sc, "gone"), "gone/4");
	store_case_clear(&sc);
}

/* A schedd that knows no keys does not write into a history of which half has them. */
Test(sql_rekey, is_a_newer_schema_from_its_first_moment_on)
{
	struct store_case sc;
	int begun = 0;

	rekey_init(&sc);
	for (int writes = 20; !begun && !rekey_round(&sc, writes); writes += 20)
		begun = atoi(sql_case_text(
		    sc.path, "SELECT count(*) FROM sqlite_schema WHERE name = 'old_runs'"));
	cr_assert_eq(begun, 1);
	cr_expect_str_eq(sql_case_text(sc.path, "PRAGMA user_version"), "4");
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	rekey_check(&sc);
	store_case_clear(&sc);
}
