/* SPDX-License-Identifier: MIT */
#include "base/safe_text.h"

#include <stdint.h>
#include "base/utf8.h"

/* How many bytes at its beginning stand for themselves: mostly all of them. */
static size_t safe_text_plain(const char *text, size_t length)
{
	size_t plain = 0;

	while (plain < length && text[plain] >= 0x20 && text[plain] < 0x7f)
		plain++;
	return plain;
}

void safe_text_add(struct strbuf *out, const char *text, size_t length, bool keep_newlines)
{
	while (length > 0) {
		uint32_t c = 0;
		size_t size = safe_text_plain(text, length);

		if (size > 0) {
			strbuf_add_n(out, text, size);
			text += size;
			length -= size;
			continue;
		}
		size = utf8_decode(text, length, &c);
		if (size == 0)
			strbuf_printf(out, "\\x%02x", (unsigned char)*text);
		else if (keep_newlines &&
			 (c == '\n' || c == '\t' || (c == '\r' && length > 1 && text[1] == '\n')))
			strbuf_add_char(out, (char)c);
		else if (!utf8_harmful(c))
			strbuf_add_n(out, text, size);
		else if (c == '\n' || c == '\t')
			strbuf_add(out, c == '\n' ? "\\n" : "\\t");
		else
			strbuf_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
		size = size ? size : 1;
		text += size;
		length -= size;
	}
}
