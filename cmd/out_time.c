/* SPDX-License-Identifier: MIT */
/* Instants, spans and sizes for people. */
#include "cmd/out.h"

#include <math.h>
#include <stdlib.h>

#include "base/iso8601.h"
#include "trigger/when.h"

void out_span(struct strbuf *out, double seconds)
{
	double whole;

	/* What is no millisecond has no sign either. */
	if (seconds < 0 && seconds > -0.0005)
		seconds = 0;
	if (seconds < 0) {
		strbuf_add_char(out, '-');
		seconds = -seconds;
	}
	whole = floor(seconds + 0.5);
	if (seconds < 0.9995)
		strbuf_printf(out, "%.0fms", seconds * 1000);
	else if (seconds < 59.95)
		strbuf_printf(out, "%.1fs", seconds);
	else if (seconds < 3599.5)
		strbuf_printf(out, "%dm%02ds", (int)(whole / 60), (int)fmod(whole, 60));
	else if (seconds < 86400 - 30)
		strbuf_printf(out, "%dh%02dm", (int)(whole / 3600), (int)fmod(whole / 60, 60));
	else
		strbuf_printf(out, "%.0fd%02dh", fmax(floor(whole / 86400), 1),
		    whole < 86400 ? 0 : (int)fmod(whole / 3600, 24));
}

void out_bytes(struct strbuf *out, int64_t bytes)
{
	static const char units[] = "BKMGTPE";
	double amount = (double)bytes;
	int unit = 0;

	while (amount >= 999.5 && unit < 6) {
		amount /= 1024;
		unit++;
	}
	strbuf_printf(out, unit == 0 || amount >= 99.95 ? "%.0f%c" : "%.1f%c", amount, units[unit]);
}

static void time_relative(struct strbuf *out, schedd_time when, schedd_time now)
{
	double seconds = (double)(when - now) / (double)SCHEDD_SECOND;

	if (fabs(seconds) < 0.9995) {
		strbuf_add(out, "now");
		return;
	}
	if (seconds > 0)
		strbuf_add(out, "in ");
	out_span(out, fabs(seconds) < 60 ? floor(fabs(seconds)) : fabs(seconds));
	if (seconds < 0)
		strbuf_add(out, " ago");
}

/* Does the clock on the wall show this time once more, shortly before or after? */
static bool time_comes_twice(int64_t second, const struct zone *zone)
{
	int32_t offset = zone_offset(zone, second);

	for (int side = -1; side <= 1; side += 2) {
		int32_t other = zone_offset(zone, second + side * (int64_t)3 * 3600);

		if (other != offset && zone_offset(zone, second + offset - other) == other)
			return true;
	}
	return false;
}

/* "2026-12-01 09:30:00", with what tells it from the other one where it comes twice. */
static void time_local(struct strbuf *out, schedd_time when, const struct zone *zone)
{
	int64_t second = when / SCHEDD_SECOND;
	int32_t offset = zone_offset(zone, second), minutes = offset / 60;
	struct civil civil;

	civil_from_seconds(second + offset, &civil);
	strbuf_printf(out, "%04d-%02d-%02d %02d:%02d:%02d", civil.year, civil.month, civil.day,
	    civil.hour, civil.minute, civil.second);
	if (time_comes_twice(second, zone))
		strbuf_printf(out, "%c%02d:%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60,
		    abs(minutes) % 60);
}

/* Seconds, with a fraction only where there is one, so that a shell can count with most of them. */
static void time_unix(struct strbuf *out, schedd_time when)
{
	int64_t second = when / SCHEDD_SECOND, micro = when % SCHEDD_SECOND;

	strbuf_printf(out, "%lld", (long long)second);
	if (micro != 0)
		strbuf_printf(out, ".%06lld", (long long)micro);
}

/* People get one form, wherever their screen is; RFC 3339 is for programs. */
static enum out_time time_form(const struct command *command)
{
	if (command->out.time != OUT_TIME_AUTO)
		return command->out.time;
	return command->out.format == OUT_TABLE || command->out.format == OUT_WIDE ? OUT_TIME_LOCAL
										   : OUT_TIME_ISO;
}

static const struct zone *time_zone(const struct command *command)
{
	return command->out.utc || !command->zone.zone ? zone_utc() : command->zone.zone;
}

void out_when(const struct command *command, struct strbuf *out, schedd_time when)
{
	const struct zone *zone = time_zone(command);
	enum out_time form = time_form(command);

	if (when == SCHEDD_TIME_NONE) {
		strbuf_add_char(out, '-');
		return;
	}
	if (form == OUT_TIME_RELATIVE)
		time_relative(out, when, command->now);
	else if (form == OUT_TIME_LOCAL)
		time_local(out, when, zone);
	else if (form == OUT_TIME_ISO)
		when_format(out, when, zone);
	else
		time_unix(out, when);
}

void out_fire(
    const struct command *command, struct strbuf *out, schedd_time when, const struct zone *zone)
{
	const struct zone *own = time_zone(command);
	enum out_time form = time_form(command);
	int64_t second = when / SCHEDD_SECOND;

	if (form == OUT_TIME_ISO) {
		when_format(out, when, command->out.utc ? own : zone);
		return;
	}
	out_when(command, out, when);
	if (form != OUT_TIME_LOCAL || zone_offset(own, second) == zone_offset(zone, second))
		return;
	strbuf_add(out, " (");
	time_local(out, when, zone);
	strbuf_printf(out, " %s)", zone_name(zone));
}
