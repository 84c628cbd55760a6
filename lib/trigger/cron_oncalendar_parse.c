/* SPDX-License-Identifier: MIT */
/*
 * The dialect of systemd.time(7): "Mon..Fri *-*-1,15 06:30:00 Europe/Berlin".
 * Weekday and date have to match both; what is left out of the date is "*", a
 * time that is left out is midnight.
 */
#include "trigger/cron_parse.h"

#include <string.h>
#include <strings.h>

#define WORDS_MAX 4     /* weekdays, date, time, zone */
#define FROM_END_MAX 28 /* as far from a month's end as every month is long */

static const struct {
	const char *name;
	const char *stands_for;
} shorthands[] = {
    {"minutely", "*-*-* *:*:00"},
    {"hourly", "*-*-* *:00:00"},
    {"daily", "*-*-* 00:00:00"},
    {"weekly", "Mon *-*-* 00:00:00"},
    {"monthly", "*-*-01 00:00:00"},
    {"quarterly", "*-01,04,07,10-01 00:00:00"},
    {"semiannually", "*-01,07-01 00:00:00"},
    {"semi-annually", "*-01,07-01 00:00:00"},
    {"biannually", "*-01,07-01 00:00:00"},
    {"bi-annually", "*-01,07-01 00:00:00"},
    {"yearly", "*-01-01 00:00:00"},
    {"annually", "*-01-01 00:00:00"},
};

static const struct {
	int min;
	int max;
} bounds[CRON_FIELD_COUNT] = {
    [CRON_SECOND] = {0, 59},
    [CRON_MINUTE] = {0, 59},
    [CRON_HOUR] = {0, 23},
    [CRON_DAY] = {1, 31},
    [CRON_MONTH] = {1, 12},
    [CRON_YEAR] = {CRON_FIRST_YEAR, CRON_LAST_YEAR},
};

/* A component that is being read. */
struct component {
	struct cron_reader *reader;
	struct cron_draft *draft;
	enum cron_field field;
	bool from_end; /* days count back from the month's last */
};

/* A fraction of a second may be written if it is nothing. */
static int skip_fraction(struct component *component)
{
	struct cron_reader *reader = component->reader;
	const char *start = reader->at;

	if (component->field != CRON_SECOND || cron_reader_peek(reader) != '.' ||
	    reader->end - reader->at < 2 || reader->at[1] == '.')
		return SCHEDD_OK;
	for (reader->at++; cron_reader_at_digit(reader); reader->at++)
		if (*reader->at != '0')
			return cron_reader_fail(reader, start,
			    "fractions of a second are not supported, schedules run on whole "
			    "seconds");
	return SCHEDD_OK;
}

static int read_value(struct component *component, int *out)
{
	struct cron_reader *reader = component->reader;
	int min = bounds[component->field].min, max = bounds[component->field].max;
	const char *start = reader->at;
	int rc;

	if (component->from_end)
		max = FROM_END_MAX;
	if (component->field != CRON_YEAR) {
		rc = cron_reader_number_in(reader, component->field, min, max, out);
		return rc == SCHEDD_OK ? skip_fraction(component) : rc;
	}
	rc = cron_reader_number(reader, CRON_YEAR, out);
	if (rc != SCHEDD_OK)
		return rc;
	if (*out < 100)
		*out += *out < 70 ? 2000 : 1900;
	if (*out < min || *out > max)
		return cron_reader_fail(reader, start, "year %d is out of %d-%d", *out, min, max);
	return SCHEDD_OK;
}

/* An optional "/n" with n at most span. *step is 0 without it. */
static int read_step(struct component *component, int span, int *step)
{
	struct cron_reader *reader = component->reader;
	const char *start;
	int rc;

	*step = 0;
	if (!cron_reader_take(reader, '/'))
		return SCHEDD_OK;
	start = reader->at;
	rc = cron_reader_number(reader, component->field, step);
	if (rc == SCHEDD_OK)
		rc = skip_fraction(component);
	if (rc == SCHEDD_OK && *step < 1)
		return cron_reader_fail(
		    reader, start, "a step of 0 never gets on, write 1 or more");
	if (rc == SCHEDD_OK && *step > span)
		return cron_reader_fail(reader, start,
		    "step %d is larger than what is left of the field, which is %d", *step, span);
	return rc;
}

/* Values first, first + step, ... up to last. */
static void add_values(struct component *component, int first, int last, int step)
{
	if (!component->from_end) {
		cron_draft_add_range(component->draft, component->field, first, last, step);
		return;
	}
	for (int day = first; day <= last; day += step)
		component->draft->from_end |= UINT32_C(1) << (day - 1);
}

