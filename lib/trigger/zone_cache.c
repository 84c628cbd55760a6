/* SPDX-License-Identifier: MIT */
/*
 * The zones that are in use, by name. A mutex guards the map and the files'
 * stamps; whoever holds a zone reads it without. A table that was replaced is
 * kept until the cache ends, as some reader may be in it: that is a few
 * kilobytes for each change of the tz database, a handful a year.
 */
#include "trigger/zone.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/strmap.h"
#include "trigger/zone_file.h"
#include "trigger/zone_handle.h"
#include "trigger/zone_names.h"
#include "trigger/zone_posix.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"
#define POSIX_ZONES_MAX                                                                            \
	1000 /* zones live as long as the cache, and a client could send any number */

struct zone_cache {
	char *directory;       /* of the tz database, without a final slash */
	pthread_mutex_t mutex; /* guards all below, and the zones' own guarded fields */
	struct strmap zones;   /* struct zone by name, owned */
	unsigned posix_zones;  /* of them, those made of POSIX strings */
};

static const char *cache_key(const void *item)
{
	return ((const struct zone *)item)->name;
}

static void cache_zone_free(struct zone *zone)
{
	if (!zone)
		return;
	while (zone->retired) {
		struct zone_retired *retired = zone->retired;

		zone->retired = retired->next;
		free(retired->table);
		free(retired);
	}
	free((void *)atomic_load_explicit(&zone->table, memory_order_relaxed));
	free((void *)zone->name);
	free(zone->path);
	free(zone);
}

struct zone_cache *zone_cache_new(const char *directory)
{
	struct zone_cache *cache = calloc(1, sizeof(*cache));
	size_t length;

	if (!directory || !*directory)
		directory = getenv("TZDIR");
	if (!directory || !*directory)
		directory = ZONE_DIRECTORY;
	if (!cache)
		return NULL;
	cache->directory = strdup(directory);
	if (!cache->directory || pthread_mutex_init(&cache->mutex, NULL) != 0) {
		free(cache->directory);
		free(cache);
		return NULL;
	}
	length = strlen(cache->directory);
	while (length > 1 && cache->directory[length - 1] == '/')
		cache->directory[--length] = '\0';
	strmap_init(&cache->zones, cache_key);
	return cache;
}

void zone_cache_free(struct zone_cache *cache)
{
	uint32_t position = 0;
	struct zone *zone;

	if (!cache)
		return;
	while ((zone = strmap_next(&cache->zones, &position)))
		cache_zone_free(zone);
	strmap_clear(&cache->zones);
	pthread_mutex_destroy(&cache->mutex);
	free(cache->directory);
	free(cache);
}

const char *zone_cache_directory(const struct zone_cache *cache)
{
	return cache->directory;
}

/* Puts a new zone in the map. Takes over table and path (which may be NULL), also on failure. */
static int cache_put(struct zone_cache *cache, const char *name, char *path,
    struct zone_table *table, const struct zone_stamp *stamp, struct zone **out)
{
	struct zone *zone = calloc(1, sizeof(*zone));

	if (!zone) {
		free(path);
		free(table);
		return SCHEDD_ENOMEM;
	}
	atomic_init(&zone->table, table);
	zone->path = path;
	if (stamp)
		zone->stamp = *stamp;
	zone->name = strdup(name);
	if (!zone->name || strmap_put(&cache->zones, zone) < 0) {
		cache_zone_free(zone);
		return SCHEDD_ENOMEM;
	}
	*out = zone;
	return 0;
}

/* SCHEDD_ENOTFOUND (without a sentence) if there is no such file. */
static int cache_add_file(struct zone_cache *cache, const char *name, const char *path,
    struct zone **out, struct schedd_error *err)
{
	struct zone_table *table;
	struct zone_stamp stamp;
	char *copy;
	int status = zone_file_read(path, &table, &stamp, err);

	if (status < 0)
		return status;
	copy = strdup(path);
	if (!copy) {
		free(table);
		return schedd_error_nomem(err);
	}
	status = cache_put(cache, name, copy, table, &stamp, out);
	return status < 0 ? schedd_error_nomem(err) : 0;
}

/* Looks in the map, then for a file. SCHEDD_ENOTFOUND (without a sentence) if there is none. */
static int cache_find(
    struct zone_cache *cache, const char *name, struct zone **out, struct schedd_error *err)
{
	struct strbuf path = STRBUF_EMPTY;
	int status;

	*out = strmap_get(&cache->zones, name);
	if (*out)
		return 0;
	if (!zone_names_valid(name))
		return SCHEDD_ENOTFOUND;
	strbuf_printf(&path, "%s/%s", cache->directory, name);
	status = strbuf_failed(&path) ? schedd_error_nomem(err)
				      : cache_add_file(cache, name, strbuf_peek(&path), out, err);
	strbuf_clear(&path);
	return status;
}

static int cache_add_posix(
    struct zone_cache *cache, const char *text, struct zone **out, struct schedd_error *err)
{
	struct strbuf name = STRBUF_EMPTY;
	struct zone_table *table = NULL;
	struct zone_rule rule;
	int status = zone_posix_parse(text, strlen(text), &rule, err);

