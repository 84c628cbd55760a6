/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "support/cron_case.h"

static void same(const char *text, const char *other)
{
	cron_case_same(CRON_CRONTAB, text, CRON_CRONTAB, other);
}

static void refused(const char *text, int offset, const char *words)
{
	cron_case_refused(CRON_CRONTAB, text, offset, words);
}

Test(cron_crontab_parse, takes_five_six_and_seven_fields)
{
	same("30 2 * * *", "0 30 2 * * *");
	same("30 2 * * *", "0 30 2 * * * *");
	same(" \t30  2\t* * *  ", "30 2 * * *");
	same("08 009 * * *", "8 9 * * *");
	refused("30 2 * *", 8, "4 fields");
	refused("", 0, "0 fields");
	refused("* * * * * * * *", 13, "8 fields");
	refused("0 0 1 1 * 2027", 10, "write 7 fields");
	refused("0 0 1 1 * 2027-2030", 10, "write 7 fields");
	refused("0 0 0 1 1 * 1969", 12, "year 1969 is out of 1970-9999");
	refused("00005 0 * * *", 0, "more than 4 digits");
}

Test(cron_crontab_parse, knows_the_macros)
{
	same("@yearly", "0 0 1 1 *");
	same("@Annually", "0 0 1 1 *");
	same("@monthly", "0 0 1 * *");
	same("@WEEKLY", "0 0 * * 0");
	same(" @daily ", "0 0 * * *");
	same("@midnight", "0 0 * * *");
	same("@hourly", "0 * * * *");
	refused("@reboot", 0, "the trigger on-boot");
	refused("@Every 5m", 0, "as in every 5m");
	refused("@daily 5", 7, "nothing may follow");
	refused("@fortnightly", 0, "unknown macro");
}

Test(cron_crontab_parse, counts_sunday_as_0_and_7)
{
	same("0 0 * * 7", "0 0 * * sun");
	same("0 0 * * 0", "0 0 * * Sunday");
	same("0 0 * * 5-7", "0 0 * * 5,6,0");
	same("0 0 * * 7-2", "0 0 * * 0-2");
	same("0 0 * * 7-7", "0 0 * * 0");
	same("0 0 * * 0-7", "0 0 * * *");
	same("0 0 * * 7/2", "0 0 * * 0,2,4,6");
	same("0 0 * * 7#2", "0 0 * * sun#2");
	refused("0 0 * * 8", 8, "weekday 8 is out of 0-7");
}

Test(cron_crontab_parse, wraps_ranges_and_steps_around)
{
	same("0 22-2 * * *", "0 22,23,0,1,2 * * *");
	same("0 22-3/2 * * *", "0 22,0,2 * * *");
	same("50-10/5 * * * *", "50,55,0,5,10 * * * *");
	same("0 0 * nov-feb *", "0 0 * 11,12,1,2 *");
	same("0 0 * * fri-mon", "0 0 * * 5,6,0,1");
	same("0 0 28-3 * *", "0 0 28-31,1-3 * *");
	same("0 0 5-5 * *", "0 0 5 * *");
	same("5/20 * * * *", "5,25,45 * * * *");
	refused("0 0 0 1 1 * 2030-2027", 17, "run backwards");
}

Test(cron_crontab_parse, takes_names_in_any_case_and_place)
{
	same("0 0 * JANUARY-mar Mon-Friday/2", "0 0 * 1-3 1,3,5");
	same("0 0 * may/3 tue/2", "0 0 * 5,8,11 2,4,6");
	refused("0 0 * sept *", 6, "month 'sept' is unknown");
	refused("0 0 * * tues", 8, "weekday 'tues' is unknown");
}

Test(cron_crontab_parse, bounds_steps)
{
	same("*/59 * * * *", "0,59 * * * *");
	same("50-59/20 * * * *", "50 * * * *");
	refused("*/60 * * * *", 2, "step 60 is larger than the span");
	refused("0 */24 * * *", 4, "step 24 is larger");
	refused("0 0 * * */7", 10, "step 7 is larger");
	refused("*/0 * * * *", 2, "step of 0");
	refused("*/ * * * *", 2, "ends too early");
	refused("/5 * * * *", 0, "unexpected '/'");
	refused("1-5-7 * * * *", 3, "unexpected '-'");
	refused("1,,2 * * * *", 2, "empty item");
	refused("1, * * * *", 2, "empty item");
}

