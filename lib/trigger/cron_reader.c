/* SPDX-License-Identifier: MIT */
#include "trigger/cron_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define QUOTED_MAX 120 /* bytes of an expression that an error sentence repeats */
#define DIGITS_MAX 4

static const char *const field_names[CRON_FIELD_COUNT] = {
    [CRON_SECOND] = "second",
    [CRON_MINUTE] = "minute",
    [CRON_HOUR] = "hour",
    [CRON_DAY] = "day",
    [CRON_MONTH] = "month",
    [CRON_WEEKDAY] = "weekday",
    [CRON_YEAR] = "year",
    [CRON_WEEK] = "week",
};

static const char *const weekday_names[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static const char *const month_names[] = {"January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December"};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

int cron_reader_open(
    struct cron_reader *reader, const char *label, const char *text, struct schedd_error *err)
{
	size_t length = strnlen(text, CRON_TEXT_MAX + 1);

	*reader = (struct cron_reader){label, text, text, text + length, err};
	for (const char *at = text; at < reader->end; at++) {
		unsigned char byte = (unsigned char)*at;

		if (byte > 0x7e || (byte < 0x20 && byte != '\t'))
			return cron_reader_fail(
			    reader, at, "byte 0x%02x is not allowed, write plain ASCII", byte);
	}
	if (length > CRON_TEXT_MAX)
		return cron_reader_fail(
		    reader, text, "the text is longer than %d bytes", CRON_TEXT_MAX);
	return SCHEDD_OK;
}

int cron_reader_fail(const struct cron_reader *reader, const char *where, const char *format, ...)
{
	char quoted[QUOTED_MAX + 1], reason[512];
	size_t length = 0;
	va_list ap;

	for (const char *at = reader->text; *at && length < QUOTED_MAX; at++)
		quoted[length++] = *at >= 0x20 && *at <= 0x7e ? *at : '?';
	quoted[length] = '\0';
	va_start(ap, format);
	vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	return schedd_error_at(reader->err, SCHEDD_EINVAL, (int)(where - reader->text),
	    "%s '%s%s': %s", reader->label, quoted, length == QUOTED_MAX ? "..." : "", reason);
}

int cron_reader_unexpected(const struct cron_reader *reader, enum cron_field field)
{
	if (reader->at == reader->end)
		return cron_reader_fail(reader, reader->at, "the %s field ends too early",
		    cron_reader_field_name(field));
	return cron_reader_fail(reader, reader->at, "unexpected '%c' in the %s field", *reader->at,
	    cron_reader_field_name(field));
}

size_t cron_reader_split(const struct cron_reader *reader, struct cron_slice *words, size_t max)
{
	const char *at = reader->at;
	size_t count = 0;

	for (;;) {
		struct cron_slice word;

		while (at < reader->end && is_blank(*at))
			at++;
		if (at == reader->end)
			return count;
		word.start = at;
		while (at < reader->end && !is_blank(*at))
			at++;
		word.end = at;
		if (count < max)
			words[count] = word;
		count++;
	}
}

size_t cron_reader_join(const struct cron_slice *words, size_t count, char *out)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		size_t size = (size_t)(words[i].end - words[i].start);

		if (i > 0)
			out[length++] = ' ';
		memcpy(out + length, words[i].start, size);
		length += size;
	}
	out[length] = '\0';
	return length;
}

void cron_reader_turn(struct cron_reader *reader, struct cron_slice slice)
{
	reader->at = slice.start;
	reader->end = slice.end;
}

char cron_reader_peek(const struct cron_reader *reader)
{
	if (reader->at == reader->end)
		return '\0';
	return *reader->at >= 'a' && *reader->at <= 'z' ? (char)(*reader->at - 'a' + 'A')
							: *reader->at;
}

bool cron_reader_take(struct cron_reader *reader, char byte)
{
	if (reader->at == reader->end || cron_reader_peek(reader) != byte)
		return false;
	reader->at++;
	return true;
}

bool cron_reader_at_digit(const struct cron_reader *reader)
{
	return reader->at < reader->end && is_digit(*reader->at);
}

bool cron_reader_at_letter(const struct cron_reader *reader)
{
	return reader->at < reader->end && is_letter(*reader->at);
}

int cron_reader_number(struct cron_reader *reader, enum cron_field field, int *out)
{
	const char *start = reader->at;
	int value = 0;

	if (!cron_reader_at_digit(reader))
		return cron_reader_unexpected(reader, field);
	for (; cron_reader_at_digit(reader); reader->at++) {
		if (reader->at - start == DIGITS_MAX)
			return cron_reader_fail(reader, start,
			    "a number in the %s field has more than %d digits",
			    cron_reader_field_name(field), DIGITS_MAX);
		value = value * 10 + (*reader->at - '0');
	}
	*out = value;
	return SCHEDD_OK;
}

int cron_reader_number_in(
    struct cron_reader *reader, enum cron_field field, int min, int max, int *out)
{
	const char *start = reader->at;
	int rc = cron_reader_number(reader, field, out);

	if (rc == SCHEDD_OK && (*out < min || *out > max))
		rc = cron_reader_fail(reader, start, "%s %d is out of %d-%d",
		    cron_reader_field_name(field), *out, min, max);
	return rc;
}

struct cron_slice cron_reader_letters(const struct cron_reader *reader)
{
	struct cron_slice letters = {reader->at, reader->at};

	while (letters.end < reader->end && is_letter(*letters.end))
		letters.end++;
	return letters;
}

int cron_reader_name(struct cron_slice letters, enum cron_field field, enum cron_names names)
{
	const char *const *table = field == CRON_MONTH ? month_names : weekday_names;
	int count = field == CRON_MONTH ? 12 : 7;
	size_t length = (size_t)(letters.end - letters.start);

	if ((field != CRON_MONTH && field != CRON_WEEKDAY) || length < 3)
		return -1;
	for (int i = 0; i < count; i++) {
		if (strncasecmp(letters.start, table[i], length) != 0)
			continue;
		if (length == 3 || (names == CRON_NAMES_FULL && table[i][length] == '\0'))
			return field == CRON_MONTH ? i + 1 : i;
	}
	return -1;
}

const char *cron_reader_field_name(enum cron_field field)
{
	return field_names[field];
}

const char *cron_reader_weekday_name(int weekday)
{
	return weekday_names[weekday];
}

const char *cron_reader_month_name(int month)
{
	return month_names[month - 1];
}
