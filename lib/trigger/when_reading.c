/* SPDX-License-Identifier: MIT */
/*
 * The words of time phrases: a day, a time of day, or both in either order, and
 * how far from there. What is left at the end has to be an offset or a zone.
 */
#include "trigger/when_reading.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/iso8601.h"
#include "base/suggest.h"
#include "trigger/when_date.h"
#include "trigger/when_reader.h"

#define TEXT_MAX 255       /* longer than any phrase with any zone */
#define UNIX_DIGITS_MAX 12 /* seconds of the year 9999 have that many */

/* A day of the week or beside today, or an hour. */
struct day_word {
	const char *name; /* in full; the first three letters do for weekdays */
	int value;        /* days from today, the weekday, or the hour */
};

static const struct day_word days[] = {{"today", 0}, {"tomorrow", 1}, {"yesterday", -1}};
static const struct day_word weekdays[] = {{"sunday", 0}, {"monday", 1}, {"tuesday", 2},
    {"wednesday", 3}, {"thursday", 4}, {"friday", 5}, {"saturday", 6}};
static const struct day_word hours[] = {{"midnight", 0}, {"noon", 12}, {"teatime", 16}};
static const char *const words[] = {"now", "in", "next", "last", "noon", "midnight", "teatime",
    "today", "tomorrow", "yesterday", "sunday", "monday", "tuesday", "wednesday", "thursday",
    "friday", "saturday", "january", "february", "march", "april", "may", "june", "july", "august",
    "september", "october", "november", "december"};

