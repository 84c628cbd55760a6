/* SPDX-License-Identifier: MIT */
/* The same members in both languages; YAML shows spans as people write them. */
#include "jobfile/jobfile_write.h"

#include <inttypes.h>
#include <string.h>
#include "base/duration.h"
#include "base/json_exact.h"
#include "jobfile/yaml_write.h"
#include "model/job_fields.h"

void jobfile_write_begin(struct strbuf *out, enum jobfile_form form, const char *owner)
{
	if (form == JOBFILE_YAML) {
		strbuf_add(out, "version: 1\n");
		if (owner) {
			strbuf_add(out, "owner: ");
			yaml_write_text(out, owner, strlen(owner));
			strbuf_add_char(out, '\n');
		}
		strbuf_add(out, "jobs:");
		return;
	}
	strbuf_add(out, "{\n  \"version\": 1,\n");
	if (owner) {
		strbuf_add(out, "  \"owner\": ");
		json_write_string(out, owner, strlen(owner));
		strbuf_add(out, ",\n");
	}
	strbuf_add(out, "  \"jobs\": {");
}

/* What a file may say of the job, in the order of the job's own members. */
static struct value jobfile_write_fields(const struct value *job, struct arena *arena)
{
	struct value fields = value_map();

	for (uint32_t i = 0; i < job->map.count; i++) {
		const struct value_member *member = &job->map.members[i];
		const struct job_field *field = job_fields_find(member->key);

		if (field && (field->flags & JOB_FIELD_FILE))
			value_put(arena, &fields, member->key, member->value);
	}
	return fields;
}

static void jobfile_write_yaml_field(struct strbuf *out, const struct value_member *member)
{
	const struct job_field *field = job_fields_find(member->key);
	schedd_span span;

	strbuf_printf(out, "    %s:", member->key);
	if (field->type == JOB_FIELD_SPAN && member->value.type != VALUE_NIL &&
	    duration_from_value(&member->value, &span, NULL) == 0) {
		strbuf_add_char(out, ' ');
		duration_format(out, span);
		strbuf_add_char(out, '\n');
	} else {
		yaml_write_value(out, &member->value, 4);
	}
}

static void jobfile_write_yaml(
    struct strbuf *out, const char *id, const struct value *fields, uint64_t count)
{
	strbuf_add(out, count == 0 ? "\n  " : "  ");
	yaml_write_text(out, id, strlen(id));
	strbuf_add(out, fields->map.count == 0 ? ": {}\n" : ":\n");
	for (uint32_t i = 0; i < fields->map.count; i++)
		jobfile_write_yaml_field(out, &fields->map.members[i]);
}

static void jobfile_write_json(
    struct strbuf *out, const char *id, const struct value *fields, uint64_t count,
    struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;
	const char *line, *end;
	struct value exact;

	strbuf_add(out, count == 0 ? "\n    " : ",\n    ");
	json_write_string(out, id, strlen(id));
	strbuf_add(out, ": ");
	/* Names in it are UTF-8: they were checked when the job was added. */
	if (json_exact_wrap(fields, arena, &exact, NULL))
		exact = *fields;
	json_write_pretty(&text, &exact);
	/* Its lines move in by the depth they stand at; strings have no line breaks in JSON. */
	for (line = strbuf_peek(&text); (end = strchr(line, '\n')); line = end + 1) {
		strbuf_add_n(out, line, (size_t)(end - line) + 1);
		strbuf_add(out, "    ");
	}
	strbuf_add(out, line);
	if (strbuf_failed(&text))
		out->failed = true;
	strbuf_clear(&text);
}

void jobfile_write_job(
    struct strbuf *out, enum jobfile_form form, const struct value *job, uint64_t count)
{
	const char *id = value_get_string(job, "id");
	struct arena arena;
	struct value fields;

	arena_init(&arena);
	fields = jobfile_write_fields(job, &arena);
	if (form == JOBFILE_YAML)
		jobfile_write_yaml(out, id ? id : "", &fields, count);
	else
		jobfile_write_json(out, id ? id : "", &fields, count, &arena);
	if (arena_failed(&arena))
		out->failed = true;
	arena_clear(&arena);
}

void jobfile_write_end(struct strbuf *out, enum jobfile_form form, uint64_t count)
{
	if (form == JOBFILE_YAML)
		strbuf_add(out, count == 0 ? " {}\n" : "");
	else
		strbuf_add(out, count == 0 ? "}\n}\n" : "\n  }\n}\n");
}
