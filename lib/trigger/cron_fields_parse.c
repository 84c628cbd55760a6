/* SPDX-License-Identifier: MIT */
/*
 * The fields of APScheduler's CronTrigger: 'day_of_week=mon-fri hour=5'.
 * Weekdays count from 0 = Monday and every field has to match.
 *
 * APScheduler skips what follows a name ("last-2", "mon-fri/2"); here that is
 * an error which says so.
 */
#include "trigger/cron_parse.h"

#include <string.h>
#include <strings.h>

#define FIELDS 8

/* The fields from the most to the least significant, and what each takes. */
static const struct {
	const char *name;
	enum cron_field field;
	int min;
	int max;
	bool lowest; /* left out below a field that was given, it is its minimum; otherwise "*" */
} fields[FIELDS] = {
    {"year", CRON_YEAR, CRON_FIRST_YEAR, CRON_LAST_YEAR, false},
    {"month", CRON_MONTH, 1, 12, true},
    {"day", CRON_DAY, 1, 31, true},
    {"week", CRON_WEEK, 1, 53, false},
    {"day_of_week", CRON_WEEKDAY, 0, 6, false},
    {"hour", CRON_HOUR, 0, 23, true},
    {"minute", CRON_MINUTE, 0, 59, true},
    {"second", CRON_SECOND, 0, 59, true},
};

/* What APScheduler's trigger takes besides fields, and where that is said here. */
static const struct {
	const char *name, *option, *member;
} beside[] = {
    {"timezone", "--tz ZONE", "timezone"},
    {"start_date", "--start TIME", "start"},
    {"end_date", "--end TIME", "end"},
    {"jitter", "--jitter DUR", "jitter"},
};

static const char *const ordinals[] = {"last", "1st", "2nd", "3rd", "4th", "5th"};

/* An item of a field's list that is being read. */
struct fields_item {
	struct cron_reader *reader;
	struct cron_draft *draft;
	enum cron_field field;
	int row; /* in fields */
};

static void skip_blanks(struct cron_reader *reader)
{
	while (cron_reader_take(reader, ' ') || cron_reader_take(reader, '\t'))
		;
}

/* Monday is 0 in the text and 1 in the sets. */
static void add_range(struct fields_item *item, int first, int last, int step)
{
	if (item->field != CRON_WEEKDAY) {
		cron_draft_add_range(item->draft, item->field, first, last, step);
		return;
	}
	for (int weekday = first; weekday <= last; weekday += step)
		cron_draft_add(item->draft, CRON_WEEKDAY, (weekday + 1) % 7);
}

/* An optional "/n" with n at most span. *step is 0 without it. */
static int read_step(struct fields_item *item, int span, int *step)
{
	struct cron_reader *reader = item->reader;
	const char *start;
	int rc;

	*step = 0;
	if (!cron_reader_take(reader, '/'))
		return SCHEDD_OK;
	start = reader->at;
	rc = cron_reader_number(reader, item->field, step);
	if (rc == SCHEDD_OK && *step < 1)
		return cron_reader_fail(
		    reader, start, "a step of 0 never gets on, write 1 or more");
	if (rc == SCHEDD_OK && *step > span)
		return cron_reader_fail(reader, start,
		    "step %d is larger than the range's span, which is %d", *step, span);
	return rc;
}

/* "a", "a-b", "a/n", "a-b/n". */
static int parse_numbers(struct fields_item *item)
{
	struct cron_reader *reader = item->reader;
	int min = fields[item->row].min, max = fields[item->row].max;
	int first, last, step, rc = cron_reader_number_in(reader, item->field, min, max, &first);
	const char *start;

	if (rc != SCHEDD_OK)
		return rc;
	if (!cron_reader_take(reader, '-')) {
		rc = read_step(item, max - first, &step);
		if (rc == SCHEDD_OK)
			add_range(item, first, step ? max : first, step ? step : 1);
		return rc;
	}
	start = reader->at;
	rc = cron_reader_number_in(reader, item->field, min, max, &last);
	if (rc == SCHEDD_OK && last < first)
		rc = cron_reader_fail(
		    reader, start, "the range %d-%d runs backwards, write two", first, last);
	if (rc == SCHEDD_OK)
		rc = read_step(item, last - first, &step);
	if (rc == SCHEDD_OK)
		add_range(item, first, last, step ? step : 1);
	return rc;
}

