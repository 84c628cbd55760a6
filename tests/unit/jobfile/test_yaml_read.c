/* SPDX-License-Identifier: MIT */
#include "jobfile/yaml_read.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/strbuf.h"
#include "jobfile/json_read.h"
#include "jobfile/yaml_scalar.h"

static const char *text_of(struct arena *arena, const struct value *value)
{
	struct strbuf out = STRBUF_EMPTY;
	const char *text;

	json_write(&out, value);
	text = arena_strdup(arena, strbuf_peek(&out));
	strbuf_clear(&out);
	return text;
}

static void reads(const char *yaml, bool core, const char *json)
{
	struct diagnostics diagnostics;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	diagnostics_init(&diagnostics);
	cr_assert_eq(yaml_read("f", yaml, strlen(yaml), &arena, &value, &diagnostics), 0, "%s\n%s",
	    yaml, diagnostics.items[0].message);
	if (core)
		yaml_scalar_core_deep(&value);
	cr_assert_str_eq(text_of(&arena, &value), json);
	arena_clear(&arena);
	diagnostics_clear(&diagnostics);
}

Test(yaml_read, makes_every_scalar_a_string)
{
	reads("", false, "null");
	reads("# nothing\n", false, "null");
	reads("a: no\nb: 1.10\nc: '5'\nd:\n", false,
	    "{\"a\":\"no\",\"b\":\"1.10\",\"c\":\"5\",\"d\":\"\"}");
	reads("- a\n- {b: c}\n- [d, e]\n- |\n  x\n  y\n", false,
	    "[\"a\",{\"b\":\"c\"},[\"d\",\"e\"],\"x\\ny\\n\"]");
	reads("\xef\xbb\xbf"
	      "a: b\n",
	    false, "{\"a\":\"b\"}");
}

Test(yaml_scalar, types_by_the_core_schema)
{
	reads(
	    "[no, yes, on, true, False, ~, null, Null, 5, -07, +1, 0x10, 1.5, 1e3, .5, 5., 1.2.3, "
	    "'5', 'true', 99999999999999999999, .inf]",
	    true,
	    "[\"no\",\"yes\",\"on\",true,false,null,null,null,5,-7,1,\"0x10\",1.5,1000.0,0.5,5.0,"
	    "\"1.2.3\",\"5\",\"true\",\"99999999999999999999\",\".inf\"]");
	reads("a:\nb: ''\n", true, "{\"a\":null,\"b\":\"\"}");
}

/* The first diagnostic, as a person sees it. */
static void refuses(const char *yaml, const char *words)
{
	struct strbuf out = STRBUF_EMPTY;
	struct diagnostics diagnostics;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	diagnostics_init(&diagnostics);
	cr_expect_eq(yaml_read("f", yaml, strlen(yaml), &arena, &value, &diagnostics), SCHEDD_EFILE,
	    "%s", yaml);
	diagnostics_write(&diagnostics, &out);
	cr_expect(strncmp(strbuf_peek(&out), words, strlen(words)) == 0, "%s\n  %s", yaml,
	    strbuf_peek(&out));
	strbuf_clear(&out);
	arena_clear(&arena);
	diagnostics_clear(&diagnostics);
}