/* "~7/1": from the seventh last day of the month to its end. */
static void add_to_end(struct component *component, int first, int step)
{
	for (int day = first; day >= 1; day -= step)
		component->draft->from_end |= UINT32_C(1) << (day - 1);
}

/* "a", "a..b", "a/n", "a..b/n". */
static int parse_item(struct component *component)
{
	struct cron_reader *reader = component->reader;
	int min = bounds[component->field].min, max = bounds[component->field].max;
	int first, last, step, rc = read_value(component, &first);
	const char *start;

	if (rc != SCHEDD_OK)
		return rc;
	if (reader->end - reader->at >= 2 && strncmp(reader->at, "..", 2) == 0) {
		start = reader->at += 2;
		rc = read_value(component, &last);
		if (rc == SCHEDD_OK && last < first)
			rc = cron_reader_fail(
			    reader, start, "the range %d..%d runs backwards", first, last);
		if (rc == SCHEDD_OK)
			rc = read_step(component, max - min, &step);
		if (rc == SCHEDD_OK)
			add_values(component, first, last, step ? step : 1);
		return rc;
	}
	rc = read_step(component, component->from_end ? first - 1 : max - first, &step);
	if (rc != SCHEDD_OK)
		return rc;
	if (step == 0)
		add_values(component, first, first, 1);
	else if (component->from_end)
		add_to_end(component, first, step);
	else
		add_values(component, first, max, step);
	return SCHEDD_OK;
}

/* A component up to its end or to what separates it from the next one. */
static int parse_component(
    struct cron_reader *reader, struct cron_draft *draft, enum cron_field field, bool from_end)
{
	struct component component = {reader, draft, field, from_end};

	if (cron_reader_take(reader, '*')) {
		if (cron_reader_peek(reader) == '/')
			return cron_reader_fail(reader, reader->at,
			    "'*' takes no step, write '%d/n'", bounds[field].min);
		if (field != CRON_YEAR)
			cron_draft_add_all(draft, field);
		return SCHEDD_OK;
	}
	do {
		int rc = parse_item(&component);

		if (rc != SCHEDD_OK)
			return rc;
	} while (cron_reader_take(reader, ','));
	return SCHEDD_OK;
}

static int read_weekday(struct cron_reader *reader, int *out)
{
	struct cron_slice letters = cron_reader_letters(reader);
	int weekday = cron_reader_name(letters, CRON_WEEKDAY, CRON_NAMES_FULL);

	if (letters.start == letters.end)
		return cron_reader_unexpected(reader, CRON_WEEKDAY);
	if (weekday < 0)
		return cron_reader_fail(reader, letters.start,
		    "'%.*s' is neither a weekday nor a shorthand such as daily",
		    (int)(letters.end - letters.start), letters.start);
	reader->at = letters.end;
	*out = (weekday + 6) % 7; /* systemd's weeks begin on Monday */
	return SCHEDD_OK;
}

/* "Mon", "Mon,Wed..Fri"; "-" is an older way to write "..". */
static int parse_weekdays(struct cron_reader *reader, struct cron_draft *draft)
{
	do {
		const char *start = reader->at;
		int first, last, rc = read_weekday(reader, &first);

		if (rc != SCHEDD_OK)
			return rc;
		last = first;
		if (reader->end - reader->at >= 2 && strncmp(reader->at, "..", 2) == 0) {
			reader->at += 2;
			rc = read_weekday(reader, &last);
		} else if (cron_reader_take(reader, '-')) {
			rc = read_weekday(reader, &last);
		}
		if (rc != SCHEDD_OK)
			return rc;
		if (last < first)
			return cron_reader_fail(reader, start,
			    "the weekdays run backwards, write two ranges (weeks begin on Monday)");
		for (int weekday = first; weekday <= last; weekday++)
			cron_draft_add(draft, CRON_WEEKDAY, (weekday + 1) % 7);
	} while (cron_reader_take(reader, ','));
	return reader->at == reader->end ? SCHEDD_OK : cron_reader_unexpected(reader, CRON_WEEKDAY);
}

/* "YEAR-MONTH-DAY", "MONTH-DAY", each with "~" before a day that counts from the end. */
static int parse_date(struct cron_reader *reader, struct cron_draft *draft)
{
	size_t separators = 0;
	bool from_end;
	int rc = SCHEDD_OK;

	for (const char *at = reader->at; at < reader->end; at++)
		separators += *at == '-' || *at == '~';
	if (separators != 1 && separators != 2)
		return cron_reader_fail(reader, reader->at,
		    "a date is written YEAR-MONTH-DAY or MONTH-DAY, a time HOUR:MINUTE");
	if (separators == 2) {
		rc = parse_component(reader, draft, CRON_YEAR, false);
		if (rc == SCHEDD_OK && !cron_reader_take(reader, '-'))
			rc = cron_reader_unexpected(reader, CRON_YEAR);
	}
	if (rc == SCHEDD_OK)
		rc = parse_component(reader, draft, CRON_MONTH, false);
	if (rc != SCHEDD_OK)
		return rc;
	from_end = cron_reader_take(reader, '~');
	if (!from_end && !cron_reader_take(reader, '-'))
		return cron_reader_unexpected(reader, CRON_MONTH);
	rc = parse_component(reader, draft, CRON_DAY, from_end);
	if (rc == SCHEDD_OK && reader->at != reader->end)
		rc = cron_reader_unexpected(reader, CRON_DAY);
	return rc;
}

