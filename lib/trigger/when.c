/* SPDX-License-Identifier: MIT */
/*
 * From a reading to an instant. A reading in local time goes through
 * zone_wall(), and whether a gap or a fold is an error or is settled by the
 * rules of daylight saving depends on who wrote it.
 */
#include "trigger/when.h"

#include <string.h>

#include "base/iso8601.h"
#include "trigger/when_reading.h"

#define DAY_SECONDS 86400

/* A reading on its way to an instant. */
struct when_job {
	const char *text;                   /* as written, for messages */
	const struct when_reading *reading; /* what it says */
	const struct when_context *context; /* now, and what is strict */
	struct schedd_error *err;           /* where the sentence goes; may be NULL */
};

static int64_t floor_seconds(schedd_time when)
{
	return when / SCHEDD_SECOND - (when % SCHEDD_SECOND < 0);
}

/* Which instants show this reading, in the offset given or else in the zone? */
static void wall_instants(const struct when_job *job, int64_t wall, struct zone_wall *out)
{
	if (job->reading->has_offset) {
		int64_t instant = wall - job->reading->offset;

		*out = (struct zone_wall){ZONE_UNIQUE, instant, instant, instant};
		return;
	}
	zone_wall(job->reading->zone, wall, out);
}

/* Today where the reading is meant, as days since the epoch. */
static int32_t today(const struct when_job *job)
{
	int64_t now = floor_seconds(job->context->now);
	int64_t local = now + (job->reading->has_offset ? job->reading->offset
							: zone_offset(job->reading->zone, now));

	return (int32_t)((local - (local % DAY_SECONDS + DAY_SECONDS) % DAY_SECONDS) / DAY_SECONDS);
}

/* The sentence for a reading that names no instant, or two. */
static int choice_fault(const struct when_job *job, int64_t wall, const struct zone_wall *instants)
{
	const struct zone *zone = job->reading->zone;
	struct strbuf text = STRBUF_EMPTY;
	schedd_time micro = job->reading->civil.micro;
	struct civil civil;

	civil_from_seconds(wall, &civil);
	strbuf_printf(&text, "%04d-%02d-%02d %02d:%02d:%02d %s in %s, where the clock goes from ",
	    civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second,
	    instants->kind == ZONE_GAP ? "does not exist" : "comes twice", zone_name(zone));
	civil_from_seconds(instants->change + zone_offset(zone, instants->change - 1), &civil);
	strbuf_printf(&text, "%02d:%02d to ", civil.hour, civil.minute);
	civil_from_seconds(instants->change + zone_offset(zone, instants->change), &civil);
	strbuf_printf(&text, "%02d:%02d: write ", civil.hour, civil.minute);
	when_format(&text, instants->first * SCHEDD_SECOND + micro, zone);
	strbuf_add(&text, " or ");
	when_format(&text, instants->second * SCHEDD_SECOND + micro, zone);
	schedd_error_at(job->err, SCHEDD_EINVAL, 0, "time '%s': %s", job->text, strbuf_peek(&text));
	strbuf_clear(&text);
	return SCHEDD_EINVAL;
}

/* A date and a time of day. */
static int at_clock(const struct when_job *job, int32_t day, schedd_time *out)
{
	const struct civil *civil = &job->reading->civil;
	int64_t wall =
	    (int64_t)day * DAY_SECONDS + civil->hour * 3600 + civil->minute * 60 + civil->second;
	struct zone_wall instants;

	wall_instants(job, wall, &instants);
	if (job->context->strict && instants.kind != ZONE_UNIQUE)
		return choice_fault(job, wall, &instants);
	*out = instants.first * SCHEDD_SECOND + civil->micro;
	return 0;
}

/* The first instant of a day; where midnight is skipped, the end of the gap. */
static schedd_time day_begin(const struct when_job *job, int32_t day)
{
	struct zone_wall instants;

	wall_instants(job, (int64_t)day * DAY_SECONDS, &instants);
	return (instants.kind == ZONE_GAP ? instants.change : instants.first) * SCHEDD_SECOND;
}

/* The last microsecond of a day. Where the clock goes back at midnight, that of the second pass. */
static schedd_time day_end(const struct when_job *job, int32_t day)
{
	struct zone_wall instants;

	wall_instants(job, ((int64_t)day + 1) * DAY_SECONDS, &instants);
	return (instants.kind == ZONE_GAP ? instants.change : instants.second) * SCHEDD_SECOND - 1;
}

