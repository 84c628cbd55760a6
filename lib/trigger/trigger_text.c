/* SPDX-License-Identifier: MIT */
/* Text is another spelling of the JSON forms: it is read into a map and written from one. */
#include "trigger/trigger_text.h"

#include <ctype.h>
#include <string.h>
#include "base/duration.h"
#include "base/suggest.h"
#include "trigger/trigger_value.h"

/* What follows a word. */
enum text_kind {
	TEXT_VALUE,    /* one text */
	TEXT_DURATION, /* a length of time; a number of seconds in canonical values */
	TEXT_NUMBER,   /* an integer */
	TEXT_COUNTS,   /* a calendar's counts in one text */
	TEXT_FIELDS,   /* a fields map in one text */
	TEXT_LIST,     /* texts in parentheses, separated by commas */
	TEXT_NOTHING,  /* the word says it all */
};

struct text_word {
	const char *word;
	const char *key;   /* of the short form, or of what may stand beside */
	const char *type;  /* the canonical type it leads; NULL: stands beside */
	const char *canon; /* the canonical member that says what; NULL: none */
	enum text_kind kind;
};

/* In the order in which they are written. */
static const struct text_word text_words[] = {
    {"at", "at", "date", "run_at", TEXT_VALUE},
    {"every", "every", "interval", "seconds", TEXT_DURATION},
    {"calendar", "calendar", "calendar", "time", TEXT_COUNTS},
    {"cron", "cron", "cron", "expr", TEXT_VALUE},
    {"fields", "fields", "cron", "fields", TEXT_FIELDS},
    {"quartz", "quartz", "cron", "quartz", TEXT_VALUE},
    {"on-calendar", "on_calendar", "cron", "on_calendar", TEXT_VALUE},
    {"any", "any", "or", "triggers", TEXT_LIST},
    {"all", "all", "and", "triggers", TEXT_LIST},
    {"manual", "manual", "manual", NULL, TEXT_NOTHING},
    {"on-start", "on_start", "on_start", NULL, TEXT_NOTHING},
    {"on-boot", "on_boot", "on_boot", NULL, TEXT_NOTHING},
    {"tz", "timezone", NULL, "timezone", TEXT_VALUE},
    {"start", "start", NULL, "start", TEXT_VALUE},
    {"end", "end", NULL, "end", TEXT_VALUE},
    {"jitter", "jitter", NULL, "jitter", TEXT_DURATION},
    {"splay", "splay", NULL, "splay", TEXT_DURATION},
    {"seed", "seed", NULL, "seed", TEXT_NUMBER},
};

#define TEXT_WORDS (sizeof(text_words) / sizeof(text_words[0]))

/* A text being read. */
struct text_reader {
	const char *text;         /* the whole, for offsets */
	const char *at;           /* the next byte */
	struct arena *arena;      /* for what is read */
	struct schedd_error *err; /* where the sentence goes; may be NULL */
	int depth;                /* open parentheses */
};

static int text_error(const struct text_reader *reader, const char *at, const char *reason)
{
	return schedd_error_at(reader->err, SCHEDD_EINVAL, (int)(at - reader->text),
	    "trigger '%.200s': %s at byte %d", reader->text, reason, (int)(at - reader->text));
}

static void text_blanks(struct text_reader *reader)
{
	while (*reader->at == ' ' || *reader->at == '\t')
		reader->at++;
}

/* A word or a quoted text; NULL with the error set where there is none. */
static const char *text_token(struct text_reader *reader, const char *missing)
{
	const char *start, *token;
	char quote;

	text_blanks(reader);
	start = reader->at;
	quote = *start;
	if (quote == '\'' || quote == '"') {
		const char *end = strchr(start + 1, quote);

		if (!end) {
			text_error(reader, start, "a quote is not closed");
			return NULL;
		}
		token = arena_strndup(reader->arena, start + 1, (size_t)(end - start - 1));
		reader->at = end + 1;
	} else {
		size_t length = strcspn(start, " \t'\"(),");

		if (length == 0) {
			text_error(reader, start, missing);
			return NULL;
		}
		token = arena_strndup(reader->arena, start, length);
		reader->at = start + length;
	}
	if (!token)
		schedd_error_nomem(reader->err);
	return token;
}

