/* SPDX-License-Identifier: MIT */
/* libyaml's events into values. What YAML has and we refuse is reported and read past. */
#include "jobfile/yaml_read.h"

#include <string.h>
#include <yaml.h>
#include "base/strmap.h"
#include "jobfile/yaml_fault.h"

struct yaml_reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one, if has_event */
	bool has_event;
	const char *file;
	const char *text;
	size_t length;
	struct arena *arena;
	struct diagnostics *diagnostics;
	uint32_t nodes; /* read so far */
	bool refused;   /* something was reported */
};

static int yaml_reader_next(struct yaml_reader *reader)
{
	if (reader->has_event)
		yaml_event_delete(&reader->event);
	reader->has_event = yaml_parser_parse(&reader->parser, &reader->event) == 1;
	if (reader->has_event)
		return 0;
	reader->refused = true;
	return yaml_fault(
	    &reader->parser, reader->file, reader->text, reader->length, reader->diagnostics);
}

/* Reports the current event; SCHEDD_EFILE only when there are enough of them. */
static int yaml_reader_refuse(struct yaml_reader *reader, const char *words)
{
	const yaml_mark_t *mark = &reader->event.start_mark;

	reader->refused = true;
	diagnostics_add(reader->diagnostics, reader->file, (uint32_t)mark->line + 1,
	    (uint32_t)mark->column + 1, "%s", words);
	return diagnostics_full(reader->diagnostics) ? SCHEDD_EFILE : 0;
}

static void yaml_reader_place(const struct yaml_reader *reader, struct value *value)
{
	value->line = (uint32_t)reader->event.start_mark.line + 1;
	value->column = (uint32_t)reader->event.start_mark.column + 1;
}

static int yaml_reader_decorations(
    struct yaml_reader *reader, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	int rc = 0;

	if (anchor)
		rc = yaml_reader_refuse(reader, "anchors ('&…') are not taken here");
	if (!rc && tag)
		rc = yaml_reader_refuse(
		    reader, "tags ('!…') are not taken here: the field decides the type");
	return rc;
}

static int yaml_read_node(struct yaml_reader *reader, int depth, struct value *out);

static int yaml_read_scalar(struct yaml_reader *reader, struct value *out)
{
	const yaml_event_t *event = &reader->event;

	*out = value_string_n(
	    reader->arena, (const char *)event->data.scalar.value, event->data.scalar.length);
	if (out->type == VALUE_NIL)
		return SCHEDD_ENOMEM;
	out->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	yaml_reader_place(reader, out);
	return yaml_reader_decorations(reader, event->data.scalar.anchor, event->data.scalar.tag);
}

