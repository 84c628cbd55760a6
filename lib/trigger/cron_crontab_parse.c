/* SPDX-License-Identifier: MIT */
/*
 * The crontab(5) dialect: which field a word is, macros, and what the fields
 * mean together. What one field may hold is read in cron_crontab_item.c.
 */
#include "trigger/cron_parse.h"

#include <string.h>
#include <strings.h>
#include "trigger/cron_crontab_item.h"

#define WORDS_MAX 7

static const struct {
	const char *name;
	const char *stands_for;
} macros[] = {
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

/* Where crontabs write something that is another kind of trigger here. */
static const struct {
	const char *name;
	const char *trigger;
	const char *advice;
} other_triggers[] = {
    {"@reboot", "on-boot", "@reboot is no time of day, that is the trigger on-boot"},
    {"@every", "every", "@every is an interval, that is the trigger every, as in every 5m"},
};

static const enum cron_field fields_in_order[WORDS_MAX] = {
    CRON_SECOND, CRON_MINUTE, CRON_HOUR, CRON_DAY, CRON_MONTH, CRON_WEEKDAY, CRON_YEAR};

static bool word_is(struct cron_slice word, const char *text)
{
	size_t length = (size_t)(word.end - word.start);

	return length == strlen(text) && strncasecmp(word.start, text, length) == 0;
}

const char *cron_crontab_other(const char *text, const char **rest)
{
	struct cron_slice word;

	word.start = text + strspn(text, " \t");
	word.end = word.start + strcspn(word.start, " \t");
	*rest = word.end + strspn(word.end, " \t");
	for (size_t i = 0; i < sizeof(other_triggers) / sizeof(other_triggers[0]); i++)
		if (word_is(word, other_triggers[i].name))
			return other_triggers[i].trigger;
	return NULL;
}

/* Turns the words into those of the five fields a macro stands for. */
static int expand_macro(
    struct cron_reader *reader, struct cron_slice *words, size_t *count, struct cron_reader *fields)
{
	*fields = *reader;
	if (*count == 0 || *words[0].start != '@')
		return SCHEDD_OK;
	for (size_t i = 0; i < sizeof(other_triggers) / sizeof(other_triggers[0]); i++)
		if (word_is(words[0], other_triggers[i].name))
			return cron_reader_fail(
			    reader, words[0].start, "%s", other_triggers[i].advice);
	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
		if (!word_is(words[0], macros[i].name))
			continue;
		if (*count > 1)
			return cron_reader_fail(
			    reader, words[1].start, "nothing may follow %s", macros[i].name);
		fields->at = macros[i].stands_for;
		fields->end = fields->at + strlen(fields->at);
		*count = cron_reader_split(fields, words, WORDS_MAX);
		return SCHEDD_OK;
	}
	return cron_reader_fail(reader, words[0].start,
	    "unknown macro, there are @yearly @annually @monthly @weekly @daily @midnight @hourly");
}

/* Six fields of which the last looks like a year: most likely one was forgotten. */
static int check_count(struct cron_reader *reader, const struct cron_slice *words, size_t count)
{
	const char *last;
	int number = 0;

	if (count < 5 || count > WORDS_MAX)
		return cron_reader_fail(reader,
		    count > WORDS_MAX ? words[WORDS_MAX - 1].end : reader->end,
		    "%zu field%s; write 5 (minute hour day month weekday), 6 (with seconds first) "
		    "or "
		    "7 (seconds first, year last)",
		    count, count == 1 ? "" : "s");
	if (count != 6)
		return SCHEDD_OK;
	last = words[5].start;
	while (last < words[5].end && *last >= '0' && *last <= '9' && number < CRON_LAST_YEAR)
		number = number * 10 + (*last++ - '0');
	if (number >= CRON_FIRST_YEAR)
		return cron_reader_fail(reader, words[5].start,
		    "the sixth of 6 fields is the weekday; for a year write 7 fields "
		    "(seconds first, year last)");
	return SCHEDD_OK;
}

/* Does the field's text begin with '*' (or, where that is asked for, '?')? */
static bool starts_open(struct cron_slice word, bool question_mark)
{
	return *word.start == '*' || (question_mark && *word.start == '?');
}

static int parse_field(struct cron_reader *reader, struct cron_draft *draft, enum cron_field field,
    struct cron_slice word)
{
	struct crontab_item item = {reader, draft, field, 0};
	int rc;

	cron_reader_turn(reader, word);
	if (field == CRON_WEEKDAY && cron_reader_take(reader, '+'))
		draft->flags |= CRON_PLUS;
	if (word_is(word, "?") && (field == CRON_DAY || field == CRON_WEEKDAY)) {
		cron_draft_add_all(draft, field);
		return SCHEDD_OK;
	}
	if (field == CRON_YEAR && word_is(word, "*"))
		return SCHEDD_OK;
	do {
		char next = cron_reader_peek(reader);

		if (next == ',' || next == '\0')
			return cron_reader_fail(reader, reader->at, "empty item in the %s field",
			    cron_reader_field_name(field));
		rc = cron_crontab_item_parse(&item);
		if (rc != SCHEDD_OK)
			return rc;
	} while (cron_reader_take(reader, ','));
	if (reader->at != reader->end)
		return cron_reader_unexpected(reader, field);
	return SCHEDD_OK;
}

/* What the first bytes of the fields say about the schedule as a whole. */
static uint16_t open_flags(const struct cron_slice *words, size_t count, uint16_t flags)
{
	size_t first = count == 5 ? 0 : 1; /* the minute */

	for (size_t i = 0; i < first + 2; i++)
		if (starts_open(words[i], false))
			flags |= CRON_WILDCARD;
	if (!starts_open(words[first + 2], true) && !starts_open(words[first + 4], true) &&
	    !(flags & CRON_PLUS))
		flags |= CRON_EITHER;
	return flags;
}

int cron_crontab_parse(struct cron_reader *reader, struct cron_draft *draft, char *canonical)
{
	struct cron_slice words[WORDS_MAX];
	struct cron_reader fields;
	size_t count = cron_reader_split(reader, words, WORDS_MAX);
	int rc;

	cron_reader_join(words, count < WORDS_MAX ? count : WORDS_MAX, canonical);
	rc = expand_macro(reader, words, &count, &fields);
	if (rc == SCHEDD_OK)
		rc = check_count(reader, words, count);
	if (rc != SCHEDD_OK)
		return rc;
	if (count == 5)
		cron_draft_add(draft, CRON_SECOND, 0);
	for (size_t i = 0; i < count; i++) {
		rc = parse_field(&fields, draft, fields_in_order[i + (count == 5)], words[i]);
		if (rc != SCHEDD_OK)
			return rc;
	}
	draft->flags = open_flags(words, count, draft->flags);
	return SCHEDD_OK;
}
