/* SPDX-License-Identifier: MIT */
/*
 * jansson keeps no places. As its objects keep their order, a second walk over
 * the text, known to be valid by then, meets the values one by one.
 */
#include "jobfile/json_read.h"

#include <stdio.h>
#include <string.h>
#include "base/json_exact.h"
#include "jobfile/json_pieces.h"
#include "jobfile/yaml_read.h"

struct json_walk {
	const char *at;
	const char *end;
	const char *counted; /* characters of the line up to here are in column */
	uint32_t line;
	uint32_t column;
};

static void json_walk_blanks(struct json_walk *walk)
{
	for (; walk->at < walk->end && strchr(" \t\r\n", *walk->at) && *walk->at; walk->at++)
		if (*walk->at == '\n') {
			walk->line++;
			walk->column = 1;
			walk->counted = walk->at + 1;
		}
}

static void json_walk_place(struct json_walk *walk, uint32_t *line, uint32_t *column)
{
	json_walk_blanks(walk);
	for (; walk->counted < walk->at; walk->counted++)
		walk->column += (*walk->counted & 0xc0) != 0x80;
	*line = walk->line;
	*column = walk->column;
}

/* Behind the scalar that begins here; JSON's strings stand on one line. */
static void json_walk_scalar(struct json_walk *walk)
{
	bool string = walk->at < walk->end && *walk->at == '"';

	walk->at += string;
	for (; walk->at < walk->end; walk->at++) {
		if (string && *walk->at == '\\')
			walk->at++;
		else if (string && *walk->at == '"')
			break;
		else if (!string && strchr(",]} \t\r\n", *walk->at))
			return;
	}
	walk->at += walk->at < walk->end;
}

/* Behind one of the marks { } [ ] : , that stands next. */
static void json_walk_mark(struct json_walk *walk)
{
	json_walk_blanks(walk);
	walk->at += walk->at < walk->end;
}

static void json_walk_value(struct json_walk *walk, struct value *value)
{
	json_walk_place(walk, &value->line, &value->column);
	if (value->type == VALUE_ARRAY) {
		for (uint32_t i = 0; i < value->array.count; i++) {
			json_walk_mark(walk);
			json_walk_value(walk, &value->array.items[i]);
		}
		/* The last mark; an empty list has its first one too. */
		json_walk_mark(walk);
		if (value->array.count == 0)
			json_walk_mark(walk);
	} else if (value->type == VALUE_MAP) {
		for (uint32_t i = 0; i < value->map.count; i++) {
			struct value_member *member = &value->map.members[i];

			json_walk_mark(walk);
			json_walk_place(walk, &member->line, &member->column);
			json_walk_scalar(walk);
			json_walk_mark(walk);
			json_walk_value(walk, &member->value);
		}
		json_walk_mark(walk);
		if (value->map.count == 0)
			json_walk_mark(walk);
	} else {
		json_walk_scalar(walk);
	}
}

/* No fewer than the values in the text: what jansson would build has a bound before it begins. */
static uint32_t json_read_count(const char *text, size_t length)
{
	uint32_t count = 1;
	bool string = false;

	for (size_t i = 0; i < length; i++) {
		if (string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			string = !string;
		else if (!string)
			count += text[i] == ',' || text[i] == '[' || text[i] == '{';
	}
	return count;
}

/* "invalid JSON at line 3, column 7: …" taken apart again. */
static void json_read_fault(
    const char *file, const struct schedd_error *err, struct diagnostics *diagnostics)
{
	unsigned line = 0, column = 0;
	int behind = 0;

	if (sscanf(err->message, "invalid JSON at line %u, column %u: %n", &line, &column,
		&behind) == 2 &&
	    behind > 0)
		diagnostics_add(
		    diagnostics, file, line, column, "invalid JSON: %s", err->message + behind);
	else
		diagnostics_add(diagnostics, file, 0, 0, "%s", err->message);
}

int json_read(const char *file, const char *text, size_t length, struct arena *arena,
    struct value *out, struct diagnostics *diagnostics)
{
	struct json_walk walk = {
	    .at = text, .end = text + length, .counted = text, .line = 1, .column = 1};
	struct schedd_error err;
	int rc;

	*out = value_nil();
	if (length > YAML_SIZE_MAX) {
		diagnostics_add(
		    diagnostics, file, 0, 0, "it is larger than %zu MiB", YAML_SIZE_MAX >> 20);
		return SCHEDD_EFILE;
	}
	if (json_read_count(text, length) > YAML_NODES_MAX) {
		diagnostics_add(diagnostics, file, 0, 0,
		    "there are more than %d values in the file", YAML_NODES_MAX);
		return SCHEDD_EFILE;
	}
	rc = json_pieces_parse(text, length, arena, out)
		 ? 0
		 : json_parse(text, length, arena, out, &err);
	if (rc == SCHEDD_ENOMEM)
		return rc;
	if (rc) {
		json_read_fault(file, &err, diagnostics);
		return SCHEDD_EFILE;
	}
	json_walk_value(&walk, out);
	rc = json_exact_unwrap(out, arena, &err);
	if (rc && rc != SCHEDD_ENOMEM) {
		diagnostics_add(diagnostics, file, 0, 0, "%s", err.message);
		rc = SCHEDD_EFILE;
	}
	return rc;
}
