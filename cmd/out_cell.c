/* SPDX-License-Identifier: MIT */
/* One cell of a list or an object, by the type of its column. */
#include "cmd/out_cell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* Follows a path such as "scheduler.jobs". */
const struct value *out_path(const struct value *row, const char *key)
{
	char part[64];

	if (!strchr(key, '.')) {
		row = value_get(row, key);
		return row && row->type == VALUE_NIL ? NULL : row;
	}
	while (row && *key) {
		size_t length = strcspn(key, ".");

		snprintf(part, sizeof(part), "%.*s", (int)length, key);
		row = value_get(row, part);
		key += length + (key[length] == '.');
	}
	return row && row->type == VALUE_NIL ? NULL : row;
}

static void cell_joined(struct strbuf *out, const struct value *value)
{
	if (value->type == VALUE_MAP) {
		for (uint32_t i = 0; i < value->map.count; i++) {
			const struct value_member *member = &value->map.members[i];

			strbuf_printf(out, "%s%s", i ? "," : "", member->key);
			if (member->value.type == VALUE_STRING && member->value.string.length > 0)
				strbuf_printf(out, "=%s", member->value.string.text);
		}
		return;
	}
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++) {
		if (i > 0)
			strbuf_add_char(out, ',');
		if (value->array.items[i].type == VALUE_STRING)
			strbuf_add(out, value->array.items[i].string.text);
		else
			json_write(out, &value->array.items[i]);
	}
}

/* "4m59s"; what is over has none left. */
static void cell_left(struct strbuf *out, schedd_span left)
{
	double seconds = (double)left / (double)SCHEDD_SECOND;

	if (seconds <= 0)
		strbuf_add_char(out, '-');
	else
		out_span(out, seconds < 60 ? ceil(seconds) : seconds);
}

void out_cell(
    struct command *command, struct strbuf *out, enum out_type type, const struct value *value)
{
	struct strbuf raw = STRBUF_EMPTY;
	double number;

	if (!value || (type == OUT_LIMIT && value->type == VALUE_INT && value->integer == 0)) {
		strbuf_add_char(out, '-');
		return;
	}
	if (value->type == VALUE_STRING && (value->string.length > 0 || type != OUT_TAGS)) {
		out_safe(out, value->string.text, value->string.length, false);
		return;
	}
	if ((type == OUT_WHEN || type == OUT_NEXT) && value->type == VALUE_INT)
		out_when(command, &raw, value->integer);
	else if (type == OUT_LEFT && value->type == VALUE_INT)
		cell_left(&raw, value->integer - command->now);
	else if (type == OUT_SPAN && value_number(value, &number))
		out_span(&raw, number);
	else if (type == OUT_LOAD && value_number(value, &number))
		strbuf_printf(&raw, "%.2f", number);
	else if (type == OUT_BYTES && value->type == VALUE_INT)
		out_bytes(&raw, value->integer);
	else if (type == OUT_BOOL && value->type == VALUE_BOOL)
		strbuf_add(&raw, value->boolean ? "yes" : "no");
	else if (type == OUT_LIST || type == OUT_LINES || type == OUT_TAGS)
		cell_joined(&raw, value);
	else
		json_write(&raw, value);
	if (raw.length == 0 && type == OUT_TAGS)
		strbuf_add_char(out, '-');
	out_safe(out, strbuf_peek(&raw), raw.length, false);
	strbuf_clear(&raw);
}

/* What people are told in the place of a value that does not hold now. */
static const struct {
	enum out_type type;
	const char *key; /* whose being there says so */
	const char *words;
} cell_over[] = {
    {OUT_NEXT, "held", "held"},
    {OUT_LEFT, "held", "-"},
};

#define CELL_OVER (sizeof(cell_over) / sizeof(cell_over[0]))

/* What people are told where the value itself is missing. */
static const struct {
	enum out_type type;
	const char *key;
	const char *before;
	enum out_type as;
} cell_instead[] = {
    {OUT_NEXT, "paused_until", "until ", OUT_WHEN},
    {OUT_NEXT, "waits_for", "", OUT_TEXT},
    {OUT_LEFT, "paused_until", "", OUT_LEFT},
};

#define CELL_INSTEAD (sizeof(cell_instead) / sizeof(cell_instead[0]))

/* What people are told behind the value, where it is there. */
static const struct {
	enum out_type type;
	const char *key;
	const char *between;
	enum out_type as;
} cell_beside[] = {
    {OUT_SINCE, "since", " since ", OUT_WHEN},
};

#define CELL_BESIDE (sizeof(cell_beside) / sizeof(cell_beside[0]))

const char *out_cell_key(const struct out_column *column, int number)
{
	if (number == 0)
		return column->key;
	for (size_t i = 0; i < CELL_INSTEAD; i++)
		if (cell_instead[i].type == column->type && --number == 0)
			return cell_instead[i].key;
	for (size_t i = 0; i < CELL_BESIDE; i++)
		if (cell_beside[i].type == column->type && --number == 0)
			return cell_beside[i].key;
	for (size_t i = 0; i < CELL_OVER; i++)
		if (cell_over[i].type == column->type && --number == 0)
			return cell_over[i].key;
	return NULL;
}

void out_cell_of(struct command *command, struct strbuf *out, const struct out_column *column,
    const struct value *row)
{
	const struct value *value = out_path(row, column->key);

	for (size_t i = 0; i < CELL_OVER && command->out.format != OUT_TSV; i++) {
		if (cell_over[i].type != column->type || !out_path(row, cell_over[i].key))
			continue;
		strbuf_add(out, cell_over[i].words);
		return;
	}
	for (size_t i = 0; !value && i < CELL_INSTEAD && command->out.format != OUT_TSV; i++) {
		const struct value *other = cell_instead[i].type == column->type
						? out_path(row, cell_instead[i].key)
						: NULL;

		if (!other)
			continue;
		strbuf_add(out, cell_instead[i].before);
		out_cell(command, out, cell_instead[i].as, other);
		return;
	}
	out_cell(command, out, column->type, value);
	for (size_t i = 0; value && i < CELL_BESIDE && command->out.format != OUT_TSV; i++) {
		const struct value *other = cell_beside[i].type == column->type
						? out_path(row, cell_beside[i].key)
						: NULL;

		if (!other)
			continue;
		strbuf_add(out, cell_beside[i].between);
		out_cell(command, out, cell_beside[i].as, other);
	}
}

const char *out_state_color(const struct command *command, const char *state)
{
	static const struct {
		const char *state, *meaning;
	} meanings[] = {
	    {"success", "good"},
	    {"running", "good"},
	    {"failed", "bad"},
	    {"timeout", "bad"},
	    {"lost", "bad"},
	    {"invalid", "bad"},
	    {"killed", "warn"},
	    {"missed", "warn"},
	    {"skipped", "warn"},
	    {"retrying", "warn"},
	    {"queued", "warn"},
	    {"cancelled", "warn"},
	    {"paused", "dim"},
	    {"finished", "dim"},
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].state, state) == 0)
			return out_color(command, meanings[i].meaning);
	return "";
}