static int text_integer(
    const struct text_reader *reader, const char *at, const char *token, struct value *out)
{
	int64_t number = 0;

	if (*token == '\0' || strlen(token) > 18 || strspn(token, "0123456789") != strlen(token))
		return text_error(reader, at, "a whole number is expected");
	for (; *token; token++)
		number = number * 10 + (*token - '0');
	*out = value_int(number);
	return 0;
}

static int text_read(struct text_reader *reader, struct value *out);

static int text_list(struct text_reader *reader, struct value *out)
{
	*out = value_array();
	text_blanks(reader);
	if (*reader->at != '(')
		return text_error(reader, reader->at, "a list in parentheses is expected");
	if (++reader->depth > TRIGGER_VALUE_DEPTH_MAX)
		return text_error(reader, reader->at, "nested too deep");
	do {
		struct value item;
		int rc;

		reader->at++;
		rc = text_read(reader, &item);
		if (rc)
			return rc;
		value_append(reader->arena, out, item);
	} while (*reader->at == ',');
	if (*reader->at != ')')
		return text_error(reader, reader->at, "a parenthesis is not closed");
	reader->at++;
	reader->depth--;
	return 0;
}

static int text_value(struct text_reader *reader, const struct text_word *word, struct value *out)
{
	const char *at, *token;

	if (word->kind == TEXT_LIST)
		return text_list(reader, out);
	if (word->kind == TEXT_NOTHING) {
		*out = value_bool(true);
		return 0;
	}
	text_blanks(reader);
	at = reader->at;
	token = text_token(reader, "a value is missing");
	if (!token)
		return reader->err ? reader->err->code : SCHEDD_EINVAL;
	if (word->kind == TEXT_NUMBER)
		return text_integer(reader, at, token, out);
	*out = value_string_ref(token);
	return 0;
}

static int text_unknown(const struct text_reader *reader, const char *at, const char *token)
{
	const char *names[TEXT_WORDS], *near;

	for (size_t i = 0; i < TEXT_WORDS; i++)
		names[i] = text_words[i].word;
	near = suggest_closest(token, names, TEXT_WORDS);
	return schedd_error_at(reader->err, SCHEDD_EINVAL, (int)(at - reader->text),
	    near ? "trigger '%.200s': unknown word '%.60s', did you mean '%s'?"
		 : "trigger '%.200s': unknown word '%.60s'; a trigger begins with at, every, cron, "
		   "calendar, fields, quartz, on-calendar, any, all, manual, on-start or on-boot",
	    reader->text, token, near);
}

/* One trigger, up to the end of the text, a comma or a closing parenthesis. */
static int text_read(struct text_reader *reader, struct value *out)
{
	*out = value_map();
	do {
		const struct text_word *word = NULL;
		struct value value;
		const char *at, *token;
		int rc;

		text_blanks(reader);
		at = reader->at;
		token = text_token(reader, "a trigger is missing");
		if (!token)
			return reader->err ? reader->err->code : SCHEDD_EINVAL;
		for (size_t i = 0; i < TEXT_WORDS && !word; i++)
			if (strcmp(token, text_words[i].word) == 0)
				word = &text_words[i];
		if (!word)
			return text_unknown(reader, at, token);
		rc = text_value(reader, word, &value);
		if (rc)
			return rc;
		value_put(reader->arena, out, word->key, value);
		text_blanks(reader);
	} while (*reader->at && *reader->at != ',' && *reader->at != ')');
	return 0;
}

