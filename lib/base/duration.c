/* SPDX-License-Identifier: MIT */
/*
 * Durations are added up exactly, in integers: each part is a whole number of
 * its unit and up to twelve decimal places, which must come to whole
 * microseconds.
 */
#include "base/duration.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* The parts of a duration, from the greatest to the smallest. */
static const struct {
	schedd_span size;  /* one of it */
	char iso;          /* its letter in ISO 8601, 0: none */
	bool iso_time;     /* does that stand behind the T? */
	const char *names; /* "|" around each name; those of up to two letters in lower case only */
} duration_units[] = {
    {7 * SCHEDD_DAY, 'W', false, "|w|week|weeks|"},
    {SCHEDD_DAY, 'D', false, "|d|day|days|"},
    {SCHEDD_HOUR, 'H', true, "|h|hr|hrs|hour|hours|"},
    {SCHEDD_MINUTE, 'M', true, "|m|min|mins|minute|minutes|"},
    {SCHEDD_SECOND, 'S', true, "|s|sec|secs|second|seconds|"},
    {1000, 0, true, "|ms|msec|msecs|millisecond|milliseconds|"},
    {1, 0, true, "|us|\xc2\xb5s|usec|usecs|microsecond|microseconds|"},
};

#define UNIT_COUNT (sizeof(duration_units) / sizeof(duration_units[0]))
#define UNIT_SECOND 4
#define FRACTION_DIGITS_MAX 12
static const char no_fixed_length[] = "|mo|month|months|y|yr|yrs|year|years|";

/* A text on its way to a span. */
struct duration_reader {
	const char *text;         /* the whole text, for messages */
	const char *at;           /* next byte */
	schedd_span sum;          /* of the parts read so far */
	size_t next;              /* the greatest unit that may still come */
	bool fraction;            /* the last part had one, so nothing may follow */
	struct schedd_error *err; /* where the sentence goes; may be NULL */
};

/* A number as it stands in the text. */
struct duration_number {
	const char *start;      /* its first digit */
	uint64_t whole;         /* before the point */
	const char *fraction;   /* first digit after the point, NULL: there is no point */
	size_t fraction_length; /* digits after the point */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int duration_fault(struct duration_reader *reader, const char *at, const char *sentence)
{
	return schedd_error_at(reader->err, SCHEDD_EINVAL, (int)(at - reader->text),
	    "duration '%.80s': %s", reader->text, sentence);
}

static int duration_number(struct duration_reader *reader, struct duration_number *out)
{
	const char *at = reader->at;

	*out = (struct duration_number){.start = at};
	if (!is_digit(*at))
		return duration_fault(reader, at,
		    *at == '-' ? "it cannot be negative"
			       : "a number is missing, as in 90s, 1h30m, 0.5s or PT1H30M");
	for (; is_digit(*at); at++) {
		if (out->whole > (uint64_t)DURATION_MAX)
			return duration_fault(reader, out->start, "it is longer than 8000 years");
		out->whole = out->whole * 10 + (uint64_t)(*at - '0');
	}
	if (*at == '.') {
		out->fraction = ++at;
		while (is_digit(*at))
			at++;
		out->fraction_length = (size_t)(at - out->fraction);
		if (out->fraction_length == 0)
			return duration_fault(reader, at, "a digit is missing behind the point");
	}
	reader->at = at;
	return 0;
}

/* The fraction's part of a unit, in microseconds; -1: it is no whole number of them. */
static schedd_span duration_fraction(const struct duration_number *number, schedd_span unit)
{
	size_t length = number->fraction_length;
	uint64_t digits = 0, scale = 1;

	while (length > 0 && number->fraction[length - 1] == '0')
		length--;
	if (length > FRACTION_DIGITS_MAX)
		return -1;
	for (size_t i = 0; i < length; i++) {
		digits = digits * 10 + (uint64_t)(number->fraction[i] - '0');
		scale *= 10;
	}
	/* 10^12 times a week's microseconds does not fit in 64 bits: shorten to the digits that
	 * count. */
	while (scale > 1 && digits % 2 == 0 && scale % 2 == 0) {
		digits /= 2;
		scale /= 2;
	}
	while (scale > 1 && digits % 5 == 0 && scale % 5 == 0) {
		digits /= 5;
		scale /= 5;
	}
	if ((uint64_t)unit % scale != 0)
		return -1;
	return (schedd_span)(digits * ((uint64_t)unit / scale));
}

/* Adds number units of which unit is the index. */
static int duration_add(
    struct duration_reader *reader, const struct duration_number *number, size_t unit)
{
	schedd_span size = duration_units[unit].size, part, rest = 0;