Test(yaml_read, says_where_and_what_to_write_instead)
{
	refuses("a: 1\nb: 2\na: 3\n", "f:3:1: 'a' is here twice, first in line 1");
	refuses("a: &x 1\n", "f:1:4: anchors");
	refuses("a: *x\n", "f:1:4: '*' begins an alias");
	refuses(
	    "cron: * * * * *\n", "f:1:7: '*' begins an alias here: put the expression in quotes");
	refuses("cron: */5 * * * *\n", "f:1:7: '*' begins an alias here: put the expression");
	refuses("a: !!int 5\n", "f:1:4: tags");
	refuses("<<: {a: 1}\n", "f:1:1: merge keys");
	refuses("? [a]\n: b\n", "f:1:3: a key must be a text");
	refuses("a: 1\n---\nb: 2\n", "f:2:1: a second document");
	refuses("a:\n\tb: 1\n", "f:2:1: a tab cannot indent");
	refuses("a: @b\n", "f:1:4: a text that begins with '@'");
	refuses("a: b: c\n", "f:1:5: a ':' is not expected here");
	refuses("a: 'b\n", "f:2:1: the file ends inside of a quoted text");
	refuses("a: 1\n b: 2\n", "f:2:3: a ':' is not expected here");
	refuses("a: [1, 2\nb: 3\n", "f:2:");
	refuses("a: \x01\n", "f:1:4: a control character");
	refuses("a: b\nc: \xff\n", "f:2:4: not UTF-8");
	refuses("\"a\\0\": b\n", "f:1:1: a NUL cannot stand in a key");
}

Test(yaml_read, bounds_depth_and_errors)
{
	struct strbuf text = STRBUF_EMPTY;
	struct diagnostics diagnostics;
	struct arena arena;
	struct value value;

	for (int i = 0; i < 40; i++)
		strbuf_add_char(&text, '[');
	refuses(strbuf_peek(&text), "f:1:33: maps and lists are nested too deep");
	strbuf_reset(&text);
	for (int i = 0; i < 100000; i++)
		strbuf_add(&text, "a: 1\n");
	arena_init(&arena);
	diagnostics_init(&diagnostics);
	cr_assert_eq(
	    yaml_read("f", text.data, text.length, &arena, &value, &diagnostics), SCHEDD_EFILE);
	cr_assert_eq(diagnostics.count, DIAGNOSTICS_MAX);
	strbuf_clear(&text);
	arena_clear(&arena);
	diagnostics_clear(&diagnostics);
}

Test(yaml_read, keeps_places_and_quotes)
{
	const char *yaml = "x: y\nlist:\n  - 'q'\n  - {k: v}\n";
	struct diagnostics diagnostics;
	const struct value *list;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	diagnostics_init(&diagnostics);
	cr_assert_eq(yaml_read("f", yaml, strlen(yaml), &arena, &value, &diagnostics), 0);
	list = value_get(&value, "list");
	cr_assert(value_get(&value, "x")->plain);
	cr_assert_eq(value_find(&value, "list")->line, 2);
	cr_assert_eq(list->array.items[0].line, 3);
	cr_assert_eq(list->array.items[0].column, 5);
	cr_assert_not(list->array.items[0].plain);
	cr_assert_eq(list->array.items[1].map.members[0].value.column, 9);
	arena_clear(&arena);
}

Test(json_read, keeps_places_too)
{
	const char *json = "{\"a\": [1, \"\\\"]\xc3\xa4\", {}, []],\n  \"b\\\\\": {\"c\": null}}\n";
	struct diagnostics diagnostics;
	const struct value *list;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	diagnostics_init(&diagnostics);
	cr_assert_eq(json_read("f", json, strlen(json), &arena, &value, &diagnostics), 0);
	list = value_get(&value, "a");
	cr_assert_eq(list->column, 7);
	cr_assert_eq(list->array.items[0].column, 8);
	cr_assert_eq(list->array.items[1].column, 11);
	cr_assert_eq(list->array.items[2].column, 19);
	cr_assert_eq(list->array.items[3].column, 23);
	cr_assert_eq(value_find(&value, "b\\")->line, 2);
	cr_assert_eq(value_find(&value, "b\\")->column, 3);
	cr_assert_eq(value_get(value_get(&value, "b\\"), "c")->column, 16);
	cr_assert_eq(json_read("f", "{\n \"a\": }", 9, &arena, &value, &diagnostics), SCHEDD_EFILE);
	cr_assert_eq(diagnostics.items[0].line, 2);
	arena_clear(&arena);
	diagnostics_clear(&diagnostics);
}
