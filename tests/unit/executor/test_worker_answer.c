/* SPDX-License-Identifier: MIT */
/* What workers may answer, and what is kept of it. */
#include "executor/worker_answer.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;

/* An answer whose result is a map of one text. */
static struct task_result answered(const char *key, const char *text, size_t length)
{
	struct message message = {.type = MESSAGE_RESPONSE, .result = value_map()};

	value_put(&arena, &message.result, key, value_string_n(&arena, text, length));
	return worker_answer_read(&message, &arena);
}

Test(worker_answer, nothing_returned_is_nothing_kept)
{
	const struct message message = {.type = MESSAGE_RESPONSE};
	struct task_result result = worker_answer_read(&message, &arena);

	cr_assert(result.started);
	cr_assert_eq(result.exit_code, 0);
	cr_assert_null(result.value);
	cr_assert_null(result.reason);
}

Test(worker_answer, keeps_json_and_texts_of_what_is_none)
{
	struct task_result result = answered("json", "[1, \"ü\"]", 9);

	cr_assert_str_eq(result.value, "{\"value\":[1,\"ü\"]}");
	result = answered("repr", "<object \"x\">", 12);
	cr_assert_str_eq(result.value, "{\"repr\":\"<object \\\"x\\\">\"}");
	/* What is said to be JSON and is not is a text. */
	result = answered("json", "{nonsense", 9);
	cr_assert_str_eq(result.value, "{\"repr\":\"{nonsense\"}");
	result = answered("value", "plain", 5);
	cr_assert_str_eq(result.value, "{\"value\":\"plain\"}");
	arena_clear(&arena);
}

Test(worker_answer, cuts_what_is_too_long_between_characters)
{
	static char text[WORKER_RESULT_MAX + 10];
	struct task_result result;
	size_t length;

	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "ü", 2);
	text[0] = 'x';
	text[1] = 'x';
	memmove(text, text + 1, sizeof(text) - 1); /* now characters straddle the limit */
	result = answered("repr", text, sizeof(text) - 2);
	length = strlen(result.value);
	cr_assert_lt(length, WORKER_RESULT_MAX + 40);
	cr_assert_str_eq(result.value + length - 13, "\",\"cut\":true}");
	cr_assert_eq((unsigned char)result.value[length - 14], 0xbc, "a whole character");
	result = answered("json", text, sizeof(text) - 2);
	cr_assert_not_null(strstr(result.value, "\"cut\":true"));
	arena_clear(&arena);
}

Test(worker_answer, errors_are_reasons)
{
	static const struct {
		const char *type, *message;
		int code;
		const char *reason;
		int exit_code;
	} rows[] = {
	    {"ValueError", "bad", 0, "ValueError: bad", 1},
	    {"ValueError", "", 0, "ValueError", 1},
	    {NULL, "bad", 7, "bad", 7},
	    {"SystemExit", "3", 3, "SystemExit: 3", 3},
	    {"X", "y", 256, "X: y", 1},
	    {NULL, NULL, 0, "its worker answered with an error it did not explain", 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message message = {.type = MESSAGE_RESPONSE, .error = value_map()};
		struct task_result result;

		if (rows[i].type)
			value_put(&arena, &message.error, "type", value_string(&arena, rows[i].type));
		if (rows[i].message)
			value_put(&arena, &message.error, "message",
			    value_string(&arena, rows[i].message));
		if (rows[i].code)
			value_put(&arena, &message.error, "exit_code", value_int(rows[i].code));
		result = worker_answer_read(&message, &arena);
		cr_expect_str_eq(result.reason, rows[i].reason);
		cr_expect_eq(result.exit_code, rows[i].exit_code, "row %zu", i);
	}
	arena_clear(&arena);
}
