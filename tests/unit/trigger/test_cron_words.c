/* SPDX-License-Identifier: MIT */
#include "reference/random.h"
#include "support/cron_case.h"

static void check(void (*say)(const struct cron *, struct strbuf *), enum cron_dialect dialect,
    const char *text, const char *words)
{
	struct cron *cron = cron_case_parse(dialect, text);
	struct strbuf out = STRBUF_EMPTY;

	say(cron, &out);
	cr_assert_str_eq(strbuf_peek(&out), words, "%s: %s", text, strbuf_peek(&out));
	strbuf_clear(&out);
	cron_free(cron);
}

static void words(const char *text, const char *expected)
{
	check(cron_words, CRON_CRONTAB, text, expected);
}

Test(cron_words, tells_times)
{
	words("* * * * *", "Every minute");
	words("*/15 * * * *", "Every 15 minutes");
	words("*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:45 on Monday to Friday");
	words("30 2 * * *", "At 02:30 every day");
	words("0 9,12,15 * * *", "At 09:00, 12:00 and 15:00 every day");
	words("0 * * * *", "Every hour");
	words("5 * * * *", "Every hour at minute 5");
	/* All hours by number are fixed times: where the clock goes back they come once. */
	words("30 0-23 * * *", "Every hour from 00:30 to 23:30 every day");
	words("0,30 0-23 * * *", "Every 30 minutes from 00:00 to 23:30 every day");
	words("5,10,40 0-23 * * *", "At minute 5, 10 and 40 of hour 0 to 23 every day");
	words("30 */2 * * *", "Every 2 hours from 00:30 to 22:30 every day");
	words("0 1,2,5,9,13 * * *", "At minute 0 of hour 1, 2, 5, 9 and 13 every day");
	words("*/7 * * * *", "Every 7 minutes from minute 0 to minute 56 of every hour");
	words("10,20 * * * *", "At minute 10 and 20 of every hour");
	words("*/15 9,12 * * *", "Every 15 minutes of hour 9 and 12 every day");
	words("50-10/5 3 * * *", "At minute 0, 5, 10, 50 and 55 of hour 3 every day");
}

Test(cron_words, tells_seconds)
{
	words("* * * * * *", "Every second");
	words("*/10 * * * * *", "Every 10 seconds");
	words("*/7 * * * * *", "Every 7 seconds from second 0 to second 56 of every minute");
	words("5,40 * * * * *", "At second 5 and 40 of every minute");
	words("* 0-10 9-17 * * *", "Every second of minute 0 to 10 of hour 9 to 17 every day");
	words("30 15 2 * * *", "At 02:15:30 every day");
	words("30 */5 * * * *", "Every 5 minutes, at second 30");
	words("30 */5 9-17 * * *", "Every 5 minutes from 09:00:30 to 17:55:30 every day");
}

Test(cron_words, tells_dates)
{
	words("0 0 13 * 5", "At 00:00 on day 13 of the month or on Friday");
	words("0 0 13 * +5", "At 00:00 on day 13 of the month if it falls on Friday");
	words("0 0 1 1,3-5 fri",
	    "At 00:00 on day 1 of the month or on Friday, in January and March to May");
	words("0 0 29 2 *", "At 00:00 on day 29 of February");
	words("0 0 30 2 *", "At 00:00 on day 30 of February (never: there is no such date)");
	words("0 0 */3 * *", "At 00:00 on every 3rd day from 1 to 31 of the month");
	words("0 0 L * *", "At 00:00 on the last day of the month");
	words("0 0 L-3,15W * *", "At 00:00 on the day 3 days before the last and the working day "
				 "nearest day 15 of the month");
	words("0 0 * 1 fri#2", "At 00:00 on the second Friday of January");
	words("0 0 * 1 mon,fri#2",
	    "At 00:00 on Monday and the second Friday of the month in January");
	words("0 0 * * fri-mon", "At 00:00 on Monday and Friday to Sunday");
	words("0 0 1-31 * mon", "At 00:00 every day");
	words("0 0 * 6 *", "At 00:00 every day in June");
	words("0 0 0 1 1 * 2026", "At 00:00 on day 1 of January in 2026");
	words("0 0 0 1 1 * 2024-2096/4",
	    "At 00:00 on day 1 of January in every 4th year from 2024 to 2096");
	check(cron_words, CRON_FIELDS, "week=7 hour=5", "At 05:00 every day in ISO week 7");
	check(cron_words, CRON_FIELDS, "day='2nd fri,last'",
	    "At 00:00 on the last day and the second Friday of the month");
	check(cron_words, CRON_ONCALENDAR, "Mon *-05~07/1",
	    "At 00:00 on the last 7 days of May if it falls on Monday");
}

