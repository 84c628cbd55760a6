/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing of POSIX TZ strings. The offset in such a string counts
 * west of Greenwich; here it is turned to east at once.
 */
#include "trigger/zone_posix.h"

#include <string.h>

#include "trigger/zone_rule.h"

#define POSIX_NAME_MIN 3
#define POSIX_NAME_MAX 31
#define POSIX_TIME_DEFAULT (2 * 3600)

/* What is used where a string names daylight saving but no days: the rules of the USA. */
static const char posix_default_rules[] = ",M3.2.0,M11.1.0";

/* A string being read. */
struct posix_reader {
	const char *start;        /* of the text */
	const char *at;           /* next byte */
	const char *end;          /* after the last one */
	struct schedd_error *err; /* where the sentence goes; may be NULL */
};

static int posix_fault(struct posix_reader *reader, const char *sentence)
{
	return schedd_error_at(reader->err, SCHEDD_EINVAL, (int)(reader->at - reader->start),
	    "time zone '%.*s': %s", (int)(reader->end - reader->start), reader->start, sentence);
}

static char posix_peek(const struct posix_reader *reader)
{
	return reader->at < reader->end ? *reader->at : '\0';
}

static bool posix_take(struct posix_reader *reader, char c)
{
	if (posix_peek(reader) != c || reader->at == reader->end)
		return false;
	reader->at++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A number of one to three digits from min to max; -1: there is none. */
static int posix_number(struct posix_reader *reader, int min, int max)
{
	const char *at = reader->at;
	int number = 0;

	while (at < reader->end && is_digit(*at) && at - reader->at < 3)
		number = number * 10 + (*at++ - '0');
	if (at == reader->at || number < min || number > max)
		return -1;
	reader->at = at;
	return number;
}

static int posix_name(struct posix_reader *reader, struct zone_type *out)
{
	bool quoted = posix_take(reader, '<');
	const char *start = reader->at;
	size_t length;

	while (is_letter(posix_peek(reader)) ||
	       (quoted && (is_digit(posix_peek(reader)) || posix_peek(reader) == '+' ||
			      posix_peek(reader) == '-')))
		reader->at++;
	length = (size_t)(reader->at - start);
	if (length < POSIX_NAME_MIN || length > POSIX_NAME_MAX)
		return posix_fault(reader, "an abbreviation of 3 to 31 letters is missing");
	if (quoted && !posix_take(reader, '>'))
		return posix_fault(reader, "'<' is not closed by '>'");
	memcpy(out->abbreviation, start,
	    length < sizeof(out->abbreviation) ? length : sizeof(out->abbreviation) - 1);
	return 0;
}

/* [+-]h[h[h]][:mm[:ss]] of at most hours hours. */
static int posix_time(struct posix_reader *reader, int hours, int32_t *out)
{
	bool negative = posix_take(reader, '-');
	int hour, minute = 0, second = 0;

	if (!negative)
		posix_take(reader, '+');
	hour = posix_number(reader, 0, hours);
	if (hour >= 0 && posix_take(reader, ':')) {
		minute = posix_number(reader, 0, 59);
		if (minute >= 0 && posix_take(reader, ':'))
			second = posix_number(reader, 0, 59);
	}
	if (hour < 0 || minute < 0 || second < 0)
		return posix_fault(reader, hours > 24 ? "a time of -167 to 167 hours is missing"
						      : "an offset of at most 24 hours is missing");
	*out = (hour * 3600 + minute * 60 + second) * (negative ? -1 : 1);
	return 0;
}

static int posix_date(struct posix_reader *reader, struct zone_day *out)
{
	int month, week = 0, day = -1;

	if (posix_take(reader, 'J')) {
		out->form = ZONE_DAY_JULIAN;
		day = posix_number(reader, 1, 365);
	} else if (posix_take(reader, 'M')) {
		out->form = ZONE_DAY_WEEKDAY;
		month = posix_number(reader, 1, 12);
		if (month > 0 && posix_take(reader, '.'))
			week = posix_number(reader, 1, 5);
		if (week > 0 && posix_take(reader, '.'))
			day = posix_number(reader, 0, 6);
		out->month = (int8_t)month;
		out->week = (int8_t)week;
	} else {
		out->form = ZONE_DAY_ORDINAL;
		day = posix_number(reader, 0, 365);
	}
	if (day < 0)
		return posix_fault(reader, "a day of change such as M3.5.0, J60 or 59 is missing");
	out->day = (int16_t)day;
	out->time = POSIX_TIME_DEFAULT;
	return posix_take(reader, '/') ? posix_time(reader, 167, &out->time) : 0;
}

static int posix_dates(struct posix_reader *reader, struct zone_rule *out)
{
	int status;

	if (!posix_take(reader, ','))
		return posix_fault(reader, "',' and the first day of change are missing");
	status = posix_date(reader, &out->start);
	if (status < 0)
		return status;
	if (!posix_take(reader, ','))
		return posix_fault(reader, "',' and the second day of change are missing");
	return posix_date(reader, &out->end);
}

static int posix_daylight(struct posix_reader *reader, struct zone_rule *out)
{
	struct posix_reader rules = {.start = posix_default_rules,
	    .at = posix_default_rules,
	    .end = posix_default_rules + sizeof(posix_default_rules) - 1};
	int status = posix_name(reader, &out->daylight);

	if (status < 0)
		return status;
	out->changes = true;
	out->daylight.dst = true;
	out->daylight.offset = out->standard.offset + 3600;
	if (reader->at < reader->end && *reader->at != ',') {
		status = posix_time(reader, 24, &out->daylight.offset);
		if (status < 0)
			return status;
		out->daylight.offset = -out->daylight.offset;
	}
	return posix_dates(reader->at == reader->end ? &rules : reader, out);
}

int zone_posix_parse(
    const char *text, size_t length, struct zone_rule *out, struct schedd_error *err)
{
	struct posix_reader reader = {.start = text, .at = text, .end = text + length, .err = err};
	int status;

	memset(out, 0, sizeof(*out));
	status = posix_name(&reader, &out->standard);
	if (status < 0)
		return status;
	status = posix_time(&reader, 24, &out->standard.offset);
	if (status < 0)
		return status;
	out->standard.offset = -out->standard.offset;
	out->present = true;
	if (reader.at < reader.end) {
		status = posix_daylight(&reader, out);
		if (status < 0)
			return status;
	}
	if (reader.at < reader.end)
		return posix_fault(&reader, "nothing may follow here");
	zone_rule_settle(out);
	return 0;
}

static void format_time(struct strbuf *out, int32_t seconds)
{
	int32_t size = seconds < 0 ? -seconds : seconds;

	strbuf_printf(out, "%s%d", seconds < 0 ? "-" : "", size / 3600);
	if (size % 3600 != 0)
		strbuf_printf(out, ":%02d", size / 60 % 60);
	if (size % 60 != 0)
		strbuf_printf(out, ":%02d", size % 60);
}

static void format_name(struct strbuf *out, const struct zone_type *type, bool quote)
{
	for (const char *c = type->abbreviation; *c; c++)
		quote |= !is_letter(*c);
	strbuf_printf(out, quote ? "<%s>" : "%s", type->abbreviation);
}

static void format_day(struct strbuf *out, const struct zone_day *day)
{
	if (day->form == ZONE_DAY_WEEKDAY)
		strbuf_printf(out, ",M%d.%d.%d", day->month, day->week, day->day);
	else
		strbuf_printf(out, ",%s%d", day->form == ZONE_DAY_JULIAN ? "J" : "", day->day);
	if (day->time != POSIX_TIME_DEFAULT) {
		strbuf_add_char(out, '/');
		format_time(out, day->time);
	}
}

void zone_posix_format(const struct zone_rule *rule, struct strbuf *out)
{
	format_name(out, &rule->standard, !rule->changes);
	format_time(out, -rule->standard.offset);
	if (!rule->changes)
		return;
	format_name(out, &rule->daylight, false);
	if (rule->daylight.offset != rule->standard.offset + 3600)
		format_time(out, -rule->daylight.offset);
	format_day(out, &rule->start);
	format_day(out, &rule->end);
}
