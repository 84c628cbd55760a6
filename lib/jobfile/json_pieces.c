/* SPDX-License-Identifier: MIT */
/*
 * The text is cut at the objects that are members of a member of the whole:
 * jansson reads what is left, with null in the place of each, and then each alone.
 * If all of them are JSON, so is the text.
 */
#include "jobfile/json_pieces.h"

#include <stdlib.h>
#include <string.h>
#include "base/json_known.h"
#include "base/strbuf.h"

#define PIECES_DEPTH 60 /* below that of json_parse(), which knows of no levels around */

/* An object that was cut out, and where it belongs: the member of which member. */
struct json_piece {
	size_t offset, length;
	uint32_t outer, inner;
};

struct json_pieces {
	const char *text;
	size_t length;
	size_t at;
	struct strbuf rest;
	struct json_piece *items;
	size_t count, capacity;
	uint32_t outer, inner; /* members so far */
};

/* Behind the string that begins at at; the length if it does not end. */
static size_t pieces_string(const struct json_pieces *pieces, size_t at)
{
	for (at++; at < pieces->length && pieces->text[at] != '"'; at++)
		at += pieces->text[at] == '\\';
	return at < pieces->length ? at + 1 : pieces->length;
}

/* Behind the object or list that begins at at; 0: it has no end, or is nested too deep. */
static size_t pieces_whole(const struct json_pieces *pieces, size_t at)
{
	int depth = 0;

	while (at < pieces->length) {
		char c = pieces->text[at];

		if (c == '"') {
			at = pieces_string(pieces, at);
			continue;
		}
		at++;
		if ((c == '{' || c == '[') && ++depth > PIECES_DEPTH)
			return 0;
		if ((c == '}' || c == ']') && --depth == 0)
			return at;
	}
	return 0;
}

static bool pieces_add(struct json_pieces *pieces, size_t end)
{
	if (pieces->count == pieces->capacity) {
		size_t capacity = pieces->capacity ? pieces->capacity * 2 : 64;
		struct json_piece *items =
		    realloc(pieces->items, capacity * sizeof(pieces->items[0]));

		if (!items)
			return false;
		pieces->items = items;
		pieces->capacity = capacity;
	}
	pieces->items[pieces->count++] = (struct json_piece){.offset = pieces->at,
	    .length = end - pieces->at,
	    .outer = pieces->outer - 1,
	    .inner = pieces->inner - 1};
	strbuf_add(&pieces->rest, "null");
	return true;
}

/* Cuts the text. Whether what is left is JSON is found out by who reads it. */
static bool pieces_cut(struct json_pieces *pieces)
{
	int depth = 0;

	while (pieces->at < pieces->length) {
		char c = pieces->text[pieces->at];
		size_t end = pieces->at + 1;
		bool inner = depth == 2 && pieces->inner > 0;

		if (c == '"')
			end = pieces_string(pieces, pieces->at);
		else if (c == '[' || (c == '{' && inner))
			end = pieces_whole(pieces, pieces->at);
		if (end == 0 || (c == '{' && inner && !pieces_add(pieces, end)))
			return false;
		if (c != '{' || !inner)
			strbuf_add_n(&pieces->rest, pieces->text + pieces->at, end - pieces->at);
		if (c == '{' && !inner) {
			pieces->inner = 0;
			if (++depth > 2)
				return false;
		} else if (c == '}') {
			depth--;
		} else if (c == ':') {
			pieces->outer += depth == 1;
			pieces->inner += depth == 2;
		}
		pieces->at = end;
	}
	return pieces->count > 0;
}

static bool pieces_put(const struct json_pieces *pieces, const struct json_piece *piece,
    struct arena *arena, struct json_known *known, struct value *out)
{
	struct value *whole, parsed;

	if (out->type != VALUE_MAP || piece->outer >= out->map.count)
		return false;
	whole = &out->map.members[piece->outer].value;
	if (whole->type != VALUE_MAP || piece->inner >= whole->map.count ||
	    json_known_parse(pieces->text + piece->offset, piece->length, arena, known, &parsed, NULL))
		return false;
	whole->map.members[piece->inner].value = parsed;
	return true;
}

bool json_pieces_parse(const char *text, size_t length, struct arena *arena, struct value *out)
{
	struct json_pieces pieces = {.text = text, .length = length};
	struct json_known known = {{NULL}};
	bool good = pieces_cut(&pieces) && !strbuf_failed(&pieces.rest) &&
		    json_known_parse(strbuf_peek(&pieces.rest), pieces.rest.length, arena, &known,
			out, NULL) == 0;

	strbuf_clear(&pieces.rest);
	for (size_t i = 0; good && i < pieces.count; i++)
		good = pieces_put(&pieces, &pieces.items[i], arena, &known, out);
	free(pieces.items);
	return good;
}