/* What "next" stands before, and what may be counted; months and days are those of the calendar. */
static const struct {
	const char *name; /* an s may stand behind it */
	int32_t months, days;
	schedd_span span;
} units[] = {
    {"year", 12, 0, 0},
    {"month", 1, 0, 0},
    {"fortnight", 0, 14, 0},
    {"week", 0, 7, 0},
    {"day", 0, 1, 0},
    {"hour", 0, 0, SCHEDD_HOUR},
    {"minute", 0, 0, SCHEDD_MINUTE},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "am" or "pm" turns an hour of 1..12 into one of 0..23. True: it stood there and fits. */
static int take_half(struct when_reader *reader, const char *start, struct civil *civil)
{
	const char *at = reader->at + strspn(reader->at, " \t");
	bool am = when_reader_letters(at) == 2 && strncasecmp(at, "am", 2) == 0;
	bool pm = when_reader_letters(at) == 2 && strncasecmp(at, "pm", 2) == 0;

	if (!am && !pm)
		return 0;
	if (civil->hour < 1 || civil->hour > 12)
		return when_reader_fault(reader, start, "hours before am and pm go from 1 to 12");
	civil->hour = (int8_t)(civil->hour % 12 + (pm ? 12 : 0));
	reader->at = at + 2;
	return 1;
}

/* "1430", as at(1) takes it. */
static int take_four(struct when_reader *reader, struct civil *civil)
{
	int32_t clock;

	when_reader_digits(reader->at, 4, &clock);
	if (clock / 100 > 23 || clock % 100 > 59)
		return when_reader_fault(
		    reader, reader->at, "four figures are a time of day, from 0000 to 2359");
	civil->hour = (int8_t)(clock / 100);
	civil->minute = (int8_t)(clock % 100);
	reader->at += 4;
	return 1;
}

/* "9am" has no minutes. 0: no such text. */
static int take_hour(struct when_reader *reader, struct civil *civil)
{
	const char *start = reader->at;
	size_t digits = strspn(start, "0123456789");
	struct civil clock = {.hour = (int8_t)(*start - '0')};
	int status;

	if (digits == 4)
		return take_four(reader, civil);
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

	for (size_t i = 0; i < COUNT(hours); i++) {
		if (!when_reader_word(reader, hours[i].name))
			continue;
		civil->hour = (int8_t)hours[i].value;
		return 1;
	}
	if (digits == 0 || start[digits] != ':')
		return take_hour(reader, civil);
	length = iso8601_scan_time(start, civil);
	if (length == 0)
		return when_reader_fault(
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

	when_reader_blanks(reader);
	at = when_reader_word(reader, "at");
	status = take_clock(reader, &out->civil);
	if (status < 0)
		return status;
	if (status == 0 && at)
		return when_reader_fault(
		    reader, reader->at, "a time of day is missing behind 'at'");
	out->has_time = status > 0;
	return 0;
}

/* "2026-12-01T09:30", "20261201T093000" */
static int take_iso(struct when_reader *reader, struct when_reading *out)
{
	const char *clock;

	if ((*reader->at != 'T' && *reader->at != 't') || out->form != WHEN_DATE)
		return 0;
	clock = ++reader->at;
	reader->at += iso8601_scan_time(reader->at, &out->civil);
	if (reader->at == clock)
		reader->at += iso8601_scan_basic_time(clock, &out->civil);
	if (reader->at == clock)
		return when_reader_fault(
		    reader, clock, "a time of day goes from 00:00 to 23:59:59, as in 09:30");
	out->has_time = true;
	return 1;
}

/* "@1764576000.25". Digits beyond microseconds are cut off, as in RFC 3339 times. */
static int read_unix(struct when_reader *reader, struct when_reading *out)
{
	const char *digits = ++reader->at;
	schedd_time seconds = 0, micro = 0;

	if (*digits == '-')
		return when_reader_fault(reader, digits, "times before 1970 cannot be used");
	while (is_digit(*reader->at) && reader->at - digits < UNIX_DIGITS_MAX)
		seconds = seconds * 10 + (*reader->at++ - '0');
	if (reader->at == digits)
		return when_reader_fault(
		    reader, digits, "seconds since 1970 are missing behind '@'");
	if (is_digit(*reader->at))
		return when_reader_fault(reader, digits,
		    "it is beyond the year 9999: '@' counts seconds, not milliseconds");
	if (*reader->at == '.' && is_digit(reader->at[1]))
		for (schedd_time unit = 100000; is_digit(*++reader->at); unit /= 10)
			micro += unit * (*reader->at - '0');
	out->form = WHEN_INSTANT;
	out->instant = seconds * SCHEDD_SECOND + micro;
	return 0;
}

/* A unit without or with an s; COUNT(units): none. Steps over it. */
static size_t take_unit(struct when_reader *reader)
{
	size_t i;

	for (i = 0; i < COUNT(units); i++) {
		char plural[16];

		snprintf(plural, sizeof(plural), "%ss", units[i].name);
		if (when_reader_word(reader, units[i].name) || when_reader_word(reader, plural))
			break;
	}
	return i;
}

/*
 * How far from the time that was named, or back if sign is negative. By the
 * calendar: years, months and fortnights, and from a day also weeks and days;
 * the rest is a duration.
 */
static int take_span(struct when_reader *reader, int sign, bool from_day, struct when_reading *out)
{
	schedd_span span;
	size_t length;
	int status;

	when_reader_blanks(reader);
	for (bool first = true;; first = false) {
		const char *start = reader->at;
		int32_t count;
		size_t digits = when_reader_digits(start, 6, &count), unit;

		if (digits == 0 && !first)
			return 0;
		reader->at += digits;
		when_reader_blanks(reader);
		unit = digits > 0 ? take_unit(reader) : COUNT(units);
		if (unit < COUNT(units) && units[unit].span == 0 &&
		    (from_day || units[unit].months || units[unit].days == 14)) {
			out->months += sign * count * units[unit].months;
			out->days_on += sign * count * units[unit].days;
			continue;
		}
		reader->at = start;
		break;
	}
	status = duration_scan(reader->at, &span, &length, reader->err);
	if (status < 0) {
		if (reader->err && reader->err->offset >= 0)
			reader->err->offset += (int)(reader->at - reader->text);
		return status;
	}
	reader->at += length;
	out->span_on += sign * span;
	return 0;
}

/* "+90s", "-7d": the sign is the next byte. */
static int read_signed(struct when_reader *reader, bool from_day, struct when_reading *out)
{
	return take_span(reader, *reader->at++ == '-' ? -1 : 1, from_day, out);
}

static void read_from_now(struct when_reader *reader, struct when_reading *out)
{
	out->form = WHEN_INSTANT;
	out->instant = reader->context->now;
}

/* "week" behind "next" or "last": from now, or where the time of day was named from today. */
static bool take_next_unit(struct when_reader *reader, int sign, struct when_reading *out)
{
	size_t unit = take_unit(reader);

	if (unit == COUNT(units))
		return false;
	out->months += sign * units[unit].months;
	out->days_on += sign * units[unit].days;
	out->span_on += sign * units[unit].span;
	return true;
}

/* What may stand behind "now". */
static int read_now(struct when_reader *reader, struct when_reading *out)
{
	bool sign = *reader->at == '+' || *reader->at == '-';

	read_from_now(reader, out);
	if (when_reader_word(reader, "next"))
		return take_next_unit(reader, 1, out)
			   ? 0
			   : when_reader_fault(reader, reader->at, "a unit is missing here");
	/* "now +02:00" names an offset, "now +2h" a duration. */
	if (!sign || strchr(reader->at, ':'))
		return 0;
	return read_signed(reader, false, out);
}

/* "4pm + 3 days": figures with a unit behind them, so that it is no offset. */
static int take_shift(struct when_reader *reader, struct when_reading *out)
{
	const char *at;
	int status = 0;

	when_reader_blanks(reader);
	/* "monday next week" */
	at = reader->at;
	if (when_reader_word(reader, "next") && !take_next_unit(reader, 1, out))
		reader->at = at;
	when_reader_blanks(reader);
	while (status == 0 && (*reader->at == '+' || *reader->at == '-')) {
		at = reader->at + 1;
		at += strspn(at, " \t");
		at += strspn(at, "0123456789.");
		at += strspn(at, " \t");
		/* Z and names of zones begin with capitals; units do not. */
		if (*at < 'a' || *at > 'z')
			break;
		status = read_signed(reader, true, out);
		/* "4pm + 3 days" counts from today, be it before 4 or after. */
		if (out->form == WHEN_CLOCK && (out->months || out->days_on)) {
			out->form = WHEN_DAY;
			out->days = 0;
		}
		if (status == 0 && strchr(" \t", *reader->at))
			when_reader_blanks(reader);
	}
	return status;
}

static bool take_weekday(struct when_reader *reader, struct when_reading *out)
{
	for (size_t i = 0; i < COUNT(weekdays); i++) {
		if (!when_reader_short(reader, weekdays[i].name))
			continue;
		out->form = WHEN_WEEKDAY;
		out->weekday = weekdays[i].value;
		return true;
	}
	return false;
}

/* "next monday", "last week", "on friday". */
static int take_turn(struct when_reader *reader, struct when_reading *out)
{
	const char *start = reader->at;
	bool next = when_reader_word(reader, "next");
	bool last = !next && when_reader_word(reader, "last");

	if (!next && !last) {
		if (!when_reader_word(reader, "on") && !when_reader_word(reader, "this"))
			return 0;
		if (take_weekday(reader, out))
			return 1;
		reader->at = start;
		return 0;
	}
	if (take_weekday(reader, out)) {
		out->turn = next ? 1 : -1;
		return 1;
	}
	if (!take_next_unit(reader, next ? 1 : -1, out))
		return when_reader_letters(reader->at) > 0
			   ? when_reader_fault(reader, start,
				 "'next' and 'last' go with a weekday, a week, a month or a year, "
				 "as in next monday")
			   : when_reader_fault(
				 reader, reader->at, "a weekday or a unit is missing here");
	if (out->has_time) {
		out->form = WHEN_DAY;
		out->days = 0;
	} else {
		read_from_now(reader, out);
	}
	return 1;
}

/* A day in any form. 1: it stood there, 0: something else did. */
static int take_day(struct when_reader *reader, struct when_reading *out)
{
	int status = take_turn(reader, out);

	if (status != 0)
		return status;
	for (size_t i = 0; i < COUNT(days); i++) {
		if (!when_reader_word(reader, days[i].name))
			continue;
		out->form = WHEN_DAY;
		out->days = days[i].value;
		return 1;
	}
	out->has_weekday = take_weekday(reader, out);
	if (out->has_weekday && *reader->at == ',') {
		reader->at++;
		when_reader_blanks(reader);
	}
	/* "mon 14:00": the hour is no day of a month. */
	status = when_date_take(reader, out);
	return status == 0 ? out->has_weekday : status;
}

/* Nothing known stands at the front. */
static int read_unknown(struct when_reader *reader)
{
	char word[32] = "";
	size_t length = when_reader_letters(reader->at);
	const char *closest;

	if (length > 0 && length < sizeof(word)) {
		memcpy(word, reader->at, length);
		closest = suggest_closest(word, words, COUNT(words));
		if (closest)
			return schedd_error_at(reader->err, SCHEDD_EINVAL,
			    (int)(reader->at - reader->text), "time '%s': did you mean '%s'?",
			    reader->text, closest);
	}
	return when_reader_fault(reader, reader->at,
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
	when_reader_blanks(reader);
	status = take_day(reader, out);
	return status < 0 ? status : 1;
}

/* "2 weeks ago". 1: it stood there, 0: not. */
static int read_ago(struct when_reader *reader, struct when_reading *out)
{
	struct when_reader trial = *reader;
	struct when_reading found = *out;

	trial.err = NULL;
	if (take_span(&trial, -1, false, &found) < 0)
		return 0;
	when_reader_blanks(&trial);
	if (!when_reader_word(&trial, "ago"))
		return 0;
	reader->at = trial.at;
	*out = found;
	read_from_now(reader, out);
	return 1;
}

/* Figures that are neither a date nor a time of day. */
static int read_figures(struct when_reader *reader, struct when_reading *out)
{
	const char *start = reader->at;
	size_t digits = strspn(start, "0123456789"), length;
	schedd_span span;

	if (read_ago(reader, out))
		return 0;
	if ((start[digits] == '-' || start[digits] == '/' || start[digits] == '.') &&
	    strcspn(start + digits + 1, "-/.") <= 2 && start[digits + 1])
		return when_reader_fault(
		    reader, start, "there is no such date; dates are written as 2026-12-01");
	if (duration_scan(start, &span, &length, NULL) == 0)
		return when_reader_fault(reader, start,
		    digits == strlen(start) && digits > 8
			? "seconds since 1970 are written with an '@' before them"
			: "a duration is no time; write 'in 5 minutes', '+90s' or '-7d'");
	return read_unknown(reader);
}

/* A day, a time of day, or both. */
static int read_point(struct when_reader *reader, struct when_reading *out)
{
	int status = take_day(reader, out);

	if (status > 0) {
		status = take_iso(reader, out);
		if (status == 0 && out->form != WHEN_INSTANT)
			status = take_time(reader, out);
		if (status >= 0)
			when_date_late_year(reader, out);
		return status < 0 ? status : 0;
	}
	if (status == 0)
		status = read_clock(reader, out);
	if (status == 0)
		return is_digit(*reader->at) ? read_figures(reader, out) : read_unknown(reader);
	return status < 0 ? status : 0;
}

/* The phrase without its zone. */
static int read_phrase(struct when_reader *reader, struct when_reading *out)
{
	int status;

	if (*reader->at == '@')
		return read_unix(reader, out);
	if (*reader->at == '+' || *reader->at == '-') {
		read_from_now(reader, out);
		return read_signed(reader, false, out);
	}
	if (when_reader_word(reader, "now"))
		return read_now(reader, out);
	if (when_reader_word(reader, "in")) {
		read_from_now(reader, out);
		if ((when_reader_word(reader, "a") || when_reader_word(reader, "an")) &&
		    take_next_unit(reader, 1, out))
			return 0;
		return take_span(reader, 1, false, out);
	}
	status = read_point(reader, out);
	return status < 0 ? status : take_shift(reader, out);
}

/* "Thu Dec 24 18:00:00 UTC 2026", as date(1) writes it: the year may stand behind the zone. */
static size_t zone_length(struct when_reader *reader, struct when_reading *out)
{
	struct when_reader year = *reader;
	size_t length = strlen(reader->at);

	while (length > 0 && strchr(" \t", reader->at[length - 1]))
		length--;
	if (length < 6 || !strchr(" \t", reader->at[length - 5]))
		return length;
	year.at += length - 5;
	when_date_late_year(&year, out);
	if (out->form == WHEN_YEARLY || year.at != reader->at + length)
		return length;
	length -= 5;
	while (length > 0 && strchr(" \t", reader->at[length - 1]))
		length--;
	return length;
}

/* What is left: an offset, a zone, or both. */
static int read_zone(struct when_reader *reader, struct when_reading *out)
{
	const char *start = reader->at;
	char name[TEXT_MAX + 1];
	size_t length;
	int status;

	when_reader_blanks(reader);
	length = iso8601_scan_offset(reader->at, &out->offset);
	if (length > 0 && strchr(" \t", reader->at[length])) {
		out->has_offset = true;
		out->utc = *reader->at == 'Z' || *reader->at == 'z';
		start = reader->at += length;
		when_reader_blanks(reader);
	}
	length = zone_length(reader, out);
	if (length == 0)
		return 0;
	/* A word such as "noon" has already taken the blanks behind it. */
	if (is_digit(*reader->at) || (reader->at == start && !strchr(" \t", reader->at[-1])))
		return when_reader_fault(
		    reader, reader->at, "what follows here is no part of a time");
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
	when_reader_blanks(&reader);
	if (*reader.at == '\0')
		return schedd_error_at(err, SCHEDD_EINVAL, 0, "the time is empty");
	status = read_phrase(&reader, out);
	return status < 0 ? status : read_zone(&reader, out);
}
