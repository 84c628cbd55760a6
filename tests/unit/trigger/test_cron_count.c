/* SPDX-License-Identifier: MIT */
#include "support/cron_case.h"

/* Counting, looking back and stepping have to agree; see also tests/reference. */
Test(cron_count, agrees_with_looking_back)
{
	static const char *const texts[] = {"* * * * *", "*/7 3-5 * * *", "0 0 29 2 *",
	    "0 9 * * 1-5", "30 2 L,15W * fri#2", "0 0 0 1 1 * 2026-2040/3", "30 2 31 * *"};
	schedd_time from = cron_case_instant("2026-01-01T00:00:00Z");

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cron *cron = cron_case_parse(CRON_CRONTAB, texts[i]);
		schedd_time at = from;

		for (uint64_t n = 1; n < 300; n++) {
			schedd_time fire = cron_next(cron, zone_utc(), at);

			if (fire == SCHEDD_TIME_NONE)
				break;
			cr_assert_eq(cron_count(cron, zone_utc(), from, fire, UINT64_MAX), n, "%s",
			    texts[i]);
			cr_assert_eq(
			    cron_count(cron, zone_utc(), from, fire - 1, UINT64_MAX), n - 1);
			cr_assert_eq(cron_latest(cron, zone_utc(), from, fire), fire);
			at = fire + 1;
		}
		cron_free(cron);
	}
}

Test(cron_count, stops_at_its_limit)
{
	struct cron *cron = cron_case_parse(CRON_CRONTAB, "* * * * * *");
	schedd_time from = cron_case_instant("2026-01-01T00:00:00Z");

	cr_assert_eq(cron_count(cron, zone_utc(), from, from + SCHEDD_DAY - 1, UINT64_MAX), 86400);
	cr_assert_eq(cron_count(cron, zone_utc(), from, from + SCHEDD_DAY, 1000), 1000);
	cr_assert_eq(cron_count(cron, zone_utc(), from, from - 1, 1000), 0);
	cr_assert_eq(cron_count(cron, zone_utc(), from, INT64_MAX, 0), 0);
	/* All of time at once: 8,030 years of seconds. */
	cr_assert_eq(cron_count(cron, zone_utc(), INT64_MIN, INT64_MAX, UINT64_MAX),
	    (uint64_t)(SCHEDD_TIME_MAX / SCHEDD_SECOND + 1));
	cron_free(cron);
}

Test(cron_count, holds_at_the_ends_of_time)
{
	struct cron *cron = cron_case_parse(CRON_CRONTAB, "0 0 1 1 *");

	cr_assert_eq(cron_latest(cron, zone_utc(), INT64_MIN, INT64_MAX),
	    cron_case_instant("9999-01-01T00:00:00Z"));
	cr_assert_eq(cron_latest(cron, zone_utc(), INT64_MIN, -1), SCHEDD_TIME_NONE);
	cr_assert_eq(cron_latest(cron, zone_utc(), 5, 4), SCHEDD_TIME_NONE);
	cr_assert_eq(cron_latest(cron, zone_utc(), 0, 0), 0);
	cr_assert_eq(cron_latest(cron, zone_utc(), 1, SCHEDD_DAY), SCHEDD_TIME_NONE);
	cr_assert_eq(cron_count(cron, zone_utc(), INT64_MIN, INT64_MAX, UINT64_MAX), 8030);
	cron_free(cron);
}
