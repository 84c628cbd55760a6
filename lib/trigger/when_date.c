/* SPDX-License-Identifier: MIT */
/*
 * Figures name a date only where it is plain which is which: a year in full, or
 * the order that a separator stands for (12/24/2026 is American, 24.12.2026
 * European). Behind day and month two figures of a year do, as for at(1).
 */
#include "trigger/when_date.h"

#include <string.h>
#include <strings.h>

#define YEAR_DIGITS 4

static const char *const months[] = {"january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december"};

/* The forms of figures: what stands in which order, and what between them. */
static const struct {
	char separator;
	char order[3]; /* y, m, d */
} figures[] = {
    {'-', {'y', 'm', 'd'}},
    {'/', {'y', 'm', 'd'}},
    {'/', {'m', 'd', 'y'}},
    {'.', {'d', 'm', 'y'}},
};

/* A date whose year may still be missing (0). */
static int date_found(struct when_reader *reader, const char *start, int32_t year, int32_t month,
    int32_t day, struct when_reading *out)
{
	struct civil civil = {
	    .year = year ? year : 2000, .month = (int8_t)month, .day = (int8_t)day};

	if (month < 1 || month > 12 || day < 1 || day > 31 || !civil_valid(&civil))
		return when_reader_fault(
		    reader, start, "there is no such date; dates are written as 2026-12-01");
	out->form = year ? WHEN_DATE : WHEN_YEARLY;
	out->civil.year = year;
	out->civil.month = civil.month;
	out->civil.day = civil.day;
	return 1;
}

/* Does text stand for that form? Then its three numbers, and the bytes they take. */
static size_t date_figures(const char *text, size_t form, int32_t part[3])
{
	const char *at = text;

	for (int i = 0; i < 3; i++) {
		bool year = figures[form].order[i] == 'y';
		size_t digits = when_reader_digits(at, YEAR_DIGITS, &part[i]);

		if (year && i == 2 && digits == 2)
			part[i] += part[i] < 70 ? 2000 : 1900;
		else if (year ? digits != YEAR_DIGITS : digits < 1 || digits > 2)
			return 0;
		at += digits;
		if (i < 2 && *at++ != figures[form].separator)
			return 0;
	}
	return (*at >= '0' && *at <= '9') ? 0 : (size_t)(at - text);
}

static int date_by_figures(struct when_reader *reader, struct when_reading *out)
{
	const char *start = reader->at;
	int32_t part[3], year = 0, month = 0, day = 0, rest;

	for (size_t form = 0; form < sizeof(figures) / sizeof(figures[0]); form++) {
		size_t length = date_figures(start, form, part);

		if (length == 0)
			continue;
		for (int i = 0; i < 3; i++)
			*(figures[form].order[i] == 'y'     ? &year
			    : figures[form].order[i] == 'm' ? &month
							    : &day) = part[i];
		reader->at += length;
		return date_found(reader, start, year, month, day, out);
	}
	/* 20261224 */
	if (when_reader_digits(start, 9, &rest) != 8 || rest < 19700101)
		return 0;
	reader->at += 8;
	return date_found(reader, start, rest / 10000, rest / 100 % 100, rest % 100, out);
}

/* 1..12, and steps over it and a dash or blanks; 0: no month stands there. */
static int32_t date_month(struct when_reader *reader)
{
	for (int32_t month = 1; month <= 12; month++) {
		if (!when_reader_short(reader, months[month - 1]) &&
		    !(month == 9 && when_reader_word(reader, "sept")))
			continue;
		if (*reader->at == '.' || (*reader->at == '-' && reader->at[1] != ' '))
			reader->at++;
		when_reader_blanks(reader);
		return month;
	}
	return 0;
}

/* The day of a month, "24" or "24th"; 0: none. */
static int32_t date_day(struct when_reader *reader)
{
	static const char *const endings[] = {"st", "nd", "rd", "th"};
	int32_t day;
	size_t digits = when_reader_digits(reader->at, 3, &day);

	/* "10:30" and "9am" are no days. */
	if (digits < 1 || digits > 2 || reader->at[digits] == ':')
		return 0;
	reader->at += digits;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (when_reader_letters(reader->at) != 2 ||
		    strncasecmp(reader->at, endings[i], 2) != 0)
			continue;
		reader->at += 2;
		break;
	}
	return day;
}

/* A year in full behind month and day, after a comma or a dash too; 0: none. */
static int32_t date_year(struct when_reader *reader)
{
	const char *at = reader->at + strspn(reader->at, " \t");
	int32_t year;

	if (*at == ',' || *at == '-')
		at++;
	at += strspn(at, " \t");
	if (when_reader_digits(at, YEAR_DIGITS + 1, &year) != YEAR_DIGITS || year < 1970 ||
	    at[YEAR_DIGITS] == ':')
		return 0;
	reader->at = at + YEAR_DIGITS;
	return year;
}

/* "31 Jul", "24th of December 2026", "24-dec-2026". */
static int date_day_first(struct when_reader *reader, struct when_reading *out)
{
	const char *start = reader->at;
	int32_t day = date_day(reader), month = 0;

	if (day > 0) {
		if (*reader->at == '-' || *reader->at == '.')
			reader->at++;
		when_reader_blanks(reader);
		when_reader_word(reader, "of");
		month = date_month(reader);
	}
	if (month == 0) {
		reader->at = start;
		return 0;
	}
	return date_found(reader, start, date_year(reader), month, day, out);
}

/* "Jul 31", "December 24th, 2026". */
static int date_month_first(struct when_reader *reader, struct when_reading *out)
{
	const char *start = reader->at;
	int32_t month = date_month(reader), day = month ? date_day(reader) : 0;

	if (month > 0 && day == 0)
		return when_reader_fault(
		    reader, reader->at, "a day is missing behind the month, as in Dec 24");
	return month ? date_found(reader, start, date_year(reader), month, day, out) : 0;
}

int when_date_take(struct when_reader *reader, struct when_reading *out)
{
	int found = date_by_figures(reader, out);

	if (found == 0)
		found = date_day_first(reader, out);
	if (found == 0)
		found = date_month_first(reader, out);
	return found;
}

void when_date_late_year(struct when_reader *reader, struct when_reading *out)
{
	int32_t year;

	if (out->form != WHEN_YEARLY)
		return;
	year = date_year(reader);
	if (year == 0)
		return;
	out->form = WHEN_DATE;
	out->civil.year = year;
}
