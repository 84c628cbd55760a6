/* SPDX-License-Identifier: MIT */
/* libyaml's events into values. What YAML has and we refuse is reported and read past. */
#include "jobfile/yaml_read.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "base/base64.h"
#include "base/strmap.h"
#include "jobfile/yaml_fault.h"

/* Maps of so many members get an index by key. */
#define YAML_MAP_SMALL 16
#define YAML_DEPTH_JOB 3 /* of its map in a job file: top, jobs, ID */
#define YAML_KEYS 64

struct yaml_reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one, if has_event */
	bool has_event;
	const char *file;
	const char *text;
	size_t length;
	struct arena *arena;
	struct arena seen; /* of members that are remembered */
	struct diagnostics *diagnostics;
	/* Elements of the maps and lists that are open, innermost last: into the arena goes only
	 * what is whole, so that nothing is left over from growing. */
	struct value_member *open;
	size_t open_count, open_capacity;
	const char *keys[YAML_KEYS]; /* read lately, by hash: the same few come again and again */
	uint32_t nodes;              /* read so far */
	bool refused;                /* something was reported */
};

/* A file may have passwords in it, of which libyaml has copies. */
static void yaml_reader_drop(struct yaml_reader *reader)
{
	if (!reader->has_event)
		return;
	if (reader->event.type == YAML_SCALAR_EVENT)
		explicit_bzero(reader->event.data.scalar.value, reader->event.data.scalar.length);
	yaml_event_delete(&reader->event);
	reader->has_event = false;
}

