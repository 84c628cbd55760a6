/* SPDX-License-Identifier: MIT */
/* What is opened, what is refused and left alone, and how an older schema is brought up to date. */
#include "store/sql_migrate.h"

#include <fcntl.h>
#include <glob.h>
#include <schedd/error.h>
#include "store/sql_text.h"
#include "support/sql_case.h"
#include "support/sql_old.h"
#include "support/store_case.h"

/* ---- Refusals ---- */

static char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *bytes;

	cr_assert(file);
	fseek(file, 0, SEEK_END);
	*size = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*size + 1);
	cr_assert_eq(fread(bytes, 1, *size, file), *size);
	fclose(file);
	return bytes;
}

static void write_at(const char *path, off_t at, const void *bytes, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	cr_assert_eq(pwrite(fd, bytes, size, at), (ssize_t)size);
	close(fd);
}

/* Opening fails with the code and words, and the file stays as it was, byte by byte. */
static void assert_refused(struct store_case *sc, int code, const char *words)
{
	size_t before_size, after_size;
	char *before = read_file(sc->path, &before_size), *after;

	cr_assert_eq(store_case_open(sc), code, "%s", sc->err.message);
	cr_assert(strstr(sc->err.message, words), "%s", sc->err.message);
	cr_assert(strstr(sc->err.message, "store 'default': "), "%s", sc->err.message);
	after = read_file(sc->path, &after_size);
	cr_assert_eq(before_size, after_size);
	cr_assert_eq(memcmp(before, after, before_size), 0);
	free(before);
	free(after);
	sc->store = NULL;
}

static void make_database(struct store_case *sc)
{
	struct store_batch *batch;

	store_case_init(sc, "sqlite");
	batch = store_batch_new(sc->store);
	for (int i = 0; i < 200; i++) {
		char json[64];

		snprintf(json, sizeof(json), "{\"id\":\"job-%d\",\"shell\":\"true\"}", i);
		store_case_put_job(sc, batch, json);
	}
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_close(sc->store);
	sc->store = NULL;
}

Test(sql_migrate, refuses_a_file_that_is_no_database)
{
	static const char text[] = "id,name\n1,backup\n";
	struct store_case sc;

	store_case_prepare(&sc, "sqlite");
	write_at(sc.path, 0, text, sizeof(text));
	assert_refused(&sc, SCHEDD_EFILE, "is not a database; it is left as it is");
	store_case_clear(&sc);
}

Test(sql_migrate, refuses_a_database_of_another_program)
{
	struct store_case sc;

	store_case_prepare(&sc, "sqlite");
	sql_case_exec(sc.path, "CREATE TABLE jobs (id TEXT); PRAGMA user_version = 3");
	assert_refused(&sc, SCHEDD_EFILE, "is a database of another program");
	store_case_clear(&sc);
}

Test(sql_migrate, refuses_a_newer_database)
{
	struct store_case sc;

	make_database(&sc);
	sql_case_exec(sc.path, "PRAGMA user_version = 99");
	assert_refused(&sc, SCHEDD_EFILE, "was written by a newer schedd (schema 99, known is 4)");
	sql_case_exec(sc.path, "PRAGMA user_version = 1; ALTER TABLE jobs ADD COLUMN shininess");
	assert_refused(
	    &sc, SCHEDD_EFILE, "was written by a newer schedd (column 'shininess' of jobs)");
	store_case_clear(&sc);
}

Test(sql_migrate, refuses_a_database_that_was_cut_off)
{
	struct store_case sc;
	struct stat st;

	make_database(&sc);
	cr_assert_eq(stat(sc.path, &st), 0);
	cr_assert_eq(truncate(sc.path, st.st_size - 3 * 4096), 0);
	assert_refused(&sc, SCHEDD_EFILE, "is damaged");
	cr_assert_eq(truncate(sc.path, 50), 0);
	assert_refused(&sc, SCHEDD_EFILE, "");
	store_case_clear(&sc);
}

Test(sql_migrate, refuses_to_load_jobs_from_damaged_pages)
{
	struct store_case sc;
	char garbage[4096];
	size_t before_size, after_size;
	char *before, *after;
	int page;

	make_database(&sc);
	page = atoi(sql_case_text(
	    sc.path, "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'jobs'"));
	memset(garbage, 0x5a, sizeof(garbage));
	write_at(sc.path, (off_t)(page - 1) * 4096, garbage, sizeof(garbage));
	before = read_file(sc.path, &before_size);
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	cr_assert_eq(store_case_try_load(&sc), SCHEDD_EFILE);
	cr_assert(strstr(sc.err.message, "is damaged"), "%s", sc.err.message);
	store_close(sc.store);
	sc.store = NULL;
	after = read_file(sc.path, &after_size);
	cr_assert_eq(before_size, after_size);
	cr_assert_eq(memcmp(before, after, before_size), 0);
	free(before);
	free(after);
	store_case_clear(&sc);
}

/* ---- Places ---- */