	if (status < 0)
		return status;
	zone_posix_format(&rule, &name);
	if (strbuf_failed(&name))
		goto out;
	*out = strmap_get(&cache->zones, strbuf_peek(&name));
	if (*out)
		goto out;
	if (cache->posix_zones >= POSIX_ZONES_MAX) {
		status = schedd_error_set(err, SCHEDD_EINVAL,
		    "time zone '%s': %d zones of this form are in use, there is no room for more",
		    text, POSIX_ZONES_MAX);
		goto out;
	}
	table = zone_table_new(0, 0);
	if (!table) {
		status = SCHEDD_ENOMEM;
		goto out;
	}
	memcpy(&table->rule, &rule, sizeof(rule));
	status = cache_put(cache, strbuf_peek(&name), NULL, table, NULL, out);
	cache->posix_zones += status == 0;
out:
	if (strbuf_failed(&name))
		status = SCHEDD_ENOMEM;
	strbuf_clear(&name);
	return status == SCHEDD_ENOMEM ? schedd_error_nomem(err) : status;
}

/* Something was typed that is no zone: say why, and what may have been meant. */
static int cache_unknown(const struct zone_cache *cache, const char *name, struct schedd_error *err)
{
	struct suggest suggest;
	const char *closest, *sign;

	if (!*name)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "the time zone is empty: write a name such as Europe/Berlin or UTC");
	if (access(cache->directory, R_OK | X_OK) < 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "unknown time zone '%.100s': there is no time zone database in %s (install the "
		    "package tzdata, or set TZDIR)",
		    name, cache->directory);
	sign = strpbrk(name, "+-");
	if (sign && sign[1] >= '0' && sign[1] <= '9')
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "unknown time zone '%.100s': write a name such as Europe/Berlin, or for a "
		    "fixed "
		    "offset Etc/GMT-2 (which is two hours ahead of UTC)",
		    name);
	suggest_init(&suggest, name);
	zone_names_suggest(cache->directory, &suggest);
	closest = suggest_result(&suggest);
	if (closest)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "unknown time zone '%.100s', did you mean '%s'?", name, closest);
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "unknown time zone '%.100s': write a name such as Europe/Berlin or UTC", name);
}

/* Finds or makes the zone of a name; the mutex is held. */
static int cache_get(
    struct zone_cache *cache, const char *name, struct zone **out, struct schedd_error *err)
{
	char spelled[ZONE_NAME_MAX + 1];
	int status = cache_find(cache, name, out, err);

	if (status != SCHEDD_ENOTFOUND)
		return status;
	if (zone_names_valid(name) && zone_names_resolve(cache->directory, name, spelled))
		status = cache_find(cache, spelled, out, err);
	else if (strlen(name) <= ZONE_NAME_MAX && (strchr(name, ',') || *name == '<'))
		status = cache_add_posix(cache, name, out, err);
	return status == SCHEDD_ENOTFOUND ? cache_unknown(cache, name, err) : status;
}

int zone_cache_get(
    struct zone_cache *cache, const char *name, const struct zone **out, struct schedd_error *err)
{
	struct zone *zone = NULL;
	int status;

	if (strcasecmp(name, "UTC") == 0) {
		*out = zone_utc();
		return 0;
	}
	pthread_mutex_lock(&cache->mutex);
	status = cache_get(cache, name, &zone, err);
	pthread_mutex_unlock(&cache->mutex);
	if (status == 0)
		*out = zone;
	return status;
}

int zone_cache_get_posix(
    struct zone_cache *cache, const char *text, const struct zone **out, struct schedd_error *err)
{
	struct zone *zone = NULL;
	int status;

	pthread_mutex_lock(&cache->mutex);
	status = cache_add_posix(cache, text, &zone, err);
	pthread_mutex_unlock(&cache->mutex);
	if (status == 0)
		*out = zone;
	return status;
}

int zone_cache_get_file(struct zone_cache *cache, const char *name, const char *path,
    const struct zone **out, struct schedd_error *err)
{
	struct zone *zone;
	int status = 0;

	pthread_mutex_lock(&cache->mutex);
	zone = strmap_get(&cache->zones, name);
	if (!zone)
		status = cache_add_file(cache, name, path, &zone, err);
	pthread_mutex_unlock(&cache->mutex);
	if (status == SCHEDD_ENOTFOUND)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s: no such file", path);
	if (status == 0)
		*out = zone;
	return status;
}

/*
 * Reads a zone again if its file has changed. A file that is gone or damaged
 * for the moment (an update is under way) leaves all as it was and is looked at
 * again the next time.
 */
static bool cache_refresh_zone(struct zone *zone)
{
	const struct zone_table *old = atomic_load_explicit(&zone->table, memory_order_relaxed);
	struct zone_retired *retired;
	struct zone_table *table;
	struct zone_stamp stamp;

	if (!zone->path || !zone_file_stamp(zone->path, &stamp) ||
	    zone_file_stamp_same(&stamp, &zone->stamp) ||
	    zone_file_read(zone->path, &table, &stamp, NULL) < 0)
		return false;
	retired = zone_table_equal(old, table) ? NULL : malloc(sizeof(*retired));
	if (!retired) {
		if (zone_table_equal(old, table))
			zone->stamp = stamp;
		free(table);
		return false;
	}
	retired->table = (struct zone_table *)old;
	retired->next = zone->retired;
	zone->retired = retired;
	zone->stamp = stamp;
	atomic_store_explicit(&zone->table, table, memory_order_release);
	return true;
}

int zone_cache_refresh(struct zone_cache *cache)
{
	uint32_t position = 0;
	struct zone *zone;
	int changed = 0;

	pthread_mutex_lock(&cache->mutex);
	while ((zone = strmap_next(&cache->zones, &position)))
		changed += cache_refresh_zone(zone);
	pthread_mutex_unlock(&cache->mutex);
	return changed;
}
