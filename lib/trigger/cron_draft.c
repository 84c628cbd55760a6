/* SPDX-License-Identifier: MIT */
/*
 * Values become bits here, and bits a struct cron: what is common goes inline,
 * what is rare out of line, and schedules whose dates need no calendar are told
 * apart from the others.
 */
#include "trigger/cron_draft.h"

#include <stdlib.h>
#include <string.h>

/* Lowest and highest value of each field, as the bits are numbered. */
static const struct {
	int min;
	int max;
} field_bounds[CRON_FIELD_COUNT] = {
    [CRON_SECOND] = {0, 59},
    [CRON_MINUTE] = {0, 59},
    [CRON_HOUR] = {0, 23},
    [CRON_DAY] = {1, 31},
    [CRON_MONTH] = {1, 12},
    [CRON_WEEKDAY] = {0, 6},
    [CRON_YEAR] = {CRON_FIRST_YEAR, CRON_LAST_YEAR},
    [CRON_WEEK] = {1, 53},
};

void cron_draft_init(struct cron_draft *draft, const struct cron_draw *draw)
{
	static const struct cron_draw nothing = {0};

	/* The years are zeroed by the first one that comes. */
	memset(draft->sets, 0, sizeof(draft->sets));
	memset(draft->nth, 0, sizeof(draft->nth));
	draft->some_years = false;
	draft->from_end = draft->near = draft->near_end = 0;
	draft->flags = 0;
	draft->draws = 0;
	draft->draw = draw ? draw : &nothing;
	strbuf_init(&draft->notes);
}

void cron_draft_clear(struct cron_draft *draft)
{
	strbuf_clear(&draft->notes);
}

void cron_draft_add(struct cron_draft *draft, enum cron_field field, int value)
{
	if (field == CRON_YEAR) {
		int bit = value - CRON_FIRST_YEAR;

		if (!draft->some_years)
			memset(draft->years, 0, sizeof(draft->years));
		draft->some_years = true;
		draft->years[bit / 64] |= UINT64_C(1) << bit % 64;
		return;
	}
	if (field == CRON_WEEKDAY && value == 7)
		value = 0;
	draft->sets[field] |= UINT64_C(1) << value;
}

void cron_draft_add_all(struct cron_draft *draft, enum cron_field field)
{
	int min = field_bounds[field].min, max = field_bounds[field].max;

	if (field == CRON_YEAR)
		cron_draft_add_range(draft, field, min, max, 1);
	else
		draft->sets[field] |= UINT64_MAX >> (63 - max) & UINT64_MAX << min;
}

void cron_draft_add_range(
    struct cron_draft *draft, enum cron_field field, int first, int last, int step)
{
	int max = field_bounds[field].max, size = max - field_bounds[field].min + 1;

	if (last < first)
		last += size;
	else if (field == CRON_WEEKDAY)
		max = 7;
	for (int value = first; value <= last; value += step)
		cron_draft_add(draft, field, value > max ? value - size : value);
}

void cron_draft_add_nth(struct cron_draft *draft, int weekday, int n)
{
	draft->nth[weekday % 7] |= (uint8_t)(n == 0 ? CRON_NTH_LAST : 1 << n);
}

/* The finalizer of splitmix64: every bit of the input changes half of the output. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t cron_draft_hash(const struct cron_draft *draft, enum cron_field field)
{
	const char *id = draft->draw->job_id ? draft->draw->job_id : "";
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, 64 bits */

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	return mix(hash + UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)field + 1));
}

uint64_t cron_draft_random(const struct cron_draft *draft, unsigned index)
{
	return mix(draft->draw->seed + UINT64_C(0x9e3779b97f4a7c15) * (index + UINT64_C(1)));
}

void cron_draft_note(struct cron_draft *draft, enum cron_field field, struct cron_slice text,
    const char *verb, int value)
{
	strbuf_printf(&draft->notes, "%.*s in the %s field %s ", (int)(text.end - text.start),
	    text.start, cron_reader_field_name(field), verb);
	if (field == CRON_WEEKDAY)
		strbuf_add(&draft->notes, cron_reader_weekday_name(value % 7));
	else if (field == CRON_MONTH)
		strbuf_add(&draft->notes, cron_reader_month_name(value));
	else
		strbuf_printf(&draft->notes, "%d", value);
	strbuf_add_char(&draft->notes, '\n');
}

