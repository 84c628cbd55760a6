/* SPDX-License-Identifier: MIT */
/*
 * The directory stays schedd's own (0711, its name random), so that a job
 * cannot put something else in its place before root removes the copies.
 */
#include "executor/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#define SECRET_NAME "/schedd-secrets-XXXXXX"

static const char *const secret_places[] = {"/dev/shm", "/tmp"};

static int secret_directory(struct secret_set *set)
{
	for (size_t i = 0; i < sizeof(secret_places) / sizeof(secret_places[0]); i++) {
		snprintf(
		    set->directory, sizeof(set->directory), "%s" SECRET_NAME, secret_places[i]);
		if (mkdtemp(set->directory))
			return chmod(set->directory, 0711) < 0 ? -errno : 0;
	}
	set->directory[0] = '\0';
	return -errno;
}

/* Copies what is left of from. 0 or -errno. */
static int secret_pour(int from, int to)
{
	char bytes[16384];
	size_t total = 0;

	for (;;) {
		ssize_t got = read(from, bytes, sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		total += (size_t)got;
		if (total > SECRET_SIZE_MAX)
			return -EFBIG;
		for (ssize_t done = 0, n; done < got; done += n) {
			n = write(to, bytes + done, (size_t)(got - done));
			if (n < 0)
				return -errno;
		}
	}
}

static int secret_copy(const char *from_path, const char *to_path, const struct account *account)
{
	/* A named pipe in its place must not hold schedd up. */
	int from = open(from_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int to, rc;

	if (from < 0)
		return -errno;
	to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	rc = to < 0 ? -errno : secret_pour(from, to);
	if (rc == 0 && account->change && fchown(to, account->uid, account->gid) < 0)
		rc = -errno;
	if (to >= 0)
		close(to);
	close(from);
	return rc;
}

static int secret_add(struct secret_set *set, const struct job_pair *secret,
    const struct account *account, struct schedd_error *err)
{
	struct job_pair *item = &set->files.items[set->files.count];
	int rc;

	item->name = strdup(secret->name);
	if (asprintf(&item->text, "%s/%s", set->directory, secret->name) < 0)
		item->text = NULL;
	set->files.count++;
	if (!item->name || !item->text)
		return schedd_error_nomem(err);
	rc = strchr(secret->name, '/') ? -EINVAL : secret_copy(secret->text, item->text, account);
	if (rc < 0)
		return schedd_error_set(err, SCHEDD_EFAILED, "secret %s: %s: %s", secret->name,
		    secret->text, strerror(-rc));
	return 0;
}

int secret_check(const struct job_pair *secret, struct schedd_error *err)
{
	struct stat st;
	int rc = 0;

	if (faccessat(AT_FDCWD, secret->text, R_OK, AT_EACCESS) < 0 || stat(secret->text, &st) < 0)
		rc = errno;
	else if (S_ISDIR(st.st_mode))
		rc = EISDIR;
	else if (S_ISREG(st.st_mode) && st.st_size > SECRET_SIZE_MAX)
		rc = EFBIG;
	if (rc == 0)
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "secret %s: %s: %s; schedd copies that file for each run and must be able to read it",
	    secret->name, secret->text, strerror(rc));
}

int secret_set_make(struct secret_set *set, const struct job_pairs *secrets,
    const struct account *account, struct schedd_error *err)
{
	int rc = 0;

	memset(set, 0, sizeof(*set));
	if (secrets->count == 0)
		return 0;
	set->files.items = calloc(secrets->count, sizeof(*set->files.items));
	if (!set->files.items)
		return schedd_error_nomem(err);
	rc = secret_directory(set);
	if (rc < 0)
		rc = schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make a directory for secrets: %s", strerror(-rc));
	for (uint32_t i = 0; rc == 0 && i < secrets->count; i++)
		rc = secret_add(set, &secrets->items[i], account, err);
	if (rc < 0)
		secret_set_remove(set);
	return rc;
}

static void secret_set_clear(struct secret_set *set)
{
	for (uint32_t i = 0; i < set->files.count; i++) {
		free(set->files.items[i].name);
		free(set->files.items[i].text);
	}
	free(set->files.items);
	memset(set, 0, sizeof(*set));
}

void secret_set_remove(struct secret_set *set)
{
	for (uint32_t i = 0; i < set->files.count; i++)
		if (set->files.items[i].text)
			unlink(set->files.items[i].text);
	if (set->directory[0])
		rmdir(set->directory);
	secret_set_clear(set);
}

struct value secret_set_release(struct secret_set *set, struct arena *arena)
{
	struct value map = value_map(), files = value_array();

	for (uint32_t i = 0; i < set->files.count; i++)
		value_append(arena, &files, value_string(arena, set->files.items[i].text));
	value_put(arena, &map, "directory", value_string(arena, set->directory));
	value_put(arena, &map, "files", files);
	secret_set_clear(set);
	return map;
}

int secret_set_resume(struct secret_set *set, const struct value *from)
{
	const char *directory = value_get_string(from, "directory");
	const struct value *files = value_get(from, "files");

	memset(set, 0, sizeof(*set));
	if (!directory || !files || files->type != VALUE_ARRAY || files->array.count == 0)
		return 0;
	snprintf(set->directory, sizeof(set->directory), "%s", directory);
	set->files.items = calloc(files->array.count, sizeof(*set->files.items));
	if (!set->files.items)
		return SCHEDD_ENOMEM;
	for (uint32_t i = 0; i < files->array.count; i++) {
		const struct value *path = &files->array.items[i];

		if (path->type == VALUE_STRING)
			set->files.items[set->files.count++].text = strdup(path->string.text);
	}
	return 0;
}
