/* SPDX-License-Identifier: MIT */
/* Works on the texts of items; what is no item of cron's is left for the reader to refuse. */
#include "jobfile/crontab_fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/strbuf.h"

/* First and last values by field; steps are counted from the first. */
static const struct {
	const char *first, *last;
	int min, span;
	const char *names; /* of three letters each; NULL: none */
} fields[] = {
    {"0", "59", 0, 59, NULL},
    {"0", "23", 0, 23, NULL},
    {"1", "31", 1, 30, NULL},
    {"1", "12", 1, 11, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"0", "6", 0, 6, "sunmontuewedthufrisat"},
};

struct crontab_fitter {
	struct strbuf out;
	const char *step; /* an item whose step was too large; NULL: none */
	size_t step_length;
	const char *wraps; /* a range whose end lies before its begin */
	size_t wraps_length;
	bool starred[5]; /* the field begins with '*': days are joined by AND then */
};

/* A number or name in full; -1: neither. */
static int fit_value(const char *text, size_t length, int field)
{
	int number = 0;

	if (length == 3 && fields[field].names)
		for (const char *name = fields[field].names; *name; name += 3)
			if (strncasecmp(name, text, 3) == 0)
				return fields[field].min + (int)(name - fields[field].names) / 3;
	if (length == 0 || length > 9)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

/* What cron makes of "*\/n" or "a-b/n" where n leaves the range: its first value; -1: nothing. */
static int fit_step(struct crontab_fitter *fitter, const char *item, size_t length, int field)
{
	const char *slash = memchr(item, '/', length);
	size_t range = slash ? (size_t)(slash - item) : length;
	const char *dash = memchr(item, '-', range);
	int first = fields[field].min, last = first + fields[field].span, step;

	if (dash) {
		first = fit_value(item, (size_t)(dash - item), field);
		last = fit_value(dash + 1, (size_t)(item + range - dash - 1), field);
		if (first < 0 || last < 0)
			return -1;
		if (last < first && !fitter->wraps) {
			fitter->wraps = item;
			fitter->wraps_length = range;
		}
	} else if (range != 1 || *item != '*') {
		return -1;
	}
	step = slash ? fit_value(slash + 1, length - range - 1, field) : 0;
	/* Saturday's successor is Sunday again, as 7. */
	if (step <= 0 || last < first || (dash ? step <= last - first : step <= fields[field].span))
		return -1;
	fitter->step = item;
	fitter->step_length = length;
	return first;
}

static void fit_item(struct crontab_fitter *fitter, const char *item, size_t length, int field)
{
	int value = fit_step(fitter, item, length, field);

	if (value >= 0) {
		strbuf_printf(&fitter->out, "%d", value);
		return;
	}
	if (*item == '~')
		strbuf_add(&fitter->out, fields[field].first);
	strbuf_add_n(&fitter->out, item, length);
	if (length > 0 && item[length - 1] == '~')
		strbuf_add(&fitter->out, fields[field].last);
}

/* One field's text; *begin is where it stands in the result. */
static void fit_field(
    struct crontab_fitter *fitter, const char *text, size_t length, int field, size_t *begin)
{
	*begin = fitter->out.length;
	fitter->starred[field] = *text == '*';
	for (const char *item = text, *end = text + length; item <= end;) {
		const char *comma = memchr(item, ',', (size_t)(end - item));
		size_t size = comma ? (size_t)(comma - item) : (size_t)(end - item);

		fit_item(fitter, item, size, field);
		if (comma)
			strbuf_add_char(&fitter->out, ',');
		item += size + 1;
	}
}

static const char *fit_note(const struct crontab_fitter *fitter, struct arena *arena)
{
	if (fitter->step)
		return arena_printf(arena,
		    "the step of '%.*s' is larger than its range: cron runs it at the first value "
		    "alone, and so it is taken",
		    (int)fitter->step_length, fitter->step);
	if (fitter->wraps)
		return arena_printf(arena,
		    "'%.*s' ends before it begins: here it goes round, Debian's cron never runs it",
		    (int)fitter->wraps_length, fitter->wraps);
	return NULL;
}

const char *crontab_fit(struct arena *arena, const char *schedule, const char **note)
{
	struct crontab_fitter fitter = {.out = STRBUF_EMPTY};
	size_t begins[5] = {0};
	const char *fitted, *days = NULL;
	int field = 0;

	*note = NULL;
	if (*schedule == '@')
		return schedule;
	for (const char *at = schedule; *at && field < 5; field++) {
		size_t length = strcspn(at, " ");

		if (field > 0)
			strbuf_add_char(&fitter.out, ' ');
		fit_field(&fitter, at, length, field, &begins[field]);
		at += length + (at[length] == ' ');
	}
	fitted = arena_strdup(arena, strbuf_peek(&fitter.out));
	/* A day's field that began with '*' was joined by AND: it must stay so. */
	if (fitted && field == 5 && (fitter.starred[2] || fitter.starred[4]) &&
	    fitted[begins[2]] != '*' && fitted[begins[4]] != '*')
		days = fitted + begins[4];
	if (days)
		fitted = arena_printf(arena, "%.*s+%s", (int)begins[4], fitted, days);
	*note = fit_note(&fitter, arena);
	if (strbuf_failed(&fitter.out))
		fitted = NULL;
	strbuf_clear(&fitter.out);
	return fitted;
}