Test(cron_crontab_parse, takes_days_from_the_end_and_nearest_ones)
{
	same("0 0 l * *", "0 0 L-0 * *");
	same("0 0 lw * *", "0 0 L-0W * *");
	same("0 0 * * 5L", "0 0 * * L5");
	same("0 0 * * 5L", "0 0 * * fri#L");
	same("0 0 * * friL", "0 0 * * LFriday");
	same("0 0 1,L * *", "0 0 L,1 * *");
	refused("0 0 * * L", 8, "write 6, or 5L");
	refused("0 0 L-31 * *", 6, "day 31 is out of 0-30");
	refused("0 0 WL * *", 4, "day 'WL' is unknown");
	refused("0 0 1-5W * *", 7, "unexpected 'W'");
	refused("0 0 * * 1-5L", 11, "unexpected 'L'");
	refused("0 0 * * 5#0", 10, "write #1 to #5 or #L");
	refused("0 0 * L *", 6, "month 'L' is unknown");
}

Test(cron_crontab_parse, joins_day_and_weekday_as_their_text_begins)
{
	same("0 0 13 * 5", "0 0 13 * fri");
	same("0 0 */2 * mon", "0 0 1-31/2 * +mon");
	same("0 0 ? * mon", "0 0 * * mon");
	same("0 0 13 * ?", "0 0 13 * *");
	same("0 0 13 * */2", "0 0 13 * +0,2,4,6");
	refused("0 0 ?,1 * *", 4, "'?' stands alone");
	refused("? 0 * * *", 0, "'?' stands alone");
	refused("0 0 +1 * *", 4, "unexpected '+'");
	refused("0 0 1 * +", 9, "empty item");
	refused("0 0 1 * mon,+tue", 12, "unexpected '+'");
}

/* The first fire time of 2026 in UTC, with a job id and a seed. */
static schedd_time first(const char *text, const char *job_id, uint64_t seed)
{
	struct cron_draw draw = {job_id, seed};
	struct schedd_error err = {0};
	struct cron *cron;
	schedd_time fire;

	cr_assert_eq(
	    cron_parse(CRON_CRONTAB, text, &draw, &cron, NULL, &err), 0, "%s", err.message);
	fire = cron_next(cron, zone_utc(), cron_case_instant("2026-01-01T00:00:00Z"));
	cron_free(cron);
	return fire;
}

Test(cron_crontab_parse, hashes_the_job_id_for_ever_the_same)
{
	/* These may never change: schedules of users depend on them. */
	cr_assert_eq(first("H H * * *", "backup", 0), cron_case_instant("2026-01-01T14:27:00Z"));
	cr_assert_eq(first("H H * * *", NULL, 0), first("H H * * *", "", 7));
	cr_assert_neq(first("H H H * *", "backup", 0), first("H H H * *", "report", 0));
	for (int i = 0; i < 100; i++) {
		char id[16];
		schedd_time fire;

		snprintf(id, sizeof(id), "job%d", i);
		fire = first("0 H(3-5) 1 * *", id, 0);
		cr_assert(fire >= cron_case_instant("2026-01-01T03:00:00Z") &&
			  fire <= cron_case_instant("2026-01-01T05:00:00Z"));
		fire = first("0 0 H * *", id, 0);
		cr_assert_leq(fire, cron_case_instant("2026-01-28T00:00:00Z"));
		fire = first("H/15 * * * *", id, 0);
		cr_assert_lt(fire, cron_case_instant("2026-01-01T00:15:00Z"));
	}
	refused("H(5-3) * * * *", 0, "runs backwards");
	refused("H(5) * * * *", 3, "unexpected ')'");
	refused("H(1-70) * * * *", 4, "minute 70 is out of 0-59");
	refused("H-5 * * * *", 1, "unexpected '-'");
	refused("0 0 0 1 1 * H", 12, "year 'H' is unknown");
}

Test(cron_crontab_parse, draws_once_a_seed)
{
	cr_assert_eq(first("0~59 0~23 * * *", "a", 3), first("0~59 0~23 * * *", "b", 3));
	cr_assert_neq(first("0~59 0~23 1~28 * *", NULL, 3), first("0~59 0~23 1~28 * *", NULL, 4));
	for (uint64_t seed = 0; seed < 100; seed++) {
		schedd_time fire = first("0 9~11 * * *", NULL, seed);

		cr_assert(fire >= cron_case_instant("2026-01-01T09:00:00Z") &&
			  fire <= cron_case_instant("2026-01-01T11:00:00Z"));
	}
	refused("30~10 * * * *", 3, "run backwards");
	refused("~10 * * * *", 0, "unexpected '~'");
	refused("1~10/2 * * * *", 4, "unexpected '/'");
}

Test(cron_crontab_parse, refuses_what_is_not_plain_text)
{
	char text[1100];

	refused("1\n0 * * *", 1, "byte 0x0a");
	refused("\xd9\xa1 * * * *", 0, "byte 0xd9");
	memset(text, '*', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	refused(text, 0, "longer than 1024 bytes");
	refused("61 * * * *", 0, "cron '61 * * * *': minute 61 is out of 0-59");
}
