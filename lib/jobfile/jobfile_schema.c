/* SPDX-License-Identifier: MIT */
/*
 * Fields come from their rows; what a type looks like, and the forms of
 * triggers, are pieces of JSON here. A schema is a help while typing: what it
 * lets through is still checked when the file is read.
 */
#include "jobfile/jobfile_schema.h"

#include <string.h>
#include "base/json.h"
#include "model/job_fields.h"

#define REF(name) "{\"$ref\":\"#/$defs/" name "\"}"

/* By type; NULL: made from the row. */
#define JOB_ID_PATTERN                                                                             \
	"^([A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}:)?[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"

static const char *const jobfile_schema_types[] = {
    [JOB_FIELD_TEXT] = NULL,
    [JOB_FIELD_BOOL] = "{\"type\":[\"boolean\",\"null\"]}",
    [JOB_FIELD_INT] = NULL,
    [JOB_FIELD_TIME] = REF("time"),
    [JOB_FIELD_SPAN] = REF("duration"),
    [JOB_FIELD_SIZE] = REF("size"),
    [JOB_FIELD_ENUM] = NULL,
    [JOB_FIELD_SIGNAL] = "{\"type\":[\"string\",\"integer\",\"null\"]}",
    [JOB_FIELD_MODE] = "{\"type\":[\"string\",\"integer\",\"null\"],\"pattern\":\"^[0-7]{1,4}$\"}",
    [JOB_FIELD_CODES] = REF("codes"),
    [JOB_FIELD_PAIRS] = REF("pairs"),
    [JOB_FIELD_ARGV] = "{\"type\":\"array\",\"minItems\":1,\"items\":" REF("scalar") "}",
    [JOB_FIELD_TRIGGER] = REF("trigger"),
    [JOB_FIELD_CALL] =
	"{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"function\"],"
	"\"properties\":{\"function\":{\"type\":\"string\"},\"args\":{}},"
	"\"additionalProperties\":false}]}",
    [JOB_FIELD_HTTP] =
	"{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"url\"],"
	"\"properties\":{\"method\":{\"type\":\"string\"},\"url\":{\"type\":\"string\"},"
	"\"headers\":" REF("pairs") ",\"body\":{\"type\":[\"string\",\"null\"]}},"
				    "\"additionalProperties\":false}]}",
    [JOB_FIELD_RETRY] =
	"{\"oneOf\":[{\"type\":[\"integer\",\"null\"],\"minimum\":0},{\"type\":\"object\","
	"\"properties\":{\"limit\":{\"type\":\"integer\",\"minimum\":0},"
	"\"delay\":" REF("duration") ",\"backoff\":{\"type\":\"number\",\"minimum\":1},"
				     "\"max_delay\":" REF("duration") ",\"on\":" REF(
					 "codes") "},"
						  "\"additionalProperties\":false}]}",
    [JOB_FIELD_RLIMITS] =
	"{\"type\":[\"object\",\"array\",\"null\"],\"additionalProperties\":{\"type\":"
	"[\"integer\",\"string\",\"object\"]},\"items\":{\"type\":\"string\"}}",
    [JOB_FIELD_AFTER] =
	"{\"oneOf\":[{\"type\":[\"string\",\"null\"]},{\"type\":\"array\",\"items\":{\"oneOf\":["
	"{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"job\"],\"properties\":{"
	"\"job\":{\"type\":\"string\"},\"on\":{\"enum\":[\"ok\",\"fail\",\"any\"]}},"
	"\"additionalProperties\":false}]}}]}",
    [JOB_FIELD_NOTIFY] =
	"{\"type\":[\"string\",\"array\",\"object\",\"null\"],\"items\":{\"type\":[\"string\","
	"\"object\"]}}",
    [JOB_FIELD_STDIN] =
	"{\"oneOf\":[{\"type\":[\"string\",\"null\"]},{\"type\":\"object\",\"properties\":{"
	"\"path\":{\"type\":\"string\"},\"text\":{\"type\":\"string\"}},\"minProperties\":1,"
	"\"maxProperties\":1,\"additionalProperties\":false}]}",
    [JOB_FIELD_HOOK] =
	"{\"oneOf\":[{\"type\":[\"string\",\"null\"]},{\"type\":\"object\",\"required\":["
	"\"secret_file\"],\"properties\":{\"secret_file\":{\"type\":\"string\"}},"
	"\"additionalProperties\":false}]}",
    [JOB_FIELD_NODES] =
	"{\"type\":[\"string\",\"array\",\"null\"],\"items\":{\"type\":\"string\"}}",
    [JOB_FIELD_SHELL] = "{\"type\":\"string\"}",
};

