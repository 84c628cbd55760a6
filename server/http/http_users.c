/* SPDX-License-Identifier: MIT */
#include "server/http/http_users.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/slow_ask.h"
#include "base/strbuf.h"
#include "base/text_file.h"
#include "model/job.h"
#include "server/http/http_sha256.h"

#define HTTP_USERS_MAX (1 << 20) /* bytes of a file */

static const char *const http_roles[] = {"user", "operator", "admin", NULL};

int http_users_role(const char *role, struct schedd_error *err)
{
	for (const char *const *name = http_roles; *name; name++) {
		if (strcmp(*name, role) == 0)
			return 0;
	}
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "'%.32s' is no role: user, operator or admin", role);
}

static void http_users_stamp(const struct stat *st, int64_t stamp[4])
{
	stamp[0] = (int64_t)st->st_dev;
	stamp[1] = (int64_t)st->st_ino;
	stamp[2] = (int64_t)st->st_size;
	stamp[3] = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

void http_users_mark(struct http_users *users, const char *path)
{
	struct stat st;

	memset(users->stamp, 0, sizeof(users->stamp));
	if (path && stat(path, &st) == 0)
		http_users_stamp(&st, users->stamp);
}

bool http_users_changed(const struct http_users *users, const char *path)
{
	int64_t stamp[4] = {0};
	struct stat st;

	if (path && stat(path, &st) == 0)
		http_users_stamp(&st, stamp);
	return memcmp(stamp, users->stamp, sizeof(stamp)) != 0;
}

void http_users_clear(struct http_users *users)
{
	arena_clear(&users->arena);
	free(users->items);
	*users = (struct http_users){0};
	arena_init(&users->arena);
}

const struct http_user *http_users_find(const struct http_users *users, const char *name)
{
	for (size_t i = 0; i < users->count; i++) {
		if (strcmp(users->items[i].identity.name, name) == 0)
			return &users->items[i];
	}
	return NULL;
}

/* ---- Reading ---- */

/* Splits in place; -1: more than max. */
static int http_users_split(char *line, char separator, char **fields, int max)
{
	int count = 0;

	for (;;) {
		if (separator == ' ')
			line += strspn(line, " \t");
		if (separator == ' ' && !*line)
			return count;
		if (count == max)
			return -1;
		fields[count++] = line;
		line += separator == ' ' ? strcspn(line, " \t") : strcspn(line, ":");
		if (!*line)
			return count;
		*line++ = '\0';
	}
}

static int http_users_check_hash(const char *hash, bool passwords, struct schedd_error *err)
{
	if (!passwords && strlen(hash) == HTTP_SHA256_HEX - 1 &&
	    strspn(hash, "0123456789abcdef") == HTTP_SHA256_HEX - 1)
		return 0;
	if (passwords && (strncmp(hash, "$2", 2) == 0 || strncmp(hash, "$6$", 3) == 0 ||
			     strncmp(hash, "$y$", 3) == 0))
		return 0;
	return schedd_error_set(err, SCHEDD_EFILE,
	    passwords ? "the hash must be bcrypt ($2y$) or SHA-512 crypt ($6$), as htpasswd -B "
			"and mkpasswd make"
		      : "the hash must be a SHA-256 in 64 lower-case hexadecimal digits");
}

static int http_users_line(
    struct http_users *users, char *line, bool passwords, struct schedd_error *err)
{
	struct http_user *user = &users->items[users->count];
	char *field[4] = {NULL};
	int count = http_users_split(line, passwords ? ':' : ' ', field, 4);
	/* NAME ROLE HASH, or NAME:HASH:ROLE. */
	const char *role = field[passwords ? 2 : 1], *hash = field[passwords ? 1 : 2];
	int rc;

	if (count < 3)
		return schedd_error_set(err, SCHEDD_EFILE,
		    passwords ? "write NAME:HASH:ROLE or NAME:HASH:ROLE:ACCOUNT; a line without "
				"a role is nobody's"
			      : "write NAME ROLE SHA-256 [ACCOUNT]");
	if (!job_id_valid(field[0]))
		return schedd_error_set(err, SCHEDD_EFILE, "'%.64s' is no name", field[0]);
	if (http_users_find(users, field[0]))
		return schedd_error_set(
		    err, SCHEDD_EFILE, "'%.64s' is there already, further up", field[0]);
	rc = http_users_role(role, err);
	if (!rc)
		rc = http_users_check_hash(hash, passwords, err);
	if (rc)
		return rc;
	if (strcmp(role, "user") == 0 && !(field[3] && field[3][0]))
		return schedd_error_set(err, SCHEDD_EFILE,
		    "the role user needs an account, whose jobs it may see and change");
	user->identity.name = arena_strdup(&users->arena, field[0]);
	user->identity.role = arena_strdup(&users->arena, role);
	user->identity.account =
	    field[3] && field[3][0] ? arena_strdup(&users->arena, field[3]) : NULL;
	user->hash = arena_strdup(&users->arena, hash);
	users->count++;
	return arena_failed(&users->arena) ? schedd_error_nomem(err) : 0;
}

static int http_users_lines(struct http_users *users, const char *path, char *text,
    bool passwords, struct schedd_error *err)
{
	int number = 0, rc = 0;
	char *line, *rest = text;

	while (!rc && (line = strsep(&rest, "\n"))) {
		struct http_user *bigger;

		number++;
		line[strcspn(line, "\r")] = '\0';
		if (!line[strspn(line, " \t")] || line[strspn(line, " \t")] == '#')
			continue;
		bigger = realloc(users->items, (users->count + 1) * sizeof(*bigger));
		if (!bigger)
			return schedd_error_nomem(err);
		users->items = bigger;
		rc = http_users_line(users, line, passwords, err);
		if (rc)
			schedd_error_prefix(err, "%s:%d", path, number);
	}
	return rc;
}

static int http_users_slurp(int fd, const char *path, char **out, int64_t stamp[4],
    struct schedd_error *err)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return schedd_error_set(err, SCHEDD_EFILE, "'%s' is no regular file", path);
	if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022))
		return schedd_error_set(err, SCHEDD_EFILE,
		    "'%s' can be written by others: chown it to schedd's user, chmod 600", path);
	if (st.st_size > HTTP_USERS_MAX)
		return schedd_error_set(err, SCHEDD_EFILE, "'%s' is larger than 1 MiB", path);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return schedd_error_nomem(err);
	n = pread(fd, text, (size_t)st.st_size, 0);
	text[n > 0 ? n : 0] = '\0';
	http_users_stamp(&st, stamp);
	*out = text;
	return 0;
}

