/* SPDX-License-Identifier: MIT */
/*
 * The dialect of Quartz's CronExpression: seconds first, weekdays from 1 =
 * Sunday, exactly one of day and weekday is '?'.
 *
 * Quartz skips what it does not understand at the end of an item; here that is
 * an error which says so.
 */
#include "trigger/cron_parse.h"

#include <string.h>

#define WORDS_MAX 7

/* What a field takes. */
static const struct {
	enum cron_field field;
	int min;
	int max;
	int step_max;
} fields[WORDS_MAX] = {
    {CRON_SECOND, 0, 59, 59},
    {CRON_MINUTE, 0, 59, 59},
    {CRON_HOUR, 0, 23, 23},
    {CRON_DAY, 1, 31, 31},
    {CRON_MONTH, 1, 12, 12},
    {CRON_WEEKDAY, 1, 7, 7},
    {CRON_YEAR, CRON_FIRST_YEAR, CRON_LAST_YEAR, CRON_LAST_YEAR - CRON_FIRST_YEAR},
};

/* A field that is being read. */
struct quartz_field {
	struct cron_reader *reader;
	struct cron_draft *draft;
	enum cron_field field;
	int row;     /* in fields */
	bool single; /* an item was read that has to be the only one */
};

/* Quartz counts weekdays from 1, the sets from 0. */
static int to_set(const struct quartz_field *field, int value)
{
	return field->field == CRON_WEEKDAY ? value - 1 : value;
}

/* Something Quartz would have passed over in silence. */
static int fail_dropped(const struct quartz_field *field, const char *where, const char *advice)
{
	struct cron_slice rest = {where, where};

	while (rest.end < field->reader->end && *rest.end != ',')
		rest.end++;
	return cron_reader_fail(field->reader, where,
	    "Quartz silently ignores '%.*s' in the %s field%s", (int)(rest.end - rest.start),
	    rest.start, cron_reader_field_name(field->field), advice);
}

/* A number or a three-letter name; *named says which. */
static int read_value(struct quartz_field *field, int *out, bool *named)
{
	struct cron_reader *reader = field->reader;
	int min = fields[field->row].min, max = fields[field->row].max;
	struct cron_slice letters;

	*named = cron_reader_at_letter(reader);
	if (!*named)
		return cron_reader_number_in(reader, field->field, min, max, out);
	letters = cron_reader_letters(reader);
	if (letters.end - letters.start > 3) {
		struct cron_slice rest = {letters.start + 3, letters.end};

		letters.end = rest.start;
		*out = cron_reader_name(letters, field->field, CRON_NAMES_SHORT);
		if (*out >= 0 && (rest.end - rest.start > 1 || (*rest.start | 0x20) != 'l'))
			return fail_dropped(field, rest.start, ", write three letters");
	} else {
		*out = cron_reader_name(letters, field->field, CRON_NAMES_SHORT);
	}
	if (*out < 0)
		return cron_reader_fail(reader, letters.start, "%s '%.*s' is unknown",
		    cron_reader_field_name(field->field), (int)(letters.end - letters.start),
		    letters.start);
	*out += field->field == CRON_WEEKDAY;
	reader->at = letters.end;
	return SCHEDD_OK;
}

/* An optional "/n". *step is 0 without it. */
static int read_step(struct quartz_field *field, int *step)
{
	struct cron_reader *reader = field->reader;
	const char *start;
	int rc;

	*step = 0;
	if (!cron_reader_take(reader, '/'))
		return SCHEDD_OK;
	start = reader->at;
	rc = cron_reader_number(reader, field->field, step);
	if (rc == SCHEDD_OK && *step < 1)
		return cron_reader_fail(
		    reader, start, "a step of 0 never gets on, write 1 or more");
	if (rc == SCHEDD_OK && *step > fields[field->row].step_max)
		return cron_reader_fail(reader, start, "step %d in the %s field is larger than %d",
		    *step, cron_reader_field_name(field->field), fields[field->row].step_max);
	return rc;
}

/* "L", "L-n", "LW", "L-nW" of the day field, behind the L. */
static int parse_day_from_end(struct quartz_field *field)
{
	struct cron_reader *reader = field->reader;
	int before = 0;

	if (cron_reader_take(reader, '-')) {
		int rc = cron_reader_number_in(reader, CRON_DAY, 0, 30, &before);

		if (rc != SCHEDD_OK)
			return rc;
	}
	if (cron_reader_take(reader, 'W'))
		field->draft->near_end |= UINT32_C(1) << before;
	else
		field->draft->from_end |= UINT32_C(1) << before;
	return SCHEDD_OK;
}

/* What follows "6" of the weekday field: "L" or "#3". */
static int parse_nth(struct quartz_field *field, int weekday)
{
	struct cron_reader *reader = field->reader;
	int n = 0;

	field->single = true;
	if (cron_reader_take(reader, '#')) {
		const char *start = reader->at;
		int rc = cron_reader_number(reader, field->field, &n);

		if (rc != SCHEDD_OK)
			return rc;
		if (n < 1 || n > 5)
			return cron_reader_fail(
			    reader, start, "a month has no weekday number %d, write #1 to #5", n);
	} else {
		reader->at++; /* the L */
	}
	cron_draft_add_nth(field->draft, to_set(field, weekday), n);
	return SCHEDD_OK;
}

