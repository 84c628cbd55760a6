/* SPDX-License-Identifier: MIT */
/*
 * Plain where nobody could take it for anything but this text, else a block of
 * lines, else in double quotes with the escapes of JSON, which are YAML's too.
 */
#include "jobfile/yaml_write.h"

#include <string.h>
#include <strings.h>
#include "base/base64.h"
#include "base/json.h"
#include "base/utf8.h"
#include "jobfile/yaml_read.h"
#include "jobfile/yaml_scalar.h"

/* Booleans of YAML 1.1, which other readers may still know. */
static bool yaml_write_is_word(const char *text)
{
	static const char *const words[] = {
	    "y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", ".nan", NULL};

	for (const char *const *word = words; *word; word++)
		if (strcasecmp(text, *word) == 0)
			return true;
	return false;
}

/* Anything that is no number in any YAML: begins with a letter or '/'. */
static bool yaml_write_plain(const char *text, size_t length, bool flow)
{
	const char *marks = flow ? "_./-+=@%" : "_./-+=@%,:;()[] ";

	if (length == 0 || length > 200 || text[length - 1] == ' ' || text[length - 1] == ':' ||
	    !((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z') ||
		text[0] == '/' || text[0] == '_'))
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c == ':' && text[i + 1] == ' ')
			return false;
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c && strchr(marks, c))))
			return false;
	}
	return !yaml_write_is_word(text);
}

/* Characters that libyaml does not take raw; 0: this one it does. */
static unsigned yaml_write_escaped(const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned code = bytes[0];

	if (size == 2)
		code = (code & 0x1fu) << 6 | (bytes[1] & 0x3fu);
	else if (size == 3)
		code = (code & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
	if (size == 2 && code < 0xa0)
		return code;
	if (size == 3 && (code == 0xfeff || code == 0xfffe || code == 0xffff || code == 0x2028 ||
			     code == 0x2029))
		return code;
	return 0;
}

static void yaml_write_quoted(struct strbuf *out, const char *text, size_t length)
{
	struct strbuf raw = STRBUF_EMPTY;

	if (!utf8_valid(text, length)) {
		strbuf_add(out, YAML_BINARY " \"");
		base64_write(out, text, length);
		strbuf_add_char(out, '"');
		return;
	}
	json_write_string(&raw, text, length);
	for (size_t i = 0; i < raw.length;) {
		size_t size = utf8_size(raw.data + i, raw.length - i);
		unsigned code = yaml_write_escaped(raw.data + i, size);

		if (code)
			strbuf_printf(out, "\\u%04x", code);
		else
			strbuf_add_n(out, raw.data + i, size);
		i += size;
	}
	if (strbuf_failed(&raw))
		out->failed = true;
	strbuf_clear(&raw);
}

void yaml_write_text(struct strbuf *out, const char *text, size_t length)
{
	if (yaml_write_plain(text, length, true))
		strbuf_add_n(out, text, length);
	else
		yaml_write_quoted(out, text, length);
}

/* Lines that a literal block keeps as they are: a script, a mail. */
static bool yaml_write_is_block(const char *text, size_t length)
{
	bool only_blanks = true;

	if (!memchr(text, '\n', length) || strchr(" \t\n", text[0]) ||
	    (length > 1 && text[length - 1] == '\n' && text[length - 2] == '\n'))
		return false;
	for (size_t i = 0; i < length;) {
		size_t size = utf8_size(text + i, length - i);

		if (size == 0 || yaml_write_escaped(text + i, size) || text[i] == 0x7f ||
		    ((unsigned char)text[i] < 0x20 && text[i] != '\n' && text[i] != '\t'))
			return false;
		/* A line of blanks alone would lose them, or end the block. */
		if (text[i] == '\n' && only_blanks && i > 0 && text[i - 1] != '\n')
			return false;
		only_blanks = text[i] == '\n' || (only_blanks && strchr(" \t", text[i]));
		i += size;
	}
	return text[length - 1] == '\n' || !only_blanks;
}

static void yaml_write_block(struct strbuf *out, const char *text, size_t length, int indent)
{
	const char *end = text + length;

	strbuf_add(out, text[length - 1] == '\n' ? " |\n" : " |-\n");
	while (text < end) {
		const char *line = memchr(text, '\n', (size_t)(end - text));
		size_t size = line ? (size_t)(line - text) : (size_t)(end - text);

		if (size > 0)
			strbuf_printf(out, "%*s", indent + 2, "");
		strbuf_add_n(out, text, size);
		strbuf_add_char(out, '\n');
		text += size + 1;
	}
}

static bool yaml_write_is_scalar(const struct value *value)
{
	return (value->type != VALUE_MAP && value->type != VALUE_ARRAY) ||
	       (value->type == VALUE_MAP && value->map.count == 0) ||
	       (value->type == VALUE_ARRAY && value->array.count == 0);
}

/* A list of texts without line breaks reads best on one line. */
static bool yaml_write_is_flow(const struct value *list)
{
	size_t length = 0;

	for (uint32_t i = 0; i < list->array.count; i++) {
		const struct value *item = &list->array.items[i];

		if (!yaml_write_is_scalar(item))
			return false;
		length += item->type == VALUE_STRING ? item->string.length : 6;
	}
	return length < 400;
}

/* Anything that stands on one line. */
static void yaml_write_inline(struct strbuf *out, const struct value *value)
{
	if (value->type == VALUE_STRING)
		yaml_write_text(out, value->string.text, value->string.length);
	else
		json_write(out, value);
}

static void yaml_write_map(struct strbuf *out, const struct value *map, int indent, bool first)
{
	for (uint32_t i = 0; i < map->map.count; i++) {
		const struct value_member *member = &map->map.members[i];

		/* The first key stands behind the '-' of its list. */
		strbuf_printf(out, "%*s", first && i == 0 ? 0 : indent, "");
		yaml_write_text(out, member->key, strlen(member->key));
		strbuf_add_char(out, ':');
		yaml_write_value(out, &member->value, indent);
	}
}

static void yaml_write_list(struct strbuf *out, const struct value *list, int indent)
{
	for (uint32_t i = 0; i < list->array.count; i++) {
		const struct value *item = &list->array.items[i];

		strbuf_printf(out, "%*s-", indent, "");
		if (item->type == VALUE_MAP && item->map.count > 0) {
			strbuf_add_char(out, ' ');
			yaml_write_map(out, item, indent + 2, true);
		} else {
			yaml_write_value(out, item, indent);
		}
	}
}

void yaml_write_value(struct strbuf *out, const struct value *value, int indent)
{
	bool text = value->type == VALUE_STRING;

	if (text && yaml_write_is_block(value->string.text, value->string.length)) {
		yaml_write_block(out, value->string.text, value->string.length, indent);
	} else if (text && yaml_write_plain(value->string.text, value->string.length, false)) {
		strbuf_printf(out, " %s\n", value->string.text);
	} else if (yaml_write_is_scalar(value)) {
		strbuf_add_char(out, ' ');
		yaml_write_inline(out, value);
		strbuf_add_char(out, '\n');
	} else if (value->type == VALUE_ARRAY && yaml_write_is_flow(value)) {
		for (uint32_t i = 0; i < value->array.count; i++) {
			strbuf_add(out, i == 0 ? " [" : ", ");
			yaml_write_inline(out, &value->array.items[i]);
		}
		strbuf_add(out, "]\n");
	} else if (value->type == VALUE_ARRAY) {
		strbuf_add_char(out, '\n');
		yaml_write_list(out, value, indent + 2);
	} else {
		strbuf_add_char(out, '\n');
		yaml_write_map(out, value, indent + 2, false);
	}
}
