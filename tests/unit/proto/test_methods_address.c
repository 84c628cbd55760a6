/* SPDX-License-Identifier: MIT */
#include "proto/methods_address.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"

static void becomes(const char *method, const char *in, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;
	struct arena arena;
	struct value params;

	arena_init(&arena);
	cr_assert_eq(json_parse(in, strlen(in), &arena, &params, NULL), 0);
	methods_address(methods_find(method), &params, &arena);
	json_write(&out, &params);
	cr_assert_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
	arena_clear(&arena);
}

Test(methods_address, brings_every_way_to_name_a_run_to_one)
{
	becomes("run.get", "{\"run\":\"a/1\"}", "{\"run\":\"a/1\"}");
	becomes("run.get", "{\"id\":\"a/1\"}", "{\"run\":\"a/1\"}");
	becomes("run.get", "{\"job\":\"a\"}", "{\"run\":\"a\"}");
	becomes("run.get", "{\"job\":\"a\",\"run\":7}", "{\"run\":\"a/7\"}");
	becomes("run.wait", "{\"run\":7,\"timeout\":1,\"job\":\"a\"}",
	    "{\"run\":\"a/7\",\"timeout\":1}");
	becomes("run.list", "{\"job\":\"a\",\"limit\":3}", "{\"jobs\":\"a\",\"limit\":3}");
	becomes("run.list", "{\"id\":\"a\"}", "{\"jobs\":\"a\"}");
}

Test(methods_address, leaves_what_is_contradictory_to_be_refused)
{
	becomes("run.get", "{\"run\":\"a/1\",\"id\":\"b/2\"}", "{\"run\":\"a/1\",\"id\":\"b/2\"}");
	becomes("job.get", "{\"id\":\"a\"}", "{\"id\":\"a\"}");
	becomes("job.run", "{\"id\":\"a\"}", "{\"id\":\"a\"}");
}
