/* SPDX-License-Identifier: MIT */
/* GET /api/v1/next?cron=…: one short form of a trigger, beside the parameters of trigger.next. */
#include <string.h>
#include "server/http/http_handlers.h"
#include "server/http/http_path.h"
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"
#include "trigger/when.h"
#include "trigger/zone.h"

static const char *const http_trigger_forms[] = {
    "at", "every", "calendar", "cron", "fields", "quartz", "on_calendar", NULL};

static bool http_next_is_form(const char *key)
{
	for (const char *const *form = http_trigger_forms; *form; form++) {
		if (strcmp(*form, key) == 0)
			return true;
	}
	return false;
}

/* Instants of the list as texts with the offset of the trigger's zone, as schedctl shows them. */
static void http_next_texts(
    struct http_request *request, struct zone_cache *zones, struct value *answer)
{
	const char *name = value_get_string(answer, "timezone");
	struct value *times = (struct value *)(uintptr_t)value_get(answer, "fire_times");
	const struct zone *zone;

	if (!name || !times || zone_cache_get(zones, name, &zone, NULL))
		return;
	for (uint32_t i = 0; i < times->array.count; i++) {
		struct value *item = &times->array.items[i];
		struct strbuf text = STRBUF_EMPTY;

		if (item->type != VALUE_INT)
			continue;
		when_format(&text, item->integer, zone);
		*item = value_string_take(request->arena, &text);
	}
}

static void http_next_answered(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	struct zone_cache *zones;
	struct value answer;

	if (err) {
		http_problem_error(request, err);
		return;
	}
	answer = value_copy(request->arena, result);
	zones = zone_cache_new(NULL);
	if (zones)
		http_next_texts(request, zones, &answer);
	http_request_resource(request, 200, &answer);
	zone_cache_free(zones);
}

/* Takes the short form out of the query and makes it the trigger. */
static struct value http_next_trigger(struct http_request *request)
{
	struct value trigger = value_map(), rest = value_map();

	for (uint32_t i = 0; i < request->query.map.count; i++) {
		const struct value_member *member = &request->query.map.members[i];

		value_put(request->arena, http_next_is_form(member->key) ? &trigger : &rest,
		    member->key, member->value);
	}
	request->query = rest;
	return trigger;
}

void http_next_preview(struct http_request *request)
{
	struct value trigger = http_next_trigger(request), params = value_map();

	if (!http_path_params(request, &params))
		return;
	if (trigger.map.count > 0)
		value_put(request->arena, &params, "trigger", trigger);
	http_request_call(request, "trigger.next", &params, http_next_answered);
}