static void yaml_reader_close(struct yaml_reader *reader)
{
	yaml_parser_t *parser = &reader->parser;

	yaml_reader_drop(reader);
	explicit_bzero(
	    parser->raw_buffer.start, (size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
	explicit_bzero(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
	yaml_parser_delete(parser);
	free(reader->open);
	arena_clear(&reader->seen);
}

static int yaml_reader_next(struct yaml_reader *reader)
{
	yaml_reader_drop(reader);
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

/* The bytes of a scalar in base64. */
static int yaml_read_binary(struct yaml_reader *reader, struct value *out)
{
	size_t length = out->string.length;
	char *bytes = arena_alloc(reader->arena, length + 1);

	if (!bytes)
		return SCHEDD_ENOMEM;
	if (!base64_read(out->string.text, length, bytes, &length))
		return yaml_reader_refuse(reader, YAML_BINARY ": this is no base64");
	bytes[length] = '\0';
	out->string.text = bytes;
	out->string.length = length;
	out->plain = false;
	return 0;
}

static int yaml_read_scalar(struct yaml_reader *reader, struct value *out)
{
	const yaml_event_t *event = &reader->event;
	const char *tag = (const char *)event->data.scalar.tag;

	*out = value_string_n(
	    reader->arena, (const char *)event->data.scalar.value, event->data.scalar.length);
	if (out->type == VALUE_NIL)
		return SCHEDD_ENOMEM;
	out->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	yaml_reader_place(reader, out);
	if (tag && strcmp(tag, "tag:yaml.org,2002:binary") == 0 && !event->data.scalar.anchor)
		return yaml_read_binary(reader, out);
	return yaml_reader_decorations(reader, event->data.scalar.anchor, event->data.scalar.tag);
}

static int yaml_reader_push(struct yaml_reader *reader, const struct value_member *member)
{
	if (reader->open_count == reader->open_capacity) {
		size_t capacity = reader->open_capacity ? reader->open_capacity * 2 : 64;
		struct value_member *open = realloc(reader->open, capacity * sizeof(*open));

		if (!open)
			return SCHEDD_ENOMEM;
		reader->open = open;
		reader->open_capacity = capacity;
	}
	reader->open[reader->open_count++] = *member;
	return 0;
}

/* The list of what was pushed since there were that many. */
static int yaml_reader_close_list(struct yaml_reader *reader, size_t begin, struct value *out)
{
	size_t count = reader->open_count - begin;
	struct value *items = count ? arena_alloc(reader->arena, count * sizeof(*items)) : NULL;

	reader->open_count = begin;
	if (count && !items)
		return SCHEDD_ENOMEM;
	for (size_t i = 0; i < count; i++)
		items[i] = reader->open[begin + i].value;
	out->array.items = items;
	out->array.count = out->array.capacity = (uint32_t)count;
	return 0;
}

/* A job has room for its id, so that its fields need not be copied. */
static int yaml_reader_close_map(
    struct yaml_reader *reader, size_t begin, int depth, struct value *out)
{
	size_t count = reader->open_count - begin, room = count + (depth == YAML_DEPTH_JOB);
	struct value_member *members =
	    count ? arena_alloc(reader->arena, room * sizeof(*members)) : NULL;

	reader->open_count = begin;
	if (count && !members)
		return SCHEDD_ENOMEM;
	if (count)
		memcpy(members, &reader->open[begin], count * sizeof(*members));
	out->map.members = members;
	out->map.count = (uint32_t)count;
	out->map.capacity = count ? (uint32_t)room : 0;
	return 0;
}

static int yaml_read_sequence(struct yaml_reader *reader, int depth, struct value *out)
{
	size_t begin = reader->open_count;
	int rc = yaml_reader_decorations(reader, reader->event.data.sequence_start.anchor,
	    reader->event.data.sequence_start.tag);

	*out = value_array();
	yaml_reader_place(reader, out);
	while (!rc) {
		struct value_member item = {.key = NULL};

		rc = yaml_reader_next(reader);
		if (rc || reader->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		rc = yaml_read_node(reader, depth + 1, &item.value);
		if (!rc)
			rc = yaml_reader_push(reader, &item);
	}
	return rc ? rc : yaml_reader_close_list(reader, begin, out);
}

/* Where a key of that text is remembered. */
static const char **yaml_key_slot(struct yaml_reader *reader, const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return &reader->keys[hash % YAML_KEYS];
}

/* The key that the current event is; NULL in *key where it was refused and read past. */
static int yaml_read_key(struct yaml_reader *reader, int depth, struct value_member *member)
{
	const char **slot;
	struct value key;
	int rc;

	member->key = NULL;
	member->line = (uint32_t)reader->event.start_mark.line + 1;
	member->column = (uint32_t)reader->event.start_mark.column + 1;
	if (reader->event.type != YAML_SCALAR_EVENT) {
		rc = yaml_reader_refuse(reader, "a key must be a text");
		return rc ? rc : yaml_read_node(reader, depth + 1, &key);
	}
	slot = yaml_key_slot(reader, (const char *)reader->event.data.scalar.value);
	if (*slot && strlen(*slot) == reader->event.data.scalar.length &&
	    strcmp(*slot, (const char *)reader->event.data.scalar.value) == 0) {
		member->key = *slot;
		return yaml_reader_decorations(
		    reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
	}
	rc = yaml_read_scalar(reader, &key);
	if (rc)
		return rc;
	if (strlen(key.string.text) != key.string.length)
		return yaml_reader_refuse(reader, "a NUL cannot stand in a key");
	if (key.plain && strcmp(key.string.text, "<<") == 0)
		return yaml_reader_refuse(reader, "merge keys ('<<') are not taken here");
	member->key = *slot = key.string.text;
	return 0;
}

static const char *yaml_member_key(const void *item)
{
	return ((const struct value_member *)item)->key;
}

/* Remembers a copy of the member under its key; what is open moves as it grows. */
static int yaml_read_remember(
    struct yaml_reader *reader, struct strmap *keys, const struct value_member *member)
{
	struct value_member *copy = arena_alloc(&reader->seen, sizeof(*copy));

	if (!copy)
		return SCHEDD_ENOMEM;
	*copy = *member;
	return strmap_put(keys, copy);
}

/* The member of that key that stands before in the map; NULL: none. Few are looked through. */
static int yaml_read_before(struct yaml_reader *reader, size_t begin, struct strmap *keys,
    const char *key, const struct value_member **out)
{
	size_t count = reader->open_count - begin;
	int rc = 0;

	*out = NULL;
	if (count >= YAML_MAP_SMALL) {
		for (size_t i = keys->count; i < count && !rc; i++)
			rc = yaml_read_remember(reader, keys, &reader->open[begin + i]);
		*out = strmap_get(keys, key);
		return rc;
	}
	for (size_t i = begin; i < reader->open_count && !*out; i++)
		if (strcmp(reader->open[i].key, key) == 0)
			*out = &reader->open[i];
	return 0;
}

static int yaml_read_unique(struct yaml_reader *reader, size_t begin, struct strmap *keys,
    const struct value_member *member, bool *doubled)
{
	const struct value_member *before;
	int rc = yaml_read_before(reader, begin, keys, member->key, &before);

	*doubled = before != NULL;
	if (rc || !before)
		return rc;
	reader->refused = true;
	diagnostics_add(reader->diagnostics, reader->file, member->line, member->column,
	    "'%.100s' is here twice, first in line %u", member->key, before->line);
	return diagnostics_full(reader->diagnostics) ? SCHEDD_EFILE : 0;
}

static int yaml_read_member(
    struct yaml_reader *reader, int depth, size_t begin, struct strmap *keys)
{
	struct value_member member;
	bool doubled = false;
	int rc = yaml_read_key(reader, depth, &member);

	if (!rc && member.key)
		rc = yaml_read_unique(reader, begin, keys, &member, &doubled);
	if (!rc)
		rc = yaml_reader_next(reader);
	if (!rc)
		rc = yaml_read_node(reader, depth + 1, &member.value);
	if (rc || !member.key || doubled)
		return rc;
	return yaml_reader_push(reader, &member);
}

static int yaml_read_mapping(struct yaml_reader *reader, int depth, struct value *out)
{
	int rc = yaml_reader_decorations(
	    reader, reader->event.data.mapping_start.anchor, reader->event.data.mapping_start.tag);
	size_t begin = reader->open_count;
	struct strmap keys;

	strmap_init(&keys, yaml_member_key);
	*out = value_map();
	yaml_reader_place(reader, out);
	while (!rc) {
		rc = yaml_reader_next(reader);
		if (rc || reader->event.type == YAML_MAPPING_END_EVENT)
			break;
		rc = yaml_read_member(reader, depth, begin, &keys);
	}
	strmap_clear(&keys);
	return rc ? rc : yaml_reader_close_map(reader, begin, depth, out);
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
	yaml_reader_close(&reader);
	if (!rc && arena_failed(arena))
		rc = SCHEDD_ENOMEM;
	return rc ? rc : reader.refused ? SCHEDD_EFILE : 0;
}