/* A month's or weekday's name, as the field counts. */
static int read_name(struct fields_item *item, enum cron_field kind, int *out)
{
	struct cron_reader *reader = item->reader;
	struct cron_slice letters = cron_reader_letters(reader);

	*out = cron_reader_name(letters, kind, CRON_NAMES_SHORT);
	if (*out < 0)
		return cron_reader_fail(reader, reader->at,
		    "%s '%.*s' is unknown, names have three letters here",
		    cron_reader_field_name(kind), (int)(letters.end - letters.start),
		    letters.start);
	if (kind == CRON_WEEKDAY)
		*out = (*out + 6) % 7;
	reader->at = letters.end;
	return SCHEDD_OK;
}

/* "mon", "mon-fri". */
static int parse_names(struct fields_item *item)
{
	struct cron_reader *reader = item->reader;
	const char *start = reader->at;
	int first, last, rc = read_name(item, item->field, &first);

	if (rc != SCHEDD_OK)
		return rc;
	last = first;
	if (cron_reader_take(reader, '-')) {
		if (!cron_reader_at_letter(reader))
			return cron_reader_fail(reader, reader->at - 1,
			    "APScheduler ignores what follows the name here, write two names or "
			    "two "
			    "numbers");
		rc = read_name(item, item->field, &last);
		if (rc == SCHEDD_OK && last < first)
			rc = cron_reader_fail(reader, start,
			    "the range %.*s runs backwards, write two", (int)(reader->at - start),
			    start);
		if (rc != SCHEDD_OK)
			return rc;
	}
	add_range(item, first, last, 1);
	return SCHEDD_OK;
}

/* "last", "last fri", "2nd fri". The ordinal was not taken yet. */
static int parse_ordinal(struct fields_item *item, int n)
{
	struct cron_reader *reader = item->reader;
	const char *end = reader->at + strlen(ordinals[n]);
	int weekday, rc;

	reader->at = end;
	skip_blanks(reader);
	/* Documentation calls it "last day", too. */
	if (n == 0 && reader->at > end && reader->end - reader->at >= 3 &&
	    strncasecmp(reader->at, "day", 3) == 0) {
		reader->at += 3;
		end = reader->at;
		skip_blanks(reader);
		if (reader->at < reader->end && *reader->at != ',')
			return cron_reader_fail(reader, reader->at, "'last day' is all there is");
	}
	if (n == 0 && (reader->at == end || reader->at == reader->end || *reader->at == ',')) {
		item->draft->from_end |= 1;
		return SCHEDD_OK;
	}
	if (reader->at == end || !cron_reader_at_letter(reader))
		return cron_reader_fail(
		    reader, reader->at, "a weekday is missing after '%s'", ordinals[n]);
	rc = read_name(item, CRON_WEEKDAY, &weekday);
	if (rc == SCHEDD_OK)
		cron_draft_add_nth(item->draft, (weekday + 1) % 7, n);
	return rc;
}

/* Which of the ordinals stands here? -1: none. */
static int ordinal_at(const struct cron_reader *reader)
{
	for (int i = 0; i < (int)(sizeof(ordinals) / sizeof(ordinals[0])); i++) {
		size_t length = strlen(ordinals[i]);

		if ((size_t)(reader->end - reader->at) >= length &&
		    strncasecmp(reader->at, ordinals[i], length) == 0)
			return i;
	}
	return -1;
}

