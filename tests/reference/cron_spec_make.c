/* SPDX-License-Identifier: MIT */
/* Draws descriptions: each dialect gets what it allows, and nothing else. */
#include <string.h>
#include "reference/cron_spec.h"

/* What an item is drawn for. */
struct draw {
	struct cron_spec *spec;
	struct random *random;
	enum spec_field field;
	int min;
	int max;
	int hint; /* a value of the window */
};

static int near_hint(const struct draw *draw)
{
	if (random_once_in(draw->random, 2))
		return draw->hint;
	if (draw->field == SPEC_YEAR)
		return random_in(draw->random, draw->hint > 1975 ? draw->hint - 5 : 1970,
		    draw->hint < 9990 ? draw->hint + 5 : 9999);
	if (draw->field == SPEC_HOUR && random_once_in(draw->random, 2))
		return random_in(draw->random, 0, 3);
	return random_in(draw->random, draw->min, draw->max);
}

static bool can_wrap(const struct draw *draw)
{
	return draw->field != SPEC_YEAR &&
	       (draw->spec->dialect == CRON_CRONTAB || draw->spec->dialect == CRON_QUARTZ);
}

static int small_step(const struct draw *draw, int most)
{
	if (most > 12 && !random_once_in(draw->random, 4))
		most = 12;
	return random_in(draw->random, 1, most);
}

static void make_range(const struct draw *draw, struct spec_item *item)
{
	bool strict = draw->spec->dialect == CRON_FIELDS || draw->spec->dialect == CRON_ONCALENDAR;
	int span;

	item->kind = SPEC_RANGE;
	item->last = random_once_in(draw->random, 2) ? random_in(draw->random, draw->min, draw->max)
						     : near_hint(draw);
	if (!can_wrap(draw) && item->last < item->first) {
		int swap = item->first;

		item->first = item->last;
		item->last = swap;
	}
	span = strict ? item->last - item->first : draw->max - draw->min;
	if (span > 0 && random_once_in(draw->random, 2))
		item->step = small_step(draw, span);
}

static void make_from(const struct draw *draw, struct spec_item *item)
{
	bool strict = draw->spec->dialect == CRON_FIELDS || draw->spec->dialect == CRON_ONCALENDAR;
	int span = strict ? draw->max - item->first : draw->max - draw->min;

	if (span < 1)
		return; /* it stays a value */
	item->kind = SPEC_FROM;
	item->step = small_step(draw, span);
}

static void make_day(const struct draw *draw, struct spec_item *item)
{
	enum cron_dialect dialect = draw->spec->dialect;

	if (dialect == CRON_FIELDS) {
		item->kind = random_once_in(draw->random, 3) ? SPEC_FROM_END : SPEC_NTH;
		if (item->kind == SPEC_NTH && random_once_in(draw->random, 4))
			item->kind = SPEC_LAST_WEEKDAY;
		item->first = item->kind == SPEC_FROM_END ? 0 : random_in(draw->random, 0, 6);
		item->step = random_in(draw->random, 1, 5);
		return;
	}
	if (dialect == CRON_ONCALENDAR)
		return;
	item->kind = (enum spec_kind[]){
	    SPEC_FROM_END, SPEC_NEAREST, SPEC_NEAREST_END}[random_in(draw->random, 0, 2)];
	if (item->kind != SPEC_NEAREST)
		item->first = random_in(draw->random, 0, random_once_in(draw->random, 4) ? 30 : 4);
}

static void make_weekday(const struct draw *draw, struct spec_item *item)
{
	if (draw->spec->dialect == CRON_FIELDS || draw->spec->dialect == CRON_ONCALENDAR)
		return;
	item->kind = random_once_in(draw->random, 3) ? SPEC_LAST_WEEKDAY : SPEC_NTH;
	item->step = random_in(draw->random, 1, 5);
}

static void make_item(const struct draw *draw, struct spec_item *item)
{
	bool on_calendar = draw->spec->dialect == CRON_ONCALENDAR;

	*item = (struct spec_item){SPEC_VALUE, near_hint(draw), 0, 1};
	switch (random_in(draw->random, 0, 7)) {
	case 0:
		if (draw->field == SPEC_DAY)
			make_day(draw, item);
		if (draw->field == SPEC_WEEKDAY)
			make_weekday(draw, item);
		break;
	case 1:
		if (!(on_calendar && draw->field == SPEC_WEEKDAY))
			make_from(draw, item);
		break;
	case 2:
		if (!on_calendar) {
			item->kind = SPEC_EVERY;
			item->step = small_step(draw, draw->max - draw->min);
		}
		break;
	case 3:
	case 4:
		make_range(draw, item);
		if (on_calendar && draw->field == SPEC_WEEKDAY)
			item->step = 1;
		break;
	default:
		break;
	}
}

/* Days of an OnCalendar date that count from the month's end, all of them. */
static void make_days_from_end(const struct draw *draw)
{
	for (int i = 0; i < draw->spec->counts[SPEC_DAY]; i++) {
		struct spec_item *item = &draw->spec->items[SPEC_DAY][i];

		*item = (struct spec_item){SPEC_END_RANGE, random_in(draw->random, 1, 28), 0, 1};
		item->last = item->first;
		if (item->first > 1 && random_once_in(draw->random, 3)) {
			item->kind = SPEC_END_FROM;
			item->step = small_step(draw, item->first - 1);
		} else if (random_once_in(draw->random, 2)) {
			item->last = random_in(draw->random, item->first, 28);
			if (item->last > item->first)
				item->step = small_step(draw, item->last - item->first);
		}
	}
}