/* Which fast way through the calendar does the schedule allow? */
static uint16_t date_flags(const struct cron_draft *draft)
{
	bool all_days = (draft->sets[CRON_DAY] & CRON_ALL_DAYS) == CRON_ALL_DAYS;
	bool all_weekdays = draft->sets[CRON_WEEKDAY] == CRON_ALL_WEEKDAYS;
	bool some_weeks = draft->sets[CRON_WEEK] != CRON_ALL_WEEKS;

	if (draft->sets[CRON_MONTH] != CRON_ALL_MONTHS || draft->some_years || some_weeks)
		return 0;
	if (draft->flags & CRON_EITHER)
		return all_days || all_weekdays ? CRON_EVERY_DAY : 0;
	if (all_days && all_weekdays)
		return CRON_EVERY_DAY;
	for (int weekday = 0; weekday < 7; weekday++)
		if (draft->nth[weekday] && !(draft->flags & CRON_NTH_IN_DAY))
			return 0;
	return all_days ? CRON_EVERY_WEEK : 0;
}

static bool is_rare(const struct cron_draft *draft)
{
	uint8_t nth = 0;

	for (int weekday = 0; weekday < 7; weekday++)
		nth |= draft->nth[weekday];
	return nth || draft->some_years || draft->from_end || draft->near || draft->near_end ||
	       draft->sets[CRON_WEEK] != CRON_ALL_WEEKS || draft->notes.length > 0;
}

/* The years from the first to the last one that is set. */
static void copy_years(const struct cron_draft *draft, int first, int last, struct cron_rare *rare)
{
	rare->some_years = true;
	rare->year_first = (uint16_t)(CRON_FIRST_YEAR + first);
	rare->year_last = (uint16_t)(CRON_FIRST_YEAR + last);
	for (int bit = first; bit <= last; bit++)
		if (draft->years[bit / 64] >> bit % 64 & 1)
			rare->years[(bit - first) / 64] |= UINT64_C(1) << (bit - first) % 64;
}

static struct cron_rare *make_rare(struct cron_draft *draft)
{
	int first = 0, last = CRON_LAST_YEAR - CRON_FIRST_YEAR;
	size_t words = 0;
	struct cron_rare *rare;

	if (draft->some_years) {
		while (!(draft->years[first / 64] >> first % 64 & 1))
			first++;
		while (!(draft->years[last / 64] >> last % 64 & 1))
			last--;
		words = (size_t)(last - first) / 64 + 1;
	}
	rare = calloc(1, sizeof(*rare) + words * sizeof(rare->years[0]));
	if (!rare)
		return NULL;
	rare->weeks = draft->sets[CRON_WEEK];
	rare->from_end = draft->from_end;
	rare->near = draft->near;
	rare->near_end = draft->near_end;
	memcpy(rare->nth, draft->nth, sizeof(rare->nth));
	if (draft->some_years)
		copy_years(draft, first, last, rare);
	if (draft->notes.length > 0) {
		rare->notes = strbuf_take(&draft->notes);
		if (!rare->notes) {
			free(rare);
			return NULL;
		}
	}
	return rare;
}

int cron_draft_finish(struct cron_draft *draft, enum cron_dialect dialect, const char *text,
    size_t length, struct cron **out, struct schedd_error *err)
{
	struct cron *cron = NULL;
	int rc = SCHEDD_OK;

	if (draft->sets[CRON_WEEK] == 0)
		draft->sets[CRON_WEEK] = CRON_ALL_WEEKS;
	if (strbuf_failed(&draft->notes))
		goto fail;
	cron = calloc(1, sizeof(*cron) + length + 1); /* which can be freed at once */
	if (!cron)
		goto fail;
	*cron = (struct cron){
	    .seconds = draft->sets[CRON_SECOND],
	    .minutes = draft->sets[CRON_MINUTE],
	    .hours = (uint32_t)draft->sets[CRON_HOUR],
	    .days = (uint32_t)draft->sets[CRON_DAY],
	    .months = (uint16_t)draft->sets[CRON_MONTH],
	    .flags = draft->flags | date_flags(draft),
	    .weekdays = (uint8_t)draft->sets[CRON_WEEKDAY],
	    .dialect = (uint8_t)dialect,
	};
	memcpy(cron->text, text, length);
	cron->text[length] = '\0';
	if (is_rare(draft)) {
		cron->rare = make_rare(draft);
		if (!cron->rare)
			goto fail;
	}
	*out = cron;
	goto out;
fail:
	cron_free(cron);
	rc = schedd_error_nomem(err);
out:
	cron_draft_clear(draft);
	return rc;
}