int http_users_read(
    struct http_users *users, const char *path, bool passwords, struct schedd_error *err)
{
	struct http_users fresh = {0};
	char *text = NULL;
	int fd, rc = 0;

	arena_init(&fresh.arena);
	fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (path && fd < 0 && errno != ENOENT)
		return schedd_error_set(err, SCHEDD_EFILE, "'%s': %s", path, strerror(errno));
	if (fd >= 0)
		rc = http_users_slurp(fd, path, &text, fresh.stamp, err);
	if (fd >= 0)
		close(fd);
	if (!rc && text)
		rc = http_users_lines(&fresh, path, text, passwords, err);
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	if (rc) {
		http_users_clear(&fresh);
		return rc;
	}
	http_users_clear(users);
	*users = fresh;
	return 0;
}

/* ---- Writing ---- */

static void http_users_copy(const char *old, const char *name, struct strbuf *out)
{
	while (old && *old) {
		size_t length = strcspn(old, "\n"), word = strcspn(old, " \t\n");

		if (word != strlen(name) || strncmp(old, name, word) != 0) {
			strbuf_add_n(out, old, length);
			strbuf_add_char(out, '\n');
		}
		old += length + (old[length] == '\n');
	}
}

static int http_users_store(
    const char *path, const char *temporary, const struct strbuf *text, struct schedd_error *err)
{
	char parent[PATH_MAX];
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), directory;
	bool fine = fd >= 0 && write(fd, strbuf_peek(text), text->length) == (ssize_t)text->length &&
		    fsync(fd) == 0;
	int fault = errno;

	if (fd >= 0)
		close(fd);
	if (fine && rename(temporary, path) < 0) {
		fine = false;
		fault = errno;
	}
	if (!fine) {
		if (fd >= 0)
			unlink(temporary);
		return schedd_error_set(err, SCHEDD_EFAILED, "'%s': %s", path, strerror(fault));
	}
	snprintf(parent, sizeof(parent), "%s", path);
	directory = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0) {
		fine = fsync(directory) == 0;
		close(directory);
	}
	return 0;
}

static int http_users_put(
    const char *path, const char *name, const char *line, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	char temporary[PATH_MAX], *old = NULL;
	int64_t stamp[4];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;

	if (fd < 0 && errno != ENOENT)
		return schedd_error_set(err, SCHEDD_EFAILED, "'%s': %s", path, strerror(errno));
	if (fd >= 0) {
		rc = http_users_slurp(fd, path, &old, stamp, err);
		close(fd);
	}
	http_users_copy(old, name, &text);
	free(old);
	if (line)
		strbuf_printf(&text, "%s\n", line);
	if (!rc && strbuf_failed(&text))
		rc = schedd_error_nomem(err);
	if (!rc && snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		rc = schedd_error_set(err, SCHEDD_EFAILED, "'%s': the path is too long", path);
	if (!rc) {
		unlink(temporary); /* of a schedd that died in between */
		rc = http_users_store(path, temporary, &text, err);
	}
	strbuf_clear(&text);
	return rc;
}

/* What is written, on another thread; it outlives its request if it must. */
struct http_users_change {
	char *path, *name, *line;
	struct schedd_error err;
	int rc;
};

/* One that a disk holds up is not overtaken. */
static atomic_bool http_users_writing;

static void http_users_act(void *context)
{
	struct http_users_change *change = context;

	change->rc = http_users_put(change->path, change->name, change->line, &change->err);
	atomic_store(&http_users_writing, false);
}

static void http_users_drop(void *context)
{
	struct http_users_change *change = context;

	free(change->path);
	free(change->name);
	free(change->line);
	free(change);
}

int http_users_write(const char *path, const char *name, const char *line, struct schedd_error *err)
{
	struct http_users_change *change = calloc(1, sizeof(*change));
	int rc;

	if (change) {
		change->path = strdup(path);
		change->name = strdup(name);
		change->line = line ? strdup(line) : NULL;
	}
	if (!change || !change->path || !change->name || (line && !change->line)) {
		if (change)
			http_users_drop(change);
		return schedd_error_nomem(err);
	}
	if (atomic_exchange(&http_users_writing, true)) {
		http_users_drop(change);
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "'%s': the disk has not taken the last change yet: try again", path);
	}
	if (!slow_do(http_users_act, http_users_drop, change))
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "'%s': the disk does not answer: look later whether the change is there", path);
	rc = change->rc;
	if (rc)
		*err = change->err;
	http_users_drop(change);
	return rc;
}
