/* SPDX-License-Identifier: MIT */
/* Six bits a character, collected from the high end. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct strbuf *out, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t bits = (uint32_t)from[i] << 16;

		bits |= left > 1 ? (uint32_t)from[i + 1] << 8 : 0;
		bits |= left > 2 ? from[i + 2] : 0;
		strbuf_add_char(out, digits[bits >> 18]);
		strbuf_add_char(out, digits[bits >> 12 & 63]);
		strbuf_add_char(out, left > 1 ? digits[bits >> 6 & 63] : '=');
		strbuf_add_char(out, left > 2 ? digits[bits & 63] : '=');
	}
}

bool base64_read(const char *text, size_t size, void *bytes, size_t *length)
{
	unsigned char *to = bytes;
	size_t padding = 0, count = 0;
	uint32_t bits = 0;

	*length = 0;
	for (size_t i = 0; i < size; i++) {
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (text[i] && strchr(" \t\r\n", text[i]))
			continue;
		if (text[i] == '=' && ++padding <= 2)
			continue;
		if (!digit || padding > 0)
			return false;
		bits = bits << 6 | (uint32_t)(digit - digits);
		if (++count % 4 != 1)
			to[(*length)++] = (unsigned char)(bits >> (6 - 2 * ((count - 1) % 4)));
	}
	/* A single character holds no byte. */
	return count % 4 != 1 && (padding == 0 || (count + padding) % 4 == 0);
}
