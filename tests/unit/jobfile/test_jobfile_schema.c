/* SPDX-License-Identifier: MIT */
#include "jobfile/jobfile_schema.h"

#include <criterion/criterion.h>
#include <string.h>
#include "base/json.h"
#include "model/job_fields.h"

static void check_refs(const struct value *definitions, const struct value *value)
{
	const char *ref = value_get_string(value, "$ref");

	if (ref)
		cr_assert_not_null(value_get(definitions, ref + strlen("#/$defs/")), "%s", ref);
	for (uint32_t i = 0; value->type == VALUE_MAP && i < value->map.count; i++)
		check_refs(definitions, &value->map.members[i].value);
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++)
		check_refs(definitions, &value->array.items[i]);
}

Test(jobfile_schema, has_every_field_of_a_file_and_no_dangling_reference)
{
	struct strbuf out = STRBUF_EMPTY;
	const struct value *definitions, *properties;
	struct schedd_error err = {0};
	struct arena arena;
	struct value schema;

	arena_init(&arena);
	cr_assert_eq(jobfile_schema_write(&out), 0);
	cr_assert_eq(json_parse(out.data, out.length, &arena, &schema, &err), 0, "%s", err.message);
	definitions = value_get(&schema, "$defs");
	properties = value_get(value_get(definitions, "job"), "properties");
	for (const struct job_field *field = job_fields(); field->name; field++) {
		const struct value *row = value_get(properties, field->name);

		cr_assert_eq(row != NULL, (field->flags & JOB_FIELD_FILE) != 0, "%s", field->name);
		if (row)
			cr_assert(strstr(value_get_string(row, "description"), field->doc));
	}
	check_refs(definitions, &schema);
	strbuf_clear(&out);
	arena_clear(&arena);
}