static const char jobfile_schema_definitions[] =
    "{\"scalar\":{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]},"
    "\"time\":{\"type\":[\"string\",\"integer\",\"null\"],"
    "\"description\":\"RFC 3339, 'tomorrow 9:00', 'in 5m'; see schedd-time(7)\"},"
    "\"duration\":{\"type\":[\"string\",\"number\",\"null\"],"
    "\"description\":\"seconds, or 90s, 1h30m, 2w, PT1H30M\"},"
    "\"size\":{\"type\":[\"string\",\"integer\",\"null\"],"
    "\"description\":\"bytes, or 64K, 10M, 2G\"},"
    "\"codes\":{\"oneOf\":[{\"type\":[\"integer\",\"string\",\"null\"]},"
    "{\"type\":\"array\",\"items\":{\"type\":[\"integer\",\"string\"]}}]},"
    "\"pairs\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"additionalProperties\":"
    "{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]}},"
    "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]},"
    "\"fields\":{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"properties\":{"
    "\"year\":" REF("scalar") ",\"month\":" REF("scalar") ",\"day\":" REF(
	"scalar") ","
		  "\"week\":" REF("scalar") ",\"day_of_week\":" REF("scalar") ",\"hour\":" REF(
		      "scalar") ","
				"\"minute\":" REF("scalar") ",\"second\":" REF(
				    "scalar") "},"
					      "\"additionalProperties\":false}]},"
					      "\"triggers\":{\"type\":\"array\",\"minItems\":1,"
					      "\"items\":" REF(
						  "trigger") "},"
							     "\"trigger\":{\"type\":[\"object\","
							     "\"string\",\"null\"],"
							     "\"additionalProperties\":false,"
							     "\"properties\":{"
							     "\"type\":{\"enum\":[\"date\","
							     "\"interval\",\"calendar\",\"cron\","
							     "\"or\",\"and\",\"manual\","
							     "\"on_start\",\"on_boot\"]},"
							     "\"cron\":{\"type\":\"string\","
							     "\"description\":\"five to seven "
							     "fields, or @daily\"},"
							     "\"expr\":{\"type\":\"string\"},"
							     "\"fields\":" REF(
								 "fields") ","
									   "\"quartz\":{\"type\":"
									   "\"string\"},"
									   "\"on_calendar\":{"
									   "\"type\":\"string\","
									   "\"description\":\"as "
									   "systemd's "
									   "OnCalendar\"},"
									   "\"every\":" REF(
									       "duration") ","
											   "\"secon"
											   "ds\":{"
											   "\"type"
											   "\":"
											   "\"numbe"
											   "r\"},"
											   "\"at\""
											   ":" REF("time") ",\"run_at\":" REF(
											       "tim"
											       "e") ","
												    "\"calendar\":{\"type\":[\"string\",\"object\"],"
												    "\"description\":\"'months=1 days=0 time=08:00:00'\"},"
												    "\"years\":{\"type\":\"integer\"},\"months\":{\"type\":\"integer\"},"
												    "\"weeks\":{\"type\":\"integer\"},\"days\":{\"type\":\"integer\"},"
												    "\"time\":{\"type\":\"string\"},"
												    "\"any\":" REF("triggers") ",\"all\":" REF("triggers") ",\"triggers\":" REF(
													"triggers") ","
														    "\"manual\":{\"const\":true},\"on_start\":{\"const\":true},\"on_boot\":{\"const\":true},"
														    "\"timezone\":{\"type\":\"string\",\"description\":\"Europe/Berlin\"},"
														    "\"start\":" REF("time") ",\"end\":" REF(
															"time") ","
																"\"jitter\":" REF("duration") ",\"splay\":" REF(
																    "duration") ","
																		"\"seed\":{\"type\":\"integer\"}}}}";

static struct value jobfile_schema_parse(const char *json, struct arena *arena)
{
	struct value value;

	if (json_parse(json, strlen(json), arena, &value, NULL)) {
		arena->failed = true;
		return value_nil();
	}
	return value;
}