Test(cron_words, remarks_on_what_the_text_does_not_say)
{
	check(cron_remarks, CRON_CRONTAB, "0 0 * * mon", "");
	check(cron_remarks, CRON_CRONTAB, "0 0 13 * fri",
	    "day and weekday are both limited: it runs when either matches\n");
	check(cron_remarks, CRON_CRONTAB, "0 0 */2 * fri",
	    "day and weekday are both limited: it runs when both match, as one of them begins with "
	    "'*'\n");
	check(cron_remarks, CRON_CRONTAB, "0 0 13 * +fri",
	    "day and weekday are both limited: it runs when both match, because of the '+'\n");
	check(cron_remarks, CRON_FIELDS, "day=13 day_of_week=fri",
	    "day and weekday are both limited: it runs when both match\n");
	check(cron_remarks, CRON_CRONTAB, "5~5 * * dec~dec sun~0",
	    "5~5 in the minute field was drawn as 5\n"
	    "dec~dec in the month field was drawn as December\n"
	    "sun~0 in the weekday field was drawn as Sunday\n");
}

/* Some values of a field: a range, a series, or no pattern at all. */
static uint64_t random_set(struct random *random, int min, int max)
{
	int first = random_in(random, min, max), last = random_in(random, min, max);
	int step = random_in(random, 1, 1 + (max - min) / 2);
	uint64_t set = UINT64_C(1) << first;

	if (random_once_in(random, 4))
		return UINT64_MAX >> (63 - max) & UINT64_MAX << min;
	if (random_once_in(random, 2))
		for (int value = first; value <= last; value += step)
			set |= UINT64_C(1) << value;
	else if (random_once_in(random, 2))
		set |= random_next(random) & random_next(random) & UINT64_MAX >> (63 - max) &
		       UINT64_MAX << min;
	return set;
}

static void list_sets(const uint64_t *sets, const int *maxima, struct strbuf *text)
{
	for (int field = 0; field < 6; field++) {
		const char *separator = field > 0 ? " " : "";

		for (int value = 0; value <= maxima[field]; value++) {
			if (!(sets[field] >> value & 1))
				continue;
			strbuf_printf(text, "%s%d", separator, value);
			separator = ",";
		}
	}
}

Test(cron_words, differ_wherever_schedules_differ)
{
	static const int minima[] = {0, 0, 0, 1, 1, 0}, maxima[] = {59, 59, 23, 31, 12, 6};
	struct random random = {20};

	for (int round = 0; round < 3000; round++) {
		struct strbuf texts[2] = {STRBUF_EMPTY, STRBUF_EMPTY};
		struct strbuf said[2] = {STRBUF_EMPTY, STRBUF_EMPTY};
		int field = random_in(&random, 0, 5);
		uint64_t sets[6], bit = UINT64_C(1)
					<< random_in(&random, minima[field], maxima[field]);

		for (int i = 0; i < 6; i++)
			sets[i] = random_set(&random, minima[i], maxima[i]);
		sets[field] |= bit;
		if (sets[field] == bit)
			continue;
		for (int i = 0; i < 2; i++) {
			struct cron *cron;

			list_sets(sets, maxima, &texts[i]);
			cron = cron_case_parse(CRON_CRONTAB, strbuf_peek(&texts[i]));
			cron_words(cron, &said[i]);
			cron_free(cron);
			sets[field] ^= bit;
		}
		if (strcmp(strbuf_peek(&said[0]), strbuf_peek(&said[1])) == 0)
			cron_case_same(CRON_CRONTAB, strbuf_peek(&texts[0]), CRON_CRONTAB,
			    strbuf_peek(&texts[1]));
		for (int i = 0; i < 2; i++) {
			strbuf_clear(&texts[i]);
			strbuf_clear(&said[i]);
		}
	}
}