int trigger_text_read(
    const char *text, struct arena *arena, struct value *out, struct schedd_error *err)
{
	struct text_reader reader = {.text = text, .at = text, .arena = arena, .err = err};
	int rc = text_read(&reader, out);

	if (!rc && *reader.at)
		rc = text_error(&reader, reader.at, "nothing is open that could be closed here");
	if (!rc && arena_failed(arena))
		rc = schedd_error_nomem(err);
	return rc;
}

/* Canonical texts hold one kind of quote at most. */
static void text_quote(struct strbuf *out, const char *text)
{
	char quote = strchr(text, '\'') ? '"' : '\'';

	if (*text && !text[strcspn(text, " \t'\"(),")]) {
		strbuf_add(out, text);
		return;
	}
	strbuf_add_char(out, quote);
	strbuf_add(out, text);
	strbuf_add_char(out, quote);
}

void trigger_text_fields(const struct value *fields, struct strbuf *out)
{
	for (uint32_t i = 0; i < fields->map.count; i++) {
		const struct value *value = &fields->map.members[i].value;

		if (i > 0)
			strbuf_add_char(out, ' ');
		strbuf_printf(out, "%s=", fields->map.members[i].key);
		if (value->type == VALUE_INT)
			strbuf_printf(out, "%lld", (long long)value->integer);
		else if (value->type == VALUE_STRING && strpbrk(value->string.text, " \t;"))
			strbuf_printf(out, "'%s'", value->string.text);
		else if (value->type == VALUE_STRING)
			strbuf_add(out, value->string.text);
	}
}

/* 'months=1 time=08:00:00', without what is 0. */
static void text_counts(struct strbuf *out, const struct value *map)
{
	static const char *const keys[] = {"years", "months", "weeks", "days"};

	strbuf_add_char(out, '\'');
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int64_t count = value_get_int(map, keys[i], 0);

		if (count > 0)
			strbuf_printf(out, "%s=%lld ", keys[i], (long long)count);
	}
	strbuf_printf(out, "time=%s'", value_get_string(map, "time"));
}

static void text_write_list(struct strbuf *out, const struct value *list)
{
	strbuf_add_char(out, '(');
	for (uint32_t i = 0; i < list->array.count; i++) {
		if (i > 0)
			strbuf_add(out, ", ");
		trigger_text_write(&list->array.items[i], out);
	}
	strbuf_add_char(out, ')');
}

static void text_write_value(struct strbuf *out, const struct text_word *word,
    const struct value *value, const struct value *map)
{
	struct strbuf fields = STRBUF_EMPTY;
	schedd_span span = 0;

	switch (word->kind) {
	case TEXT_VALUE:
		text_quote(out, value->string.text);
		break;
	case TEXT_DURATION:
		/* What was just written from a duration is one. */
		if (duration_from_value(value, &span, NULL))
			span = 0;
		duration_format(out, span);
		break;
	case TEXT_NUMBER:
		strbuf_printf(out, "%lld", (long long)value->integer);
		break;
	case TEXT_COUNTS:
		text_counts(out, map);
		break;
	case TEXT_FIELDS:
		trigger_text_fields(value, &fields);
		text_quote(out, strbuf_peek(&fields));
		out->failed |= strbuf_failed(&fields);
		strbuf_clear(&fields);
		break;
	case TEXT_LIST:
		text_write_list(out, value);
		break;
	case TEXT_NOTHING:
		break;
	}
}

/* Writes a canonical map. */
void trigger_text_write(const struct value *map, struct strbuf *out)
{
	const char *type = value_get_string(map, "type");
	bool first = true;

	for (size_t i = 0; type && i < TEXT_WORDS; i++) {
		const struct text_word *word = &text_words[i];
		const struct value *value = word->canon ? value_get(map, word->canon) : NULL;

		if ((word->type && strcmp(word->type, type) != 0) || (word->canon && !value))
			continue;
		if (!first)
			strbuf_add_char(out, ' ');
		first = false;
		strbuf_add(out, word->word);
		if (word->kind != TEXT_NOTHING)
			strbuf_add_char(out, ' ');
		text_write_value(out, word, value, map);
	}
}
