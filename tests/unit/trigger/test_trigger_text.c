/* SPDX-License-Identifier: MIT */
#include "trigger/trigger_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "support/trigger_case.h"

Test(trigger_text, is_written_as_on_the_command_line)
{
	static const char *const rows[][2] = {
	    {"{\"cron\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\",\"end\":\"2027-01-01\"}",
		"cron '30 2 * * *' tz Europe/Berlin end 2027-01-01T00:00:00+01:00"},
	    {"{\"every\":\"15m\",\"jitter\":30}",
		"every 15m tz UTC start 2026-01-01T00:15:00+00:00 jitter 30s"},
	    {"{\"fields\":\"day='2nd fri' hour=5\"}", "fields \"day='2nd fri' hour=5\" tz UTC"},
	    {"{\"calendar\":\"months=1 time=8:00\"}",
		"calendar 'months=1 time=08:00:00' tz UTC start 2026-01-01"},
	    {"{\"any\":[{\"at\":\"2026-12-01\"},{\"all\":[{\"cron\":\"@daily\"}]},{\"on_start\":"
	     "true}]}",
		"any (at 2026-12-01T00:00:00+00:00 tz UTC, all (cron @daily tz UTC), on-start)"},
	    {"{\"cron\":\"0~9 5 * * *\",\"seed\":12}", "cron '0~9 5 * * *' tz UTC seed 12"},
	};
	struct trigger_case tc;

	trigger_case_init(&tc);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct schedd_trigger *trigger = trigger_case_make(&tc, rows[i][0]);
		char *text = trigger_case_text(trigger);

		cr_expect_str_eq(text, rows[i][1]);
		trigger_case_round_trip(&tc, trigger);
		free(text);
		trigger_unref(trigger);
	}
	trigger_case_clear(&tc);
}

static const char *pick(unsigned *seed, const char *const *list, size_t count)
{
	return list[(size_t)rand_r(seed) % count];
}

#define PICK(seed, ...)                                                                            \
	pick(seed, (const char *const[]){__VA_ARGS__},                                             \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Any trigger, up to depth lists deep. */
static void random_trigger(unsigned *seed, int depth, struct strbuf *out)
{
	int kind = rand_r(seed) % (depth > 0 ? 9 : 7);
	int count = rand_r(seed) % 4 + 1;

	switch (kind) {
	case 0:
		strbuf_printf(out, "at @%d", rand_r(seed));
		break;
	case 1:
		strbuf_printf(out, "every %d.%03ds", rand_r(seed) % 100000, rand_r(seed) % 999 + 1);
		break;
	case 2:
		strbuf_printf(out, "calendar 'years=%d days=%d time=%d:%02d' start 20%02d-0%d-1%d",
		    rand_r(seed) % 3, rand_r(seed) % 40 + 1, rand_r(seed) % 24, rand_r(seed) % 60,
		    rand_r(seed) % 90 + 10, rand_r(seed) % 9 + 1, rand_r(seed) % 10);
		break;
	case 3:
		strbuf_printf(out, "cron '%s'",
		    PICK(seed, "*/5 8-17 * * mon-fri", "@hourly", "0~30 4 * * *", "H H * * *",
			"0 0 L * 5#2", "0 15 10 * * * 2030", "1-9/2 * 1,15 * fri"));
		break;
	case 4:
		strbuf_printf(out, "fields \"%s\"",
		    PICK(seed, "hour=5", "day='2nd fri' hour=5", "month=1-6 day=last minute=*/7",
			"week=10 day_of_week=mon,wed-fri"));
		break;
	case 5:
		strbuf_printf(out, "quartz '%s'", PICK(seed, "0 15 10 ? * 6L", "0 0/5 14 * * ?"));
		break;
	case 6:
		strbuf_printf(out, "on-calendar '%s'",
		    PICK(seed, "Mon..Fri 09:00", "*-*~1 12:00:30", "hourly",
			"2030-*-1,15 6:00 Asia/Tokyo"));
		break;
	default:
		strbuf_printf(out, "%s (", kind == 7 ? "any" : "all");
		for (int i = 0; i < count; i++) {
			strbuf_add(out, i ? ", " : "");
			random_trigger(seed, depth - 1, out);
		}
		strbuf_add_char(out, ')');
	}
	if (kind != 6 && rand_r(seed) % 2)
		strbuf_printf(out, " tz %s", PICK(seed, "Europe/Berlin", "Asia/Kathmandu", "UTC"));
	if (rand_r(seed) % 3 == 0)
		strbuf_printf(out, " end %s", PICK(seed, "9000-01-01", "8999-12-31T01:02:03.5Z"));
	if (rand_r(seed) % 4 == 0)
		strbuf_printf(out, " jitter %ds splay %dm", rand_r(seed) % 100, rand_r(seed) % 100);
}

Test(trigger_text, and_json_of_random_triggers_read_back_the_same)
{
	struct trigger_case tc;
	unsigned seed = 20261121;

	trigger_case_init(&tc);
	for (int i = 0; i < 3000; i++) {
		struct strbuf text = STRBUF_EMPTY, words = STRBUF_EMPTY;
		struct schedd_trigger *trigger;

		random_trigger(&seed, 3, &text);
		trigger = trigger_case_make(&tc, strbuf_peek(&text));
		trigger_case_round_trip(&tc, trigger);
		trigger_words(trigger, &words);
		cr_assert_gt(words.length, 0);
		strbuf_clear(&words);
		strbuf_clear(&text);
		trigger_unref(trigger);
	}
	trigger_case_clear(&tc);
}

/* The times of a trigger by stepping must be what latest and count say. */
Test(trigger_text, of_random_triggers_fire_alike_forwards_and_backwards)
{
	struct trigger_case tc;
	unsigned seed = 77;

	trigger_case_init(&tc);
	for (int i = 0; i < 400; i++) {
		schedd_time from = tc.context.now + rand_r(&seed) * (schedd_time)1000, at = from;
		schedd_time before = SCHEDD_TIME_NONE;
		struct strbuf text = STRBUF_EMPTY;
		struct schedd_trigger *trigger;

		random_trigger(&seed, 2, &text);
		trigger = trigger_case_make(&tc, strbuf_peek(&text));
		for (unsigned n = 0; n < 6; n++) {
			schedd_time fire = trigger_next(trigger, at);

			if (fire == SCHEDD_TIME_NONE)
				break;
			cr_assert_geq(fire, at);
			cr_assert_eq(trigger_latest(trigger, from, fire), fire, "%s", text.data);
			cr_assert_eq(
			    trigger_latest(trigger, from, fire - 1), before, "%s", text.data);
			cr_assert_eq(
			    trigger_count(trigger, from, fire, 99), n + 1, "%s", text.data);
			before = fire;
			at = fire + 1;
		}
		strbuf_clear(&text);
		trigger_unref(trigger);
	}
	trigger_case_clear(&tc);
}
