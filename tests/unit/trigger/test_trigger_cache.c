/* SPDX-License-Identifier: MIT */
#include "trigger/trigger_cache.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include "support/trigger_case.h"

Test(trigger_cache, gives_equal_expressions_one_trigger)
{
	static const char *const texts[] = {
	    "{\"cron\":\"*/5 * * * *\"}",
	    "{\"cron\":\"*/5   * * * *\"}",
	    "{\"type\":\"cron\",\"expr\":\"*/5 * * * *\",\"timezone\":\"UTC\"}",
	};
	struct schedd_trigger *first, *other;
	struct trigger_case tc;

	trigger_case_init(&tc);
	tc.context.cache = trigger_cache_new();
	first = trigger_case_make(&tc, texts[0]);
	for (size_t i = 1; i < sizeof(texts) / sizeof(texts[0]); i++) {
		other = trigger_case_make(&tc, texts[i]);
		cr_assert_eq(other, first);
		trigger_unref(other);
	}
	other = trigger_case_make(&tc, "{\"cron\":\"*/5 * * * *\",\"timezone\":\"Asia/Tokyo\"}");
	cr_assert_neq(other, first);
	trigger_unref(other);
	other = trigger_case_make(&tc, "{\"quartz\":\"0 */5 * * * ?\"}");
	cr_assert_neq(other, first);
	trigger_unref(other);
	trigger_unref(first);
	trigger_cache_free(tc.context.cache);
	trigger_case_clear(&tc);
}

Test(trigger_cache, shares_the_expression_under_bounds)
{
	struct schedd_trigger *plain, *bounded;
	struct trigger_case tc;

	trigger_case_init(&tc);
	tc.context.cache = trigger_cache_new();
	plain = trigger_case_make(&tc, "fields 'hour=5 day_of_week=mon-fri'");
	bounded = trigger_case_make(&tc, "fields 'day_of_week=mon-fri hour=5' end 2026-01-03");
	cr_assert_neq(plain, bounded);
	cr_assert_eq(trigger_cache_count(tc.context.cache), 1);
	trigger_unref(plain);
	cr_assert_eq(
	    trigger_next(bounded, tc.context.now), trigger_case_time("2026-01-01T05:00:00Z"));
	trigger_case_round_trip(&tc, bounded);
	trigger_cache_free(tc.context.cache);
	cr_assert_eq(trigger_count(bounded, tc.context.now, SCHEDD_TIME_MAX, 9), 2);
	trigger_unref(bounded);
	trigger_case_clear(&tc);
}

Test(trigger_cache, keeps_out_what_belongs_to_one_job)
{
	struct trigger_case tc;

	trigger_case_init(&tc);
	tc.context.cache = trigger_cache_new();
	trigger_unref(trigger_case_make(&tc, "cron 'H * * * *'"));
	trigger_unref(trigger_case_make(&tc, "cron '0~9 * * * *'"));
	trigger_unref(trigger_case_make(&tc, "every 5m"));
	cr_assert_eq(trigger_cache_count(tc.context.cache), 0);
	trigger_cache_free(tc.context.cache);
	trigger_case_clear(&tc);
}

Test(trigger_cache, forgets_what_nobody_uses)
{
	struct schedd_trigger *kept;
	struct trigger_case tc;

	trigger_case_init(&tc);
	tc.context.cache = trigger_cache_new();
	kept = trigger_case_make(&tc, "cron '59 23 31 12 *'");
	for (int i = 0; i < 1000; i++) {
		char text[40];

		snprintf(text, sizeof(text), "cron '%d %d * * *'", i % 60, i / 60);
		trigger_unref(trigger_case_make(&tc, text));
	}
	cr_assert_lt(trigger_cache_count(tc.context.cache), 20);
	trigger_unref(trigger_case_make(&tc, "cron '59 23 31 12 *'"));
	trigger_cache_free(tc.context.cache);
	trigger_unref(kept);
	trigger_cache_free(NULL);
	trigger_case_clear(&tc);
}