static int yaml_read_sequence(struct yaml_reader *reader, int depth, struct value *out)
{
	int rc = yaml_reader_decorations(reader, reader->event.data.sequence_start.anchor,
	    reader->event.data.sequence_start.tag);

	*out = value_array();
	yaml_reader_place(reader, out);
	while (!rc) {
		struct value item;

		rc = yaml_reader_next(reader);
		if (rc || reader->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		rc = yaml_read_node(reader, depth + 1, &item);
		if (!rc && !value_append(reader->arena, out, item))
			rc = SCHEDD_ENOMEM;
	}
	return rc;
}

/* The key that the current event is; NULL in *key where it was refused and read past. */
static int yaml_read_key(struct yaml_reader *reader, int depth, struct value_member *member)
{
	struct value key;
	int rc;

	member->key = NULL;
	member->line = (uint32_t)reader->event.start_mark.line + 1;
	member->column = (uint32_t)reader->event.start_mark.column + 1;
	if (reader->event.type != YAML_SCALAR_EVENT) {
		rc = yaml_reader_refuse(reader, "a key must be a text");
		return rc ? rc : yaml_read_node(reader, depth + 1, &key);
	}
	rc = yaml_read_scalar(reader, &key);
	if (rc)
		return rc;
	if (strlen(key.string.text) != key.string.length)
		return yaml_reader_refuse(reader, "a NUL cannot stand in a key");
	if (key.plain && strcmp(key.string.text, "<<") == 0)
		return yaml_reader_refuse(reader, "merge keys ('<<') are not taken here");
	member->key = key.string.text;
	return 0;
}

static const char *yaml_member_key(const void *item)
{
	return ((const struct value_member *)item)->key;
}

/* Remembers a copy of the member under its key; the maps' own arrays move as they grow. */
static int yaml_read_unique(struct yaml_reader *reader, struct strmap *keys,
    const struct value_member *member, bool *doubled)
{
	struct value_member *copy = strmap_get(keys, member->key);

	*doubled = copy != NULL;
	if (copy) {
		reader->refused = true;
		diagnostics_add(reader->diagnostics, reader->file, member->line, member->column,
		    "'%.100s' is here twice, first in line %u", member->key, copy->line);
		return diagnostics_full(reader->diagnostics) ? SCHEDD_EFILE : 0;
	}
	copy = arena_alloc(reader->arena, sizeof(*copy));
	if (!copy)
		return SCHEDD_ENOMEM;
	*copy = *member;
	return strmap_put(keys, copy);
}

static int yaml_read_member(
    struct yaml_reader *reader, int depth, struct strmap *keys, struct value *map)
{
	struct value_member member, *slot;
	bool doubled = false;
	struct value *put;
	int rc = yaml_read_key(reader, depth, &member);

	if (!rc && member.key)
		rc = yaml_read_unique(reader, keys, &member, &doubled);
	if (!rc)
		rc = yaml_reader_next(reader);
	if (!rc)
		rc = yaml_read_node(reader, depth + 1, &member.value);
	if (rc || !member.key || doubled)
		return rc;
	put = value_put(reader->arena, map, member.key, member.value);
	if (!put)
		return SCHEDD_ENOMEM;
	slot = &map->map.members[map->map.count - 1];
	slot->line = member.line;
	slot->column = member.column;
	return 0;
}

static int yaml_read_mapping(struct yaml_reader *reader, int depth, struct value *out)
{
	int rc = yaml_reader_decorations(
	    reader, reader->event.data.mapping_start.anchor, reader->event.data.mapping_start.tag);
	struct strmap keys;

	strmap_init(&keys, yaml_member_key);
	*out = value_map();
	yaml_reader_place(reader, out);
	while (!rc) {
		rc = yaml_reader_next(reader);
		if (rc || reader->event.type == YAML_MAPPING_END_EVENT)
			break;
		rc = yaml_read_member(reader, depth, &keys, out);
	}
	strmap_clear(&keys);
	return rc;
}

/* The node that the current event begins; ends at its last event. */
static int yaml_read_node(struct yaml_reader *reader, int depth, struct value *out)
{
	*out = value_nil();
	if (depth > YAML_DEPTH_MAX) {
		yaml_reader_refuse(reader, "maps and lists are nested too deep, at most 32 levels");
		return SCHEDD_EFILE;
	}
	if (++reader->nodes > YAML_NODES_MAX) {
		yaml_reader_refuse(reader, "there are more than 8000000 values in the file");
		return SCHEDD_EFILE;
	}
	switch (reader->event.type) {
	case YAML_SCALAR_EVENT:
		return yaml_read_scalar(reader, out);
	case YAML_SEQUENCE_START_EVENT:
		return yaml_read_sequence(reader, depth, out);
	case YAML_MAPPING_START_EVENT:
		return yaml_read_mapping(reader, depth, out);
	default:
		yaml_reader_place(reader, out);
		return yaml_reader_refuse(
		    reader, "'*' begins an alias, which is not taken here: put the text in quotes");
	}
}

static int yaml_read_stream(struct yaml_reader *reader, struct value *out)
{
	bool done = false;
	int rc = 0;

	while (!rc) {
		rc = yaml_reader_next(reader);
		if (rc || reader->event.type == YAML_STREAM_END_EVENT)
			break;
		switch (reader->event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (done) {
				yaml_reader_refuse(
				    reader, "a second document begins here, only one is taken");
				return SCHEDD_EFILE;
			}
			done = true;
			break;
		default:
			rc = yaml_read_node(reader, 1, out);
			break;
		}
	}
	return rc;
}

int yaml_read(const char *file, const char *text, size_t length, struct arena *arena,
    struct value *out, struct diagnostics *diagnostics)
{
	struct yaml_reader reader = {
	    .file = file,
	    .text = text,
	    .length = length,
	    .arena = arena,
	    .diagnostics = diagnostics,
	};
	int rc;

	*out = value_nil();
	if (length > YAML_SIZE_MAX) {
		diagnostics_add(
		    diagnostics, file, 0, 0, "it is larger than %zu MiB", YAML_SIZE_MAX >> 20);
		return SCHEDD_EFILE;
	}
	if (!yaml_parser_initialize(&reader.parser))
		return SCHEDD_ENOMEM;
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	/* A byte order mark is no part of the text. */
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		length -= 3;
	}
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
	rc = yaml_read_stream(&reader, out);
	if (reader.has_event)
		yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	if (!rc && arena_failed(arena))
		rc = SCHEDD_ENOMEM;
	return rc ? rc : reader.refused ? SCHEDD_EFILE : 0;
}
