/* SPDX-License-Identifier: MIT */
/*
 * The machine's own zone. The C library believes /etc/localtime, so it goes
 * before /etc/timezone; containers and half-made images have the two disagree,
 * which is reported and not an error.
 */
#include "trigger/zone_local.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trigger/zone_file.h"
#include "trigger/zone_names.h"

#define LOCALTIME "/etc/localtime"
#define TIMEZONE "/etc/timezone"

/* A search in progress. */
struct local_search {
	struct zone_cache *cache;         /* where zones come from */
	char localtime[PATH_MAX];         /* the path of /etc/localtime below the root */
	char timezone[ZONE_NAME_MAX + 1]; /* what /etc/timezone says, "" if nothing */
	char name[ZONE_NAME_MAX + 1];     /* of the zone whose file equals /etc/localtime */
};

static void origin_set(struct zone_local *out, const char *origin)
{
	snprintf(out->origin, sizeof(out->origin), "%s", origin);
}

/* The name in a path of the database: below its directory, or below any ".../zoneinfo/". */
static const char *name_in_path(const struct local_search *search, const char *path)
{
	const char *directory = zone_cache_directory(search->cache);
	size_t length = strlen(directory);
	const char *name = NULL, *found;

	if (strncmp(path, directory, length) == 0 && path[length] == '/')
		name = path + length + 1;
	else if ((found = strstr(path, "/zoneinfo/")))
		name = found + strlen("/zoneinfo/");
	if (name && strncmp(name, "posix/", 6) == 0)
		name += 6;
	return name && zone_names_valid(name) ? name : NULL;
}

/* Does the database's file of that name equal /etc/localtime? */
static bool same_as_localtime(void *context, const char *name)
{
	struct local_search *search = context;
	char path[PATH_MAX];
	int length =
	    snprintf(path, sizeof(path), "%s/%s", zone_cache_directory(search->cache), name);

	if (length < 0 || (size_t)length >= sizeof(path) || strlen(name) > ZONE_NAME_MAX ||
	    !zone_names_valid(name) || !zone_file_same(search->localtime, path))
		return false;
	memcpy(search->name, name, strlen(name) + 1);
	return true;
}

/* zone1970.tab lists one name for each zone: no aliases, so it goes before a walk. */
static bool same_in_table(struct local_search *search)
{
	char path[PATH_MAX], line[512];
	bool found = false;
	FILE *table;

	snprintf(path, sizeof(path), "%s/zone1970.tab", zone_cache_directory(search->cache));
	table = fopen(path, "re");
	if (!table)
		return false;
	while (!found && fgets(line, sizeof(line), table)) {
		char *rest = line, *name;

		if (line[0] == '#' || !strsep(&rest, "\t\n") || !strsep(&rest, "\t\n"))
			continue;
		name = strsep(&rest, "\t\n");
		found = name && same_as_localtime(search, name);
	}
	fclose(table);
	return found;
}

/* /etc/localtime is a copy: which zone of the database is it? */
static bool find_copied(struct local_search *search)
{
	if (search->timezone[0] && same_as_localtime(search, search->timezone))
		return true;
	if (same_as_localtime(search, "Etc/UTC") || same_in_table(search))
		return true;
	zone_names_walk(zone_cache_directory(search->cache), same_as_localtime, search);
	return search->name[0] != '\0';
}

/* The zone of /etc/localtime; NULL: there is none that can be used. */
static const struct zone *find_localtime(struct local_search *search)
{
	const struct zone *zone = NULL;
	char target[PATH_MAX];
	ssize_t length = readlink(search->localtime, target, sizeof(target) - 1);
	const char *name = NULL;

	if (length > 0) {
		target[length] = '\0';
		name = name_in_path(search, target);
	}
	if (name && zone_cache_get(search->cache, name, &zone, NULL) == 0)
		return zone;
	if (access(search->localtime, R_OK) < 0)
		return NULL;
	if (find_copied(search) && zone_cache_get(search->cache, search->name, &zone, NULL) == 0)
		return zone;
	if (zone_cache_get_file(search->cache, "localtime", search->localtime, &zone, NULL) == 0)
		return zone;
	return NULL;
}

/* The first word of the file, "" if there is none. */
static void read_timezone(const char *root, char *out, size_t size)
{
	char path[PATH_MAX], line[256] = "";
	const char *name;
	FILE *file;

	snprintf(path, sizeof(path), "%s" TIMEZONE, root);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	name = line + strspn(line, " \t");
	snprintf(out, size, "%.*s", (int)strcspn(name, " \t\r\n#"), name);
}

static int find_files(struct local_search *search, const char *root, struct zone_local *out)
{
	const struct zone *zone = NULL;

	snprintf(search->localtime, sizeof(search->localtime), "%s" LOCALTIME, root);
	read_timezone(root, search->timezone, sizeof(search->timezone));
	if (search->timezone[0] && zone_cache_get(search->cache, search->timezone, &zone, NULL) < 0)
		snprintf(out->conflict, sizeof(out->conflict),
		    TIMEZONE " says '%.64s', which is no time zone", search->timezone);
	out->zone = find_localtime(search);
	if (out->zone) {
		origin_set(out, LOCALTIME);
		if (zone && !zone_equal(zone, out->zone))
			snprintf(out->conflict, sizeof(out->conflict), TIMEZONE " says %.96s",
			    zone_name(zone));
		return 0;
	}
	if (access(search->localtime, F_OK) == 0)
		snprintf(out->conflict, sizeof(out->conflict), LOCALTIME " cannot be used");
	origin_set(out, zone ? TIMEZONE : "default");
	out->zone = zone ? zone : zone_utc();
	return 0;
}

/* ":Europe/Berlin", a path in the database or elsewhere, a name, or a POSIX TZ string. */
static int find_tz(
    struct local_search *search, const char *tz, const struct zone **out, struct schedd_error *err)
{
	const char *name = *tz == ':' ? tz + 1 : tz;
	int status;

	if (*name == '\0') {
		*out = zone_utc();
		return 0;
	}
	if (*name == '/') {
		const char *inside = name_in_path(search, name);

		if (inside && zone_cache_get(search->cache, inside, out, NULL) == 0)
			return 0;
		return zone_cache_get_file(search->cache, name, name, out, err);
	}
	status = zone_cache_get(search->cache, name, out, err);
	if (status == SCHEDD_EINVAL && *tz != ':' && strpbrk(name, "0123456789") &&
	    zone_cache_get_posix(search->cache, name, out, NULL) == 0)
		return 0;
	return status;
}

int zone_local_find(struct zone_cache *cache, const char *configured, const char *tz,
    const char *root, struct zone_local *out, struct schedd_error *err)
{
	struct local_search search = {.cache = cache};
	int status;

	*out = (struct zone_local){.zone = NULL};
	if (configured && *configured) {
		origin_set(out, "config");
		return zone_cache_get(cache, configured, &out->zone, err);
	}
	if (!tz)
		return find_files(&search, root, out);
	origin_set(out, "TZ");
	if (strcmp(tz, LOCALTIME) == 0 || strcmp(tz, ":" LOCALTIME) == 0) {
		status = find_files(&search, root, out);
		origin_set(out, "TZ");
		return status;
	}
	status = find_tz(&search, tz, &out->zone, err);
	if (status == SCHEDD_EINVAL)
		schedd_error_prefix(err, "the environment variable TZ");
	return status;
}
