/* SPDX-License-Identifier: MIT */
/*
 * Dates by integer arithmetic alone, without loops or tables: a year is counted
 * from 1 March, so that the leap day is its last, and eras of 400 years are
 * shifted so that every value is positive (after Neri and Schneider, "Euclidean
 * affine functions and their application to calendar algorithms", 2022).
 */
#include "base/civil.h"

#define DAY_SECONDS 86400
#define ERA_SHIFT 82u                             /* eras by which all years become positive */
#define YEAR_SHIFT (400u * ERA_SHIFT)             /* the same in years */
#define DAY_SHIFT (719468u + 146097u * ERA_SHIFT) /* from 1 March of the shifted year 0 to 1970 */

int32_t civil_days(int32_t year, int month, int day)
{
	uint32_t early = month <= 2; /* January and February belong to the year before */
	uint32_t y = (uint32_t)year + YEAR_SHIFT - early;
	uint32_t m = (uint32_t)month + (early ? 12 : 0);
	uint32_t century = y / 100;
	uint32_t days = 1461 * y / 4 - century + century / 4 + (979 * m - 2919) / 32;

	return (int32_t)(days + (uint32_t)day - 1 - DAY_SHIFT);
}

void civil_from_days(int32_t days, struct civil *out)
{
	uint32_t n = 4 * ((uint32_t)days + DAY_SHIFT) + 3;
	uint32_t century = n / 146097;
	uint64_t product = (uint64_t)2939745 * (n % 146097 / 4 * 4 + 3);
	uint32_t day_of_year = (uint32_t)product / 2939745 / 4;
	uint32_t month = 2141 * day_of_year + 197913;
	bool early = day_of_year >= 306;

	out->year = (int32_t)(100 * century + (uint32_t)(product >> 32) + early - YEAR_SHIFT);
	out->month = (int8_t)(month / 65536 - (early ? 12 : 0));
	out->day = (int8_t)(month % 65536 / 2141 + 1);
}

int civil_weekday(int32_t days)
{
	int weekday = (int)(((int64_t)days + 4) % 7);

	return weekday < 0 ? weekday + 7 : weekday;
}

bool civil_is_leap(int32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int civil_month_length(int32_t year, int month)
{
	if (month == 2)
		return civil_is_leap(year) ? 29 : 28;
	return 30 + ((month + (month >> 3)) & 1);
}

int civil_iso_week(int32_t days)
{
	/* A week belongs to the year of its Thursday. */
	int32_t thursday = days - (civil_weekday(days) + 6) % 7 + 3;
	struct civil civil;

	civil_from_days(thursday, &civil);
	return (thursday - civil_days(civil.year, 1, 1)) / 7 + 1;
}

int64_t civil_seconds(const struct civil *civil)
{
	return (int64_t)civil_days(civil->year, civil->month, civil->day) * DAY_SECONDS +
	       civil->hour * 3600 + civil->minute * 60 + civil->second;
}

void civil_from_seconds(int64_t seconds, struct civil *out)
{
	int64_t days = seconds / DAY_SECONDS;
	int32_t rest = (int32_t)(seconds % DAY_SECONDS);

	if (rest < 0) {
		rest += DAY_SECONDS;
		days--;
	}
	civil_from_days((int32_t)days, out);
	out->hour = (int8_t)(rest / 3600);
	out->minute = (int8_t)(rest / 60 % 60);
	out->second = (int8_t)(rest % 60);
	out->micro = 0;
}

bool civil_valid(const struct civil *civil)
{
	return civil->year >= CIVIL_YEAR_MIN && civil->year <= CIVIL_YEAR_MAX &&
	       civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
	       civil->day <= civil_month_length(civil->year, civil->month) && civil->hour >= 0 &&
	       civil->hour <= 23 && civil->minute >= 0 && civil->minute <= 59 &&
	       civil->second >= 0 && civil->second <= 59 && civil->micro >= 0 &&
	       civil->micro <= 999999;
}
