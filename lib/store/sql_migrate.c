/* SPDX-License-Identifier: MIT */
/*
 * A field that is new in the table of job fields becomes a column by itself;
 * every other change of the schema is a step and a new version. A column that
 * no field knows was written by a newer schedd.
 */
#include "store/sql_migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/civil.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "store/sql_backup.h"
#include "store/sql_index.h"
#include "store/sql_rekey.h"
#include "store/sql_text.h"

#define HEADER_SIZE 100

/* Version 1 is the first; later ones stand here. */
static const struct sql_migrate_step migrate_steps[] = {
    {2, "ALTER TABLE runs ADD COLUMN result TEXT;\n"},
    {3, SQL_REKEY_BEGIN},
    {4, "DROP INDEX IF EXISTS runs_trouble;\n"},
    {0, NULL},
};

/* ---- Looking ---- */

static int migrate_refuse(const char *store, const char *path, int number, struct schedd_error *err)
{
	int code =
	    number == EACCES || number == EPERM || number == EROFS ? SCHEDD_EPERM : SCHEDD_EFAILED;

	return schedd_error_set(
	    err, code, "store '%s': %s cannot be opened: %s", store, path, strerror(number));
}

/* Opens or makes the file; the size goes to *size. */
static int migrate_open_file(
    const char *store, const char *path, off_t *size, struct schedd_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	struct stat st;

	if (fd < 0 && errno == EISDIR)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "store '%s': %s is a directory, its path must name a file", store, path);
	if (fd < 0)
		return migrate_refuse(store, path, errno, err);
	if (fstat(fd, &st) < 0) {
		int number = errno;

		close(fd);
		return migrate_refuse(store, path, number, err);
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "store '%s': %s is no regular file", store, path);
	}
	if (file_trust(&st, path, err)) {
		close(fd);
		schedd_error_prefix(err, "store '%s'", store);
		return SCHEDD_EPERM;
	}
	*size = st.st_size;
	return fd;
}

/*
 * What lies beside the database is believed as the database is: who can put a
 * log there writes jobs. A directory where nobody takes away another's files
 * (as /tmp) is a matter of those files.
 */
static int migrate_trust_beside(
    const char *store, const char *path, const char *directory, struct schedd_error *err)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	char name[4096 + 16];
	struct stat st;
	int rc = 0;

	if (stat(directory, &st) == 0 && !(st.st_mode & S_ISVTX))
		rc = file_trust(&st, directory, err);
	for (size_t i = 0; !rc && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		if (lstat(name, &st) < 0)
			continue;
		if (S_ISLNK(st.st_mode))
			rc = schedd_error_set(err, SCHEDD_EPERM,
			    "%.200s is a link, which SQLite makes none of: remove it", name);
		else
			rc = file_trust(&st, name, err);
	}
	if (rc)
		schedd_error_prefix(err, "store '%s'", store);
	return rc;
}

/* SQLite keeps its files beside the database: the directory must let it, and nobody else. */
static int migrate_check_directory(const char *store, const char *path, struct schedd_error *err)
{
	char directory[4096];
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (!slash)
		strcpy(directory, ".");
	else if (length == 0)
		strcpy(directory, "/");
	else if (length < sizeof(directory))
		memcpy(directory, path, length), directory[length] = '\0';
	else
		return migrate_refuse(store, path, ENAMETOOLONG, err);
	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0)
		return migrate_trust_beside(store, path, directory, err);
	return schedd_error_set(err, errno == ENOENT ? SCHEDD_EFAILED : SCHEDD_EPERM,
	    "store '%s': the directory %s cannot be written: %s", store, directory,
	    strerror(errno));
}

static int migrate_check_header(
    const char *store, const char *path, const unsigned char *header, struct schedd_error *err)
{
	if (memcmp(header, "SQLite format 3", 16) == 0)
		return 0;
	return schedd_error_set(err, SCHEDD_EFILE,
	    "store '%s': %s is not a database; it is left as it is, choose another path", store,
	    path);
}

/* What the pragmas say of the database. */
struct migrate_state {
	int64_t application;
	int64_t version;
	int64_t objects; /* tables, indexes, views */
};

static int migrate_read(
    const struct sql *sql, struct migrate_state *state, struct schedd_error *err)
{
	int rc = sql_number(sql, "PRAGMA application_id", &state->application, err);

	if (rc == 0)
		rc = sql_number(sql, "PRAGMA user_version", &state->version, err);
	if (rc == 0)
		rc = sql_number(sql, "SELECT count(*) FROM sqlite_schema", &state->objects, err);
	return rc;
}

static int migrate_newer(const struct sql *sql, const char *what, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EFILE,
	    "store '%s': %s was written by a newer schedd (%s); it is left as it is, run that "
	    "version or put an older copy in its place",
	    sql->store, sql->path, what);
}

