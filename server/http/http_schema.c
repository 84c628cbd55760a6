/* SPDX-License-Identifier: MIT */
#include "server/http/http_schema.h"

#include <string.h>
#include "base/json.h"
#include "base/strbuf.h"
#include "jobfile/jobfile_schema.h"

#define SCHEMA_THERE "#/$defs/"
#define SCHEMA_HERE "#/components/schemas/"

static void http_schema_move(struct arena *arena, struct value *value)
{
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++)
		http_schema_move(arena, &value->array.items[i]);
	for (uint32_t i = 0; value->type == VALUE_MAP && i < value->map.count; i++) {
		struct value_member *member = &value->map.members[i];
		const char *name = member->value.type == VALUE_STRING ? member->value.string.text : "";

		if (strcmp(member->key, "$ref") != 0 ||
		    strncmp(name, SCHEMA_THERE, strlen(SCHEMA_THERE)) != 0) {
			http_schema_move(arena, &member->value);
			continue;
		}
		name = arena_printf(arena, SCHEMA_HERE "%s", name + strlen(SCHEMA_THERE));
		if (name)
			member->value = value_string_ref(name);
	}
}

struct value http_schema_all(struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value schema = value_map();
	const struct value *parts = NULL;
	struct value all = value_map();

	if (!jobfile_schema_write(&text) &&
	    !json_parse(text.data, text.length, arena, &schema, NULL))
		parts = value_get(&schema, "$defs");
	if (parts && parts->type == VALUE_MAP)
		all = *parts;
	strbuf_clear(&text);
	http_schema_move(arena, &all);
	return all;
}