/* A day with or without a time of day. */
static int at_day(const struct when_job *job, int32_t day, schedd_time *out)
{
	int64_t wall = (int64_t)day * DAY_SECONDS;
	struct zone_wall midnight, noon;

	if (job->reading->has_time)
		return at_clock(job, day, out);
	wall_instants(job, wall, &midnight);
	wall_instants(job, wall + DAY_SECONDS / 2, &noon);
	/* A whole day may be missing: Samoa had no 30 December 2011. */
	if (job->context->strict && midnight.kind == ZONE_GAP && noon.kind == ZONE_GAP)
		return choice_fault(job, wall, &midnight);
	*out = job->context->date_is_end ? day_end(job, day) : day_begin(job, day);
	return 0;
}

/* The time of day of the given day if that is still to come, be it its second pass; else step days
 * on. */
static int at_coming_clock(const struct when_job *job, int32_t day, int step, schedd_time *out)
{
	const struct civil *civil = &job->reading->civil;
	int64_t wall =
	    (int64_t)day * DAY_SECONDS + civil->hour * 3600 + civil->minute * 60 + civil->second;
	schedd_time now = job->context->now, first, second;
	struct zone_wall instants;

	wall_instants(job, wall, &instants);
	first = instants.first * SCHEDD_SECOND + civil->micro;
	second = instants.second * SCHEDD_SECOND + civil->micro;
	/* A person who writes of a gap that is over already means another day. */
	if (instants.kind == ZONE_GAP && job->context->strict &&
	    instants.change * SCHEDD_SECOND <= now)
		return at_clock(job, day + step, out);
	if (first > now)
		return at_clock(job, day, out);
	if (instants.kind != ZONE_FOLD || second <= now)
		return at_clock(job, day + step, out);
	*out = second;
	return 0;
}

/* The coming day of that month; 29 February waits for a leap year. */
static int at_yearly(const struct when_job *job, schedd_time *out)
{
	struct civil date = job->reading->civil, now;
	int status = SCHEDD_EINVAL;

	civil_from_days(today(job), &now);
	for (date.year = now.year; date.year <= now.year + 8; date.year++) {
		if (!civil_valid(&date))
			continue;
		status = at_day(job, civil_days(date.year, date.month, date.day), out);
		if (status != 0 || *out > job->context->now)
			break;
	}
	return status;
}

/* The first such day that is not over, or whose time of day is to come; with "next" never today. */
static int at_weekday(const struct when_job *job, schedd_time *out)
{
	int32_t day = today(job);
	int ahead = (job->reading->weekday - civil_weekday(day) + 7) % 7;
	int status;

	if (job->reading->turn < 0)
		return at_day(job, day + ahead - 7, out);
	if (ahead == 0 && job->reading->turn > 0)
		ahead = 7;
	if (ahead == 0 && job->reading->has_time)
		return at_coming_clock(job, day, 7, out);
	status = at_day(job, day + ahead, out);
	if (status == 0 && *out <= job->context->now)
		status = at_day(job, day + 7, out);
	return status;
}

static int resolve(const struct when_job *job, schedd_time *out)
{
	const struct civil *civil = &job->reading->civil;

	switch (job->reading->form) {
	case WHEN_DATE:
		return at_day(job, civil_days(civil->year, civil->month, civil->day), out);
	case WHEN_YEARLY:
		return at_yearly(job, out);
	case WHEN_DAY:
		return at_day(job, today(job) + job->reading->days, out);
	case WHEN_WEEKDAY:
		return at_weekday(job, out);
	case WHEN_CLOCK:
		return at_coming_clock(job, today(job), 1, out);
	case WHEN_INSTANT:
		break;
	}
	*out = job->reading->instant;
	return 0;
}

static int64_t wall_of(const struct when_job *job, schedd_time when)
{
	int64_t second = floor_seconds(when);

	return second + (job->reading->has_offset ? job->reading->offset
						  : zone_offset(job->reading->zone, second));
}

