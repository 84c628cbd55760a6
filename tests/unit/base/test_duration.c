/* SPDX-License-Identifier: MIT */
#include "base/duration.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	schedd_span span;
	const char *canonical;
} good[] = {
    {"90", 90 * SCHEDD_SECOND, "1m30s"},
    {"90s", 90 * SCHEDD_SECOND, "1m30s"},
    {"0", 0, "0s"},
    {"0.5", 500000, "0.5s"},
    {"1h30m", 90 * SCHEDD_MINUTE, "1h30m"},
    {"1d12h", 36 * SCHEDD_HOUR, "1d12h"},
    {"2w", 14 * SCHEDD_DAY, "2w"},
    {"10d", 10 * SCHEDD_DAY, "10d"},
    {"0.5s", 500000, "0.5s"},
    {"1.5h", 90 * SCHEDD_MINUTE, "1h30m"},
    {"250ms", 250000, "0.25s"},
    {"1us", 1, "0.000001s"},
    {"7\xc2\xb5s", 7, "0.000007s"},
    {"1m0.000001s", SCHEDD_MINUTE + 1, "1m0.000001s"},
    {"5 minutes", 5 * SCHEDD_MINUTE, "5m"},
    {"1 Hour 30 min", 90 * SCHEDD_MINUTE, "1h30m"},
    {"PT1H30M", 90 * SCHEDD_MINUTE, "1h30m"},
    {"P1DT0.25S", SCHEDD_DAY + 250000, "1d0.25s"},
    {"P2W", 14 * SCHEDD_DAY, "2w"},
    {"08m", 8 * SCHEDD_MINUTE, "8m"},
    {"2922000d", DURATION_MAX, "2922000d"},
    {"0.10000000000000000000s", 100000, "0.1s"},
};

Test(duration, reads_what_people_write)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct strbuf text = STRBUF_EMPTY;
		struct schedd_error err = {.message = ""};
		schedd_span span = -1;

		cr_expect_eq(duration_parse(good[i].text, &span, &err), 0, "%s", err.message);
		cr_expect_eq(span, good[i].span, "%s", good[i].text);
		duration_format(&text, span);
		cr_expect_str_eq(strbuf_peek(&text), good[i].canonical);
		strbuf_clear(&text);
	}
}

static const struct {
	const char *text;
	int offset;
	const char *says;
} bad[] = {
    {"", 0, "a number is missing"},
    {"-5m", 0, "negative"},
    {"+5m", 0, "a number is missing"},
    {" 5m", 0, "a number is missing"},
    {"5m ", 2, "what follows '5m'"},
    {"m", 0, "a number is missing"},
    {"1h1h", 2, "largest to the smallest"},
    {"30m1h", 3, "largest to the smallest"},
    {"1h30", 2, "a unit is missing"},
    {"1.5h30m", 4, "only the last"},
    {"5.s", 2, "behind the point"},
    {"5x", 1, "units are"},
    {"5M", 1, "units are"},
    {"1month", 1, "no fixed length"},
    {"1y", 1, "no fixed length"},
    {"1e3", 1, "units are"},
    {"0.0000001s", 0, "finer than a microsecond"},
    {"1.5us", 0, "finer than a microsecond"},
    {"2922000d1us", 8, "longer than"},
    {"99999999999999999999999w", 0, "longer than"},
    {"5000000w", 0, "longer than"},
    {"P", 1, "a number is missing"},
    {"PT", 2, "a number is missing"},
    {"P1H", 2, "W, D, or T"},
    {"PT1D", 3, "H, M, S"},
    {"P1M", 2, "no fixed length"},
    {"PT1H1H", 4, "largest to the smallest"},
    {"P1D ", 3, "what follows"},
    {"\xd9\xa5m", 0, "a number is missing"},
};

Test(duration, refuses_the_rest_and_points_at_it)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct schedd_error err = {.message = ""};
		schedd_span span = -1;

		cr_expect_eq(
		    duration_parse(bad[i].text, &span, &err), SCHEDD_EINVAL, "%s", bad[i].text);
		cr_expect_eq(err.offset, bad[i].offset, "'%s': %d", bad[i].text, err.offset);
		cr_expect(strstr(err.message, bad[i].says), "%s", err.message);
		cr_expect_eq(span, -1);
	}
}

Test(duration, reads_back_every_canonical_text)
{
	unsigned seed = 7;

	for (int i = 0; i < 200000; i++) {
		uint64_t random = (uint64_t)rand_r(&seed) << 33 ^ (uint64_t)rand_r(&seed) << 12 ^
				  (uint64_t)rand_r(&seed);
		static const schedd_span grains[] = {
		    1, 1000, SCHEDD_SECOND, SCHEDD_MINUTE, SCHEDD_HOUR, 7 * SCHEDD_DAY};
		schedd_span grain = grains[i % 6];
		schedd_span span =
		    (schedd_span)((random >> (random % 60)) % (uint64_t)(DURATION_MAX / grain)) *
		    grain;
		struct strbuf text = STRBUF_EMPTY;
		schedd_span again = -1;

		duration_format(&text, span);
		cr_assert_eq(duration_parse(strbuf_peek(&text), &again, NULL), 0);
		cr_assert_eq(again, span, "%s", strbuf_peek(&text));
		strbuf_clear(&text);
	}
}

Test(duration, takes_numbers_of_seconds)
{
	struct value whole = value_int(90), part = value_real(0.1), minus = value_int(-1);
	struct value nan = value_real(NAN), much = value_real(1e300), nil = value_nil();
	struct value text = value_string_ref("PT1M");
	struct schedd_error err;
	schedd_span span;

	cr_assert_eq(duration_from_value(&whole, &span, &err), 0);
	cr_assert_eq(span, 90 * SCHEDD_SECOND);
	cr_assert_eq(duration_from_value(&part, &span, &err), 0);
	cr_assert_eq(span, 100000);
	cr_assert_eq(duration_from_value(&text, &span, &err), 0);
	cr_assert_eq(span, SCHEDD_MINUTE);
	cr_assert_eq(duration_from_value(&minus, &span, &err), SCHEDD_EINVAL);
	cr_assert_eq(duration_from_value(&nan, &span, &err), SCHEDD_EINVAL);
	cr_assert_eq(duration_from_value(&much, &span, &err), SCHEDD_EINVAL);
	cr_assert_eq(duration_from_value(&nil, &span, &err), SCHEDD_EINVAL);
	cr_assert_eq(duration_to_value(90 * SCHEDD_SECOND).integer, 90);
	cr_assert_float_eq(duration_to_value(100000).real, 0.1, 1e-12);
	cr_assert_eq(duration_to_value(SCHEDD_SPAN_NONE).type, VALUE_NIL);
}
