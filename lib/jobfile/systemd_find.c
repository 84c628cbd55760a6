/* SPDX-License-Identifier: MIT */
/* Names first, then directories: the first file of a name that is found hides all further ones. */
#include "jobfile/systemd_find.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIND_DIRECTORIES 24
#define FIND_DROPS_MAX 1024
#define FIND_LINKS_MAX 8

struct finder {
	struct arena *arena;
	const char *directories[FIND_DIRECTORIES];
	size_t directory_count;
	struct systemd_found *found;
	struct schedd_error *err;
};

static const char *find_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- Directories ---- */

static void find_add(struct finder *finder, const char *directory)
{
	for (size_t i = 0; i < finder->directory_count; i++)
		if (strcmp(finder->directories[i], directory) == 0)
			return;
	if (*directory && finder->directory_count < FIND_DIRECTORIES)
		finder->directories[finder->directory_count++] = directory;
}

/* The directories of a list with ':' between; true: it ends with one, so that more follow. */
static bool find_add_list(struct finder *finder, const char *list)
{
	while (*list) {
		size_t length = strcspn(list, ":");
		const char *directory = arena_strndup(finder->arena, list, length);

		if (directory)
			find_add(finder, directory);
		list += length;
		if (*list == ':' && !*++list)
			return true;
	}
	return false;
}

/* The directories that systemd looks into, in its order. */
static void find_add_all(struct finder *finder, bool user)
{
	static const char *const system[] = {"/etc/systemd/system.control",
	    "/run/systemd/system.control", "/run/systemd/transient", "/etc/systemd/system",
	    "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
	    "/lib/systemd/system"};
	static const char *const users[] = {"/etc/systemd/user", "/run/systemd/user",
	    "/usr/local/lib/systemd/user", "/usr/lib/systemd/user", "/lib/systemd/user"};
	const char *path = getenv("SYSTEMD_UNIT_PATH"), *home = getenv("HOME");

	if (path && *path && !find_add_list(finder, path))
		return;
	if (user && home) {
		const char *own = arena_printf(finder->arena, "%s/.config/systemd/user", home);

		if (own)
			find_add(finder, own);
	}
	for (size_t i = 0; i < (user ? sizeof(users) : sizeof(system)) / sizeof(users[0]); i++)
		find_add(finder, user ? users[i] : system[i]);
}

/* A directory of none of them is looked into before all of them. */
static void find_add_near(struct finder *finder, const char *near)
{
	size_t count = finder->directory_count;

	find_add(finder, near);
	if (finder->directory_count == count)
		return;
	memmove(finder->directories + 1, finder->directories, count * sizeof(*finder->directories));
	finder->directories[0] = near;
}

/* ---- The unit's own file ---- */

/* "backup@.service" of "backup@home.service"; NULL: it has no instance. */
static const char *find_template(struct arena *arena, const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');

	return at && dot && dot > at + 1
		   ? arena_printf(arena, "%.*s%s", (int)(at + 1 - name), name, dot)
		   : NULL;
}

/* The name that a link to target gives the unit called name. */
static const char *find_alias(struct arena *arena, const char *name, const char *target)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.'), *base = find_base(target);
	const char *other = strchr(base, '@'), *end = strrchr(base, '.');
	const char *template = find_template(arena, name);

	if (!dot || !end || strcmp(dot, end) != 0 || (template && strcmp(template, base) == 0))
		return name;
	/* A template's alias takes over the instance. */
	if (at && other && end == other + 1)
		return arena_printf(arena, "%.*s%.*s%s", (int)(other + 1 - base), base,
		    (int)(dot - at - 1), at + 1, end);
	return base;
}