/* "Thu, 24 Dec 2026" is to be that day of the week. */
static int check_weekday(const struct when_job *job, schedd_time when)
{
	static const char *const names[] = {
	    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
	const struct when_reading *reading = job->reading;
	struct civil civil;
	int weekday;

	if (!reading->has_weekday || (reading->form != WHEN_DATE && reading->form != WHEN_YEARLY))
		return 0;
	civil_from_seconds(wall_of(job, when), &civil);
	weekday = civil_weekday(civil_days(civil.year, civil.month, civil.day));
	if (weekday == reading->weekday)
		return 0;
	return schedd_error_at(job->err, SCHEDD_EINVAL, 0, "time '%s': %04d-%02d-%02d is a %s",
	    job->text, civil.year, civil.month, civil.day, names[weekday]);
}

/*
 * "+ 1 month": the same time of day; a day that the month has not becomes its
 * last.
 */
static int shift(const struct when_job *job, schedd_time *when)
{
	const struct when_reading *reading = job->reading;
	struct zone_wall instants;
	struct civil civil;
	int64_t months, wall, days;
	schedd_time micro;

	if (reading->months || reading->days_on) {
		civil_from_seconds(wall_of(job, *when), &civil);
		months = (int64_t)civil.year * 12 + civil.month - 1 + reading->months;
		micro = *when - floor_seconds(*when) * SCHEDD_SECOND;
		*when = SCHEDD_TIME_NONE;
		if (months < 1969 * 12 || months / 12 > 9999 || reading->days_on > 3000000 ||
		    reading->days_on < -3000000)
			return 0;
		civil.year = (int32_t)(months / 12);
		civil.month = (int8_t)(months % 12 + 1);
		if (civil.day > civil_month_length(civil.year, civil.month))
			civil.day = (int8_t)civil_month_length(civil.year, civil.month);
		days = civil_days(civil.year, civil.month, civil.day) + (int64_t)reading->days_on;
		wall = days * DAY_SECONDS + civil.hour * 3600 + civil.minute * 60 + civil.second;
		wall_instants(job, wall, &instants);
		if (job->context->strict && instants.kind != ZONE_UNIQUE)
			return choice_fault(job, wall, &instants);
		*when = instants.first * SCHEDD_SECOND + micro;
	}
	*when += reading->span_on;
	return 0;
}

/* "2026-12-01T09:30:00+01:00 Europe/Berlin": the zone may repeat the offset, not contradict it. */
static int check_offset(const struct when_job *job, schedd_time when)
{
	const struct when_reading *reading = job->reading;
	struct strbuf text = STRBUF_EMPTY;

	if (!reading->has_offset || !reading->has_zone || reading->utc ||
	    zone_offset(reading->zone, floor_seconds(when)) == reading->offset)
		return 0;
	when_format(&text, when, reading->zone);
	schedd_error_at(job->err, SCHEDD_EINVAL, 0,
	    "time '%s': the offset is not that of %s, where this instant is %s", job->text,
	    zone_name(reading->zone), strbuf_peek(&text));
	strbuf_clear(&text);
	return SCHEDD_EINVAL;
}

int when_parse(const char *text, const struct when_context *context, schedd_time *out,
    struct schedd_error *err)
{
	struct when_reading reading;
	struct when_job job = {.text = text, .reading = &reading, .context = context, .err = err};
	schedd_time when = 0;
	int status = when_reading_parse(text, context, &reading, err);

	if (status == 0)
		status = resolve(&job, &when);
	if (status == 0)
		status = check_weekday(&job, when);
	if (status == 0)
		status = check_offset(&job, when);
	if (status == 0)
		status = shift(&job, &when);
	if (status < 0)
		return status;
	if (when < SCHEDD_TIME_MIN || when > SCHEDD_TIME_MAX)
		return schedd_error_at(err, SCHEDD_EINVAL, 0,
		    "time '%s': it is outside of the years 1970 to 9999", text);
	*out = when;
	return 0;
}

int when_from_value(const struct value *value, const struct when_context *context, schedd_time *out,
    struct schedd_error *err)
{
	if (value->type == VALUE_STRING) {
		size_t length = strlen(value->string.text);

		if (length != value->string.length)
			return schedd_error_at(
			    err, SCHEDD_EINVAL, (int)length, "a time cannot hold a NUL");
		return when_parse(value->string.text, context, out, err);
	}
	if (value->type != VALUE_INT)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "a time is a text such as \"2026-12-01 09:30\" or an integer (microseconds "
		    "since 1970), not %s",
		    value_type_name(value->type));
	if (value->integer < SCHEDD_TIME_MIN || value->integer > SCHEDD_TIME_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "time %lld: it is outside of the years 1970 to 9999 (integers are "
		    "microseconds)",
		    (long long)value->integer);
	*out = value->integer;
	return 0;
}

void when_format(struct strbuf *out, schedd_time when, const struct zone *zone)
{
	iso8601_format(out, when, zone_offset(zone, floor_seconds(when)), false);
}
