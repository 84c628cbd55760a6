/* SPDX-License-Identifier: MIT */
/* Fire times found by running other schedulers, checked against brute force
 * (data/fire_times.jsonl). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "support/trigger_case.h"

#define VECTOR_TIMES 8
/* 2100-01-01 */
#define VECTOR_HORIZON (4102444800 * SCHEDD_SECOND)

/* One line of the file. */
struct vector {
	const char *id;
	const struct value *trigger;
	schedd_time from;
	schedd_time expect[VECTOR_TIMES];
	uint32_t count;
};

typedef void (*vector_check)(
    struct trigger_case *tc, const struct vector *vector, const struct schedd_trigger *trigger);

static void vector_read(const struct value *line, struct vector *out)
{
	const struct value *expect = value_get(line, "expect");

	out->id = value_get_string(line, "id");
	out->trigger = value_get(line, "trigger");
	out->from = trigger_case_time(value_get_string(line, "from"));
	out->count = expect->array.count;
	cr_assert_leq(out->count, VECTOR_TIMES);
	for (uint32_t i = 0; i < out->count; i++)
		out->expect[i] = trigger_case_time(expect->array.items[i].string.text);
}

/* Runs the check on every line. */
static void vectors_each(vector_check check)
{
	FILE *file = fopen(TEST_DATA "/fire_times.jsonl", "r");
	struct trigger_case tc;
	unsigned count = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	cr_assert(file);
	trigger_case_init(&tc);
	while ((length = getline(&line, &size, file)) > 0) {
		struct schedd_trigger *trigger;
		struct schedd_error err = {0};
		struct vector vector;
		struct arena arena;
		struct value value;

		arena_init(&arena);
		cr_assert_eq(json_parse(line, (size_t)length, &arena, &value, &err), 0);
		vector_read(&value, &vector);
		cr_assert_eq(trigger_from_value(vector.trigger, &tc.context, &trigger, &err), 0,
		    "%s: %s", vector.id, err.message);
		check(&tc, &vector, trigger);
		trigger_unref(trigger);
		arena_clear(&arena);
		count++;
	}
	cr_assert_gt(count, 300);
	free(line);
	fclose(file);
	trigger_case_clear(&tc);
}

static void check_next(
    struct trigger_case *tc, const struct vector *vector, const struct schedd_trigger *trigger)
{
	schedd_time from = vector->from;

	(void)tc;
	for (uint32_t i = 0; i < VECTOR_TIMES; i++) {
		schedd_time fire = trigger_next(trigger, from);

		if (i == vector->count) {
			/* Those who were asked look no further than the year 2099. */
			cr_expect(fire == SCHEDD_TIME_NONE || fire >= VECTOR_HORIZON,
			    "%s: fires once more", vector->id);
			return;
		}
		cr_expect_eq(fire, vector->expect[i], "%s: time %u is off by %lld s", vector->id, i,
		    (long long)((fire - vector->expect[i]) / SCHEDD_SECOND));
		from = fire + 1;
	}
}

Test(trigger_vectors, fire_when_others_do)
{
	vectors_each(check_next);
}

static void check_latest(
    struct trigger_case *tc, const struct vector *vector, const struct schedd_trigger *trigger)
{
	(void)tc;
	for (uint32_t i = 0; i < vector->count; i++) {
		schedd_time fire = vector->expect[i],
			    before = i ? vector->expect[i - 1] : SCHEDD_TIME_NONE;

		cr_expect_eq(trigger_latest(trigger, vector->from, fire), fire, "%s: latest at %u",
		    vector->id, i);
		cr_expect_eq(trigger_latest(trigger, vector->from, fire - 1), before,
		    "%s: latest before %u", vector->id, i);
		cr_expect_eq(trigger_count(trigger, vector->from, fire, 100), i + 1,
		    "%s: count to %u", vector->id, i);
		cr_expect_eq(trigger_count(trigger, vector->from, fire - 1, 100), i,
		    "%s: count before %u", vector->id, i);
	}
}

Test(trigger_vectors, are_the_same_backwards_and_counted)
{
	vectors_each(check_latest);
}

static void check_round_trip(
    struct trigger_case *tc, const struct vector *vector, const struct schedd_trigger *trigger)
{
	(void)vector;
	trigger_case_round_trip(tc, trigger);
}

Test(trigger_vectors, read_back_what_was_written)
{
	vectors_each(check_round_trip);
}