/* Is the directory of the path one of those that units are looked for in? */
static bool find_is_inside(const struct finder *finder, const char *path)
{
	size_t length = (size_t)(find_base(path) - path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	for (size_t i = 0; i < finder->directory_count; i++)
		if (strlen(finder->directories[i]) == length &&
		    strncmp(finder->directories[i], path, length) == 0)
			return true;
	return false;
}

static const char *find_directory(struct arena *arena, const char *path)
{
	const char *base = find_base(path);

	return base == path ? "."
			    : arena_strndup(arena, path, (size_t)(base - path - (base > path + 1)));
}

/* Follows links that are there to give a unit another name. */
static int find_follow(struct finder *finder, const char *path)
{
	struct systemd_name *name = &finder->found->name;

	name->path = path;
	for (int i = 0; i < FIND_LINKS_MAX; i++) {
		char text[4096];
		ssize_t length = readlink(path, text, sizeof(text) - 1);
		const char *directory;

		if (length < 0)
			return 0;
		text[length] = '\0';
		directory = find_directory(finder->arena, path);
		path = text[0] == '/' ? arena_strdup(finder->arena, text)
				      : arena_printf(finder->arena, "%s/%s", directory, text);
		if (!path || !directory)
			return schedd_error_nomem(finder->err);
		if (find_is_inside(finder, path) || text[0] != '/')
			name->unit = find_alias(finder->arena, name->unit, path);
		find_add(finder, find_directory(finder->arena, path));
	}
	return 0;
}

/* Is there a file that says something? A mask is an empty one, or a link to /dev/null. */
static int find_check(struct finder *finder, const char *path)
{
	const char *name = finder->found->name.unit, *dot = strrchr(name, '.');
	struct stat status;

	if (stat(path, &status) < 0)
		return schedd_error_set(
		    finder->err, SCHEDD_EFILE, "cannot read %.200s: %s", path, strerror(errno));
	if (S_ISCHR(status.st_mode) || (S_ISREG(status.st_mode) && status.st_size == 0))
		return schedd_error_set(finder->err, SCHEDD_EFILE, "%.200s is masked", path);
	if (dot && dot > name && dot[-1] == '@')
		return schedd_error_set(finder->err, SCHEDD_EFILE,
		    "%.200s is a template: name an instance, as in %.*sNAME%s", path,
		    (int)(dot - name), name, dot);
	return 0;
}

/* The path of a unit of that name; NULL: there is none. */
static const char *find_file(struct finder *finder, const char *name)
{
	const char *names[] = {name, find_template(finder->arena, name)};

	for (size_t n = 0; n < 2 && names[n]; n++)
		for (size_t i = 0; i < finder->directory_count; i++) {
			const char *path =
			    arena_printf(finder->arena, "%s/%s", finder->directories[i], names[n]);
			struct stat status;

			if (path && lstat(path, &status) == 0)
				return path;
		}
	return NULL;
}

/* ---- What is dropped in ---- */

/* A file of that name in the directory, unless one is known already; in the order of names. */
static void find_drop(struct finder *finder, const char *directory, const char *name)
{
	struct systemd_found *found = finder->found;
	size_t length = strlen(name);
	uint32_t at = 0;

	if (length < 6 || name[0] == '.' || strcmp(name + length - 5, ".conf") != 0)
		return;
	while (at < found->drop_count && strcmp(find_base(found->drops[at]), name) < 0)
		at++;
	if (found->drop_count == FIND_DROPS_MAX ||
	    (at < found->drop_count && strcmp(find_base(found->drops[at]), name) == 0))
		return;
	memmove(found->drops + at + 1, found->drops + at,
	    (found->drop_count - at) * sizeof(*found->drops));
	found->drops[at] = arena_printf(finder->arena, "%s/%s", directory, name);
	found->drop_count += found->drops[at] != NULL;
}

static void find_drops_of(struct finder *finder, const char *name)
{
	for (size_t i = 0; name && i < finder->directory_count; i++) {
		const char *path =
		    arena_printf(finder->arena, "%s/%s.d", finder->directories[i], name);
		DIR *directory = path ? opendir(path) : NULL;
		const struct dirent *entry;

		while (directory && (entry = readdir(directory)))
			find_drop(finder, path, entry->d_name);
		if (directory)
			closedir(directory);
	}
}

/* The most special name first: the unit, its template, what both begin with, the kind. */
static int find_drops(struct finder *finder)
{
	const char *name = finder->found->name.unit, *dot = strrchr(name, '.');
	const char *end = strchr(name, '@');

	finder->found->drops =
	    arena_alloc(finder->arena, (FIND_DROPS_MAX + 1) * sizeof(*finder->found->drops));
	if (!finder->found->drops || !dot)
		return schedd_error_nomem(finder->err);
	find_drops_of(finder, name);
	find_drops_of(finder, find_template(finder->arena, name));
	end = end ? end : dot;
	while (end > name + 1) {
		end--;
		if (*end == '-')
			find_drops_of(finder, arena_printf(finder->arena, "%.*s%s",
						  (int)(end + 1 - name), name, dot));
	}
	find_drops_of(finder, dot + 1);
	return 0;
}

int systemd_find(const char *path, const char *near, struct arena *arena, struct systemd_found *out,
    struct schedd_error *err)
{
	struct finder finder = {.arena = arena, .found = out, .err = err};
	bool bare = !strchr(path, '/');
	struct stat status;
	const char *file = path;
	int rc;

	memset(out, 0, sizeof(*out));
	out->name.unit = find_base(path);
	if (!strrchr(out->name.unit, '.'))
		return schedd_error_set(err, SCHEDD_EFILE, "'%.200s' is no unit's name", path);
	if (!near)
		near = find_directory(arena, path);
	out->name.user = near && strstr(near, "/systemd/user") != NULL;
	find_add_all(&finder, out->name.user);
	if (near)
		find_add_near(&finder, near);
	/* A bare name may be a file here, or a unit; a path may be of an instance of a template. */
	if (bare || lstat(path, &status) < 0)
		file = find_file(&finder, out->name.unit);
	if (!file)
		return schedd_error_set(
		    err, SCHEDD_EFILE, "cannot read %.200s: %s", path, strerror(ENOENT));
	rc = find_follow(&finder, file);
	if (!rc)
		rc = find_check(&finder, file);
	return rc ? rc : find_drops(&finder);
}
