/* SPDX-License-Identifier: MIT */
/* Short ways to make triggers in tests. Each test runs in its own process and frees what it made.
 */
#ifndef TESTS_SUPPORT_TRIGGER_CASE_H
#define TESTS_SUPPORT_TRIGGER_CASE_H

#include <criterion/criterion.h>
#include <string.h>
#include "base/json.h"
#include "trigger/trigger.h"
#include "trigger/when.h"

/* Where triggers are made. */
struct trigger_case {
	struct zone_cache *zones;
	struct trigger_context
	    context; /* UTC, now = 2026-01-01T00:00:00Z, job "job", host "host" */
};

static inline void trigger_case_init(struct trigger_case *tc)
{
	memset(tc, 0, sizeof(*tc));
	tc->zones = zone_cache_new(NULL);
	cr_assert(tc->zones);
	tc->context.zones = tc->zones;
	tc->context.zone = zone_utc();
	tc->context.now = 1767225600 * SCHEDD_SECOND;
	tc->context.job_id = "job";
	tc->context.host = "host";
	tc->context.seed = 7;
}

static inline void trigger_case_clear(struct trigger_case *tc)
{
	zone_cache_free(tc->zones);
}

/* RFC 3339 to an instant. */
static inline schedd_time trigger_case_time(const char *text)
{
	struct when_context when = {.zone = zone_utc()};
	struct schedd_error err = {0};
	schedd_time out;

	cr_assert_eq(when_parse(text, &when, &out, &err), 0, "%s: %s", text, err.message);
	return out;
}

/* JSON or text; the code, with *out only where it is 0. */
static inline int trigger_case_try(const struct trigger_case *tc, const char *text,
    struct schedd_trigger **out, struct schedd_error *err)
{
	struct arena arena;
	struct value value;
	int rc;

	if (*text != '{' && *text != '[' && *text != '"')
		return trigger_from_text(text, &tc->context, out, err);
	arena_init(&arena);
	cr_assert_eq(
	    json_parse(text, strlen(text), &arena, &value, err), 0, "%s: %s", text, err->message);
	rc = trigger_from_value(&value, &tc->context, out, err);
	arena_clear(&arena);
	return rc;
}

static inline struct schedd_trigger *trigger_case_make(
    const struct trigger_case *tc, const char *text)
{
	struct schedd_trigger *trigger = NULL;
	struct schedd_error err = {0};

	cr_assert_eq(trigger_case_try(tc, text, &trigger, &err), 0, "%s: %s", text, err.message);
	return trigger;
}

/* The canonical JSON, to free. */
static inline char *trigger_case_json(const struct schedd_trigger *trigger)
{
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	value = trigger_to_value(trigger, &arena);
	json_write(&text, &value);
	arena_clear(&arena);
	return strbuf_take(&text);
}

/* The canonical text, to free. */
static inline char *trigger_case_text(const struct schedd_trigger *trigger)
{
	struct strbuf text = STRBUF_EMPTY;

	trigger_to_text(trigger, &text);
	return strbuf_take(&text);
}

/* Reads JSON and text back; both must come to the same. */
static inline void trigger_case_round_trip(
    const struct trigger_case *tc, const struct schedd_trigger *trigger)
{
	char *json = trigger_case_json(trigger), *text = trigger_case_text(trigger);
	struct schedd_trigger *from_json = trigger_case_make(tc, json);
	struct schedd_trigger *from_text = trigger_case_make(tc, text);
	char *again = trigger_case_json(from_json), *through = trigger_case_json(from_text);

	cr_assert_str_eq(again, json);
	cr_assert_str_eq(through, json, "through %s", text);
	cr_assert(trigger_equal(trigger, from_json) && trigger_equal(trigger, from_text));
	trigger_unref(from_json);
	trigger_unref(from_text);
	free(json);
	free(text);
	free(again);
	free(through);
}

#endif
