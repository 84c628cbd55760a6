/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trigger/zone.h"

#define DATABASE "/usr/share/zoneinfo/"
#define SUMMER 1784103630 /* July 2026 */

static char directory[] = "/tmp/schedd-tzdir-XXXXXX";
static struct zone_cache *cache;

static void open_directory(void)
{
	cr_assert(mkdtemp(directory));
	cache = zone_cache_new(directory);
	cr_assert(cache);
}

static void close_directory(void)
{
	char path[PATH_MAX];

	zone_cache_free(cache);
	snprintf(path, sizeof(path), "%s/Here", directory);
	unlink(path);
	rmdir(directory);
}

TestSuite(zone_cache, .init = open_directory, .fini = close_directory);

/* Puts the zone's file, or its first limit bytes, in place as an update would: by renaming. */
static void install(const char *zone, size_t limit)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	uint8_t bytes[8192];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), DATABASE "%s", zone);
	file = fopen(path, "rb");
	cr_assert(file);
	length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	snprintf(fresh, sizeof(fresh), "%s/fresh", directory);
	snprintf(path, sizeof(path), "%s/Here", directory);
	file = fopen(fresh, "wb");
	cr_assert(file);
	cr_assert(fwrite(bytes, 1, length < limit ? length : limit, file));
	fclose(file);
	cr_assert_eq(rename(fresh, path), 0);
}

Test(zone_cache, notices_a_changed_file_and_only_that)
{
	const struct zone *zone, *again;

	install("Europe/Berlin", SIZE_MAX);
	cr_assert_eq(zone_cache_get(cache, "Here", &zone, NULL), 0);
	cr_assert_eq(zone_offset(zone, SUMMER), 7200);
	cr_assert_eq(zone_cache_refresh(cache), 0);
	/* Another file of the same content changes no answer. */
	install("Europe/Berlin", SIZE_MAX);
	cr_assert_eq(zone_cache_refresh(cache), 0);
	install("Asia/Tokyo", SIZE_MAX);
	cr_assert_eq(zone_offset(zone, SUMMER), 7200);
	cr_assert_eq(zone_cache_refresh(cache), 1);
	cr_assert_eq(zone_offset(zone, SUMMER), 32400);
	cr_assert_eq(zone_cache_get(cache, "here", &again, NULL), 0);
	cr_assert_eq(again, zone);
}

Test(zone_cache, keeps_what_it_knows_while_a_file_is_damaged)
{
	const struct zone *zone;
	char path[PATH_MAX];

	install("Europe/Berlin", SIZE_MAX);
	cr_assert_eq(zone_cache_get(cache, "Here", &zone, NULL), 0);
	install("Asia/Tokyo", 100);
	cr_assert_eq(zone_cache_refresh(cache), 0);
	cr_assert_eq(zone_offset(zone, SUMMER), 7200);
	snprintf(path, sizeof(path), "%s/Here", directory);
	unlink(path);
	cr_assert_eq(zone_cache_refresh(cache), 0);
	cr_assert_eq(zone_offset(zone, SUMMER), 7200);
	install("Asia/Tokyo", SIZE_MAX);
	cr_assert_eq(zone_cache_refresh(cache), 1);
	cr_assert_eq(zone_offset(zone, SUMMER), 32400);
}

Test(zone_cache, names_the_file_that_it_cannot_read)
{
	const struct zone *zone;
	struct schedd_error err;
	char path[PATH_MAX];

	install("Asia/Tokyo", 100);
	snprintf(path, sizeof(path), "%s/Here", directory);
	cr_assert_eq(zone_cache_get(cache, "Here", &zone, &err), SCHEDD_EINVAL);
	cr_expect(strstr(err.message, path), "%s", err.message);
	cr_expect(strstr(err.message, "cut short"), "%s", err.message);
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(zone_cache_get(cache, "Here", &zone, &err), SCHEDD_EINVAL);
	cr_expect(strstr(err.message, "no TZif file"), "%s", err.message);
}

Test(zone_cache, has_utc_without_a_database)
{
	struct zone_cache *none = zone_cache_new("/no/such/directory/");
	const struct zone *zone;
	struct schedd_error err;

	cr_assert_eq(zone_cache_get(none, "UTC", &zone, &err), 0);
	cr_assert_eq(zone, zone_utc());
	cr_assert_eq(zone_cache_get(none, "Europe/Berlin", &zone, &err), SCHEDD_EINVAL);
	cr_expect(
	    strstr(err.message, "no time zone database in /no/such/directory"), "%s", err.message);
	zone_cache_free(none);
}

Test(zone_cache, takes_posix_strings_with_rules_as_zones)
{
	const struct zone *zone, *again;
	struct schedd_error err;

	cr_assert_eq(zone_cache_get(cache, "CET-1CEST-2,M3.5.0/2,M10.5.0/3", &zone, &err), 0);
	cr_expect_str_eq(zone_name(zone), "CET-1CEST,M3.5.0,M10.5.0/3");
	cr_assert_eq(zone_cache_get(cache, zone_name(zone), &again, &err), 0);
	cr_expect_eq(again, zone);
	cr_expect_eq(zone_offset(zone, SUMMER), 7200);
	cr_assert_eq(zone_cache_get_posix(cache, "UTC+2", &zone, &err), 0);
	cr_expect_eq(zone_offset(zone, SUMMER), -7200);
	cr_assert_eq(zone_cache_get(cache, zone_name(zone), &again, &err), 0);
	cr_expect_eq(again, zone);
	cr_expect_eq(zone_cache_get(cache, "UTC+2", &again, &err), SCHEDD_EINVAL);
	cr_expect_eq(zone_cache_get(cache, "CET-1CEST,M3.5.0", &again, &err), SCHEDD_EINVAL);
	cr_expect(strstr(err.message, "second day of change"), "%s", err.message);
}

/* A zone that is read while its table is being replaced. */
struct reading {
	const struct zone *zone; /* Berlin or Tokyo, from one moment to the next */
	atomic_bool stop;        /* set by the main thread */
	atomic_bool wrong;       /* set by a reader */
};

static void *read_on(void *context)
{
	struct reading *reading = context;

	while (!atomic_load(&reading->stop)) {
		struct zone_span span;
		const struct zone *again;

		zone_span_at(reading->zone, SUMMER, &span);
		if (span.offset != 7200 && span.offset != 32400)
			atomic_store(&reading->wrong, true);
		if (zone_cache_get(cache, "Here", &again, NULL) < 0 || again != reading->zone)
			atomic_store(&reading->wrong, true);
	}
	return NULL;
}

Test(zone_cache, is_read_while_it_is_refreshed)
{
	struct reading reading = {.zone = NULL};
	pthread_t threads[2];

	install("Europe/Berlin", SIZE_MAX);
	cr_assert_eq(zone_cache_get(cache, "Here", &reading.zone, NULL), 0);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, read_on, &reading), 0);
	for (int i = 0; i < 50; i++) {
		install(i % 2 ? "Europe/Berlin" : "Asia/Tokyo", SIZE_MAX);
		cr_expect_eq(zone_cache_refresh(cache), 1);
	}
	atomic_store(&reading.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_expect_not(atomic_load(&reading.wrong));
}