static void make_field(
    struct cron_spec *spec, struct random *random, enum spec_field field, int hint)
{
	struct draw draw = {spec, random, field, cron_spec_min(spec->dialect, field),
	    cron_spec_max(spec->dialect, field), hint};
	struct spec_item *items = spec->items[field];

	spec->counts[field] = random_once_in(random, 2) ? 1 : random_in(random, 1, SPEC_ITEMS_MAX);
	if (random_once_in(random, 2)) {
		spec->counts[field] = 1;
		items[0] = (struct spec_item){SPEC_ALL, 0, 0, 1};
		return;
	}
	for (int i = 0; i < spec->counts[field]; i++)
		make_item(&draw, &items[i]);
	if (spec->dialect == CRON_ONCALENDAR && field == SPEC_DAY && random_once_in(random, 3))
		make_days_from_end(&draw);
	if (spec->dialect == CRON_QUARTZ && field == SPEC_WEEKDAY)
		for (int i = 0; i < spec->counts[field]; i++)
			if (items[i].kind == SPEC_NTH || items[i].kind == SPEC_LAST_WEEKDAY) {
				items[0] = items[i];
				spec->counts[field] = 1;
			}
}

/* The value of a field on the window's day, in the dialect's numbers. */
static int hint_of(const struct cron_spec *spec, enum spec_field field, struct random *random,
    const struct wall_day *day)
{
	switch (field) {
	case SPEC_DAY:
		return day->day;
	case SPEC_MONTH:
		return day->month;
	case SPEC_YEAR:
		return day->year;
	case SPEC_WEEK:
		return day->week;
	case SPEC_WEEKDAY:
		if (spec->dialect == CRON_QUARTZ)
			return day->weekday + 1;
		return spec->dialect == CRON_CRONTAB ? day->weekday : (day->weekday + 6) % 7;
	default:
		return random_in(random, cron_spec_min(spec->dialect, field),
		    cron_spec_max(spec->dialect, field));
	}
}

static bool is_left_out(const struct cron_spec *spec, enum spec_field field, struct random *random)
{
	switch (spec->dialect) {
	case CRON_FIELDS:
		return random_once_in(random, 2);
	case CRON_ONCALENDAR:
		return field == SPEC_WEEK ||
		       ((field == SPEC_WEEKDAY || field == SPEC_YEAR || field == SPEC_SECOND) &&
			   random_once_in(random, 2));
	default:
		return field == SPEC_WEEK || (field == SPEC_YEAR && !random_once_in(random, 4)) ||
		       (field == SPEC_SECOND && spec->dialect == CRON_CRONTAB &&
			   spec->counts[SPEC_YEAR] == 0 && random_once_in(random, 2));
	}
}

static void set_value(struct cron_spec *spec, enum spec_field field, enum spec_kind kind, int value)
{
	spec->counts[field] = 1;
	spec->items[field][0] = (struct spec_item){kind, value, 0, 1};
}

static void settle(struct cron_spec *spec, struct random *random)
{
	if (spec->dialect == CRON_QUARTZ) {
		set_value(spec, random_once_in(random, 2) ? SPEC_DAY : SPEC_WEEKDAY, SPEC_OPEN, 0);
	} else if (spec->dialect == CRON_CRONTAB) {
		if (random_once_in(random, 16))
			set_value(spec, SPEC_DAY, SPEC_OPEN, 0);
		if (random_once_in(random, 16))
			set_value(spec, SPEC_WEEKDAY, SPEC_OPEN, 0);
		else
			spec->explicit_and = random_once_in(random, 4);
	} else if (spec->dialect == CRON_FIELDS) {
		int given = 0;

		for (int field = 0; field < SPEC_FIELDS; field++)
			given += spec->counts[field];
		if (given == 0)
			set_value(spec, SPEC_MINUTE, SPEC_VALUE, random_in(random, 0, 59));
	}
}

void cron_spec_make(
    struct cron_spec *spec, struct random *random, const struct wall_day *day, bool seconds)
{
	/* Whether there are seconds depends on whether there is a year. */
	static const enum spec_field order[] = {SPEC_YEAR, SPEC_WEEK, SPEC_MONTH, SPEC_DAY,
	    SPEC_WEEKDAY, SPEC_HOUR, SPEC_MINUTE, SPEC_SECOND};

	memset(spec, 0, sizeof(*spec));
	spec->dialect = (enum cron_dialect[]){CRON_CRONTAB, CRON_CRONTAB, CRON_FIELDS, CRON_QUARTZ,
	    CRON_ONCALENDAR}[random_in(random, 0, 4)];
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		enum spec_field field = order[i];

		if (is_left_out(spec, field, random))
			continue;
		make_field(spec, random, field, hint_of(spec, field, random, day));
		if (field == SPEC_SECOND && !seconds)
			set_value(spec, SPEC_SECOND, SPEC_VALUE, 0);
	}
	settle(spec, random);
	cron_spec_write(spec, random);
}
