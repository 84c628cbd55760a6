/* SPDX-License-Identifier: MIT */
#include "support/cron_case.h"

static void same(const char *text, const char *crontab)
{
	cron_case_same(CRON_ONCALENDAR, text, CRON_CRONTAB, crontab);
}

static void refused(const char *text, int offset, const char *words)
{
	cron_case_refused(CRON_ONCALENDAR, text, offset, words);
}

Test(cron_oncalendar_parse, takes_weekdays_dates_and_times)
{
	same("Mon..Fri 09:00", "0 9 * * 1-5");
	same("Mon,wed..FRIDAY", "0 0 * * 1,3-5");
	same("Mon-Wed 9:5", "5 9 * * 1-3");
	same("*-*-1,15 06:30:00", "30 6 1,15 * *");
	same("05-04", "0 0 4 5 *");
	same("26-1-1", "0 0 0 1 1 * 2026");
	same("2030..2040/5-1-1 12:00", "0 0 12 1 1 * 2030-2040/5");
	same("*:0/15", "*/15 * * * *");
	same("8..17:30", "30 8-17 * * *");
	same("*:*:05/20", "5/20 * * * * *");
	/* As systemd: a step may lead out of its range. */
	same("*:5..10/6,53..53/1", "5,53 * * * *");
	same("10:00:00.000", "0 10 * * *");
	same("Mon *-*-1..7 00:00", "0 0 1-7 * +mon");
}

Test(cron_oncalendar_parse, counts_days_from_the_end)
{
	same("*-*~1", "0 0 L * *");
	same("*-*~3", "0 0 L-2 * *");
	same("*-02~03", "0 0 L-2 2 *");
	same("Mon *-05~07/1", "0 0 * 5 monL");
	same("*-*~1..3", "0 0 L,L-1,L-2 * *");
	same("*-*~10..26/7", "0 0 L-9,L-16,L-23 * *");
	refused("*-*~29", 4, "day 29 is out of 1-28");
	refused("*-*~3..1", 7, "runs backwards");
}

Test(cron_oncalendar_parse, knows_the_shorthands)
{
	same("minutely", "* * * * *");
	same("Hourly", "0 * * * *");
	same("daily", "0 0 * * *");
	same("weekly", "0 0 * * mon");
	same("monthly", "0 0 1 * *");
	same("quarterly", "0 0 1 1,4,7,10 *");
	same("semiannually", "0 0 1 1,7 *");
	same("yearly", "0 0 1 1 *");
	same("annually", "0 0 1 1 *");
	refused("fortnightly", 0, "neither a weekday nor a shorthand");
	refused("daily 10:00", 6, "only a time zone");
}

Test(cron_oncalendar_parse, hands_the_zone_back)
{
	struct cron *cron;
	char *zone_name;

	cr_assert_eq(
	    cron_parse(CRON_ONCALENDAR, "Mon  10:00 Europe/Berlin", NULL, &cron, &zone_name, NULL),
	    0);
	cr_assert_str_eq(zone_name, "Europe/Berlin");
	cr_assert_str_eq(cron_text(cron), "Mon 10:00");
	free(zone_name);
	cron_free(cron);
	cr_assert_eq(
	    cron_parse(CRON_ONCALENDAR, "10:00 UTC", NULL, &cron, NULL, NULL), SCHEDD_EINVAL);
	cr_assert_eq(cron_parse(CRON_ONCALENDAR, "10:00", NULL, &cron, &zone_name, NULL), 0);
	cr_assert_null(zone_name);
	cron_free(cron);
}

Test(cron_oncalendar_parse, refuses_with_a_reason)
{
	refused("", 0, "nothing is given");
	refused("*:*/15", 3, "'*' takes no step");
	refused("10:00:00.5", 8, "whole seconds");
	refused("*:*:0/0.5", 7, "whole seconds");
	refused("Sat..Tue", 0, "run backwards");
	refused("*:10..5", 6, "runs backwards");
	refused("*:0/60", 4, "step 60");
	refused("*:5..10/60", 8, "step 60");
	refused("10", 0, "a date is written");
	refused("10:", 3, "ends too early");
	refused("24:00", 0, "hour 24 is out of 0-23");
	refused("100-1-1", 0, "year 100 is out of");
	refused("Mon,", 4, "ends too early");
	refused("10:00 2026-1-1", 6, "is too much");
	refused("*-01~05-1", 0, "a date is written");
}
