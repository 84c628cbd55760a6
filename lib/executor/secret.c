/* SPDX-License-Identifier: MIT */
#include "executor/secret.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include "executor/spawn_secret.h"

#define SECRET_NAME "schedd-secrets-"

static const char *const secret_places[] = {"/dev/shm", "/tmp"};

static int secret_directory(struct secret_set *set, const char *name, struct schedd_error *err)
{
	const char *place = secret_places[0];
	char invented[sizeof(SECRET_NAME) + 16];
	uint64_t random;

	if (access(place, W_OK | X_OK) < 0)
		place = secret_places[1];
	if (!name && getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "cannot make a directory for secrets: %s", strerror(errno));
	if (!name)
		snprintf(invented, sizeof(invented), SECRET_NAME "%016" PRIx64, random);
	snprintf(set->directory, sizeof(set->directory), "%s/%s", place, name ? name : invented);
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
	else if (S_ISREG(st.st_mode) && st.st_size > SPAWN_SECRET_MAX)
		rc = EFBIG;
	else if (S_ISFIFO(st.st_mode))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "secret %s: %s: it is a pipe, and must be a file", secret->name, secret->text);
	if (rc == 0)
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "secret %s: %s: %s; schedd must be able to read that file",
	    secret->name, secret->text, strerror(rc));
}

int secret_set_plan(struct secret_set *set, const struct job_pairs *secrets, const char *place,
    struct schedd_error *err)
{
	int rc;

	memset(set, 0, sizeof(*set));
	if (secrets->count == 0)
		return 0;
	set->files.items = calloc(secrets->count, sizeof(*set->files.items));
	if (!set->files.items)
		return schedd_error_nomem(err);
	rc = secret_directory(set, place, err);
	for (uint32_t i = 0; rc == 0 && i < secrets->count; i++) {
		struct job_pair *item = &set->files.items[set->files.count++];
		const char *name = secrets->items[i].name;

		if (strchr(name, '/')) {
			rc = schedd_error_set(err, SCHEDD_EFAILED, "secret %s: %s: %s", name,
			    secrets->items[i].text, strerror(EINVAL));
			break;
		}
		item->name = strdup(name);
		if (asprintf(&item->text, "%s/%s", set->directory, name) < 0)
			item->text = NULL;
		if (!item->name || !item->text)
			rc = schedd_error_nomem(err);
	}
	return rc;
}

const struct spawn_secret *secret_set_copies(
    const struct secret_set *set, const struct job_pairs *secrets, struct arena *arena)
{
	struct spawn_secret *copies = arena_alloc(arena, (secrets->count + 1) * sizeof(*copies));

	for (uint32_t i = 0; copies && i < secrets->count; i++)
		copies[i] = (struct spawn_secret){secrets->items[i].text, set->files.items[i].text};
	return copies;
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

/* ---- What was left behind ---- */

static void secret_place_empty(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	struct stat st;
	DIR *directory;

	if (fd < 0)
		return;
	directory = fstat(fd, &st) == 0 && st.st_uid == geteuid() ? fdopendir(fd) : NULL;
	if (!directory) {
		close(fd);
		return;
	}
	while ((entry = readdir(directory)))
		(void)unlinkat(fd, entry->d_name, 0);
	closedir(directory);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

void secret_place_remove(const char *place)
{
	for (size_t i = 0; i < sizeof(secret_places) / sizeof(secret_places[0]); i++) {
		int parent = open(secret_places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (parent < 0)
			continue;
		secret_place_empty(parent, place);
		close(parent);
	}
}

void secret_place_sweep(
    const char *prefix, bool (*keep)(const char *place, void *context), void *context)
{
	for (size_t i = 0; i < sizeof(secret_places) / sizeof(secret_places[0]); i++) {
		DIR *directory = opendir(secret_places[i]);
		struct dirent *entry;

		while (directory && (entry = readdir(directory)))
			if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
			    !keep(entry->d_name, context))
				secret_place_empty(dirfd(directory), entry->d_name);
		if (directory)
			closedir(directory);
	}
}