/* What follows "a-": the range's end and a step. */
static int parse_range(struct quartz_field *field, int first, bool named)
{
	struct cron_reader *reader = field->reader;
	const char *start = reader->at;
	bool last_named;
	int last, step, rc = read_value(field, &last, &last_named);

	if (rc != SCHEDD_OK)
		return rc;
	if (named != last_named)
		return cron_reader_fail(
		    reader, start, "Quartz takes no range of a name and a number");
	if (field->field == CRON_YEAR && last < first)
		return cron_reader_fail(
		    reader, start, "the years %d-%d run backwards", first, last);
	if (named && cron_reader_peek(reader) == '/')
		return fail_dropped(field, reader->at, ", write the range in numbers");
	rc = read_step(field, &step);
	if (rc == SCHEDD_OK)
		cron_draft_add_range(field->draft, field->field, to_set(field, first),
		    to_set(field, last), step ? step : 1);
	return rc;
}

/* Everything that begins with a number or a name. */
static int parse_from_value(struct quartz_field *field)
{
	struct cron_reader *reader = field->reader;
	int value, step, rc;
	bool named;
	char next;

	rc = read_value(field, &value, &named);
	if (rc != SCHEDD_OK)
		return rc;
	next = cron_reader_peek(reader);
	if (cron_reader_take(reader, '-'))
		return parse_range(field, value, named);
	if (field->field == CRON_WEEKDAY && (next == '#' || next == 'L'))
		return parse_nth(field, value);
	if (field->field == CRON_DAY && cron_reader_take(reader, 'W')) {
		field->draft->near |= UINT32_C(1) << value;
		return SCHEDD_OK;
	}
	if (named && next == '/')
		return fail_dropped(field, reader->at, ", write the value in numbers");
	rc = read_step(field, &step);
	if (rc == SCHEDD_OK)
		cron_draft_add_range(field->draft, field->field, to_set(field, value),
		    to_set(field, step ? fields[field->row].max : value), step ? step : 1);
	return rc;
}

/* "*", a step behind it, or (with the same meaning) a step alone. */
static int parse_star(struct quartz_field *field)
{
	int step, rc;

	cron_reader_take(field->reader, '*');
	rc = read_step(field, &step);
	if (rc == SCHEDD_OK)
		cron_draft_add_range(field->draft, field->field,
		    to_set(field, fields[field->row].min), to_set(field, fields[field->row].max),
		    step ? step : 1);
	return rc;
}

static int parse_item(struct quartz_field *field)
{
	struct cron_reader *reader = field->reader;
	char next = cron_reader_peek(reader);
	int rc;

	if (next == ',' || next == '\0')
		return cron_reader_fail(reader, reader->at,
		    "empty item in the %s field, which Quartz silently ignores",
		    cron_reader_field_name(field->field));
	if (next == '?')
		return cron_reader_fail(
		    reader, reader->at, "'?' stands alone, in the day or the weekday field");
	if (next == '*' || next == '/') {
		rc = parse_star(field);
	} else if (field->field == CRON_DAY && cron_reader_take(reader, 'L')) {
		rc = parse_day_from_end(field);
	} else if (field->field == CRON_WEEKDAY && cron_reader_take(reader, 'L')) {
		field->single = true;
		cron_draft_add(field->draft, CRON_WEEKDAY, 6);
		rc = SCHEDD_OK;
	} else {
		rc = parse_from_value(field);
	}
	if (rc == SCHEDD_OK && reader->at != reader->end && *reader->at != ',')
		return fail_dropped(field, reader->at, " or fails on it");
	return rc;
}

static bool is_question_mark(struct cron_slice word)
{
	return word.end - word.start == 1 && *word.start == '?';
}

static int parse_field(
    struct cron_reader *reader, struct cron_draft *draft, int row, struct cron_slice word)
{
	struct quartz_field field = {reader, draft, fields[row].field, row, false};
	int items = 0;

	cron_reader_turn(reader, word);
	if (is_question_mark(word) && (field.field == CRON_DAY || field.field == CRON_WEEKDAY)) {
		cron_draft_add_all(draft, field.field);
		return SCHEDD_OK;
	}
	if (field.field == CRON_YEAR && word.end - word.start == 1 && *word.start == '*')
		return SCHEDD_OK;
	do {
		int rc = parse_item(&field);

		if (rc != SCHEDD_OK)
			return rc;
		items++;
	} while (cron_reader_take(reader, ','));
	if (field.single && items > 1)
		return cron_reader_fail(
		    reader, word.start, "L and # stand alone in the weekday field of Quartz");
	return SCHEDD_OK;
}

int cron_quartz_parse(struct cron_reader *reader, struct cron_draft *draft, char *canonical)
{
	struct cron_slice words[WORDS_MAX];
	size_t count = cron_reader_split(reader, words, WORDS_MAX);

	if (count < 6 || count > WORDS_MAX)
		return cron_reader_fail(reader,
		    count > WORDS_MAX ? words[WORDS_MAX - 1].end : reader->end,
		    "%zu field%s; write 6 (second minute hour day month weekday) or 7 (year last)",
		    count, count == 1 ? "" : "s");
	cron_reader_join(words, count, canonical);
	for (size_t i = 0; i < count; i++) {
		int rc = parse_field(reader, draft, (int)i, words[i]);

		if (rc != SCHEDD_OK)
			return rc;
		if (i < 3 && *words[i].start == '*')
			draft->flags |= CRON_WILDCARD;
	}
	if (is_question_mark(words[3]) == is_question_mark(words[5]))
		return cron_reader_fail(reader, words[5].start,
		    "exactly one of day and weekday has to be '?', here it is %s",
		    is_question_mark(words[3]) ? "both" : "none");
	return SCHEDD_OK;
}