	if (reader->fraction)
		return duration_fault(
		    reader, number->start, "only the last number may have a fraction");
	if (unit < reader->next)
		return duration_fault(reader, number->start,
		    "units go from the largest to the smallest, each once, as in 1d12h30m");
	if (number->fraction) {
		rest = duration_fraction(number, size);
		if (rest < 0)
			return duration_fault(
			    reader, number->start, "it is finer than a microsecond");
	}
	if (number->whole > (uint64_t)(DURATION_MAX / size))
		return duration_fault(reader, number->start, "it is longer than 8000 years");
	part = (schedd_span)number->whole * size + rest;
	if (part > DURATION_MAX - reader->sum)
		return duration_fault(reader, number->start, "it is longer than 8000 years");
	reader->sum += part;
	reader->next = unit + 1;
	reader->fraction = number->fraction != NULL;
	return 0;
}

/* Is the word one of names ("|a|b|")? One or two letters must be in lower case. */
static bool duration_name_in(const char *names, const char *word, size_t length)
{
	for (const char *name = names + 1; *name; name += strcspn(name, "|") + 1) {
		if (strcspn(name, "|") != length)
			continue;
		if (length > 2 ? strncasecmp(name, word, length) == 0
			       : memcmp(name, word, length) == 0)
			return true;
	}
	return false;
}

/* Letters, and the bytes of a micro sign. */
static size_t duration_word(const char *text)
{
	size_t length = 0;

	while ((text[length] | 0x20) >= 'a' && (text[length] | 0x20) <= 'z')
		length++;
	if (length == 0 && strncmp(text, "\xc2\xb5s", 3) == 0)
		return 3;
	return length;
}

static int duration_unit(struct duration_reader *reader, const char *word, size_t length)
{
	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (duration_name_in(duration_units[i].names, word, length))
			return (int)i;
	if (duration_name_in(no_fixed_length, word, length))
		return duration_fault(reader, word,
		    "months and years have no fixed length, a calendar has them: 'months=1'");
	return duration_fault(reader, word, "units are w, d, h, m, s, ms and us");
}

/* Parts such as "1h", "30 minutes"; a single bare number is seconds. */
static int duration_plain(struct duration_reader *reader)
{
	bool first = true;

	for (;;) {
		struct duration_number number;
		const char *word;
		size_t length;
		int status = duration_number(reader, &number);

		if (status < 0)
			return status;
		word = reader->at + strspn(reader->at, " \t");
		length = duration_word(word);
		if (length == 0 && first)
			return duration_add(reader, &number, UNIT_SECOND);
		if (length == 0)
			return duration_fault(reader, number.start, "a unit is missing");
		status = duration_unit(reader, word, length);
		if (status >= 0)
			status = duration_add(reader, &number, (size_t)status);
		if (status < 0)
			return status;
		reader->at = word + length;
		first = false;
		word = reader->at + strspn(reader->at, " \t");
		if (!is_digit(*word))
			return 0;
		reader->at = word;
	}
}

static int duration_iso_unit(struct duration_reader *reader, bool time)
{
	char letter = *reader->at;

	for (size_t i = 0; letter && i < UNIT_COUNT; i++)
		if (duration_units[i].iso == letter && duration_units[i].iso_time == time)
			return (int)i;
	if (letter == 'Y' || letter == 'M')
		return duration_fault(reader, reader->at,
		    "months and years have no fixed length, a calendar has them: 'months=1'");
	return duration_fault(reader, reader->at,
	    time ? "one of H, M, S is missing" : "one of W, D, or T before a time is missing");
}

/* What follows the P: weeks, days, and behind a T hours, minutes and seconds. */
static int duration_iso(struct duration_reader *reader)
{
	bool time = false, empty = true;

	for (;;) {
		struct duration_number number;
		int status;

		if (*reader->at == 'T' && !time) {
			time = empty = true;
			reader->at++;
		}
		if (!is_digit(*reader->at) && !empty)
			return 0;
		status = duration_number(reader, &number);
		if (status == 0)
			status = duration_iso_unit(reader, time);
		if (status >= 0)
			status = duration_add(reader, &number, (size_t)status);
		if (status < 0)
			return status;
		reader->at++;
		empty = false;
	}
}

int duration_scan(const char *text, schedd_span *out, size_t *length, struct schedd_error *err)
{
	struct duration_reader reader = {.text = text, .at = text, .err = err};
	int status;

	if (*text == 'P') {
		reader.at++;
		status = duration_iso(&reader);
	} else {
		status = duration_plain(&reader);
	}
	if (status < 0)
		return status;
	*out = reader.sum;
	*length = (size_t)(reader.at - text);
	return 0;
}

int duration_parse(const char *text, schedd_span *out, struct schedd_error *err)
{
	schedd_span span;
	size_t length;
	int status = duration_scan(text, &span, &length, err);

	if (status < 0)
		return status;
	if (text[length] != '\0')
		return schedd_error_at(err, SCHEDD_EINVAL, (int)length,
		    "duration '%.80s': what follows '%.*s' is no part of a duration", text,
		    (int)(length < 80 ? length : 80), text);
	*out = span;
	return 0;
}

int duration_from_value(const struct value *value, schedd_span *out, struct schedd_error *err)
{
	double seconds;

	if (value->type == VALUE_STRING) {
		if (strlen(value->string.text) != value->string.length)
			return schedd_error_at(err, SCHEDD_EINVAL, (int)strlen(value->string.text),
			    "a duration cannot hold a NUL");
		return duration_parse(value->string.text, out, err);
	}
	if (!value_number(value, &seconds))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "a duration is a number of seconds or a text such as \"1h30m\", not %s",
		    value_type_name(value->type));
	/* Written so that what is not a number fails as well. */
	if (!(seconds >= 0))
		return schedd_error_set(err, SCHEDD_EINVAL, "a duration cannot be negative");
	if (!(seconds <= (double)(DURATION_MAX / SCHEDD_SECOND)))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "a duration cannot be longer than 8000 years");
	*out = value->type == VALUE_INT ? value->integer * SCHEDD_SECOND
					: (schedd_span)llround(seconds * (double)SCHEDD_SECOND);
	return 0;
}

