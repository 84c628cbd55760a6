/* SPDX-License-Identifier: MIT */
#include "base/json_exact.h"

#include <criterion/criterion.h>
#include <string.h>

static void both_ways(struct arena *arena, const struct value *value, const char *json)
{
	struct strbuf out = STRBUF_EMPTY;
	struct schedd_error err = {0};
	struct value back;

	json_exact_write(&out, value);
	cr_assert_str_eq(strbuf_peek(&out), json);
	cr_assert_eq(json_exact_parse(out.data, out.length, arena, &back, &err), 0, "%s", err.message);
	cr_assert(value_equal(&back, value), "%s", json);
	strbuf_clear(&out);
}

Test(json_exact, gives_bytes_back)
{
	struct value list = value_array(), map = value_map();
	struct arena arena;

	arena_init(&arena);
	value_append(&arena, &list, value_string(&arena, "b\xff"));
	value_append(&arena, &list, value_string_n(&arena, "\0\x80", 2));
	value_append(&arena, &list, value_string(&arena, "\xc3\xa9"));
	value_put(&arena, &map, "a", list);
	value_put(&arena, &map, "b", value_int(1));
	both_ways(&arena, &map,
	    "{\"a\":[{\"!!binary\":\"Yv8=\"},{\"!!binary\":\"AIA=\"},\"\xc3\xa9\"],\"b\":1}");
	arena_clear(&arena);
}

Test(json_exact, lets_no_map_be_taken_for_bytes)
{
	struct value map = value_map(), more = value_map(), two = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &map, "!!binary", value_string_ref("Yv8="));
	both_ways(&arena, &map, "{\"!!!binary\":\"Yv8=\"}");
	value_put(&arena, &more, "!!!binary", map);
	both_ways(&arena, &more, "{\"!!!!binary\":{\"!!!binary\":\"Yv8=\"}}");
	value_put(&arena, &two, "!!binary", value_string_ref("Yv8="));
	value_put(&arena, &two, "x", value_nil());
	both_ways(&arena, &two, "{\"!!binary\":\"Yv8=\",\"x\":null}");
	arena_clear(&arena);
}

Test(json_exact, refuses_what_stands_for_nothing)
{
	static const char *const wrong[] = {"{\"!!binary\":1}", "[{\"!!binary\":\"*\"}]"};
	struct schedd_error err;
	struct value value, out;
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(json_exact_parse(wrong[i], strlen(wrong[i]), &arena, &value, &err),
		    SCHEDD_EINVAL);
		cr_assert(strstr(err.message, "!!binary"), "%s", err.message);
	}
	value = value_map();
	value_put(&arena, &value, "\xff", value_nil());
	cr_assert_eq(json_exact_wrap(&value, &arena, &out, &err), SCHEDD_EINVAL);
	arena_clear(&arena);
}
