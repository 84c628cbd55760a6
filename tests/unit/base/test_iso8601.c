/* SPDX-License-Identifier: MIT */
#include "base/iso8601.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(iso8601, reads_dates_times_and_offsets)
{
	static const struct {
		const char *text;
		size_t length;     /* bytes read */
		bool time, offset; /* were they there? */
		int64_t wall;      /* civil_seconds */
		int32_t micro, east;
	} cases[] = {
	    {"1970-01-01", 10, false, false, 0, 0, 0},
	    {"1970-01-01T00:00:01Z", 20, true, true, 1, 0, 0},
	    {"1970-01-01t00:00:01z", 20, true, true, 1, 0, 0},
	    {"1970-01-01 0:01", 15, true, false, 60, 0, 0},
	    {"1970-01-02T00:00:00.5+01:00", 27, true, true, 86400, 500000, 3600},
	    {"1970-01-02T00:00:00.1234567-0130", 32, true, true, 86400, 123456, -5400},
	    {"1970-01-02T00:00:00+02", 22, true, true, 86400, 0, 7200},
	    {"1970-01-02T00:00:00+00:53:28", 28, true, true, 86400, 0, 3208},
	    {"1970-01-01 9am", 10, false, false, 0, 0, 0},
	    {"1970-01-01 00:01 Europe/Berlin", 16, true, false, 60, 0, 0},
	    {"1970-01-01Z", 10, false, false, 0, 0, 0},
	    {"2026-02-29", 0, false, false, 0, 0, 0},
	    {"2026-13-01", 0, false, false, 0, 0, 0},
	    {"2026-1-1", 0, false, false, 0, 0, 0},
	    {"02026-01-01", 0, false, false, 0, 0, 0},
	    {"2026-01-011", 0, false, false, 0, 0, 0},
	    {"2026-01-01T24:00", 0, false, false, 0, 0, 0},
	    {"2026-01-01 24:00", 0, false, false, 0, 0, 0},
	    {"2026-01-01T23:59:60Z", 0, false, false, 0, 0, 0},
	    {"2026-01-01T12", 0, false, false, 0, 0, 0},
	    {"2026-01-01T", 0, false, false, 0, 0, 0},
	    {"2026-01-01T12:3", 0, false, false, 0, 0, 0},
	    {"2026-01-01T12:30:1", 0, false, false, 0, 0, 0},
	    {"2026-01-01T12:30:111", 0, false, false, 0, 0, 0},
	    {"\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-01-01", 0, false, false, 0, 0, 0},
	    {"", 0, false, false, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct iso8601 out;

		cr_expect_eq(
		    iso8601_scan(cases[i].text, &out), cases[i].length, "%s", cases[i].text);
		if (cases[i].length == 0)
			continue;
		cr_expect_eq(out.has_time, cases[i].time, "%s", cases[i].text);
		cr_expect_eq(out.has_offset, cases[i].offset, "%s", cases[i].text);
		cr_expect_eq(civil_seconds(&out.civil), cases[i].wall, "%s", cases[i].text);
		cr_expect_eq(out.civil.micro, cases[i].micro, "%s", cases[i].text);
		cr_expect_eq(out.offset, cases[i].east, "%s", cases[i].text);
	}
}

static void expect_format(schedd_time when, int32_t offset, bool z, const char *text)
{
	struct strbuf out = STRBUF_EMPTY;

	iso8601_format(&out, when, offset, z);
	cr_expect_str_eq(strbuf_peek(&out), text);
	strbuf_clear(&out);
}

Test(iso8601, writes_only_what_is_needed)
{
	expect_format(0, 0, true, "1970-01-01T00:00:00Z");
	expect_format(0, 0, false, "1970-01-01T00:00:00+00:00");
	expect_format(1, 3600, true, "1970-01-01T01:00:00.000001+01:00");
	expect_format(-1, -1800, true, "1969-12-31T23:29:59.999999-00:30");
	expect_format(0, 3208, true, "1970-01-01T00:53:28+00:53:28");
	expect_format(SCHEDD_TIME_MAX, 3600, false, "9999-12-31T23:59:59.999999+00:00");
}

Test(iso8601, reads_back_what_it_writes)
{
	unsigned seed = 3;

	for (int i = 0; i < 100000; i++) {
		schedd_time when = (schedd_time)(((uint64_t)rand_r(&seed) << 31 ^ rand_r(&seed)) %
						 (uint64_t)SCHEDD_TIME_MAX);
		int32_t offset = rand_r(&seed) % 172800 - 86400;
		struct strbuf text = STRBUF_EMPTY;
		struct iso8601 out;

		if (i % 3 != 0)
			when -= when % SCHEDD_SECOND;
		iso8601_format(&text, when, offset / 60 * 60 % 86400, i % 2 == 0);
		cr_assert_eq(iso8601_scan(strbuf_peek(&text), &out), text.length);
		cr_assert_eq(
		    (civil_seconds(&out.civil) - out.offset) * SCHEDD_SECOND + out.civil.micro,
		    when);
		strbuf_clear(&text);
	}
}
