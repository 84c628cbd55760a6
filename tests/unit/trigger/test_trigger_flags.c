/* SPDX-License-Identifier: MIT */
#include "trigger/trigger_flags.h"

#include <criterion/criterion.h>
#include "support/trigger_case.h"

/* Flags as one text, "every=15m now", values up to the next bar: "every=15m|now". */
static size_t split(char *text, struct trigger_flag *flags)
{
	size_t count = 0;

	for (char *part = strtok(text, "|"); part; part = strtok(NULL, "|")) {
		char *equals = strchr(part, '=');

		if (equals)
			*equals = '\0';
		flags[count++] = (struct trigger_flag){part, equals ? equals + 1 : NULL};
	}
	return count;
}

static void gives(const char *typed, const char *expect)
{
	struct strbuf out = STRBUF_EMPTY;
	struct schedd_error err = {0};
	struct trigger_flag flags[16];
	struct trigger_case tc;
	struct arena arena;
	struct value value;
	char text[512];
	int rc;

	trigger_case_init(&tc);
	arena_init(&arena);
	cr_assert_lt(strlen(typed), sizeof(text));
	strcpy(text, typed);
	rc = trigger_flags_value(flags, split(text, flags), &tc.context, &arena, &value, &err);
	if (rc)
		strbuf_add(&out, err.message);
	else
		json_write(&out, &value);
	cr_expect_str_eq(strbuf_peek(&out), expect);
	strbuf_clear(&out);
	arena_clear(&arena);
	trigger_case_clear(&tc);
}

Test(trigger_flags, make_one_trigger)
{
	gives("", "null");
	gives("every=15m", "{\"every\":\"15m\"}");
	gives("every=15m|now", "{\"every\":\"15m\",\"start\":\"now\"}");
	gives("every=15m|start=2026-02-01|tz=Europe/Berlin",
	    "{\"every\":\"15m\",\"start\":\"2026-02-01T00:00:00+01:00\","
	    "\"timezone\":\"Europe/Berlin\"}");
	gives("at=now", "{\"at\":\"now\"}");
	gives("at=tomorrow 9am|tz=Europe/Berlin",
	    "{\"at\":\"2026-01-02T09:00:00+01:00\",\"timezone\":\"Europe/Berlin\"}");
	gives("in=5m", "{\"at\":\"2026-01-01T00:05:00+00:00\"}");
	gives("cron=30 2 * * *|jitter=30s|splay=5m",
	    "{\"cron\":\"30 2 * * *\",\"jitter\":\"30s\",\"splay\":\"5m\"}");
	gives("calendar=months=1|start=2026-01-31|end=2026-12-31",
	    "{\"calendar\":\"months=1\",\"start\":\"2026-01-31\",\"end\":\"2026-12-31\"}");
	gives("manual|tz=Asia/Tokyo", "{\"manual\":true}");
	gives("at=2020-01-01|allow-past", "{\"at\":\"2020-01-01T00:00:00+00:00\"}");
}

Test(trigger_flags, join_several)
{
	gives("every=15m|on-start", "{\"any\":[{\"every\":\"15m\"},{\"on_start\":true}]}");
	gives("cron=0 5 * * *|cron=0 6 * * *|tz=UTC|end=2027-01-01",
	    "{\"any\":[{\"cron\":\"0 5 * * *\",\"end\":\"2027-01-01T00:00:00+00:00\"},"
	    "{\"cron\":\"0 6 * * "
	    "*\",\"end\":\"2027-01-01T00:00:00+00:00\"}],\"timezone\":\"UTC\"}");
	gives("fields=hour=5|quartz=0 0 5 ? * MON|all-of",
	    "{\"all\":[{\"fields\":\"hour=5\"},{\"quartz\":\"0 0 5 ? * MON\"}]}");
}

Test(trigger_flags, refuse_with_a_way_out)
{
	gives("tz=UTC", "--tz needs a trigger: one of --at, --in, --every, --calendar, --cron, "
			"--fields, --quartz, --on-calendar, --on-start, --on-boot and --manual");
	gives("at=2020-01-01",
	    "--at 2020-01-01: 2020-01-01T00:00:00+00:00 has passed; --allow-past "
	    "runs it at once");
	gives(
	    "cron=* * * * *|now", "--now goes with --every (to run once at once, write --at now)");
	gives("every=5m|now|start=2027-01-01",
	    "--now and --start both say when the first run is: give one of them");
	gives("every=5m|all-of", "--all-of needs two triggers or more");
	gives("every=5m|end=2027-01-01|end=2028-01-01", "--end is given twice");
	gives(
	    "manual|end=2027-01-01", "--end needs a trigger with times, such as --every or --cron");
	gives("cron=@Reboot", "--cron '@Reboot' is no time of day: use --on-boot");
	gives("cron= @every  5m", "--cron ' @every  5m' is no time of day: use --every 5m");
	gives("cron=@everyone", "cron '@everyone': unknown macro, there are @yearly @annually @monthly @weekly "
				"@daily @midnight @hourly");
	gives("every=0", "trigger: 'every' is shorter than 0.001 seconds");
	gives("manual|all-of|every=5m",
	    "trigger: all[0]: what no clock fires cannot stand in a combination by 'and'");
}
