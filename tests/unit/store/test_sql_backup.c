/* SPDX-License-Identifier: MIT */
/* A copy made while the store is written to is whole, and can be put in the store's place. */
#include "store/sql_backup.h"

#include <dirent.h>
#include <schedd/error.h>
#include "support/sql_case.h"
#include "support/store_case.h"

static void fill(struct store_case *sc, uint32_t first, uint32_t count)
{
	struct store_batch *batch = store_batch_new(sc->store);

	for (uint32_t i = first; i < first + count; i++)
		store_case_put_run(batch, "a", i, RUN_SUCCESS, 1);
	store_case_put_job(sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	cr_assert_eq(store_case_commit(sc, batch), 0);
}

static int backup(struct store_case *sc, const char *path)
{
	store_backup(sc->store, path, store_case_done, sc);
	store_case_flush(sc);
	return sc->rc;
}

/* Files in the case's directory. */
static int count_files(const struct store_case *sc)
{
	DIR *directory = opendir(sc->directory);
	int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2;
}

Test(sql_backup, makes_a_copy_that_opens_as_a_store)
{
	struct store_case sc;
	char copy[128];
	struct stat st;

	store_case_init(&sc, "sqlite");
	fill(&sc, 1, 3000);
	snprintf(copy, sizeof(copy), "%s/copy.db", sc.directory);
	umask(0);
	cr_assert_eq(backup(&sc, copy), 0, "%s", sc.err.message);
	cr_assert_eq(stat(copy, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600u);
	cr_assert_eq(st.st_nlink, 1u);
	/* The restore: the copy in the database's place while nothing has it open. */
	fill(&sc, 3001, 10);
	store_close(sc.store);
	cr_assert_eq(rename(copy, sc.path), 0);
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	cr_assert_eq(store_case_load(&sc), 1u);
	sc.value = store_status(sc.store, &sc.arena);
	cr_assert_eq(value_get_int(&sc.value, "runs", -1), 3000);
	fill(&sc, 3001, 10);
	store_case_clear(&sc);
}

Test(sql_backup, goes_on_beside_commits_and_is_consistent)
{
	struct store_case sc;
	char copy[128], want[32];
	int answers;

	store_case_init(&sc, "sqlite");
	fill(&sc, 1, 20000);
	snprintf(copy, sizeof(copy), "%s/copy.db", sc.directory);
	answers = sc.answers;
	store_backup(sc.store, copy, store_case_done, &sc);
	for (uint32_t i = 1; i <= 200; i++) {
		struct store_batch *batch = store_batch_new(sc.store);

		/* Both or neither. */
		store_case_put_run(batch, "x", i, RUN_SUCCESS, 1);
		store_case_put_run(batch, "y", i, RUN_SUCCESS, 1);
		store_commit(sc.store, batch, NULL, NULL);
	}
	store_case_flush(&sc);
	cr_assert_eq(sc.answers, answers + 1);
	cr_assert_eq(sc.rc, 0, "%s", sc.err.message);
	cr_assert_str_eq(sql_case_text(copy, "PRAGMA integrity_check"), "ok");
	snprintf(want, sizeof(want), "%s",
	    sql_case_text(copy, "SELECT count(*) FROM run_list WHERE run LIKE 'x/%'"));
	cr_assert_str_eq(sql_case_text(copy, "SELECT count(*) FROM run_list WHERE run LIKE 'y/%'"), want);
	cr_assert_str_eq(sql_case_text(copy, "SELECT value = (SELECT count(*) FROM runs) FROM meta "
					     "WHERE key = 'store.runs'"),
	    "1");
	store_case_clear(&sc);
}

Test(sql_backup, never_writes_over_a_file)
{
	struct store_case sc;
	int files;

	store_case_init(&sc, "sqlite");
	files = count_files(&sc);
	cr_assert_eq(backup(&sc, sc.path), SCHEDD_ECONFLICT);
	cr_assert(
	    strstr(sc.err.message, "exists already, choose another name"), "%s", sc.err.message);
	cr_assert_eq(count_files(&sc), files);
	store_case_clear(&sc);
}

Test(sql_backup, says_why_it_cannot_be_made)
{
	struct store_case sc;

	store_case_init(&sc, "sqlite");
	cr_assert_eq(backup(&sc, "/nonexistent/copy.db"), SCHEDD_EFAILED);
	cr_assert(strstr(sc.err.message,
		      "backup to /nonexistent/copy.db: a file cannot be made there: No such file"),
	    "%s", sc.err.message);
	store_case_clear(&sc);
}

Test(sql_backup, has_nothing_to_copy_of_a_memory_store)
{
	struct store_case sc;

	store_case_init(&sc, "memory");
	cr_assert_eq(backup(&sc, "/tmp/never"), SCHEDD_EINVAL);
	store_case_clear(&sc);
}