static int parse_item(struct fields_item *item)
{
	struct cron_reader *reader = item->reader;
	int ordinal = item->field == CRON_DAY ? ordinal_at(reader) : -1;
	int step, rc;

	if (cron_reader_take(reader, '*')) {
		rc = read_step(item, fields[item->row].max - fields[item->row].min, &step);
		if (rc == SCHEDD_OK)
			add_range(
			    item, fields[item->row].min, fields[item->row].max, step ? step : 1);
		return rc;
	}
	if (ordinal >= 0)
		return parse_ordinal(item, ordinal);
	if (cron_reader_at_letter(reader) &&
	    (item->field == CRON_MONTH || item->field == CRON_WEEKDAY))
		return parse_names(item);
	return parse_numbers(item);
}

/* Reads a field's list and appends it to the canonical text. */
static int parse_value(struct cron_reader *reader, struct cron_draft *draft, int row)
{
	struct fields_item item = {reader, draft, fields[row].field, row};

	if (item.field == CRON_YEAR && reader->end - reader->at == 1 && *reader->at == '*')
		return SCHEDD_OK;
	do {
		char next;
		bool named;
		int rc;

		skip_blanks(reader);
		next = cron_reader_peek(reader);
		if (next == ',' || next == '\0')
			return cron_reader_fail(
			    reader, reader->at, "empty item in the field '%s'", fields[row].name);
		named = cron_reader_at_letter(reader) ||
			(item.field == CRON_DAY && ordinal_at(reader) >= 0);
		rc = parse_item(&item);
		if (rc != SCHEDD_OK)
			return rc;
		skip_blanks(reader);
		if (reader->at != reader->end && *reader->at != ',')
			return cron_reader_fail(reader, reader->at,
			    "unexpected '%c' in the field '%s'%s", *reader->at, fields[row].name,
			    named ? ", which APScheduler silently ignores" : "");
	} while (cron_reader_take(reader, ','));
	return SCHEDD_OK;
}

/* The value without blanks around commas, and single ones elsewhere. */
static char *copy_value(struct cron_slice value, char *out)
{
	const char *begin = out;
	bool blank = false;

	for (const char *at = value.start; at < value.end; at++) {
		if (*at == ' ' || *at == '\t') {
			blank = true;
			continue;
		}
		if (blank && out > begin && out[-1] != ',' && *at != ',')
			*out++ = ' ';
		blank = false;
		*out++ = *at;
	}
	return out;
}

/* Writes "name=value", the value quoted if it has blanks. */
static char *copy_field(int row, struct cron_slice value, char *out)
{
	size_t length = strlen(fields[row].name);
	char *start, *end;

	memcpy(out, fields[row].name, length);
	start = out + length;
	*start++ = '=';
	end = copy_value(value, start);
	if (memchr(start, ' ', (size_t)(end - start))) {
		memmove(start + 1, start, (size_t)(end - start));
		*start = '\'';
		end[1] = '\'';
		end += 2;
	}
	return end;
}

/* Is it the comma before another pair, as in hour=5,minute=30? */
static bool pair_follows(const struct cron_reader *reader, const char *at)
{
	if (*at++ != ',')
		return false;
	while (at < reader->end && ((*at >= 'a' && *at <= 'z') || *at == '_'))
		at++;
	return at < reader->end && *at == '=' && at[-1] != ',';
}

static int unknown_field(struct cron_reader *reader, const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		if (strlen(beside[i].name) == length && strncmp(beside[i].name, name, length) == 0)
			return cron_reader_fail(reader, name,
			    "'%s' is no field but stands beside them, as the trigger's \"%s\" (schedctl: %s)",
			    beside[i].name, beside[i].member, beside[i].option);
	return cron_reader_fail(reader, name,
	    "unknown field '%.*s', there are year, month, day, week, day_of_week, hour, minute and second",
	    (int)length, name);
}