static struct value jobfile_schema_text(const struct job_field *field, struct arena *arena)
{
	static const char *const patterns[] = {
	    [JOB_FORM_ID] = JOB_ID_PATTERN,
	    [JOB_FORM_ALIAS] = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$",
	    [JOB_FORM_OWNER] = "^[A-Za-z0-9_][!-~]{0,254}$",
	    [JOB_FORM_PATH] = "^/",
	    [JOB_FORM_USER] = "^[^:/\\s]+(:[^:/\\s]+)?$",
	    [JOB_FORM_SECRET] = NULL,
	};
	struct value map = jobfile_schema_parse("{\"type\":[\"string\",\"null\"]}", arena);

	if (patterns[field->form])
		value_put(arena, &map, "pattern", value_string_ref(patterns[field->form]));
	if (field->max > 0)
		value_put(arena, &map, "maxLength", value_int(field->max));
	return map;
}

static struct value jobfile_schema_int(const struct job_field *field, struct arena *arena)
{
	struct value map = jobfile_schema_parse("{\"type\":[\"integer\",\"null\"]}", arena);

	value_put(arena, &map, "minimum", value_int(field->min));
	if (field->max < INT64_MAX)
		value_put(arena, &map, "maximum", value_int(field->max));
	return map;
}

static struct value jobfile_schema_enum(const struct job_field *field, struct arena *arena)
{
	struct value map = value_map(), words = value_array();

	for (const char *const *word = field->words; *word; word++)
		value_append(arena, &words, value_string_ref(*word));
	value_append(arena, &words, value_nil());
	value_put(arena, &map, "enum", words);
	return map;
}

static struct value jobfile_schema_field(const struct job_field *field, struct arena *arena)
{
	const char *json = jobfile_schema_types[field->type];
	struct value map;

	if (json)
		map = jobfile_schema_parse(json, arena);
	else if (field->type == JOB_FIELD_INT)
		map = jobfile_schema_int(field, arena);
	else if (field->type == JOB_FIELD_ENUM)
		map = jobfile_schema_enum(field, arena);
	else
		map = jobfile_schema_text(field, arena);
	value_put(arena, &map, "description",
	    value_string_ref(arena_printf(arena, "%s (default: %s)", field->doc, field->fallback)));
	return map;
}

/* A job, or the defaults: every field that may stand in a file. */
static struct value jobfile_schema_job(struct arena *arena)
{
	struct value job = value_map(), types = value_array(), properties = value_map();

	for (const struct job_field *field = job_fields(); field->name; field++)
		if (field->flags & JOB_FIELD_FILE)
			value_put(
			    arena, &properties, field->name, jobfile_schema_field(field, arena));
	value_append(arena, &types, value_string_ref("object"));
	value_append(arena, &types, value_string_ref("null"));
	value_put(arena, &job, "type", types);
	value_put(arena, &job, "properties", properties);
	value_put(arena, &job, "additionalProperties", value_bool(false));
	return job;
}

int jobfile_schema_write(struct strbuf *out)
{
	struct arena arena;
	struct value top, definitions;
	int rc = 0;

	arena_init(&arena);
	top = jobfile_schema_parse(
	    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
	    "\"title\":\"schedd job file\",\"type\":\"object\","
	    "\"required\":[\"version\",\"jobs\"],\"additionalProperties\":false,"
	    "\"properties\":{\"version\":{\"const\":1},"
	    "\"owner\":{\"type\":[\"string\",\"null\"]},"
	    "\"defaults\":" REF("job") ",\"jobs\":{\"type\":[\"object\",\"null\"],"
				       "\"propertyNames\":{\"pattern\":"
				       "\"" JOB_ID_PATTERN "\"},"
				       "\"additionalProperties\":" REF("job") "}}}",
	    &arena);
	definitions = jobfile_schema_parse(jobfile_schema_definitions, &arena);
	value_put(&arena, &definitions, "job", jobfile_schema_job(&arena));
	value_put(&arena, &top, "$defs", definitions);
	if (arena_failed(&arena))
		rc = SCHEDD_ENOMEM;
	else {
		json_write_pretty(out, &top);
		strbuf_add_char(out, '\n');
	}
	arena_clear(&arena);
	return rc ? rc : strbuf_failed(out) ? SCHEDD_ENOMEM : 0;
}
