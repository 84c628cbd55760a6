/* SPDX-License-Identifier: MIT */
/* Text made safe for a terminal, its width, and the way to stdout. */
#include "cmd/out.h"

#include <stdio.h>
#include <string.h>

#include "base/safe_text.h"
#include "base/utf8.h"

void out_safe(struct strbuf *out, const char *text, size_t length, bool keep_newlines)
{
	safe_text_add(out, text, length, keep_newlines);
}

/* Ranges that take two columns: East Asian wide and emoji (UAX #11), in order. */
static const struct {
	uint32_t first, last;
} wide_ranges[] = {
    {0x1100, 0x115f},
    {0x231a, 0x231b},
    {0x2329, 0x232a},
    {0x23e9, 0x23ec},
    {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},
    {0x25fd, 0x25fe},
    {0x2614, 0x2615},
    {0x2648, 0x2653},
    {0x267f, 0x267f},
    {0x2693, 0x2693},
    {0x26a1, 0x26a1},
    {0x26aa, 0x26ab},
    {0x26bd, 0x26be},
    {0x26c4, 0x26c5},
    {0x26ce, 0x26ce},
    {0x26d4, 0x26d4},
    {0x26ea, 0x26ea},
    {0x26f2, 0x26f3},
    {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},
    {0x26fd, 0x26fd},
    {0x2705, 0x2705},
    {0x270a, 0x270b},
    {0x2728, 0x2728},
    {0x274c, 0x274c},
    {0x274e, 0x274e},
    {0x2753, 0x2755},
    {0x2757, 0x2757},
    {0x2795, 0x2797},
    {0x27b0, 0x27b0},
    {0x27bf, 0x27bf},
    {0x2b1b, 0x2b1c},
    {0x2b50, 0x2b50},
    {0x2b55, 0x2b55},
    {0x2e80, 0x303e},
    {0x3041, 0x33ff},
    {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},
    {0xa000, 0xa4cf},
    {0xa960, 0xa97c},
    {0xac00, 0xd7a3},
    {0xf900, 0xfaff},
    {0xfe10, 0xfe19},
    {0xfe30, 0xfe6f},
    {0xff00, 0xff60},
    {0xffe0, 0xffe6},
    {0x16fe0, 0x18aff},
    {0x1b000, 0x1b2ff},
    {0x1f004, 0x1f004},
    {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f18e},
    {0x1f191, 0x1f19a},
    {0x1f200, 0x1f320},
    {0x1f32d, 0x1f335},
    {0x1f337, 0x1f37c},
    {0x1f37e, 0x1f393},
    {0x1f3a0, 0x1f3ca},
    {0x1f3cf, 0x1f3d3},
    {0x1f3e0, 0x1f3f0},
    {0x1f3f4, 0x1f3f4},
    {0x1f3f8, 0x1f43e},
    {0x1f440, 0x1f440},
    {0x1f442, 0x1f4fc},
    {0x1f4ff, 0x1f53d},
    {0x1f54b, 0x1f567},
    {0x1f57a, 0x1f57a},
    {0x1f595, 0x1f596},
    {0x1f5a4, 0x1f5a4},
    {0x1f5fb, 0x1f64f},
    {0x1f680, 0x1f6c5},
    {0x1f6cc, 0x1f6d7},
    {0x1f6dc, 0x1f6df},
    {0x1f6eb, 0x1f6ec},
    {0x1f6f4, 0x1f6fc},
    {0x1f7e0, 0x1f7f0},
    {0x1f90c, 0x1f9ff},
    {0x1fa70, 0x1faff},
    {0x20000, 0x3fffd},
};

/* Ranges that take none: combining marks, joiners and variation selectors. */
static const struct {
	uint32_t first, last;
} zero_ranges[] = {
    {0x0300, 0x036f},
    {0x0483, 0x0489},
    {0x0591, 0x05bd},
    {0x0610, 0x061a},
    {0x064b, 0x065f},
    {0x0e31, 0x0e31},
    {0x0e34, 0x0e3a},
    {0x0e47, 0x0e4e},
    {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff},
    {0x200b, 0x200d},
    {0x20d0, 0x20ff},
    {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f},
    {0x1f3fb, 0x1f3ff},
    {0xe0100, 0xe01ef},
};

static int text_columns(uint32_t c)
{
	for (size_t i = 0; i < sizeof(zero_ranges) / sizeof(zero_ranges[0]); i++)
		if (c >= zero_ranges[i].first && c <= zero_ranges[i].last)
			return 0;
	if (c < wide_ranges[0].first)
		return 1;
	for (size_t i = 0; i < sizeof(wide_ranges) / sizeof(wide_ranges[0]); i++)
		if (c >= wide_ranges[i].first && c <= wide_ranges[i].last)
			return 2;
	return 1;
}

int out_width(const char *text, size_t length)
{
	int width = 0;

	while (length > 0) {
		uint32_t c = 0;
		size_t size;

		/* Mostly all of it. */
		for (; length > 0 && (unsigned char)*text < 0x80; length--, text++)
			width++;
		if (length == 0)
			break;
		size = utf8_decode(text, length, &c);
		width += size == 0 ? 1 : c < 0x300 ? 1 : text_columns(c);
		size = size ? size : 1;
		text += size;
		length -= size;
	}
	return width;
}

size_t out_fit(const char *text, size_t length, int width)
{
	size_t fits = 0;

	while (fits < length) {
		uint32_t c = 0;
		size_t size = utf8_decode(text + fits, length - fits, &c);
		int columns = size == 0 || c < 0x300 ? 1 : text_columns(c);

		if (columns > width)
			break;
		width -= columns;
		fits += size ? size : 1;
	}
	return fits;
}

bool out_write(const char *bytes, size_t length)
{
	return fwrite(bytes, 1, length, stdout) == length;
}

const char *out_color(const struct command *command, const char *meaning)
{
	static const struct {
		const char *meaning, *sequence;
	} colors[] = {
	    {"good", "\033[32m"},
	    {"bad", "\033[31m"},
	    {"warn", "\033[33m"},
	    {"dim", "\033[2m"},
	    {"bold", "\033[1m"},
	};

	if (!command->out.color)
		return "";
	for (size_t i = 0; meaning && i < sizeof(colors) / sizeof(colors[0]); i++)
		if (strcmp(colors[i].meaning, meaning) == 0)
			return colors[i].sequence;
	return "\033[0m";
}
