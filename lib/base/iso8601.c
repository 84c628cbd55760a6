/* SPDX-License-Identifier: MIT */
#include "base/iso8601.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads min to max digits as a number of at most limit. Returns the digits read, 0: none such. */
static size_t scan_number(const char *text, size_t min, size_t max, int limit, int *out)
{
	size_t length = 0;

	*out = 0;
	while (length < max && is_digit(text[length]))
		*out = *out * 10 + (text[length++] - '0');
	return length < min || *out > limit ? 0 : length;
}

/* ":MM", two digits up to 59 behind a colon. Returns the bytes read. */
static size_t scan_sixtieth(const char *text, int *out)
{
	return text[0] == ':' && scan_number(text + 1, 2, 2, 59, out) ? 3 : 0;
}

/* ".f…": the first six digits count. Returns the bytes read. */
static size_t scan_fraction(const char *text, int32_t *micro)
{
	size_t length = 1;

	if (text[0] != '.' || !is_digit(text[1]))
		return 0;
	*micro = 0;
	for (int32_t weight = 100000; is_digit(text[length]); length++, weight /= 10)
		*micro += weight * (text[length] - '0');
	return length;
}

size_t iso8601_scan_basic_time(const char *text, struct civil *out)
{
	size_t digits = strspn(text, "0123456789");
	int hour, minute, second = 0;

	if ((digits != 4 && digits != 6) || !scan_number(text, 2, 2, 23, &hour) ||
	    !scan_number(text + 2, 2, 2, 59, &minute) ||
	    (digits == 6 && !scan_number(text + 4, 2, 2, 59, &second)))
		return 0;
	out->hour = (int8_t)hour;
	out->minute = (int8_t)minute;
	out->second = (int8_t)second;
	return digits;
}

size_t iso8601_scan_time(const char *text, struct civil *out)
{
	int hour, minute, second = 0;
	int32_t micro = 0;
	size_t length = scan_number(text, 1, 2, 23, &hour), more;

	if (length == 0)
		return 0;
	more = scan_sixtieth(text + length, &minute);
	if (more == 0)
		return 0;
	length += more;
	if (text[length] == ':') {
		more = scan_sixtieth(text + length, &second);
		if (more == 0)
			return 0;
		length += more;
		length += scan_fraction(text + length, &micro);
	}
	if (is_digit(text[length]) || text[length] == '.')
		return 0;
	out->hour = (int8_t)hour;
	out->minute = (int8_t)minute;
	out->second = (int8_t)second;
	out->micro = micro;
	return length;
}

size_t iso8601_scan_offset(const char *text, int32_t *out)
{
	int hour, minute = 0, second = 0;
	size_t length = 3;

	if (text[0] == 'Z' || text[0] == 'z') {
		*out = 0;
		return 1;
	}
	if ((text[0] != '+' && text[0] != '-') || !scan_number(text + 1, 2, 2, 23, &hour))
		return 0;
	if (text[3] == ':') {
		if (!scan_sixtieth(text + 3, &minute))
			return 0;
		length += 3;
		length += scan_sixtieth(text + length, &second);
	} else if (is_digit(text[3])) {
		if (!scan_number(text + 3, 2, 2, 59, &minute))
			return 0;
		length += 2;
	}
	if (is_digit(text[length]) || text[length] == ':')
		return 0;
	*out = (hour * 3600 + minute * 60 + second) * (text[0] == '-' ? -1 : 1);
	return length;
}

static size_t scan_date(const char *text, struct civil *out)
{
	int year, month, day;

	if (!scan_number(text, 4, 4, 9999, &year) || text[4] != '-' ||
	    !scan_number(text + 5, 2, 2, 12, &month) || text[7] != '-' ||
	    !scan_number(text + 8, 2, 2, 31, &day) || is_digit(text[10]))
		return 0;
	*out = (struct civil){.year = year, .month = (int8_t)month, .day = (int8_t)day};
	return civil_valid(out) ? 10 : 0;
}

/* Do digits and a colon stand here? Then it is a time, or a wrong one. */
static bool looks_like_time(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && text[digits] == ':';
}

size_t iso8601_scan(const char *text, struct iso8601 *out)
{
	size_t length = scan_date(text, &out->civil), more;

	out->has_time = out->has_offset = false;
	out->offset = 0;
	if (length == 0)
		return 0;
	if (text[length] != 'T' && text[length] != 't' &&
	    !(text[length] == ' ' && looks_like_time(text + length + 1)))
		return length;
	more = iso8601_scan_time(text + length + 1, &out->civil);
	if (more == 0)
		return 0;
	length += 1 + more;
	out->has_time = true;
	more = iso8601_scan_offset(text + length, &out->offset);
	out->has_offset = more > 0;
	return length + more;
}

/* A sign of one character and two digits: lists are full of times, and printf takes as long as all the
 * rest of a job. */
static char *format_two(char *at, char sign, unsigned number)
{
	at[0] = sign;
	at[1] = (char)('0' + number / 10);
	at[2] = (char)('0' + number % 10);
	return at + 3;
}

static char *format_offset(char *at, int32_t offset)
{
	unsigned size = (unsigned)(offset < 0 ? -offset : offset);

	at = format_two(at, offset < 0 ? '-' : '+', size / 3600);
	at = format_two(at, ':', size / 60 % 60);
	return size % 60 ? format_two(at, ':', size % 60) : at;
}

void iso8601_format(struct strbuf *out, schedd_time when, int32_t offset, bool utc_z)
{
	int64_t seconds = when / SCHEDD_SECOND;
	int32_t micro = (int32_t)(when % SCHEDD_SECOND);
	char text[48], *at;
	struct civil civil;

	if (micro < 0) {
		micro += (int32_t)SCHEDD_SECOND;
		seconds--;
	}
	civil_from_seconds(seconds + offset, &civil);
	if (civil.year < 0 || civil.year > 9999) {
		offset = 0;
		civil_from_seconds(seconds, &civil);
	}
	/* The year has no sign, and the digits of a fraction stand together. */
	format_two(text, '+', (unsigned)civil.year / 100);
	at = format_two(text + 2, text[2], (unsigned)civil.year % 100);
	at = format_two(at, '-', (unsigned)civil.month);
	at = format_two(at, '-', (unsigned)civil.day);
	at = format_two(at, 'T', (unsigned)civil.hour);
	at = format_two(at, ':', (unsigned)civil.minute);
	at = format_two(at, ':', (unsigned)civil.second);
	if (micro != 0) {
		at = format_two(at, '.', (unsigned)micro / 10000);
		at = format_two(at - 1, at[-1], (unsigned)micro / 100 % 100);
		at = format_two(at - 1, at[-1], (unsigned)micro % 100);
	}
	if (offset == 0 && utc_z)
		*at++ = 'Z';
	else
		at = format_offset(at, offset);
	strbuf_add_n(out, text + 1, (size_t)(at - text - 1));
}
