/* SPDX-License-Identifier: MIT */
/* A damaged line is shown as it stands, so that it hides no other. */
#include "store/store_changes.h"

#include <string.h>
#include "base/json.h"

void store_changes_add(
    struct arena *arena, struct value *list, schedd_time when, const char *job, const char *json)
{
	struct value map;

	if (json_parse(json, strlen(json), arena, &map, NULL) < 0 || map.type != VALUE_MAP) {
		map = value_map();
		value_put(arena, &map, "change", value_string(arena, json));
	}
	if (!value_get(&map, "time"))
		value_put(arena, &map, "time", value_int(when));
	if (job && !value_get(&map, "job"))
		value_put(arena, &map, "job", value_string(arena, job));
	value_append(arena, list, map);
}
