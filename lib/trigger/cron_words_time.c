/* SPDX-License-Identifier: MIT */
/* The time of day in words: the product of three sets, told as plainly as it can be. */
#include "trigger/cron_words_list.h"
#include "trigger/cron_words_part.h"

#define LISTED_MAX 4 /* so many times of day are told one by one */

/* A set whose members are evenly spaced. */
struct series {
	int first;
	int last;
	int step; /* 0: the members are not evenly spaced, or there is only one */
};

static struct series series_of(uint64_t set)
{
	struct series series = {__builtin_ctzll(set), 63 - __builtin_clzll(set), 0};
	uint64_t rest = set & (set - 1), even = 0;
	int step;

	if (rest == 0)
		return series;
	step = __builtin_ctzll(rest) - series.first;
	for (int value = series.first; value <= series.last; value += step)
		even |= UINT64_C(1) << value;
	if (set == even)
		series.step = step;
	return series;
}

/* Does the series go on without a break from one hour (or minute) to the next? */
static bool series_is_endless(const struct series *series)
{
	return series->step > 0 && series->first < series->step &&
	       series->last + series->step >= 60 && 60 % series->step == 0;
}

static bool is_single(uint64_t set)
{
	return (set & (set - 1)) == 0;
}

static void add_number(struct strbuf *out, int value)
{
	strbuf_printf(out, "%d", value);
}

static void add_set(struct strbuf *out, uint64_t set)
{
	struct cron_words_list list = {out, 0, 0};

	cron_words_list_set(&list, set, add_number);
	cron_words_list_end(&list, "and");
}

static void add_clock(struct strbuf *out, int hour, int minute, int second)
{
	strbuf_printf(out, "%02d:%02d", hour, minute);
	if (second != 0)
		strbuf_printf(out, ":%02d", second);
}

/* "Every minute", "Every 15 minutes". */
static void add_every(struct strbuf *out, int step, const char *unit)
{
	if (step == 1)
		strbuf_printf(out, "Every %s", unit);
	else
		strbuf_printf(out, "Every %d %ss", step, unit);
}

/*
 * "Every 10 seconds of", "Every 7 seconds from second 0 to second 56 of", "At
 * second 5 and 40 of".
 */
static void add_members(struct strbuf *out, uint64_t set, const char *unit)
{
	struct series series = series_of(set);

	if (series_is_endless(&series) && series.first == 0) {
		add_every(out, series.step, unit);
	} else if (series.step > 0 && __builtin_popcountll(set) > 2) {
		add_every(out, series.step, unit);
		strbuf_printf(out, " from %s %d to %s %d", unit, series.first, unit, series.last);
	} else {
		strbuf_printf(out, "At %s ", unit);
		add_set(out, set);
	}
	strbuf_add(out, " of");
}

static void add_hours(const struct cron *cron, struct strbuf *out)
{
	if (cron_words_every_hour(cron)) {
		strbuf_add(out, " every hour");
		return;
	}
	strbuf_add(out, " hour ");
	add_set(out, cron->hours);
}

/* More than one second in a minute. */
static void add_seconds(const struct cron *cron, struct strbuf *out)
{
	struct series series = series_of(cron->seconds);
	bool always = cron->minutes == CRON_ALL_SIXTY && cron_words_every_hour(cron);

	if (always && series_is_endless(&series) && series.first == 0) {
		add_every(out, series.step, "second");
		return;
	}
	add_members(out, cron->seconds, "second");
	if (cron->minutes == CRON_ALL_SIXTY) {
		strbuf_add(out, " every minute");
	} else {
		strbuf_add(out, " minute ");
		add_set(out, cron->minutes);
	}
	if (!always) {
		strbuf_add(out, " of");
		add_hours(cron, out);
	}
}

/* A handful of times, one by one. */
static void add_listed(const struct cron *cron, struct strbuf *out, int second)
{
	struct cron_words_list list = {out, 0, 0};

	strbuf_add(out, "At ");
	for (uint64_t hours = cron->hours; hours; hours &= hours - 1) {
		for (uint64_t minutes = cron->minutes; minutes; minutes &= minutes - 1) {
			cron_words_list_item(&list);
			add_clock(out, __builtin_ctzll(hours), __builtin_ctzll(minutes), second);
		}
	}
	cron_words_list_end(&list, "and");
}

/* One minute of many hours. */
static void add_hourly(const struct cron *cron, struct strbuf *out, int second)
{
	struct series hours = series_of(cron->hours);
	int minute = __builtin_ctzll(cron->minutes);

	if (cron_words_every_hour(cron)) {
		strbuf_add(out, "Every hour");
		if (minute != 0 || second != 0)
			strbuf_printf(out, " at minute %d", minute);
		if (second != 0)
			strbuf_printf(out, ", second %d", second);
		return;
	}
	if (hours.step > 0) {
		add_every(out, hours.step, "hour");
		strbuf_add(out, " from ");
		add_clock(out, hours.first, minute, second);
		strbuf_add(out, " to ");
		add_clock(out, hours.last, minute, second);
		return;
	}
	strbuf_printf(out, "At minute %d of", minute);
	add_hours(cron, out);
	if (second != 0)
		strbuf_printf(out, ", second %d", second);
}

/* Many minutes. */
static void add_minutes(const struct cron *cron, struct strbuf *out, int second)
{
	struct series minutes = series_of(cron->minutes), hours = series_of(cron->hours);
	bool endless = series_is_endless(&minutes);

	if (endless && minutes.first == 0 && cron_words_every_hour(cron)) {
		add_every(out, minutes.step, "minute");
	} else if (endless && !cron_words_every_hour(cron) &&
		   (hours.step == 1 || is_single(cron->hours))) {
		add_every(out, minutes.step, "minute");
		strbuf_add(out, " from ");
		add_clock(out, hours.first, minutes.first, second);
		strbuf_add(out, " to ");
		add_clock(out, hours.last, minutes.last, second);
		return;
	} else {
		add_members(out, cron->minutes, "minute");
		add_hours(cron, out);
	}
	if (second != 0)
		strbuf_printf(out, ", at second %d", second);
}

void cron_words_time(const struct cron *cron, struct strbuf *out)
{
	int second = __builtin_ctzll(cron->seconds);

	if (!is_single(cron->seconds))
		add_seconds(cron, out);
	else if (__builtin_popcount(cron->hours) * __builtin_popcountll(cron->minutes) <=
		 LISTED_MAX)
		add_listed(cron, out, second);
	else if (is_single(cron->minutes))
		add_hourly(cron, out, second);
	else
		add_minutes(cron, out, second);
}