/* Columns of jobs that no field knows. */
static int migrate_check_columns(const struct sql *sql, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(sql, "SELECT name FROM pragma_table_info('jobs')", &stmt, err);

	if (rc < 0)
		return rc;
	while ((rc = sql_step(sql, stmt, err)) > 0) {
		const char *name = sql_text(stmt, 0);
		const struct job_field *field = job_fields_find(name);

		if (!field || !sql_text_stored(field)) {
			char what[80];

			sqlite3_snprintf(sizeof(what), what, "column '%.40s' of jobs", name);
			rc = migrate_newer(sql, what, err);
			break;
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int migrate_judge(const struct sql *sql, int version, struct schedd_error *err)
{
	struct migrate_state state;
	char what[40];
	int rc = migrate_read(sql, &state, err);

	if (rc < 0)
		return rc;
	if (state.objects == 0 && state.application == 0)
		return 0;
	if (state.application != SQL_TEXT_APPLICATION || state.version < 1)
		return schedd_error_set(err, SCHEDD_EFILE,
		    "store '%s': %s is a database of another program; it is left as it is, choose "
		    "another path",
		    sql->store, sql->path);
	if (state.version > version) {
		sqlite3_snprintf(sizeof(what), what, "schema %lld, known is %d",
		    (long long)state.version, version);
		return migrate_newer(sql, what, err);
	}
	return migrate_check_columns(sql, err);
}

int sql_migrate_inspect(
    struct sql *look, const char *store, const char *path, struct schedd_error *err)
{
	unsigned char header[HEADER_SIZE];
	off_t size = 0;
	int fd, rc = migrate_check_directory(store, path, err);

	look->db = NULL;
	if (rc < 0)
		return rc;
	fd = migrate_open_file(store, path, &size, err);
	if (fd < 0)
		return fd;
	if (size == 0) {
		close(fd);
		return 0;
	}
	memset(header, 0, sizeof(header));
	rc = pread(fd, header, sizeof(header), 0) < 0 ? migrate_refuse(store, path, errno, err) : 0;
	close(fd);
	if (rc == 0)
		rc = migrate_check_header(store, path, header, err);
	if (rc == 0)
		rc = sql_open(look, store, path, SQLITE_OPEN_READONLY, err);
	if (rc < 0)
		return rc;
	rc = migrate_judge(look, SQL_TEXT_VERSION, err);
	if (rc < 0)
		sql_close(look);
	return rc;
}

/* ---- Changing ---- */

static int migrate_create(const struct sql *sql, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int rc;

	strbuf_printf(&text,
	    "BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d;",
	    SQL_TEXT_APPLICATION, SQL_TEXT_VERSION);
	sql_text_jobs_table(&text);
	strbuf_add(&text, sql_text_history());
	for (const char *const *index = sql_text_indexes(); *index; index++)
		strbuf_add(&text, *index);
	strbuf_add(&text, "CREATE INDEX ");
	sql_text_jobs_index(&text);
	strbuf_add(&text, ";\n");
	strbuf_add(&text, sql_text_meta());
	strbuf_add(&text, sql_text_views());
	strbuf_add(&text, "COMMIT");
	rc =
	    strbuf_failed(&text) ? schedd_error_nomem(err) : sql_exec(sql, strbuf_peek(&text), err);
	strbuf_clear(&text);
	return rc;
}

/* Appends ALTER TABLE for each field that has no column. */
static int migrate_missing(const struct sql *sql, struct strbuf *out, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc =
	    sql_prepare(sql, "SELECT 1 FROM pragma_table_info('jobs') WHERE name = ?", &stmt, err);

	for (const struct job_field *field = job_fields(); rc == 0 && field->name; field++) {
		if (!sql_text_stored(field))
			continue;
		sql_bind_text(stmt, 1, field->name);
		rc = sql_step(sql, stmt, err);
		if (rc == 0) {
			strbuf_add(out, "ALTER TABLE jobs ADD COLUMN ");
			sql_text_column(out, field);
			strbuf_add(out, ";\n");
		} else if (rc > 0) {
			sqlite3_reset(stmt);
			rc = 0;
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* state.db.v1-20261201T093000Z beside state.db. */
static int migrate_keep_copy(
    const struct sql *sql, int64_t version, schedd_time now, struct schedd_error *err)
{
	struct strbuf path = STRBUF_EMPTY;
	struct civil civil;
	int rc;

	civil_from_seconds(now / SCHEDD_SECOND, &civil);
	strbuf_printf(&path, "%s.v%" PRId64 "-%04d%02d%02dT%02d%02d%02dZ", sql->path, version,
	    civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
	rc = strbuf_failed(&path) ? schedd_error_nomem(err)
				  : sql_backup_all(sql, strbuf_peek(&path), err);
	strbuf_clear(&path);
	/* Of this second already, by one that was killed behind it: it gets its name when it is whole. */
	if (rc == SCHEDD_ECONFLICT)
		return 0;
	if (rc < 0)
		schedd_error_prefix(err, "the copy that is kept before a migration");
	return rc;
}

int sql_migrate_steps(const struct sql *sql, const struct sql_migrate_step *steps, int version,
    schedd_time now, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	struct migrate_state state;
	int rc = migrate_read(sql, &state, err);

	if (rc == 0)
		rc = migrate_missing(sql, &text, err);
	for (; rc == 0 && steps->text; steps++)
		if (steps->version > state.version && steps->version <= version)
			strbuf_add(&text, steps->text);
	if (rc < 0 || strbuf_peek(&text)[0] == '\0')
		goto out;
	rc = migrate_keep_copy(sql, state.version, now, err);
	if (rc < 0)
		goto out;
	strbuf_add(&text, sql_text_views());
	strbuf_printf(&text, "PRAGMA user_version = %d; COMMIT", version);
	rc = sql_exec(sql, "BEGIN IMMEDIATE", err);
	if (rc == 0)
		rc = strbuf_failed(&text) ? schedd_error_nomem(err)
					  : sql_exec(sql, strbuf_peek(&text), err);
	if (rc < 0 && !sqlite3_get_autocommit(sql->db))
		sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
out:
	strbuf_clear(&text);
	return rc;
}

int sql_migrate_run(const struct sql *sql, schedd_time now, struct schedd_error *err)
{
	struct migrate_state state;
	int rc = migrate_read(sql, &state, err);

	if (rc < 0)
		return rc;
	if (state.objects == 0)
		return migrate_create(sql, err);
	rc = sql_migrate_steps(sql, migrate_steps, SQL_TEXT_VERSION, now, err);
	if (rc == 0)
		rc = sql_rekey_run(sql, err);
	return rc ? rc : sql_index_run(sql, err);
}