Test(sql_migrate, says_what_is_wrong_with_the_place)
{
	struct store_case sc;
	char missing[128];

	store_case_prepare(&sc, "sqlite");
	sc.config.path = sc.directory;
	cr_assert_eq(store_case_open(&sc), SCHEDD_EFAILED);
	cr_assert(strstr(sc.err.message, "is a directory, its path must name a file"));
	snprintf(missing, sizeof(missing), "%s/none/jobs.db", sc.directory);
	sc.config.path = missing;
	cr_assert_eq(store_case_open(&sc), SCHEDD_EFAILED);
	cr_assert(strstr(sc.err.message, "/none cannot be written: No such file or directory"),
	    "%s", sc.err.message);
	sc.config.path = "/dev/null";
	cr_assert_eq(store_case_open(&sc), SCHEDD_EFAILED);
	cr_assert(strstr(sc.err.message, "is no regular file"), "%s", sc.err.message);
	sc.config.path = "";
	cr_assert_eq(store_case_open(&sc), SCHEDD_EINVAL);
	cr_assert(strstr(sc.err.message, "needs a path"), "%s", sc.err.message);
	sc.store = NULL;
	store_case_clear(&sc);
}

Test(sql_migrate, refuses_a_directory_that_cannot_be_written)
{
	struct store_case sc;

	if (geteuid() == 0)
		cr_skip_test("root may write everywhere");
	store_case_prepare(&sc, "sqlite");
	cr_assert_eq(chmod(sc.directory, 0500), 0);
	cr_assert_eq(store_case_open(&sc), SCHEDD_EPERM);
	cr_assert(
	    strstr(sc.err.message, "cannot be written: Permission denied"), "%s", sc.err.message);
	cr_assert_eq(chmod(sc.directory, 0700), 0);
	sc.store = NULL;
	store_case_clear(&sc);
}

