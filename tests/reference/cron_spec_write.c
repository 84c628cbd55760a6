/* SPDX-License-Identifier: MIT */
/* Descriptions as text, in one of the many ways a dialect lets them be written. */
#include <stdio.h>
#include <string.h>
#include "base/strbuf.h"
#include "reference/cron_spec.h"

static const char *const weekdays[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December"};

/* A field that is being written. */
struct pen {
	const struct cron_spec *spec;
	struct random *random;
	enum spec_field field;
	struct strbuf *out;
};

static void write_number(const struct pen *pen, int value)
{
	strbuf_printf(pen->out, random_once_in(pen->random, 4) ? "%02d" : "%d", value);
}

/* Three letters or, where the dialect takes it, the full name; in any case. */
static void write_name(const struct pen *pen, const char *name)
{
	bool full = (pen->spec->dialect == CRON_CRONTAB || pen->spec->dialect == CRON_ONCALENDAR) &&
		    random_once_in(pen->random, 3);
	int shape = random_in(pen->random, 0, 2);

	for (size_t i = 0; name[i] && (full || i < 3); i++) {
		char letter = name[i];

		if (shape == 0)
			letter = (char)(letter | 0x20);
		else if (shape == 1)
			letter = (char)(letter & ~0x20);
		strbuf_add_char(pen->out, letter);
	}
}

static const char *name_of(const struct pen *pen, enum spec_field field, int value)
{
	if (field == SPEC_MONTH)
		return months[value - 1];
	if (pen->spec->dialect == CRON_QUARTZ)
		return weekdays[value - 1];
	return weekdays[pen->spec->dialect == CRON_CRONTAB ? value : (value + 1) % 7];
}

static bool may_name(const struct pen *pen)
{
	if (pen->spec->dialect == CRON_ONCALENDAR)
		return pen->field == SPEC_WEEKDAY;
	return (pen->field == SPEC_MONTH || pen->field == SPEC_WEEKDAY) &&
	       random_once_in(pen->random, 2);
}

static void write_value(const struct pen *pen, int value, bool named)
{
	if (named)
		write_name(pen, name_of(pen, pen->field, value));
	else if (pen->field == SPEC_WEEKDAY && pen->spec->dialect == CRON_CRONTAB && value == 0 &&
		 random_once_in(pen->random, 2))
		strbuf_add(pen->out, "7");
	else
		write_number(pen, value);
}

static void write_step(const struct pen *pen, int step)
{
	if (step == 1 && random_once_in(pen->random, 2))
		return;
	strbuf_add_char(pen->out, '/');
	write_number(pen, step);
}

static void write_range(const struct pen *pen, const struct spec_item *item)
{
	enum cron_dialect dialect = pen->spec->dialect;
	bool named = may_name(pen);
	bool stepped = item->step > 1;

	if (dialect != CRON_CRONTAB && dialect != CRON_ONCALENDAR && stepped)
		named = false;
	/* "0-7" would be every day, "7-0" only Sunday. */
	if (pen->field == SPEC_WEEKDAY && item->first == 0 && item->last == 0 && !named)
		strbuf_add(pen->out, "0");
	else
		write_value(pen, item->first, named);
	strbuf_add(pen->out, dialect == CRON_ONCALENDAR ? ".." : "-");
	if (pen->field == SPEC_WEEKDAY && item->first == 0 && item->last == 0 && !named)
		strbuf_add(pen->out, "0");
	else
		write_value(pen, item->last, named);
	if (stepped)
		write_step(pen, item->step);
}

static void write_end_range(const struct pen *pen, const struct spec_item *item)
{
	if (item->first == item->last) {
		write_number(pen, item->first);
	} else {
		write_number(pen, item->first);
		strbuf_add(pen->out, "..");
		write_number(pen, item->last);
		if (item->step > 1)
			write_step(pen, item->step);
	}
}

/* "2nd fri", "last fri" of --fields. */
static void write_position(const struct pen *pen, const struct spec_item *item)
{
	static const char *const ordinals[] = {"", "1st", "2nd", "3rd", "4th", "5th"};

	strbuf_add(pen->out, item->kind == SPEC_NTH ? ordinals[item->step] : "last");
	strbuf_add(pen->out, random_once_in(pen->random, 4) ? "  " : " ");
	write_name(pen, name_of(pen, SPEC_WEEKDAY, item->first));
}

/* "5#2", "fri#L", "5L", "L5". */
static void write_nth(const struct pen *pen, const struct spec_item *item)
{
	bool named = random_once_in(pen->random, 2);
	int shape = pen->spec->dialect == CRON_QUARTZ ? 0 : random_in(pen->random, 0, 2);

	if (item->kind == SPEC_LAST_WEEKDAY && shape == 1)
		strbuf_add_char(pen->out, 'L');
	write_value(pen, item->first, named);
	if (item->kind == SPEC_NTH)
		strbuf_printf(pen->out, "#%d", item->step);
	else if (shape != 1)
		strbuf_add(pen->out, shape == 2 ? "#L" : "L");
}

static void write_item(const struct pen *pen, const struct spec_item *item)
{
	switch (item->kind) {
	case SPEC_ALL:
		strbuf_add(pen->out, "*");
		break;
	case SPEC_OPEN:
		strbuf_add(pen->out, "?");
		break;
	case SPEC_EVERY:
		strbuf_add(pen->out, "*");
		write_step(pen, item->step);
		break;
	case SPEC_VALUE:
		write_value(pen, item->first, may_name(pen));
		break;
	case SPEC_FROM:
		write_value(pen, item->first, pen->spec->dialect == CRON_CRONTAB && may_name(pen));
		strbuf_printf(pen->out, "/%d", item->step);
		break;
	case SPEC_RANGE:
		write_range(pen, item);
		break;
	case SPEC_FROM_END:
	case SPEC_NEAREST_END:
		strbuf_add(pen->out, pen->spec->dialect == CRON_FIELDS ? "last" : "L");
		if (item->first > 0)
			strbuf_printf(pen->out, "-%d", item->first);
		if (item->kind == SPEC_NEAREST_END)
			strbuf_add(pen->out, "W");
		break;
	case SPEC_END_FROM:
		write_number(pen, item->first);
		strbuf_printf(pen->out, "/%d", item->step);
		break;
	case SPEC_END_RANGE:
		write_end_range(pen, item);
		break;
	case SPEC_NEAREST:
		strbuf_printf(pen->out, "%dW", item->first);
		break;
	case SPEC_NTH:
	case SPEC_LAST_WEEKDAY:
		if (pen->spec->dialect == CRON_FIELDS)
			write_position(pen, item);
		else
			write_nth(pen, item);
		break;
	}
}

static void write_field(
    const struct cron_spec *spec, struct random *random, enum spec_field field, struct strbuf *out)
{
	struct pen pen = {spec, random, field, out};

	for (int i = 0; i < spec->counts[field]; i++) {
		if (i > 0)
			strbuf_add(out, ",");
		write_item(&pen, &spec->items[field][i]);
	}
}

static void write_blank(struct random *random, struct strbuf *out)
{
	strbuf_add(out, random_once_in(random, 8) ? "\t " : " ");
}

static void write_words(const struct cron_spec *spec, struct random *random, struct strbuf *out)
{
	for (enum spec_field field = SPEC_SECOND; field <= SPEC_YEAR; field++) {
		if (spec->counts[field] == 0)
			continue;
		if (out->length > 0)
			write_blank(random, out);
		if (field == SPEC_WEEKDAY && spec->explicit_and)
			strbuf_add(out, "+");
		write_field(spec, random, field, out);
	}
}

static void write_pairs(const struct cron_spec *spec, struct random *random, struct strbuf *out)
{
	static const char *const names[SPEC_FIELDS] = {
	    "second", "minute", "hour", "day", "month", "day_of_week", "year", "week"};

	for (int field = 0; field < SPEC_FIELDS; field++) {
		if (spec->counts[field] == 0)
			continue;
		if (out->length > 0)
			strbuf_add(out, random_once_in(random, 4) ? ";" : " ");
		strbuf_printf(out, "%s='", names[field]);
		write_field(spec, random, (enum spec_field)field, out);
		strbuf_add(out, "'");
	}
}

static void write_calendar(const struct cron_spec *spec, struct random *random, struct strbuf *out)
{
	if (spec->counts[SPEC_WEEKDAY] && spec->items[SPEC_WEEKDAY][0].kind != SPEC_ALL) {
		write_field(spec, random, SPEC_WEEKDAY, out);
		write_blank(random, out);
	}
	if (spec->counts[SPEC_YEAR]) {
		write_field(spec, random, SPEC_YEAR, out);
		strbuf_add(out, "-");
	}
	write_field(spec, random, SPEC_MONTH, out);
	strbuf_add(out, spec->items[SPEC_DAY][0].kind == SPEC_END_RANGE ||
				spec->items[SPEC_DAY][0].kind == SPEC_END_FROM
			    ? "~"
			    : "-");
	write_field(spec, random, SPEC_DAY, out);
	write_blank(random, out);
	write_field(spec, random, SPEC_HOUR, out);
	strbuf_add(out, ":");
	write_field(spec, random, SPEC_MINUTE, out);
	if (spec->counts[SPEC_SECOND]) {
		strbuf_add(out, ":");
		write_field(spec, random, SPEC_SECOND, out);
	}
}

void cron_spec_write(struct cron_spec *spec, struct random *random)
{
	struct strbuf out = STRBUF_EMPTY;

	if (spec->dialect == CRON_FIELDS)
		write_pairs(spec, random, &out);
	else if (spec->dialect == CRON_ONCALENDAR)
		write_calendar(spec, random, &out);
	else
		write_words(spec, random, &out);
	snprintf(spec->text, sizeof(spec->text), "%s", strbuf_peek(&out));
	strbuf_clear(&out);
}