/* "HOUR:MINUTE", "HOUR:MINUTE:SECOND". */
static int parse_time(struct cron_reader *reader, struct cron_draft *draft)
{
	for (enum cron_field field = CRON_HOUR;;
	     field = field == CRON_HOUR ? CRON_MINUTE : CRON_SECOND) {
		int rc;

		if (cron_reader_peek(reader) == '*')
			draft->flags |= CRON_WILDCARD;
		rc = parse_component(reader, draft, field, false);
		if (rc != SCHEDD_OK)
			return rc;
		if (reader->at == reader->end && field != CRON_HOUR)
			return SCHEDD_OK;
		if (field == CRON_SECOND || !cron_reader_take(reader, ':'))
			return cron_reader_unexpected(reader, field);
	}
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Weekdays, date and time, each once and in this order. */
static int parse_words(struct cron_reader *reader, struct cron_draft *draft,
    const struct cron_slice *words, size_t count)
{
	size_t next = 0;
	int rc = SCHEDD_OK;

	if (next < count && is_letter(*words[next].start)) {
		cron_reader_turn(reader, words[next++]);
		rc = parse_weekdays(reader, draft);
	} else {
		cron_draft_add_all(draft, CRON_WEEKDAY);
	}
	if (rc == SCHEDD_OK && next < count &&
	    !memchr(words[next].start, ':', (size_t)(words[next].end - words[next].start))) {
		cron_reader_turn(reader, words[next++]);
		rc = parse_date(reader, draft);
	} else {
		cron_draft_add_all(draft, CRON_DAY);
		cron_draft_add_all(draft, CRON_MONTH);
	}
	if (rc == SCHEDD_OK && next < count) {
		cron_reader_turn(reader, words[next++]);
		rc = parse_time(reader, draft);
	} else {
		cron_draft_add(draft, CRON_HOUR, 0);
		cron_draft_add(draft, CRON_MINUTE, 0);
	}
	if (rc == SCHEDD_OK && next < count)
		rc = cron_reader_fail(reader, words[next].start,
		    "'%.*s' is too much, the order is weekdays, date, time, time zone",
		    (int)(words[next].end - words[next].start), words[next].start);
	if (draft->sets[CRON_SECOND] == 0)
		cron_draft_add(draft, CRON_SECOND, 0);
	return rc;
}

/* What a shorthand stands for, NULL if it is none. */
static const char *find_shorthand(struct cron_slice word)
{
	size_t length = (size_t)(word.end - word.start);

	for (size_t i = 0; i < sizeof(shorthands) / sizeof(shorthands[0]); i++)
		if (strlen(shorthands[i].name) == length &&
		    strncasecmp(shorthands[i].name, word.start, length) == 0)
			return shorthands[i].stands_for;
	return NULL;
}

int cron_oncalendar_parse(
    struct cron_reader *reader, struct cron_draft *draft, char *canonical, struct cron_slice *zone)
{
	struct cron_slice words[WORDS_MAX];
	size_t count = cron_reader_split(reader, words, WORDS_MAX);
	struct cron_reader expanded = *reader;
	const char *shorthand;

	if (count == 0)
		return cron_reader_fail(
		    reader, reader->at, "nothing is given, write for example 'Mon..Fri 09:00'");
	if (count > WORDS_MAX)
		return cron_reader_fail(reader, words[WORDS_MAX - 1].end,
		    "there are more parts than weekdays, date, time and time zone");
	/* A zone is the only word with letters that can stand behind the first one. */
	if (count > 1 && is_letter(*words[count - 1].start))
		*zone = words[--count];
	cron_reader_join(words, count, canonical);
	shorthand = find_shorthand(words[0]);
	if (shorthand) {
		if (count > 1)
			return cron_reader_fail(
			    reader, words[1].start, "only a time zone may follow a shorthand");
		expanded.at = shorthand;
		expanded.end = shorthand + strlen(shorthand);
		count = cron_reader_split(&expanded, words, WORDS_MAX);
	}
	return parse_words(&expanded, draft, words, count);
}