/* Reads "name=value" and stores where the value stands. */
static int read_pair(struct cron_reader *reader, struct cron_slice *values)
{
	const char *start = reader->at, *name_end, *end;
	char quote;
	int row = 0;

	while (cron_reader_at_letter(reader) || cron_reader_peek(reader) == '_')
		reader->at++;
	name_end = reader->at;
	while (row < FIELDS && (strlen(fields[row].name) != (size_t)(name_end - start) ||
				   strncmp(fields[row].name, start, strlen(fields[row].name)) != 0))
		row++;
	if (row == FIELDS && cron_reader_peek(reader) != '=')
		return cron_reader_fail(reader, start,
		    "this is no NAME=VALUE; a value with blanks is quoted, as in day='2nd fri'");
	if (row == FIELDS)
		return unknown_field(reader, start, (size_t)(name_end - start));
	if (!cron_reader_take(reader, '='))
		return cron_reader_fail(reader, reader->at,
		    "'=' is missing after '%s'; a value with blanks is quoted, as in "
		    "day='last day'",
		    fields[row].name);
	if (values[row].start)
		return cron_reader_fail(
		    reader, start, "the field '%s' comes twice", fields[row].name);
	quote = cron_reader_peek(reader);
	if (quote == '\'' || quote == '"') {
		reader->at++;
		end = memchr(reader->at, quote, (size_t)(reader->end - reader->at));
		if (!end)
			return cron_reader_fail(
			    reader, reader->at - 1, "the quotation mark is not closed");
		values[row] = (struct cron_slice){reader->at, end};
		reader->at = end + 1;
	} else {
		end = reader->at;
		while (end < reader->end && *end != ' ' && *end != '\t' && *end != ';' &&
		       !pair_follows(reader, end))
			end++;
		/* As it stands in Python: hour=5, minute=30 */
		values[row] = (struct cron_slice){
		    reader->at, end > reader->at + 1 && end[-1] == ',' ? end - 1 : end};
		reader->at = values[row].end;
	}
	if (reader->at < reader->end && *reader->at == ',')
		reader->at++;
	else if (reader->at < reader->end && !strchr(" \t;", *reader->at))
		return cron_reader_fail(reader, reader->at,
		    "a blank or ';' is missing after the value of '%s'", fields[row].name);
	return SCHEDD_OK;
}

/* What is left out: the minimum below the least significant field given, "*" above it. */
static void fill_in(struct cron_draft *draft, const struct cron_slice *values)
{
	bool below = true;

	for (int row = FIELDS - 1; row >= 0; row--) {
		enum cron_field field = fields[row].field;
		bool open = !below || !fields[row].lowest;

		if (values[row].start) {
			below = false;
			open = *values[row].start == '*';
		} else if (!open) {
			cron_draft_add(draft, field, fields[row].min);
		} else if (field != CRON_YEAR) {
			cron_draft_add_all(draft, field);
		}
		if (open && (field == CRON_HOUR || field == CRON_MINUTE || field == CRON_SECOND))
			draft->flags |= CRON_WILDCARD;
	}
}

int cron_fields_parse(struct cron_reader *reader, struct cron_draft *draft, char *canonical)
{
	struct cron_slice values[FIELDS] = {{NULL, NULL}};
	char *out = canonical;
	int rc;

	for (;;) {
		while (cron_reader_take(reader, ';') || cron_reader_take(reader, ' ') ||
		       cron_reader_take(reader, '\t'))
			;
		if (reader->at == reader->end)
			break;
		rc = read_pair(reader, values);
		if (rc != SCHEDD_OK)
			return rc;
	}
	for (int row = 0; row < FIELDS; row++) {
		if (!values[row].start)
			continue;
		cron_reader_turn(reader, values[row]);
		skip_blanks(reader);
		values[row].start = reader->at;
		rc = parse_value(reader, draft, row);
		if (rc != SCHEDD_OK)
			return rc;
		if (out > canonical)
			*out++ = ' ';
		out = copy_field(row, values[row], out);
	}
	*out = '\0';
	if (out == canonical)
		return cron_reader_fail(reader, reader->text,
		    "no field is given, write for example 'day_of_week=mon-fri hour=5'");
	draft->flags |= CRON_NTH_IN_DAY;
	fill_in(draft, values);
	return SCHEDD_OK;
}
