/* SPDX-License-Identifier: MIT */
/* The second byte's bounds depend on the first; all further ones are 80 to BF. */
#include "base/utf8.h"

#include <string.h>

size_t utf8_size(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t size;

	if (bytes[0] < 0x80)
		return 1;
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
		return 0;
	size = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
	if (size > length)
		return 0;
	if (bytes[0] == 0xe0)
		low = 0xa0;
	else if (bytes[0] == 0xed)
		high = 0x9f;
	else if (bytes[0] == 0xf0)
		low = 0x90;
	else if (bytes[0] == 0xf4)
		high = 0x8f;
	if (bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

size_t utf8_decode(const char *text, size_t length, uint32_t *out)
{
	size_t size = utf8_size(text, length);

	if (size > 0)
		*out = (unsigned char)text[0] & (size == 1 ? 0x7fu : 0xffu >> (size + 1));
	for (size_t i = 1; i < size; i++)
		*out = *out << 6 | ((unsigned char)text[i] & 0x3f);
	return size;
}

bool utf8_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x061c ||
	       c == 0xfeff;
}

#define UTF8_EIGHT sizeof(uint64_t)

/* Are eight bytes ASCII? */
static bool utf8_ascii(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return !(word & UINT64_MAX / 255 * 0x80);
}

bool utf8_valid(const char *text, size_t length)
{
	size_t i = 0;

	while (i + UTF8_EIGHT <= length && utf8_ascii(text + i))
		i += UTF8_EIGHT;
	/* The last eight once more in part rather than the last few one by one. */
	if (length >= UTF8_EIGHT && length - i < UTF8_EIGHT && utf8_ascii(text + length - UTF8_EIGHT))
		return true;
	while (i < length) {
		size_t size = utf8_size(text + i, length - i);

		if (size == 0)
			return false;
		i += size;
	}
	return true;
}
