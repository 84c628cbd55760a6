/* SPDX-License-Identifier: MIT */
#include "support/cron_case.h"

static void same(const char *text, const char *crontab)
{
	cron_case_same(CRON_QUARTZ, text, CRON_CRONTAB, crontab);
}

static void refused(const char *text, int offset, const char *words)
{
	cron_case_refused(CRON_QUARTZ, text, offset, words);
}

Test(cron_quartz_parse, counts_weekdays_from_sunday_as_1)
{
	same("0 0 0 ? * 1", "0 0 * * sun");
	same("0 0 0 ? * 2-6", "0 0 * * mon-fri");
	same("0 0 0 ? * 2-6/2", "0 0 * * 1,3,5");
	same("0 0 0 ? * L", "0 0 * * sat");
	same("0 0 0 ? * 6L", "0 0 * * friL");
	same("0 0 0 ? * FRIL", "0 0 * * friL");
	same("0 0 0 ? * 6#3", "0 0 * * fri#3");
	same("0 0 0 ? * fri#3", "0 0 * * 5#3");
	same("0 0 0 ? * FRI-MON", "0 0 * * 5-1");
}

Test(cron_quartz_parse, takes_the_documented_forms)
{
	same("0 15 10 * * ? 2030", "0 15 10 * * * 2030");
	same("0 0 0 L-3W * ?", "0 0 L-3W * *");
	same("0 0 9 1W,15W * ?", "0 9 1W,15W * *");
	same("/10 * * * * ?", "0/10 * * * * *");
	same("0 0 22-2 * * ?", "0 22-2 * * *");
	same("0 0 0 1 JAN,mar-MAY ?", "0 0 1 1,3-5 *");
	same("0 0 0 1/31 * ?", "0 0 1 * *");
}

Test(cron_quartz_parse, says_what_quartz_would_ignore)
{
	refused("0 0 12 ? * MON-FRI/2", 18, "Quartz silently ignores '/2'");
	refused("0 0 12 ? * MON/2", 14, "Quartz silently ignores '/2'");
	refused("0 0 12 ? * MONDAY", 14, "Quartz silently ignores 'DAY'");
	refused("0 0 12 ? * 1,,2", 13, "Quartz silently ignores");
	refused("5x 0 12 ? * 2", 1, "Quartz silently ignores 'x'");
	refused("0 0 12 ? * MON-6", 15, "a name and a number");
	refused("5/0 * * * * ?", 2, "step of 0");
	refused("0/60 * * * * ?", 2, "step 60");
}

Test(cron_quartz_parse, wants_exactly_one_question_mark)
{
	refused("0 0 12 * * *", 11, "here it is none");
	refused("0 0 12 ? * ?", 11, "here it is both");
	refused("0 ? 12 * * ?", 2, "'?' stands alone");
	refused("0 0 12 ?,1 * 2", 7, "'?' stands alone");
	refused("0 0 12 ? * 6L,2", 11, "L and # stand alone");
	refused("0 0 12 ? * 0", 11, "weekday 0 is out of 1-7");
	refused("0 12 * * ?", 10, "5 fields");
	refused("0 0 0 1 1 ? 2030 x", 16, "8 fields");
	refused("0 0 0 1 1 ? 2030-2027", 17, "run backwards");
}
