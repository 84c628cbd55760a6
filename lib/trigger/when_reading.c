/* SPDX-License-Identifier: MIT */
/*
 * The words of time phrases. Each reader takes what it knows from the front of
 * the text; what is left at the end has to be an offset or a zone.
 */
#include "trigger/when_reading.h"

#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/iso8601.h"
#include "base/suggest.h"

#define TEXT_MAX 255       /* longer than any phrase with any zone */
#define UNIX_DIGITS_MAX 12 /* seconds of the year 9999 have that many */

/* A phrase being read. */
struct when_reader {
	const char *text;                   /* all of it, for messages */
	const char *at;                     /* next byte */
	const struct when_context *context; /* zones and now */
	struct schedd_error *err;           /* where the sentence goes; may be NULL */
};

/* A day of the week or beside today. */
struct day_word {
	const char *name; /* in full; the first three letters do for weekdays */
	int value;        /* days from today, or the weekday */
};

static const struct day_word days[] = {{"today", 0}, {"tomorrow", 1}, {"yesterday", -1}};
static const struct day_word weekdays[] = {{"sunday", 0}, {"monday", 1}, {"tuesday", 2},
    {"wednesday", 3}, {"thursday", 4}, {"friday", 5}, {"saturday", 6}};
static const char *const words[] = {"now", "in", "next", "noon", "midnight", "today", "tomorrow",
    "yesterday", "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int when_fault(struct when_reader *reader, const char *at, const char *sentence)
{
	return schedd_error_at(reader->err, SCHEDD_EINVAL, (int)(at - reader->text),
	    "time '%s': %s", reader->text, sentence);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t letters(const char *text)
{
	size_t length = 0;

	while ((text[length] | 0x20) >= 'a' && (text[length] | 0x20) <= 'z')
		length++;
	return length;
}

static void skip_blanks(struct when_reader *reader)
{
	reader->at += strspn(reader->at, " \t");
}

/* Does exactly this word stand here, in any case? Then steps over it and the blanks behind it. */
static bool take_word(struct when_reader *reader, const char *word)
{
	size_t length = strlen(word);

	if (letters(reader->at) != length || strncasecmp(reader->at, word, length) != 0)
		return false;
	reader->at += length;
	skip_blanks(reader);
	return true;
}

/* "am" or "pm" turns an hour of 1..12 into one of 0..23. True: it stood there and fits. */
static int take_half(struct when_reader *reader, const char *start, struct civil *civil)
{
	const char *at = reader->at + strspn(reader->at, " \t");
	bool am = letters(at) == 2 && strncasecmp(at, "am", 2) == 0;
	bool pm = letters(at) == 2 && strncasecmp(at, "pm", 2) == 0;

	if (!am && !pm)
		return 0;
	if (civil->hour < 1 || civil->hour > 12)
		return when_fault(reader, start, "hours before am and pm go from 1 to 12");
	civil->hour = (int8_t)(civil->hour % 12 + (pm ? 12 : 0));
	reader->at = at + 2;
	return 1;
}

/* "9am" has no minutes. 0: no such text. */
static int take_hour(struct when_reader *reader, struct civil *civil)
{
	const char *start = reader->at;
	size_t digits = strspn(start, "0123456789");
	struct civil clock = {.hour = (int8_t)(*start - '0')};
	int status;

	if (digits == 0 || digits > 2)
		return 0;
	if (digits == 2)
		clock.hour = (int8_t)(clock.hour * 10 + (start[1] - '0'));
	reader->at += digits;
	status = take_half(reader, start, &clock);
	if (status > 0)
		civil->hour = clock.hour;
	else
		reader->at = start;
	return status;
}

/* A time of day into the time fields. 1: it stood there, 0: something else did. */
static int take_clock(struct when_reader *reader, struct civil *civil)
{
	const char *start = reader->at;
	size_t digits = strspn(start, "0123456789"), length;
	int status;

	if (take_word(reader, "midnight"))
		return 1;
	if (take_word(reader, "noon")) {
		civil->hour = 12;
		return 1;
	}
	if (digits == 0 || start[digits] != ':')
		return take_hour(reader, civil);
	length = iso8601_scan_time(start, civil);
	if (length == 0)
		return when_fault(
		    reader, start, "a time of day goes from 00:00 to 23:59:59, as in 9:30");
	reader->at += length;
	status = take_half(reader, start, civil);
	return status < 0 ? status : 1;
}

/* The time of day behind a day, if there is one; "at" may stand before it. */
static int take_time(struct when_reader *reader, struct when_reading *out)
{
	bool at;
	int status;

	skip_blanks(reader);
	at = take_word(reader, "at");
	status = take_clock(reader, &out->civil);
	if (status < 0)
		return status;
	if (status == 0 && at)
		return when_fault(reader, reader->at, "a time of day is missing behind 'at'");
	out->has_time = status > 0;
	return 0;
}

/* "2026-12-01", with a time behind a blank or a T. */
static int read_date(struct when_reader *reader, struct when_reading *out)
{
	char date[11] = "";
	struct iso8601 iso;
	const char *clock;

	memcpy(date, reader->at, strnlen(reader->at, 10));
	if (iso8601_scan(date, &iso) != 10 || is_digit(reader->at[10]))
		return when_fault(
		    reader, reader->at, "there is no such date; dates are written as 2026-12-01");
	out->form = WHEN_DATE;
	out->civil = iso.civil;
	reader->at += 10;
	if (*reader->at != 'T' && *reader->at != 't')
		return take_time(reader, out);
	clock = ++reader->at;
	reader->at += iso8601_scan_time(reader->at, &out->civil);
	if (reader->at == clock)
		return when_fault(
		    reader, clock, "a time of day goes from 00:00 to 23:59:59, as in 09:30");
	out->has_time = true;
	return 0;
}

/* "@1764576000.25". Digits beyond microseconds are cut off, as in RFC 3339 times. */
static int read_unix(struct when_reader *reader, struct when_reading *out)
{
	const char *digits = ++reader->at;
	schedd_time seconds = 0, micro = 0;

	if (*digits == '-')
		return when_fault(reader, digits, "times before 1970 cannot be used");
	while (is_digit(*reader->at) && reader->at - digits < UNIX_DIGITS_MAX)
		seconds = seconds * 10 + (*reader->at++ - '0');
	if (reader->at == digits)
		return when_fault(reader, digits, "seconds since 1970 are missing behind '@'");
	if (is_digit(*reader->at))
		return when_fault(reader, digits,
		    "it is beyond the year 9999: '@' counts seconds, not milliseconds");
	if (*reader->at == '.' && is_digit(reader->at[1]))
		for (schedd_time unit = 100000; is_digit(*++reader->at); unit /= 10)
			micro += unit * (*reader->at - '0');
	out->form = WHEN_INSTANT;
	out->instant = seconds * SCHEDD_SECOND + micro;
	return 0;
}

/* A duration from now on, or back if sign is negative. */
static int read_span(struct when_reader *reader, int sign, struct when_reading *out)
{
	schedd_span span;
	size_t length;
	int status;

	skip_blanks(reader);
	status = duration_scan(reader->at, &span, &length, reader->err);
	if (status < 0) {
		if (reader->err && reader->err->offset >= 0)
			reader->err->offset += (int)(reader->at - reader->text);
		return status;
	}
	reader->at += length;
	out->form = WHEN_INSTANT;
	out->instant = reader->context->now + sign * span;
	return 0;
}

/* "+90s", "-7d": the sign is the next byte. */
static int read_signed(struct when_reader *reader, struct when_reading *out)
{
	return read_span(reader, *reader->at++ == '-' ? -1 : 1, out);
}

/* What may stand behind "now". */
static int read_now(struct when_reader *reader, struct when_reading *out)
{
	bool sign = *reader->at == '+' || *reader->at == '-';

	out->form = WHEN_INSTANT;
	out->instant = reader->context->now;
	/* "now +02:00" names an offset, "now +2h" a duration. */
	if (!sign || strchr(reader->at, ':'))
		return 0;
	return read_signed(reader, out);
}

static bool take_day(struct when_reader *reader, struct when_reading *out)
{
	for (size_t i = 0; i < COUNT(days); i++) {
		if (!take_word(reader, days[i].name))
			continue;
		out->form = WHEN_DAY;
		out->days = days[i].value;
		return true;
	}
	for (size_t i = 0; i < COUNT(weekdays); i++) {
		char shorter[4] = "";

		memcpy(shorter, weekdays[i].name, 3);
		if (!take_word(reader, weekdays[i].name) && !take_word(reader, shorter))
			continue;
		out->form = WHEN_WEEKDAY;
		out->weekday = weekdays[i].value;
		return true;
	}
	return false;
}

/* Nothing known stands at the front. */
static int read_unknown(struct when_reader *reader)
{
	char word[32] = "";
	size_t length = letters(reader->at);
	const char *closest;

	if (length > 0 && length < sizeof(word)) {
		memcpy(word, reader->at, length);
		closest = suggest_closest(word, words, COUNT(words));
		if (closest)
			return schedd_error_at(reader->err, SCHEDD_EINVAL,
			    (int)(reader->at - reader->text), "time '%s': did you mean '%s'?",
			    reader->text, closest);
	}
	return when_fault(reader, reader->at,
	    "write a time as 2026-12-01 09:30, 14:00, 9am, tomorrow 9am, next monday, "
	    "in 5 minutes, +90s or @1764576000");
}

/* A time of day, behind which a day may stand: "9am tomorrow". 1: it stood there, 0: not. */
static int read_clock(struct when_reader *reader, struct when_reading *out)
{
	int status = take_clock(reader, &out->civil);

	if (status <= 0)
		return status;
	out->form = WHEN_CLOCK;
	out->has_time = true;
	skip_blanks(reader);
	out->next = take_word(reader, "next");
	if (take_day(reader, out) ? out->next && out->form != WHEN_WEEKDAY : out->next)
		return when_fault(
		    reader, reader->at, "'next' goes with a weekday, as in next monday");
	return 1;
}

static int read_figures(struct when_reader *reader, struct when_reading *out)
{
	const char *start = reader->at;
	size_t digits = strspn(start, "0123456789"), length;
	schedd_span span;
	int status;

	if (start[digits] == '-')
		return read_date(reader, out);
	status = read_clock(reader, out);
	if (status != 0)
		return status < 0 ? status : 0;
	if (duration_scan(start, &span, &length, NULL) == 0) {
		reader->at += length;
		skip_blanks(reader);
		if (take_word(reader, "ago")) {
			out->form = WHEN_INSTANT;
			out->instant = reader->context->now - span;
			return 0;
		}
		reader->at = start;
		return when_fault(reader, start,
		    digits == strlen(start) && digits > 8
			? "seconds since 1970 are written with an '@' before them"
			: "a duration is no time; write 'in 5 minutes', '+90s' or '-7d'");
	}
	return read_unknown(reader);
}

/* The phrase without its zone. */
static int read_phrase(struct when_reader *reader, struct when_reading *out)
{
	int status;

	if (*reader->at == '@')
		return read_unix(reader, out);
	if (*reader->at == '+' || *reader->at == '-')
		return read_signed(reader, out);
	if (is_digit(*reader->at))
		return read_figures(reader, out);
	if (take_word(reader, "now"))
		return read_now(reader, out);
	if (take_word(reader, "in"))
		return read_span(reader, 1, out);
	out->next = take_word(reader, "next");
	if (take_day(reader, out)) {
		if (out->next && out->form != WHEN_WEEKDAY)
			return when_fault(
			    reader, reader->text, "'next' goes with a weekday, as in next monday");
		return take_time(reader, out);
	}
	if (out->next)
		return when_fault(reader, reader->at, "a weekday is missing behind 'next'");
	status = read_clock(reader, out);
	if (status == 0)
		return read_unknown(reader);
	return status < 0 ? status : 0;
}

/* What is left: an offset, a zone, or both. */
static int read_zone(struct when_reader *reader, struct when_reading *out)
{
	const char *start = reader->at;
	char name[TEXT_MAX + 1];
	size_t length;
	int status;

	skip_blanks(reader);
	length = iso8601_scan_offset(reader->at, &out->offset);
	if (length > 0 && strchr(" \t", reader->at[length])) {
		out->has_offset = true;
		out->utc = *reader->at == 'Z' || *reader->at == 'z';
		start = reader->at += length;
		skip_blanks(reader);
	}
	length = strlen(reader->at);
	while (length > 0 && strchr(" \t", reader->at[length - 1]))
		length--;
	if (length == 0)
		return 0;
	/* A word such as "noon" has already taken the blanks behind it. */
	if (is_digit(*reader->at) || (reader->at == start && !strchr(" \t", reader->at[-1])))
		return when_fault(reader, reader->at, "what follows here is no part of a time");
	memcpy(name, reader->at, length);
	name[length] = '\0';
	status = zone_cache_get(reader->context->zones, name, &out->zone, reader->err);
	if (status < 0 && reader->err) {
		schedd_error_prefix(reader->err, "time '%s'", reader->text);
		reader->err->offset = (int)(reader->at - reader->text);
	}
	out->has_zone = true;
	return status;
}

int when_reading_parse(const char *text, const struct when_context *context,
    struct when_reading *out, struct schedd_error *err)
{
	struct when_reader reader = {.text = text, .at = text, .context = context, .err = err};
	int status;

	if (strnlen(text, TEXT_MAX + 1) > TEXT_MAX)
		return schedd_error_at(
		    err, SCHEDD_EINVAL, TEXT_MAX, "a time has at most %d characters", TEXT_MAX);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x7f || ((unsigned char)*c < ' ' && *c != '\t'))
			return schedd_error_at(err, SCHEDD_EINVAL, (int)(c - text),
			    "a time is written in plain ASCII, byte %d is not",
			    (int)(c - text) + 1);
	*out = (struct when_reading){.zone = context->zone};
	skip_blanks(&reader);
	if (*reader.at == '\0')
		return schedd_error_at(err, SCHEDD_EINVAL, 0, "the time is empty");
	status = read_phrase(&reader, out);
	return status < 0 ? status : read_zone(&reader, out);
}
