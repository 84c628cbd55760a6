/* SPDX-License-Identifier: MIT */
#include "cmd/job_view.h"

#include <string.h>

#include "base/duration.h"
#include "base/shell_words.h"
#include "cmd/out.h"
#include "trigger/trigger.h"

static void view_trigger(struct command *command, struct strbuf *out, const struct value *value)
{
	const struct trigger_context context = command_triggers(command);
	struct schedd_trigger *trigger;

	if (trigger_from_value(value, &context, &trigger, NULL) != 0) {
		out_cell(command, out, OUT_TEXT, value);
		return;
	}
	trigger_to_text(trigger, out);
	trigger_unref(trigger);
}

/* As --after takes them: "fetch:ok, load:any". */
static void view_after(struct strbuf *out, const struct value *after)
{
	for (uint32_t i = 0; after->type == VALUE_ARRAY && i < after->array.count; i++) {
		const char *job = value_get_string(&after->array.items[i], "job");
		const char *on = value_get_string(&after->array.items[i], "on");

		strbuf_printf(out, "%s%s:%s", i ? ", " : "", job ? job : "", on ? on : "ok");
	}
}

static enum out_type view_type(const struct job_field *field)
{
	switch (field->type) {
	case JOB_FIELD_TIME:
		return OUT_WHEN;
	case JOB_FIELD_SIZE:
		return OUT_BYTES;
	case JOB_FIELD_BOOL:
		return OUT_BOOL;
	case JOB_FIELD_PAIRS:
		return OUT_TAGS;
	case JOB_FIELD_CODES:
		return OUT_LIST;
	default:
		return OUT_TEXT;
	}
}

void job_view_field(struct command *command, struct strbuf *out, const struct job_field *field,
    const struct value *value)
{
	struct strbuf raw = STRBUF_EMPTY;
	schedd_span span;

	if (value->type == VALUE_NIL)
		strbuf_add_char(&raw, '-');
	else if (field->type == JOB_FIELD_ARGV)
		shell_words_write(&raw, value);
	else if (field->type == JOB_FIELD_AFTER)
		view_after(&raw, value);
	else if (field->type == JOB_FIELD_TRIGGER)
		view_trigger(command, &raw, value);
	else if (field->type == JOB_FIELD_SPAN && duration_from_value(value, &span, NULL) == 0)
		duration_format(&raw, span);
	else
		out_cell(command, &raw, view_type(field), value);
	out_safe(out, strbuf_peek(&raw), raw.length, false);
	strbuf_clear(&raw);
}

/* A text of several lines (a script) stands below its name, indented. */
static bool view_lines(struct strbuf *out, const struct value *value)
{
	const char *line;

	if (value->type != VALUE_STRING || !strchr(value->string.text, '\n'))
		return false;
	for (line = value->string.text; *line;) {
		size_t length = strcspn(line, "\n");

		strbuf_add(out, "\n    ");
		out_safe(out, line, length, false);
		line += length + (line[length] == '\n');
	}
	return true;
}

/* Nothing there: nil, an empty list or map. */
static bool view_is_empty(const struct value *value)
{
	return !value || value->type == VALUE_NIL ||
	       (value->type == VALUE_ARRAY && value->array.count == 0) ||
	       (value->type == VALUE_MAP && value->map.count == 0);
}

static void view_line(struct command *command, struct strbuf *out, const struct job_field *field,
    const struct value *value, const struct schedd_job *fresh)
{
	struct value fallback = value_nil();
	bool usual;

	if (fresh)
		fallback = job_fields_get(fresh, NULL, field, &command->arena);
	usual = value_equal(value, &fallback);
	strbuf_printf(out, "%s%s:%s%*s", out_color(command, usual ? "dim" : "bold"), field->name,
	    usual ? "" : out_color(command, NULL), (int)(20 - strlen(field->name)), "");
	if (!view_lines(out, value))
		job_view_field(command, out, field, value);
	strbuf_printf(out, "%s\n", usual ? out_color(command, NULL) : "");
}

/* Which has it is no field of it. */
static void view_node(struct command *command, struct strbuf *out, const struct value *node)
{
	strbuf_printf(out, "%snode:%s%16s", out_color(command, "bold"), out_color(command, NULL), "");
	out_cell(command, out, OUT_TEXT, node);
	strbuf_add_char(out, '\n');
}

void job_view(struct command *command, struct strbuf *out, const struct value *job)
{
	/* What one looks for first; the others follow in the order of the rows. */
	static const char *const first[] = {
	    "id", "name", "state", "invalid", "trigger_words", "next_run_time"};
	const size_t count = sizeof(first) / sizeof(first[0]);
	struct schedd_job *fresh = job_new();

	for (size_t i = 0; i < count; i++) {
		const struct value *value = value_get(job, first[i]);

		if (value && value->type != VALUE_NIL)
			view_line(command, out, job_fields_find(first[i]), value, fresh);
	}
	for (const struct job_field *field = job_fields(); field->name; field++) {
		const struct value *value = value_get(job, field->name);
		bool shown = view_is_empty(value) || field->flags & JOB_FIELD_HIDDEN;

		for (size_t i = 0; i < count; i++)
			shown |= strcmp(first[i], field->name) == 0;
		if (!shown)
			view_line(command, out, field, value, fresh);
	}
	if (value_get_string(job, "node"))
		view_node(command, out, value_get(job, "node"));
	job_unref(fresh);
}
