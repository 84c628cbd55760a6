/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "support/cron_case.h"
#include "trigger/cron_set.h"

Test(cron, fits_a_cache_line)
{
	cr_assert_leq(sizeof(struct cron), 64);
}

Test(cron, keeps_its_text_with_single_blanks)
{
	struct cron *cron = cron_case_parse(CRON_CRONTAB, " 0\t9  * * MON-fri ");

	cr_assert_str_eq(cron_text(cron), "0 9 * * MON-fri");
	cr_assert_eq(cron_dialect(cron), CRON_CRONTAB);
	cr_assert_not(cron_has_draw(cron));
	cr_assert_not(cron_has_hash(cron));
	cron_free(cron);
	cron = cron_case_parse(CRON_CRONTAB, "H 1~5 * * *");
	cr_assert(cron_has_draw(cron));
	cr_assert(cron_has_hash(cron));
	cron_free(cron);
	cron_free(NULL);
}

Test(cron, knows_a_moved_fire_time)
{
	struct zone_cache *zones = zone_cache_new(NULL);
	struct cron *cron = cron_case_parse(CRON_CRONTAB, "30 2,4 * * *");
	const struct zone *zone;

	cr_assert_eq(zone_cache_get(zones, "Europe/Berlin", &zone, NULL), 0);
	cr_assert(cron_moved(cron, zone, cron_case_instant("2026-03-29T03:30:00+02:00")));
	cr_assert_not(cron_moved(cron, zone, cron_case_instant("2026-03-29T04:30:00+02:00")));
	cr_assert_not(cron_moved(cron, zone, cron_case_instant("2026-03-30T02:30:00+02:00")));
	cr_assert_not(cron_moved(cron, zone, SCHEDD_TIME_NONE));
	cron_free(cron);
	zone_cache_free(zones);
}

/* The canonical JSON of a JSON map of fields. */
static void fields(const char *json, const char *expected)
{
	struct arena arena;
	struct value value;
	struct schedd_error err = {0};
	struct strbuf out = STRBUF_EMPTY;
	struct cron *cron;

	arena_init(&arena);
	cr_assert_eq(json_parse(json, strlen(json), &arena, &value, &err), 0, "%s", err.message);
	cr_assert_eq(cron_parse_fields(&value, NULL, &cron, &err), 0, "%s", err.message);
	value = cron_fields_value(cron, &arena);
	json_write(&out, &value);
	cr_assert_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
	cron_free(cron);
	arena_clear(&arena);
}

Test(cron, writes_the_fields_map_in_order)
{
	fields("{\"hour\":5}", "{\"hour\":\"5\"}");
	fields("{\"second\":\"*/10\",\"day\":\"2nd  fri, last\",\"month\":1}",
	    "{\"month\":\"1\",\"day\":\"2nd fri,last\",\"second\":\"*/10\"}");
}

static void fields_refused(const char *json, const char *words)
{
	struct arena arena;
	struct value value;
	struct schedd_error err = {0};
	struct cron *cron;

	arena_init(&arena);
	cr_assert_eq(json_parse(json, strlen(json), &arena, &value, &err), 0, "%s", err.message);
	cr_assert_eq(cron_parse_fields(&value, NULL, &cron, &err), SCHEDD_EINVAL);
	cr_assert(strstr(err.message, words), "%s", err.message);
	cr_assert_eq(err.offset, -1);
	arena_clear(&arena);
}

Test(cron, refuses_fields_that_are_none)
{
	fields_refused("{}", "no field is given");
	fields_refused("[]", "a map of field names");
	fields_refused("{\"hours\":5}", "unknown field 'hours'");
	fields_refused("{\"hour\":-5}", "unexpected '-'");
	fields_refused("{\"hour\":true}", "a string or an integer");
	fields_refused("{\"hour\":\"5' minute='3\"}", "not allowed");
	fields_refused("{\"hour\":\"5\\u0000\"}", "not allowed");
	fields_refused("{\"hour=5 minute\":\"3\"}", "unknown field");
}
