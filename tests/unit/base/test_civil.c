/* SPDX-License-Identifier: MIT */
#include "base/civil.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#define FIRST_DAY (-12687428) /* -32767-01-01 */
#define LAST_DAY 11248737     /* 32767-12-31 */

Test(civil, counts_every_day_of_its_range)
{
	struct civil date = {.year = CIVIL_YEAR_MIN, .month = 1, .day = 1}, out;

	for (int32_t days = FIRST_DAY; days <= LAST_DAY; days++) {
		civil_from_days(days, &out);
		if (out.year != date.year || out.month != date.month || out.day != date.day ||
		    civil_days(out.year, out.month, out.day) != days)
			cr_assert_fail("day %d is %d-%d-%d", days, out.year, out.month, out.day);
		if (++date.day > civil_month_length(date.year, date.month)) {
			date.day = 1;
			date.month = (int8_t)(date.month % 12 + 1);
			date.year += date.month == 1;
		}
	}
	cr_assert_eq(date.year, CIVIL_YEAR_MAX + 1);
}

Test(civil, agrees_with_the_c_library)
{
	unsigned seed = 1;

	for (int i = 0; i < 100000; i++) {
		time_t when = ((int64_t)rand_r(&seed) << 9 ^ rand_r(&seed)) % INT64_C(253402300800);
		struct civil civil;
		struct tm tm;
		char week[8];

		gmtime_r(&when, &tm);
		civil_from_seconds(when, &civil);
		strftime(week, sizeof(week), "%V", &tm);
		cr_assert_eq(civil.year, tm.tm_year + 1900);
		cr_assert_eq(civil.month, tm.tm_mon + 1);
		cr_assert_eq(civil.day, tm.tm_mday);
		cr_assert_eq(civil.hour, tm.tm_hour);
		cr_assert_eq(civil.minute, tm.tm_min);
		cr_assert_eq(civil.second, tm.tm_sec);
		cr_assert_eq(civil_weekday((int32_t)(when / 86400)), tm.tm_wday);
		cr_assert_eq(civil_iso_week((int32_t)(when / 86400)), atoi(week));
		cr_assert_eq(civil_seconds(&civil), when);
		cr_assert(civil_valid(&civil));
	}
}

Test(civil, goes_before_the_epoch)
{
	struct civil civil;

	civil_from_seconds(-1, &civil);
	cr_assert(civil.year == 1969 && civil.month == 12 && civil.day == 31);
	cr_assert(civil.hour == 23 && civil.minute == 59 && civil.second == 59);
	cr_assert_eq(civil_weekday(-1), 3);
	cr_assert_eq(civil_weekday(-4), 0);
	cr_assert_eq(civil_weekday(-5), 6);
}

Test(civil, refuses_what_is_no_date_or_time)
{
	static const struct civil bad[] = {
	    {.year = 2026, .month = 2, .day = 29},
	    {.year = 2100, .month = 2, .day = 29},
	    {.year = 2026, .month = 4, .day = 31},
	    {.year = 2026, .month = 0, .day = 1},
	    {.year = 2026, .month = 13, .day = 1},
	    {.year = 2026, .month = 1, .day = 0},
	    {.year = 2026, .month = 1, .day = 1, .hour = 24},
	    {.year = 2026, .month = 1, .day = 1, .minute = 60},
	    {.year = 2026, .month = 1, .day = 1, .second = 60},
	    {.year = 2026, .month = 1, .day = 1, .micro = 1000000},
	    {.year = 40000, .month = 1, .day = 1},
	};
	struct civil leap = {.year = 2028, .month = 2, .day = 29};

	cr_assert(civil_valid(&leap));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(civil_valid(&bad[i]), "case %zu", i);
}
