/* SPDX-License-Identifier: MIT */
/*
 * Values, ranges, steps and the extensions L W # H ~ of the crontab dialect.
 * Each is read to the letter or refused: nothing is skipped.
 */
#include "trigger/cron_crontab_item.h"

/* What a field takes. */
static const struct {
	int min;
	int max;
	int last;          /* where "a/n" ends and what spans are measured to: no second Sunday */
	int hash_last;     /* what H goes to: a day that every month has */
	const char *words; /* for messages */
} ranges[CRON_FIELD_COUNT] = {
    [CRON_SECOND] = {0, 59, 59, 59, "0-59"},
    [CRON_MINUTE] = {0, 59, 59, 59, "0-59"},
    [CRON_HOUR] = {0, 23, 23, 23, "0-23"},
    [CRON_DAY] = {1, 31, 31, 28, "1-31"},
    [CRON_MONTH] = {1, 12, 12, 12, "1-12 or jan-dec"},
    [CRON_WEEKDAY] = {0, 7, 6, 6, "0-7 or sun-sat"},
    [CRON_YEAR] = {CRON_FIRST_YEAR, CRON_LAST_YEAR, CRON_LAST_YEAR, 0, "1970-9999"},
};

static int unknown_word(const struct crontab_item *item, struct cron_slice letters)
{
	return cron_reader_fail(item->reader, letters.start, "%s '%.*s' is unknown, write %s",
	    cron_reader_field_name(item->field), (int)(letters.end - letters.start), letters.start,
	    ranges[item->field].words);
}

/* A number or a name. In "friL" only the name is taken. */
static int read_value(struct crontab_item *item, int *out)
{
	struct cron_reader *reader = item->reader;
	struct cron_slice letters;

	if (!cron_reader_at_letter(reader))
		return cron_reader_number_in(
		    reader, item->field, ranges[item->field].min, ranges[item->field].max, out);
	letters = cron_reader_letters(reader);
	*out = cron_reader_name(letters, item->field, CRON_NAMES_FULL);
	if (*out < 0 && item->field == CRON_WEEKDAY && (letters.end[-1] | 0x20) == 'l') {
		letters.end--;
		*out = cron_reader_name(letters, item->field, CRON_NAMES_FULL);
		letters.end += *out < 0;
	}
	if (*out < 0)
		return unknown_word(item, letters);
	reader->at = letters.end;
	return SCHEDD_OK;
}

/* An optional "/n". *step is 1 without it. */
static int read_step(struct crontab_item *item, int *step)
{
	struct cron_reader *reader = item->reader;
	int span = ranges[item->field].last - ranges[item->field].min;
	const char *start;
	int rc;

	*step = 1;
	if (!cron_reader_take(reader, '/'))
		return SCHEDD_OK;
	start = reader->at;
	rc = cron_reader_number(reader, item->field, step);
	if (rc != SCHEDD_OK)
		return rc;
	if (*step < 1)
		return cron_reader_fail(
		    reader, start, "a step of 0 never gets on, write 1 or more");
	if (*step > span)
		return cron_reader_fail(reader, start,
		    "step %d is larger than the span of the %s field, which is %d", *step,
		    cron_reader_field_name(item->field), span);
	return SCHEDD_OK;
}

/* What follows "a-": the range's end and a step. */
static int parse_range(struct crontab_item *item, int first)
{
	const char *start = item->reader->at;
	int last, step, rc = read_value(item, &last);

	if (rc == SCHEDD_OK && item->field == CRON_YEAR && last < first)
		rc = cron_reader_fail(
		    item->reader, start, "the years %d-%d run backwards", first, last);
	if (rc == SCHEDD_OK)
		rc = read_step(item, &step);
	if (rc != SCHEDD_OK)
		return rc;
	if (item->field == CRON_WEEKDAY && first == 7 && last != 7)
		first = 0;
	cron_draft_add_range(item->draft, item->field, first, last, step);
	return SCHEDD_OK;
}

/* What follows "a~": the other end, of which one value is drawn. */
static int parse_draw(struct crontab_item *item, int first)
{
	struct cron_reader *reader = item->reader;
	const char *start = reader->at;
	int last, value, rc = read_value(item, &last);

	if (rc != SCHEDD_OK)
		return rc;
	if (last < first)
		return cron_reader_fail(reader, start, "the ends of '~' run backwards");
	value = first + (int)(cron_draft_random(item->draft, item->draft->draws++) %
			      (uint64_t)(last - first + 1));
	cron_draft_add(item->draft, item->field, value);
	item->draft->flags |= CRON_DRAWN;
	cron_draft_note(item->draft, item->field, (struct cron_slice){item->start, reader->at},
	    "was drawn as", value);
	return SCHEDD_OK;
}

