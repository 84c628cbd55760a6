/* SPDX-License-Identifier: MIT */
#include "support/cron_case.h"

static void same(const char *text, const char *crontab)
{
	cron_case_same(CRON_FIELDS, text, CRON_CRONTAB, crontab);
}

static void refused(const char *text, int offset, const char *words)
{
	cron_case_refused(CRON_FIELDS, text, offset, words);
}

Test(cron_fields_parse, fills_in_what_is_left_out)
{
	same("second=5", "5 * * * * *");
	same("minute=5", "5 * * * *");
	same("hour=5", "0 5 * * *");
	same("day_of_week=0", "0 0 * * mon");
	same("day=5", "0 0 5 * *");
	same("month=5", "0 0 1 5 *");
	same("year=2030", "0 0 0 1 1 * 2030");
	same("hour=5;day_of_week=mon-fri", "0 5 * * 1-5");
}

Test(cron_fields_parse, takes_what_apscheduler_takes)
{
	same("day_of_week=6", "0 0 * * sun");
	same("day_of_week='TUE-SAT'", "0 0 * * 2-6");
	same("day=last", "0 0 L * *");
	same("day='last fri'", "0 0 * * friL");
	same("day=\"2nd  Fri, 5th mon\"", "0 0 * * fri#2,mon#5");
	same("month=JAN,mar-may minute='48, 40 , 5'", "5,40,48 * * 1,3-5 *");
	same("minute=*/20", "*/20 * * * *");
	same("minute=5/20", "5,25,45 * * * *");
	same("hour=16-23/7", "0 16,23 * * *");
	same("day=13 day_of_week=4", "0 0 13 * +fri");
	same("day='last day'", "0 0 L * *");
	same("day='LAST  Day, 5'", "0 0 5,L * *");
	/* Pasted as it stands in Python. */
	same("day_of_week='mon-fri', hour=5", "0 5 * * 1-5");
	same("day_of_week='mon-fri', hour=5, minute=30,", "30 5 * * 1-5");
	same("hour=\"1,2\",minute='*/5'", "*/5 1,2 * * *");
	same("hour=5,minute=3", "3 5 * * *");
	same("hour=5,6,minute=3,day_of_week=mon,fri", "3 5,6 * * mon,fri");
}

Test(cron_fields_parse, refuses_what_apscheduler_refuses_or_ignores)
{
	refused("", 0, "no field is given");
	refused("hours=5", 0, "unknown field 'hours'");
	refused("hour=5,minutes=5", 7, "unknown field 'minutes'");
	refused("hour=5, timezone='Europe/Berlin'", 8, "(schedctl: --tz ZONE)");
	refused("start_date='2027-01-01', hour=5", 0, "(schedctl: --start TIME)");
	refused("hour=5 end_date=2027-01-01", 7, "trigger's \"end\"");
	refused("hour=5,jitter=30", 7, "(schedctl: --jitter DUR)");
	refused("day=2nd fri", 8, "quoted, as in day='2nd fri'");
	refused("hour=5 hour=6", 7, "comes twice");
	refused("hour", 4, "'=' is missing");
	refused("day=last day", 12, "quoted, as in day='last day'");
	refused("hour=", 5, "empty item");
	refused("hour='5", 5, "not closed");
	refused("hour='5'x", 8, "is missing after the value");
	refused("day=last-2", 8, "APScheduler silently ignores");
	refused("day_of_week=mon-fri/2", 19, "APScheduler silently ignores");
	refused("day_of_week=mon-4", 15, "APScheduler ignores");
	refused("day_of_week=monday", 12, "three letters");
	refused("day='6th mon'", 6, "unexpected 't'");
	refused("day='1stmon'", 8, "a weekday is missing");
	refused("day_of_week=sat-mon", 12, "runs backwards");
	refused("month=11-2", 9, "runs backwards");
	refused("hour=0-5/6", 9, "step 6 is larger than the range's span");
	refused("minute=50/20", 10, "step 20 is larger");
	refused("minute=*/60", 9, "step 60 is larger");
	refused("week=54", 5, "week 54 is out of 1-53");
}

Test(cron_fields_parse, keeps_a_canonical_text)
{
	struct cron *cron = cron_case_parse(CRON_FIELDS, "minute='1 , 2'; day=\"2nd  fri\"");

	cr_assert_str_eq(cron_text(cron), "day='2nd fri' minute=1,2");
	cron_free(cron);
}
