/* SPDX-License-Identifier: MIT */
#include "cmd/apscheduler_url.h"

#include <criterion/criterion.h>

static struct arena arena;

static struct apscheduler_url parsed(const char *text)
{
	struct apscheduler_url url;
	struct schedd_error err;

	cr_assert_eq(apscheduler_url_parse(text, &arena, &url, &err), 0, "%s", text);
	return url;
}

Test(apscheduler_url, takes_urls_apart)
{
	struct apscheduler_url url = parsed("mysql+pymysql://us%40er:p%3aw@db.example:3307/app?charset=utf8&unix_socket=%2Frun%2Fs");

	cr_assert_str_eq(url.scheme, "mysql");
	cr_assert_str_eq(url.user, "us@er");
	cr_assert_str_eq(url.password, "p:w");
	cr_assert_str_eq(url.host, "db.example");
	cr_assert_str_eq(url.port, "3307");
	cr_assert_str_eq(url.path, "app");
	cr_assert_str_eq(apscheduler_url_option(&url, "unix_socket", &arena), "/run/s");
	cr_assert_null(apscheduler_url_option(&url, "socket", &arena));
	url = parsed("redis://:secret@[::1]:6380/2");
	cr_assert_null(url.user);
	cr_assert_str_eq(url.password, "secret");
	cr_assert_str_eq(url.host, "::1");
	cr_assert_str_eq(url.port, "6380");
	cr_assert_str_eq(url.path, "2");
	url = parsed("sqlite:////srv/a%20b.db");
	cr_assert_null(url.host);
	cr_assert_str_eq(url.path, "/srv/a b.db");
	url = parsed("sqlite:///jobs.db");
	cr_assert_str_eq(url.path, "jobs.db");
	url = parsed("sqlite://");
	cr_assert_null(url.path);
	url = parsed("unix:///run/redis.sock?db=2");
	cr_assert_str_eq(url.path, "run/redis.sock");
	cr_assert_str_eq(apscheduler_url_option(&url, "db", &arena), "2");
	arena_clear(&arena);
}

Test(apscheduler_url, leaves_percent_signs_that_are_none)
{
	struct apscheduler_url url = parsed("redis://a%zz:%4@h%/%00x");

	cr_assert_str_eq(url.user, "a%zz");
	cr_assert_str_eq(url.password, "%4");
	cr_assert_str_eq(url.host, "h%");
	cr_assert_str_eq(url.path, "%00x");
	arena_clear(&arena);
}

Test(apscheduler_url, refuses_what_is_no_url)
{
	struct apscheduler_url url;
	struct schedd_error err;

	cr_assert_eq(apscheduler_url_parse("jobs.db", &arena, &url, &err), SCHEDD_EINVAL);
	cr_assert_eq(apscheduler_url_parse("://x", &arena, &url, &err), SCHEDD_EINVAL);
	arena_clear(&arena);
}
