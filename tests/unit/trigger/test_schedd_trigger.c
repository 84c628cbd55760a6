/* SPDX-License-Identifier: MIT */
#include <schedd/trigger.h>

#include <criterion/criterion.h>
#include <stdlib.h>

Test(schedd_trigger, outlives_the_zones_it_was_made_with)
{
	struct schedd_error err = {0};
	struct schedd_trigger *trigger;
	char *json;

	cr_assert_eq(
	    schedd_trigger_parse(" {\"cron\":\"30 2 * * *\"}", "Europe/Berlin", 0, &trigger, &err),
	    0, "%s", err.message);
	schedd_trigger_unref(schedd_trigger_ref(trigger));
	/* 2026-03-29T00:00:00Z: 02:30 does not exist and becomes 03:30. */
	cr_assert_eq(schedd_trigger_next(trigger, 1774742400000000), 1774747800000000);
	json = schedd_trigger_json(trigger);
	cr_assert_str_eq(
	    json, "{\"type\":\"cron\",\"expr\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\"}");
	free(json);
	schedd_trigger_unref(trigger);
}

Test(schedd_trigger, takes_canonical_text_and_refuses_the_rest)
{
	struct schedd_error err = {0};
	struct schedd_trigger *trigger;

	cr_assert_eq(schedd_trigger_parse("every 10s", NULL, 5000000, &trigger, &err), 0);
	cr_assert_eq(schedd_trigger_next(trigger, 0), 15000000);
	schedd_trigger_unref(trigger);
	cr_assert_eq(schedd_trigger_parse("{", NULL, 0, &trigger, &err), SCHEDD_EINVAL);
	cr_assert_eq(schedd_trigger_parse("sometimes", NULL, 0, &trigger, &err), SCHEDD_EINVAL);
	cr_assert_eq(
	    schedd_trigger_parse("every 1s", "No/Where", 0, &trigger, &err), SCHEDD_EINVAL);
	cr_assert_eq(schedd_trigger_parse("", NULL, 0, &trigger, NULL), SCHEDD_EINVAL);
}