Test(sql_migrate, makes_files_that_only_the_owner_reads)
{
	struct store_case sc;
	struct stat st;
	char wal[128];

	umask(0);
	store_case_init(&sc, "sqlite");
	cr_assert_eq(stat(sc.path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600u);
	snprintf(wal, sizeof(wal), "%s-wal", sc.path);
	cr_assert_eq(stat(wal, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600u);
	cr_assert_str_eq(sql_case_text(sc.path, "PRAGMA auto_vacuum"), "2");
	cr_assert_str_eq(sql_case_text(sc.path, "PRAGMA journal_mode"), "wal");
	store_case_clear(&sc);
}

Test(sql_migrate, takes_an_empty_file_for_a_new_database)
{
	struct store_case sc;

	store_case_prepare(&sc, "sqlite");
	write_at(sc.path, 0, "", 0);
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	store_case_clear(&sc);
}

/* ---- Older schemas ---- */

static int count_copies(const struct store_case *sc, char *first, size_t size)
{
	char pattern[160];
	glob_t found;
	int count;

	snprintf(pattern, sizeof(pattern), "%s.v4-20260101T000000Z", sc->path);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	count = (int)found.gl_pathc;
	snprintf(first, size, "%s", found.gl_pathv[0]);
	globfree(&found);
	return count;
}

Test(sql_migrate, adds_columns_for_new_fields_and_keeps_a_copy)
{
	struct store_case sc;
	char copy[160];

	make_database(&sc);
	/* As an older schedd would have left it: without these fields. */
	sql_case_exec(sc.path, "DROP VIEW job_list; DROP INDEX jobs_uncommon; ALTER TABLE jobs DROP COLUMN nice; "
			       "ALTER TABLE jobs DROP COLUMN secrets");
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	cr_assert_eq(store_case_load(&sc), 200u);
	cr_assert_str_eq(sql_case_text(sc.path,
			     "SELECT count(*) FROM jobs WHERE nice IS NULL AND secrets IS NULL"),
	    "200");
	cr_assert_str_eq(sql_case_text(sc.path, "SELECT count(*) FROM job_list"), "200");
	cr_assert_eq(count_copies(&sc, copy, sizeof(copy)), 1);
	cr_assert_str_eq(sql_case_text(copy, "SELECT count(*) FROM jobs"), "200");
	cr_assert_str_eq(sql_case_text(copy,
			     "SELECT count(*) FROM pragma_table_info('jobs') WHERE name = 'nice'"),
	    "0");
	store_case_clear(&sc);
}

Test(sql_migrate, adds_the_results_of_runs_to_the_first_schema)
{
	struct store_case sc;

	make_database(&sc);
	sql_case_exec(sc.path, SQL_OLD_2 "ALTER TABLE runs DROP COLUMN result; PRAGMA user_version = 1");
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	cr_assert_eq(store_case_load(&sc), 200u);
	cr_assert_str_eq(sql_case_text(sc.path,
			     "SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'result'"),
	    "1");
	cr_assert_str_eq(sql_case_text(sc.path, "PRAGMA user_version"), "4");
	store_case_clear(&sc);
}

/* The list of an IN is made into a table with each row of history that is written. */
Test(sql_migrate, gives_the_third_schema_an_index_that_costs_no_table)
{
	struct store_case sc;
	struct stat st;
	char copy[128];

	make_database(&sc);
	sql_case_exec(sc.path,
	    "INSERT INTO ids (id) VALUES ('job-1'), ('job-2');"
	    "INSERT INTO runs (job, number, state, \"trigger\", done_at) VALUES (1, 1, 'success', 'manual', 5), "
	    "(2, 7, 'lost', 'manual', NULL), (1, 2, 'failed', 'manual', 6);"
	    "DROP INDEX runs_trouble; DROP INDEX jobs_uncommon;"
	    "CREATE INDEX runs_trouble ON runs (id, state)\n"
	    "  WHERE state NOT IN ('queued', 'running', 'retrying', 'success');"
	    "PRAGMA user_version = 3");
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	cr_expect_str_eq(sql_case_text(sc.path, "PRAGMA user_version"), "4");
	cr_expect_str_eq(sql_case_text(sc.path, "PRAGMA integrity_check"), "ok");
	cr_expect_str_eq(
	    sql_case_text(sc.path, "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% IN (%'"), "0");
	cr_expect_str_eq(sql_case_text(sc.path, "SELECT group_concat(number) FROM runs INDEXED BY runs_trouble WHERE "
						SQL_TEXT_TROUBLE " ORDER BY id"),
	    "7,2");
	snprintf(copy, sizeof(copy), "%s.v3-20260101T000000Z", sc.path);
	cr_expect_eq(stat(copy, &st), 0);
	store_case_clear(&sc);
}

/* One that was stopped between, one of a build that knew other fields, one dropped by hand. */
Test(sql_migrate, makes_indexes_that_are_missing_or_others_anew)
{
	static const char *const damages[] = {"DROP INDEX jobs_uncommon", "DROP INDEX runs_trouble",
	    "DROP INDEX runs_job; DROP INDEX runs_done; DROP INDEX changes_job; DROP INDEX ids_idle",
	    "DROP INDEX jobs_uncommon; CREATE INDEX jobs_uncommon ON jobs (id) WHERE nice IS NOT NULL"};
	struct store_case sc;
	char before[512], copy[160];

	make_database(&sc);
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	snprintf(before, sizeof(before), "%s",
	    sql_case_text(sc.path,
		"SELECT group_concat(name || length(sql)) FROM (SELECT * FROM sqlite_schema WHERE type = 'index' ORDER BY name)"));
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		store_close(sc.store);
		sc.store = NULL;
		sql_case_exec(sc.path, damages[i]);
		cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
		cr_expect_str_eq(sql_case_text(sc.path,
				     "SELECT group_concat(name || length(sql)) FROM (SELECT * FROM sqlite_schema WHERE type = "
				     "'index' ORDER BY name)"),
		    before, "%s", damages[i]);
		cr_expect_eq(store_case_load(&sc), 200u);
	}
	cr_expect_eq(count_copies(&sc, copy, sizeof(copy)), 0);
	store_case_clear(&sc);
}

Test(sql_migrate, keeps_no_copy_where_nothing_changes)
{
	struct store_case sc;
	char copy[160];

	make_database(&sc);
	cr_assert_eq(store_case_open(&sc), 0);
	cr_assert_eq(count_copies(&sc, copy, sizeof(copy)), 0);
	store_case_clear(&sc);
}

Test(sql_migrate, takes_each_step_once_and_all_or_none)
{
	static const struct sql_migrate_step good[] = {{4, "CREATE TABLE one (x);"},
	    {5, "CREATE TABLE two (x);"}, {6, "CREATE TABLE three (x);"}, {0, NULL}};
	static const struct sql_migrate_step bad[] = {
	    {7, "CREATE TABLE four (x);"}, {8, "CREATE TABLE broken (;"}, {0, NULL}};
	struct store_case sc;
	struct sql sql = {0};

	make_database(&sc);
	cr_assert_eq(sql_open(&sql, "default", sc.path, SQLITE_OPEN_READWRITE, &sc.err), 0);
	cr_assert_eq(sql_migrate_steps(&sql, good, 6, sc.now, &sc.err), 0, "%s", sc.err.message);
	cr_assert_str_eq(sql_case_text(sc.path, "PRAGMA user_version"), "6");
	cr_assert_str_eq(
	    sql_case_text(sc.path, "SELECT group_concat(name) FROM sqlite_schema WHERE name IN "
				   "('one', 'two', 'three')"),
	    "two,three");
	cr_assert_eq(sql_migrate_steps(&sql, bad, 8, sc.now, &sc.err), SCHEDD_EFAILED);
	cr_assert_str_eq(sql_case_text(sc.path, "PRAGMA user_version"), "6");
	cr_assert_str_eq(
	    sql_case_text(sc.path, "SELECT count(*) FROM sqlite_schema WHERE name = 'four'"), "0");
	sql_close(&sql);
	store_case_clear(&sc);
}
