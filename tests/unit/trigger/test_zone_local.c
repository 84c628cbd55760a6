/* SPDX-License-Identifier: MIT */
#include "trigger/zone_local.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE "/usr/share/zoneinfo/"

static struct zone_cache *cache;
static char root[] = "/tmp/schedd-zone-XXXXXX";

static void path_in_root(char *out, size_t size, const char *name)
{
	snprintf(out, size, "%s%s", root, name);
}

static void open_root(void)
{
	char etc[PATH_MAX];

	cache = zone_cache_new(DATABASE);
	cr_assert(cache);
	cr_assert(mkdtemp(root));
	path_in_root(etc, sizeof(etc), "/etc");
	cr_assert_eq(mkdir(etc, 0700), 0);
}

static void close_root(void)
{
	static const char *const names[] = {"/etc/localtime", "/etc/timezone", "/zone", "/etc", ""};
	char path[PATH_MAX];

	zone_cache_free(cache);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_in_root(path, sizeof(path), names[i]);
		remove(path);
	}
}

TestSuite(zone_local, .init = open_root, .fini = close_root);

static void link_localtime(const char *target)
{
	char path[PATH_MAX];

	path_in_root(path, sizeof(path), "/etc/localtime");
	cr_assert_eq(symlink(target, path), 0);
}

static void write_file(const char *name, const void *bytes, size_t length)
{
	char path[PATH_MAX];
	FILE *file;

	path_in_root(path, sizeof(path), name);
	file = fopen(path, "wb");
	cr_assert(file);
	cr_assert_eq(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

/* Copies a zone's file, with one byte of its abbreviations changed if it is to equal none. */
static void copy_zone(const char *zone, const char *name, bool changed)
{
	char path[PATH_MAX];
	uint8_t bytes[8192];
	uint8_t *found;
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), DATABASE "%s", zone);
	file = fopen(path, "rb");
	cr_assert(file);
	length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (found = bytes;
	     changed && (found = memmem(found, length - (size_t)(found - bytes), "CET", 3));
	     found++)
		found[0] = 'X';
	write_file(name, bytes, length);
}

static void expect_local(const char *configured, const char *tz, const char *zone,
    const char *origin, const char *conflict)
{
	struct schedd_error err = {.message = ""};
	struct zone_local local;

	cr_assert_eq(
	    zone_local_find(cache, configured, tz, root, &local, &err), 0, "%s", err.message);
	cr_expect_str_eq(zone_name(local.zone), zone);
	cr_expect_str_eq(local.origin, origin);
	cr_expect_str_eq(local.conflict, conflict);
}

Test(zone_local, is_utc_where_nothing_is_known)
{
	expect_local(NULL, NULL, "UTC", "default", "");
}

Test(zone_local, goes_by_config_then_environment_then_files)
{
	link_localtime("/usr/share/zoneinfo/Asia/Shanghai");
	write_file("/etc/timezone", "Asia/Shanghai\n", 14);
	expect_local("Europe/Berlin", "Asia/Tokyo", "Europe/Berlin", "config", "");
	expect_local("", "Asia/Tokyo", "Asia/Tokyo", "TZ", "");
	expect_local(NULL, NULL, "Asia/Shanghai", "/etc/localtime", "");
}

Test(zone_local, says_where_the_files_disagree)
{
	link_localtime("../usr/share/zoneinfo/Asia/Shanghai");
	write_file("/etc/timezone", "Etc/UTC\n", 8);
	expect_local(NULL, NULL, "Asia/Shanghai", "/etc/localtime", "/etc/timezone says Etc/UTC");
}

Test(zone_local, takes_an_alias_for_agreement)
{
	link_localtime("/usr/share/zoneinfo/Asia/Calcutta");
	write_file("/etc/timezone", "Asia/Kolkata\n", 13);
	expect_local(NULL, NULL, "Asia/Calcutta", "/etc/localtime", "");
}

Test(zone_local, finds_the_zone_a_copied_file_belongs_to)
{
	copy_zone("America/Sao_Paulo", "/etc/localtime", false);
	expect_local(NULL, NULL, "America/Sao_Paulo", "/etc/localtime", "");
}

Test(zone_local, prefers_the_name_in_etc_timezone_for_a_copied_file)
{
	copy_zone("Asia/Calcutta", "/etc/localtime", false);
	write_file("/etc/timezone", " Asia/Calcutta # set by hand\n", 29);
	expect_local(NULL, NULL, "Asia/Calcutta", "/etc/localtime", "");
}

Test(zone_local, reads_a_file_that_is_in_no_database)
{
	const struct zone *zone;

	copy_zone("Europe/Berlin", "/etc/localtime", true);
	expect_local(NULL, NULL, "localtime", "/etc/localtime", "");
	cr_assert_eq(zone_cache_get(cache, "localtime", &zone, NULL), 0);
	cr_assert_eq(zone_offset(zone, 1784103630), 7200);
}

Test(zone_local, passes_over_what_cannot_be_used)
{
	write_file("/etc/localtime", "TZif2 but no more", 17);
	write_file("/etc/timezone", "Asia/Tokyo", 10);
	expect_local(NULL, NULL, "Asia/Tokyo", "/etc/timezone", "/etc/localtime cannot be used");
	write_file("/etc/timezone", "Mars/Olympus\n", 13);
	expect_local(NULL, NULL, "UTC", "default", "/etc/localtime cannot be used");
}

Test(zone_local, reads_every_form_of_the_environment_variable)
{
	char path[PATH_MAX];

	copy_zone("Europe/Berlin", "/zone", true);
	path_in_root(path, sizeof(path), "/zone");
	expect_local(NULL, "", "UTC", "TZ", "");
	expect_local(NULL, ":", "UTC", "TZ", "");
	expect_local(NULL, ":Europe/Berlin", "Europe/Berlin", "TZ", "");
	expect_local(NULL, "/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin", "TZ", "");
	expect_local(NULL, path, path, "TZ", "");
	expect_local(NULL, "EST5EDT", "EST5EDT", "TZ", "");
	expect_local(NULL, "CET-1CEST", "CET-1CEST,M3.2.0,M11.1.0", "TZ", "");
	expect_local(NULL, "CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3", "TZ", "");
	expect_local(NULL, "UTC+2", "<UTC>2", "TZ", "");
	expect_local(NULL, "<+0330>-3:30", "<+0330>-3:30", "TZ", "");
	link_localtime("/usr/share/zoneinfo/Asia/Tokyo");
	expect_local(NULL, ":/etc/localtime", "Asia/Tokyo", "TZ", "");
}

Test(zone_local, refuses_a_zone_that_was_asked_for_and_does_not_exist)
{
	static const char *const bad[] = {
	    "Europe/Berln", "/no/such/file", "CET-1CEST,M13.1.0,M1.1.0"};
	struct zone_local local;
	struct schedd_error err;

	cr_assert_eq(zone_local_find(cache, bad[0], NULL, root, &local, &err), SCHEDD_EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(
		    zone_local_find(cache, NULL, bad[i], root, &local, &err), SCHEDD_EINVAL);
		cr_expect(strstr(err.message, "TZ"), "%s", err.message);
	}
}
