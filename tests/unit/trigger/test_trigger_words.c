/* SPDX-License-Identifier: MIT */
#include "trigger/trigger_words.h"

#include <criterion/criterion.h>
#include "support/trigger_case.h"

static void says(const char *trigger_text, const char *words)
{
	struct strbuf out = STRBUF_EMPTY;
	struct schedd_trigger *trigger;
	struct trigger_case tc;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, trigger_text);
	trigger_words(trigger, &out);
	cr_expect_str_eq(strbuf_peek(&out), words);
	strbuf_clear(&out);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger_words, say_the_rule_with_its_zone)
{
	says("every 15m", "Every 15 minutes");
	says("every 1h", "Every hour");
	says("every 90m", "Every 1 hour and 30 minutes");
	says("every 1d", "Every 24 hours");
	says("every 2w", "Every 14 days of 24 hours");
	says("every 0.25s", "Every 0.25 seconds");
	says("at 2026-12-01T09:30 tz Europe/Berlin", "Once at 2026-12-01 09:30, Europe/Berlin");
	says("at 2026-10-25T02:30:00+01:00 tz Europe/Berlin",
	    "Once at 2026-10-25 02:30 CET, Europe/Berlin");
	says("calendar 'months=1 time=8:00' start 2026-01-31",
	    "Every month at 08:00, counted from 2026-01-31 without dates that do not exist, UTC");
	says("calendar 'years=2 weeks=1 time=8:00:01' start 2026-01-01",
	    "Every 2 years and 1 week at 08:00:01, counted from 2026-01-01, UTC");
	says("manual", "Only when run by hand");
}

Test(trigger_words, say_what_bounds_it)
{
	says("every 5m end 2026-12-31 jitter 30s",
	    "Every 5 minutes, not after 2026-12-31 00:00, each run delayed at random by up to 30s");
	says("any (every 5m, on-start)", "Every 5 minutes, or when schedd starts");
	says("all (every 5m, any (every 7m, every 11m))",
	    "When all of these meet: every 5 minutes; (every 7 minutes, or every 11 minutes)");
}