struct value duration_to_value(schedd_span span)
{
	if (span == SCHEDD_SPAN_NONE)
		return value_nil();
	if (span % SCHEDD_SECOND == 0)
		return value_int(span / SCHEDD_SECOND);
	return value_real((double)span / (double)SCHEDD_SECOND);
}

/* Seconds with as many decimals as they need. */
static void format_seconds(struct strbuf *out, uint64_t micros)
{
	uint64_t fraction = micros % (uint64_t)SCHEDD_SECOND;
	int digits = 6;

	strbuf_add_integer(out, (int64_t)(micros / (uint64_t)SCHEDD_SECOND));
	if (fraction != 0) {
		char text[8] = ".";

		while (fraction % 10 == 0) {
			fraction /= 10;
			digits--;
		}
		for (int i = digits; i > 0; i--, fraction /= 10)
			text[i] = (char)('0' + fraction % 10);
		strbuf_add_n(out, text, (size_t)digits + 1);
	}
	strbuf_add_char(out, 's');
}

void duration_format(struct strbuf *out, schedd_span span)
{
	uint64_t rest = span < 0 ? 0 - (uint64_t)span : (uint64_t)span;

	if (span == SCHEDD_SPAN_NONE) {
		strbuf_add(out, "none");
		return;
	}
	if (span < 0)
		strbuf_add_char(out, '-');
	if (rest < (uint64_t)SCHEDD_MINUTE) {
		format_seconds(out, rest);
		return;
	}
	for (size_t i = 0; i < UNIT_SECOND; i++) {
		uint64_t size = (uint64_t)duration_units[i].size;

		/* Weeks only where they are whole: 10d reads better than 1w3d. */
		if (rest < size || (i == 0 && rest % size != 0))
			continue;
		strbuf_printf(
		    out, "%llu%c", (unsigned long long)(rest / size), duration_units[i].names[1]);
		rest %= size;
	}
	if (rest > 0)
		format_seconds(out, rest);
}
