/* SPDX-License-Identifier: MIT */
#include "store/store_url.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* "scheme|user|password|hosts|path|params" or the error. */
static const char *parsed(const char *text)
{
	static char line[512];
	struct strbuf out = STRBUF_EMPTY;
	struct schedd_error err;
	struct store_url url;
	struct arena arena;

	arena_init(&arena);
	if (store_url_parse(text, &arena, &url, &err)) {
		strbuf_printf(&out, "%s", err.message);
	} else {
		strbuf_printf(&out, "%s|%s|%s|", url.scheme, url.user ? url.user : "-",
		    url.password ? url.password : "-");
		for (uint32_t i = 0; i < url.host_count; i++)
			strbuf_printf(&out, "%s%s:%u", i ? "," : "", url.hosts[i].name,
			    (unsigned)url.hosts[i].port);
		strbuf_printf(&out, "|%s|", url.path);
		for (uint32_t i = 0; i < url.param_count; i++)
			strbuf_printf(&out, "%s=%s;", url.params[i].name, url.params[i].text);
	}
	snprintf(line, sizeof(line), "%s", strbuf_peek(&out));
	strbuf_clear(&out);
	arena_clear(&arena);
	return line;
}

Test(store_url, reads_what_users_of_each_server_write)
{
	cr_expect_str_eq(parsed("postgresql://schedd@db1,db2:5433/ops?sslmode=verify-full&a=b"),
	    "postgresql|schedd|-|db1:0,db2:5433|ops|sslmode=verify-full;a=b;");
	cr_expect_str_eq(parsed("redis://:secret@host"), "redis||secret|host:0||");
	cr_expect_str_eq(
	    parsed("redis://us%40er:p%3Aa%2Fss@127.0.0.1:6379/2"), "redis|us@er|p:a/ss|127.0.0.1:6379|2|");
	cr_expect_str_eq(parsed("unix:///run/redis.sock?db=2"), "unix|-|-|:0|/run/redis.sock|db=2;");
	cr_expect_str_eq(parsed("zk1:2181,zk2:2181/schedd"), "|-|-|zk1:2181,zk2:2181|schedd|");
	cr_expect_str_eq(parsed("postgresql:///ops?host=/run/pg"), "postgresql|-|-|:0|ops|host=/run/pg;");
	cr_expect_str_eq(parsed("http://[::1]:2379,http"), "http|-|-|::1:2379,http:0||");
	cr_expect_str_eq(parsed("mysql://a:b%25@h/x"), "mysql|a|b%|h:0|x|");
}

Test(store_url, refuses_what_makes_no_sense_without_the_password)
{
	cr_expect_str_eq(parsed("redis://h:0"), "url: '0' is no port, write a number from 1 to 65535");
	cr_expect_str_eq(parsed("redis://h:70000"),
	    "url: '70000' is no port, write a number from 1 to 65535");
	cr_expect_str_eq(parsed("redis://h:x"), "url: 'x' is no port, write a number from 1 to 65535");
	cr_expect_str_eq(parsed("redis://u:s%zz@h"),
	    "url: a % must be followed by two hexadecimal digits (write %25 for the sign itself)");
	cr_expect_str_eq(parsed("redis://u:s%4@h"),
	    "url: a % must be followed by two hexadecimal digits (write %25 for the sign itself)");
	cr_expect_str_eq(parsed("redis://h/%00"),
	    "url: a % must be followed by two hexadecimal digits (write %25 for the sign itself)");
	cr_expect_str_eq(parsed("redis://a,,b"), "url: there is nothing between two commas");
	cr_expect_str_eq(parsed("redis://h/0?x"), "url: the parameter 'x' has no value, write NAME=VALUE");
	cr_expect_str_eq(parsed("redis://h/0?x=1&x=2"), "url: the parameter 'x' is there twice");
	cr_expect_str_eq(parsed("redis://[::1"), "url: an address in [ has no ]");
	cr_expect_str_eq(parsed("redis://:se/cret@h"),
	    "url: a / before the @ must be written %2F (as in a password)");
	cr_expect_str_eq(parsed("redis://a b"),
	    "url: it has a space or control character in it, write %20");
}

Test(store_url, refuses_a_parameter_that_is_not_known)
{
	static const char *const names[] = {"db", NULL};
	struct schedd_error err;
	struct store_url url;
	struct arena arena;

	arena_init(&arena);
	cr_assert_eq(store_url_parse("redis://h?db=2", &arena, &url, &err), 0);
	cr_expect_eq(store_url_check(&url, names, &err), 0);
	cr_expect_str_eq(store_url_param(&url, "db"), "2");
	cr_assert_eq(store_url_parse("redis://h?db=2&dbb=3", &arena, &url, &err), 0);
	cr_expect_eq(store_url_check(&url, names, &err), SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "url: the parameter 'dbb' is not known");
	arena_clear(&arena);
}

Test(store_url, shows_no_secret)
{
	struct strbuf out = STRBUF_EMPTY;
	struct schedd_error err;
	struct store_url url;
	struct arena arena;

	arena_init(&arena);
	cr_assert_eq(store_url_parse(
			 "redis://user:secret@[::1]:1,b/2?password=secret", &arena, &url, &err),
	    0);
	store_url_address(&url, &out);
	cr_expect_str_eq(strbuf_peek(&out), "redis://user@[::1]:1,b/2");
	strbuf_clear(&out);
	arena_clear(&arena);
}

Test(store_url, blots_secrets_out_where_they_stand)
{
	static const char *const urls[][2] = {
	    {"redis://user:secret@h:1/2", "redis://user:******@h:1/2"},
	    {"redis://:a@b@h?x=1", "redis://:***@h?x=1"},
	    {"redis://h?sslpassword=secret&db=2", "redis://h?sslpassword=******&db=2"},
	    {"redis://h:6379/2", "redis://h:6379/2"},
	    {"", ""},
	};
	char text[64];

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		strcpy(text, urls[i][0]);
		store_url_blot(text);
		cr_expect_str_eq(text, urls[i][1]);
	}
	store_url_blot(NULL);
}
