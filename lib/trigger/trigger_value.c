/* SPDX-License-Identifier: MIT */
/* Times and dates as the canonical values write them. */
#include "trigger/trigger_value.h"

#include "base/civil.h"
#include "trigger/when.h"

struct value trigger_value_time(struct arena *arena, schedd_time when, const struct zone *zone)
{
	char room[48] = "";
	struct strbuf text = STRBUF_ON(room);

	when_format(&text, when, zone);
	return value_string_take(arena, &text);
}

struct value trigger_value_date(struct arena *arena, int32_t day)
{
	struct civil date;

	civil_from_days(day, &date);
	return value_string_ref(
	    arena_printf(arena, "%04d-%02d-%02d", date.year, date.month, date.day));
}
