/* SPDX-License-Identifier: MIT */
/*
 * Triggers for embedders: the internal ones behind the public names. A trigger
 * made here carries its own zone cache, as there is no scheduler to own one.
 */
#include <schedd/trigger.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "trigger/trigger_ops.h"

/* JSON begins with a brace, canonical text never does. */
static int schedd_trigger_read(const char *text, const struct trigger_context *context,
    struct schedd_trigger **out, struct schedd_error *err)
{
	struct arena arena;
	struct value value;
	int rc;

	while (isspace((unsigned char)*text))
		text++;
	if (*text != '{')
		return trigger_from_text(text, context, out, err);
	arena_init(&arena);
	rc = json_parse(text, strlen(text), &arena, &value, err);
	if (!rc)
		rc = trigger_from_value(&value, context, out, err);
	arena_clear(&arena);
	return rc;
}

int schedd_trigger_parse(const char *text, const char *timezone, schedd_time now,
    struct schedd_trigger **out, struct schedd_error *err)
{
	static const struct trigger_bounds unbound = {
	    .start = SCHEDD_TIME_NONE,
	    .end = SCHEDD_TIME_NONE,
	    .first = SCHEDD_TIME_NONE,
	    .last = SCHEDD_TIME_NONE,
	};
	struct trigger_context context = {.now = now};
	int rc = 0;

	context.zones = zone_cache_new(NULL);
	if (!context.zones)
		return schedd_error_nomem(err);
	if (timezone)
		rc = zone_cache_get(context.zones, timezone, &context.zone, err);
	if (!rc)
		rc = schedd_trigger_read(text, &context, out, err);
	if (rc) {
		zone_cache_free(context.zones);
		return rc;
	}
	if (!(*out)->bounds) {
		(*out)->bounds = malloc(sizeof(unbound));
		if (!(*out)->bounds) {
			trigger_unref(*out);
			zone_cache_free(context.zones);
			return schedd_error_nomem(err);
		}
		*(*out)->bounds = unbound;
	}
	(*out)->bounds->zones = context.zones;
	return 0;
}

struct schedd_trigger *schedd_trigger_ref(struct schedd_trigger *trigger)
{
	return trigger_ref(trigger);
}

void schedd_trigger_unref(struct schedd_trigger *trigger)
{
	trigger_unref(trigger);
}

schedd_time schedd_trigger_next(const struct schedd_trigger *trigger, schedd_time from)
{
	return trigger_next(trigger, from);
}

char *schedd_trigger_json(const struct schedd_trigger *trigger)
{
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	value = trigger_to_value(trigger, &arena);
	if (arena_failed(&arena))
		text.failed = true;
	else
		json_write(&text, &value);
	arena_clear(&arena);
	if (strbuf_failed(&text))
		strbuf_clear(&text);
	return strbuf_take(&text);
}
