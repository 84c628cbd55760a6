/* SPDX-License-Identifier: MIT */
#include "proto/methods.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"

/* Checks a call whose params are JSON; the code, and the sentence in err. */
static int check(const char *method, const char *json, struct schedd_error *err)
{
	const struct method *row = methods_find(method);
	struct arena arena;
	struct value params = value_nil();
	int rc;

	cr_assert(row, "%s", method);
	memset(err, 0, sizeof(*err));
	arena_init(&arena);
	cr_assert(json_parse(json, strlen(json), &arena, &params, NULL) == 0, "%s", json);
	rc = methods_check(row, &params, err);
	arena_clear(&arena);
	return rc;
}

static void refuses(const char *method, const char *json, const char *sentence)
{
	struct schedd_error err;

	cr_expect(check(method, json, &err) == SCHEDD_EINVAL, "%s %s", method, json);
	cr_expect_str_eq(err.message, sentence);
}

static void accepts(const char *method, const char *json)
{
	struct schedd_error err;

	cr_expect(check(method, json, &err) == 0, "%s %s: %s", method, json, err.message);
}

Test(methods, takes_what_the_rows_list)
{
	accepts("server.ping", "null");
	accepts("server.ping", "{}");
	accepts("server.hello", "{\"client\":\"x 1\",\"protocol\":1}");
	accepts("job.list", "{\"patterns\":\"a*\",\"tags\":[\"k=v\"],\"limit\":5}");
	accepts("job.pause", "{\"id\":\"a\",\"for\":\"1h\"}");
	accepts("job.pause", "{\"id\":\"a\",\"for\":1.5}");
	accepts(
	    "job.add", "{\"command\":[\"true\"],\"trigger\":{\"every\":\"2s\"},\"replace\":true}");
}

Test(methods, counts_nil_as_left_out)
{
	accepts("job.list", "{\"limit\":null,\"group\":null}");
	refuses("job.get", "{\"id\":null}", "job.get: id is missing (the job)");
}

Test(methods, refuses_unknown_parameters_with_a_suggestion)
{
	refuses("job.get", "{\"idd\":\"a\",\"id\":\"b\"}",
	    "job.get: unknown parameter 'idd', did you mean 'id'?");
	refuses("job.add", "{\"comand\":[\"true\"]}",
	    "job.add: unknown parameter 'comand', did you mean 'command'?");
	refuses("server.ping", "{\"zzzzzzzz\":1}", "server.ping: unknown parameter 'zzzzzzzz'");
}

Test(methods, refuses_wrong_types)
{
	refuses("job.get", "{\"id\":5}", "job.get: id must be a string, not an integer");
	refuses("job.list", "{\"limit\":-1}",
	    "job.list: limit must be an integer, 0 or more, not -1");
	refuses("job.list", "{\"tags\":[1]}",
	    "job.list: tags must be a string or a list of strings, not a list");
	refuses("job.get", "{\"id\":\"a\\u0000b\"}", "job.get: id holds a NUL byte");
	refuses("job.get", "[1]", "job.get: params must be a map, not a list");
}

Test(methods, names_what_is_missing)
{
	refuses("job.rename", "{\"id\":\"a\"}", "job.rename: to is missing (its new id)");
}

Test(methods, knows_only_its_own)
{
	cr_expect_null(methods_find("job.ad"));
	cr_expect_null(methods_find(""));
}

/* Whom each method is for stands in the specification too: in the line of its role. */
Test(methods, have_the_roles_of_the_specification)
{
	static const char *const lines[] = {[METHOD_FOR_ADMINS] = "\n- admins: ",
	    [METHOD_FOR_OWNERS] = "\n- owners, "};
	char *text, wanted[128];
	size_t length;

	cr_assert(
	    file_read(TEST_DATA "/../../proto/PROTOCOL.md", 1 << 20, &text, &length, NULL) == 0);
	for (const struct method *row = methods_all(); row->name; row++) {
		snprintf(wanted, sizeof(wanted), "`%s`", row->name);
		for (int role = METHOD_FOR_OWNERS; role <= METHOD_FOR_ADMINS; role++) {
			const char *from = strstr(text, lines[role]);
			const char *end = from ? strstr(from, ";\n") : NULL;
			const char *at = from ? strstr(from, wanted) : NULL;

			cr_assert(end);
			cr_expect_eq(at && at < end, row->role == (enum method_role)role, "%s %s",
			    row->name, methods_role_name(row->role));
		}
	}
	free(text);
}

/* The specification is written by people: it may not forget a method or a parameter. */
Test(methods, are_all_in_the_specification)
{
	const struct method *row;
	const struct method_param *param;
	char *text, wanted[128];
	size_t length;

	cr_assert(
	    file_read(TEST_DATA "/../../proto/PROTOCOL.md", 1 << 20, &text, &length, NULL) == 0);
	for (row = methods_all(); row->name; row++) {
		snprintf(wanted, sizeof(wanted), "`%s`", row->name);
		cr_expect(strstr(text, wanted), "%s", row->name);
		for (param = row->params; param && param->name; param++) {
			if (param->type == METHOD_FIELDS)
				continue;
			snprintf(wanted, sizeof(wanted), "`%s`", param->name);
			cr_expect(strstr(text, wanted), "%s %s", row->name, param->name);
		}
	}
	free(text);
}

/* What chooses is held against each job; what names jobs to be moved may be longer. */
Test(methods, take_no_endless_list_that_chooses)
{
	struct value params = value_map(), texts = value_array();
	struct schedd_error err = {0};
	struct arena arena;

	arena_init(&arena);
	value_reserve(&arena, &texts, METHOD_TEXTS_MAX + 1);
	for (int i = 0; i < METHOD_TEXTS_MAX + 1; i++)
		value_append(&arena, &texts, value_string_ref("x"));
	value_put(&arena, &params, "patterns", texts);
	cr_assert_eq(methods_check(methods_find("job.list"), &params, &err), SCHEDD_EINVAL);
	cr_assert(strstr(err.message, "patterns: 65537 entries are more than 65536"), "%s", err.message);
	params.map.members[0].value.array.count--;
	cr_assert_eq(methods_check(methods_find("job.list"), &params, &err), 0);
	arena_clear(&arena);
}
