/* SPDX-License-Identifier: MIT */
#include "server/http/flask_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/utf8.h"

/* One character that is not ASCII, as \uXXXX, or two of them. */
static size_t flask_json_escape(struct strbuf *out, const char *text, size_t length)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t size = utf8_size(text, length);
	uint32_t point = 0xfffd;

	if (size == 2)
		point = (uint32_t)(c[0] & 0x1f) << 6 | (c[1] & 0x3f);
	else if (size == 3)
		point = (uint32_t)(c[0] & 0x0f) << 12 | (uint32_t)(c[1] & 0x3f) << 6 | (c[2] & 0x3f);
	else if (size == 4)
		point = (uint32_t)(c[0] & 0x07) << 18 | (uint32_t)(c[1] & 0x3f) << 12 |
			(uint32_t)(c[2] & 0x3f) << 6 | (c[3] & 0x3f);
	if (point > 0xffff) {
		strbuf_printf(out, "\\u%04x", 0xd800 + ((point - 0x10000) >> 10));
		point = 0xdc00 + ((point - 0x10000) & 0x3ff);
	}
	strbuf_printf(out, "\\u%04x", point);
	return size ? size : 1;
}

static void flask_json_string(struct strbuf *out, const char *text, size_t length)
{
	struct strbuf plain = STRBUF_EMPTY;

	json_write_string(&plain, text, length);
	for (size_t i = 0; i < plain.length;) {
		if ((unsigned char)plain.data[i] < 0x80)
			strbuf_add_char(out, plain.data[i++]);
		else
			i += flask_json_escape(out, plain.data + i, plain.length - i);
	}
	strbuf_clear(&plain);
}

static int flask_json_order(const void *a, const void *b)
{
	const struct value_member *const *left = a, *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}

static void flask_json_map(struct strbuf *out, const struct value *map)
{
	const struct value_member **order = malloc((map->map.count + 1) * sizeof(*order));

	if (!order) {
		out->failed = true;
		return;
	}
	for (uint32_t i = 0; i < map->map.count; i++)
		order[i] = &map->map.members[i];
	qsort(order, map->map.count, sizeof(struct value_member *), flask_json_order);
	strbuf_add_char(out, '{');
	for (uint32_t i = 0; i < map->map.count; i++) {
		if (i)
			strbuf_add(out, ", ");
		flask_json_string(out, order[i]->key, strlen(order[i]->key));
		strbuf_add(out, ": ");
		flask_json_write(out, &order[i]->value);
	}
	strbuf_add_char(out, '}');
	free(order);
}

void flask_json_write(struct strbuf *out, const struct value *value)
{
	if (value->type == VALUE_MAP) {
		flask_json_map(out, value);
	} else if (value->type == VALUE_STRING) {
		flask_json_string(out, value->string.text, value->string.length);
	} else if (value->type == VALUE_ARRAY) {
		strbuf_add_char(out, '[');
		for (uint32_t i = 0; i < value->array.count; i++) {
			if (i)
				strbuf_add(out, ", ");
			flask_json_write(out, &value->array.items[i]);
		}
		strbuf_add_char(out, ']');
	} else {
		json_write(out, value);
	}
}