/* What follows H: "(a-b)" and "/n". */
static int parse_hash(struct crontab_item *item)
{
	struct cron_reader *reader = item->reader;
	int first = ranges[item->field].min, last = ranges[item->field].hash_last;
	bool stepped;
	int step, value, choices, rc;

	if (cron_reader_take(reader, '(')) {
		rc = read_value(item, &first);
		if (rc == SCHEDD_OK && !cron_reader_take(reader, '-'))
			rc = cron_reader_unexpected(reader, item->field);
		if (rc == SCHEDD_OK)
			rc = read_value(item, &last);
		if (rc == SCHEDD_OK && last < first)
			rc = cron_reader_fail(reader, item->start, "the range of H runs backwards");
		if (rc == SCHEDD_OK && !cron_reader_take(reader, ')'))
			rc = cron_reader_unexpected(reader, item->field);
		if (rc != SCHEDD_OK)
			return rc;
	}
	stepped = cron_reader_peek(reader) == '/';
	rc = read_step(item, &step);
	if (rc != SCHEDD_OK)
		return rc;
	choices = last - first + 1;
	if (stepped && step < choices)
		choices = step;
	value = first + (int)(cron_draft_hash(item->draft, item->field) % (uint64_t)choices);
	cron_draft_add_range(item->draft, item->field, value, stepped ? last : value, step);
	item->draft->flags |= CRON_HASHED;
	cron_draft_note(item->draft, item->field, (struct cron_slice){item->start, reader->at},
	    stepped ? "begins at" : "is", value);
	return SCHEDD_OK;
}

/* "L", "L-n", "LW", "L-nW" of the day field, behind the L. */
static int parse_day_from_end(struct crontab_item *item)
{
	struct cron_reader *reader = item->reader;
	int before = 0;

	if (cron_reader_take(reader, '-')) {
		int rc = cron_reader_number_in(reader, CRON_DAY, 0, 30, &before);

		if (rc != SCHEDD_OK)
			return rc;
	}
	if (cron_reader_take(reader, 'W'))
		item->draft->near_end |= UINT32_C(1) << before;
	else
		item->draft->from_end |= UINT32_C(1) << before;
	return SCHEDD_OK;
}

/* "L5" of the weekday field, behind the L. */
static int parse_last_weekday(struct crontab_item *item)
{
	struct cron_reader *reader = item->reader;
	int weekday, rc;

	if (!cron_reader_at_digit(reader) && !cron_reader_at_letter(reader))
		return cron_reader_fail(reader, item->start,
		    "a bare L means Saturday to some and the last one to others, write 6, or 5L "
		    "for "
		    "the last Friday");
	rc = read_value(item, &weekday);
	if (rc == SCHEDD_OK)
		cron_draft_add_nth(item->draft, weekday, 0);
	return rc;
}

/* What follows "5#" of the weekday field. */
static int parse_nth(struct crontab_item *item, int weekday)
{
	const char *start = item->reader->at;
	int n = 0, rc = SCHEDD_OK;

	if (!cron_reader_take(item->reader, 'L')) {
		rc = cron_reader_number(item->reader, item->field, &n);
		if (rc == SCHEDD_OK && (n < 1 || n > 5))
			rc = cron_reader_fail(item->reader, start,
			    "a month has no weekday number %d, write #1 to #5 or #L", n);
	}
	if (rc == SCHEDD_OK)
		cron_draft_add_nth(item->draft, weekday, n);
	return rc;
}

/* Everything that begins with a number or a name. */
static int parse_from_value(struct crontab_item *item)
{
	struct cron_reader *reader = item->reader;
	int value, step, rc = read_value(item, &value);

	if (rc != SCHEDD_OK)
		return rc;
	if (cron_reader_take(reader, '-'))
		return parse_range(item, value);
	if (cron_reader_take(reader, '~'))
		return parse_draw(item, value);
	if (cron_reader_peek(reader) == '/') {
		rc = read_step(item, &step);
		if (item->field == CRON_WEEKDAY)
			value %= 7;
		if (rc == SCHEDD_OK)
			cron_draft_add_range(
			    item->draft, item->field, value, ranges[item->field].last, step);
		return rc;
	}
	if (item->field == CRON_DAY && cron_reader_take(reader, 'W')) {
		item->draft->near |= UINT32_C(1) << value;
		return SCHEDD_OK;
	}
	if (item->field == CRON_WEEKDAY && cron_reader_take(reader, '#'))
		return parse_nth(item, value);
	if (item->field == CRON_WEEKDAY && cron_reader_take(reader, 'L'))
		cron_draft_add_nth(item->draft, value, 0);
	else
		cron_draft_add(item->draft, item->field, value);
	return SCHEDD_OK;
}

/* "*" and "*" with a step. */
static int parse_star(struct crontab_item *item)
{
	int step, rc = read_step(item, &step);

	if (rc == SCHEDD_OK)
		cron_draft_add_range(item->draft, item->field, ranges[item->field].min,
		    ranges[item->field].last, step);
	return rc;
}

/* Is the next letter an extension's, and no name's first? */
static bool at_extension(const struct crontab_item *item, char letter)
{
	struct cron_slice letters = cron_reader_letters(item->reader);

	return cron_reader_peek(item->reader) == letter &&
	       cron_reader_name(letters, item->field, CRON_NAMES_FULL) < 0;
}

int cron_crontab_item_parse(struct crontab_item *item)
{
	struct cron_reader *reader = item->reader;

	item->start = reader->at;
	if (cron_reader_take(reader, '*'))
		return parse_star(item);
	if (cron_reader_peek(reader) == '?')
		return cron_reader_fail(
		    reader, reader->at, "'?' stands alone, in the day or the weekday field");
	if (item->field != CRON_YEAR && at_extension(item, 'H')) {
		reader->at++;
		return parse_hash(item);
	}
	if (at_extension(item, 'L') && item->field == CRON_DAY) {
		reader->at++;
		return parse_day_from_end(item);
	}
	if (at_extension(item, 'L') && item->field == CRON_WEEKDAY) {
		reader->at++;
		return parse_last_weekday(item);
	}
	return parse_from_value(item);
}
