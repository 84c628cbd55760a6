/* SPDX-License-Identifier: MIT */
/* The dates in words. */
#include "trigger/cron_reader.h"
#include "trigger/cron_words_list.h"
#include "trigger/cron_words_part.h"

static const char *const nth_names[] = {"last", "first", "second", "third", "fourth", "fifth"};

static void add_number(struct strbuf *out, int value)
{
	strbuf_printf(out, "%d", value);
}

static void add_month(struct strbuf *out, int value)
{
	strbuf_add(out, cron_reader_month_name(value));
}

/* Weeks are told from Monday on: 1..7. */
static void add_weekday(struct strbuf *out, int value)
{
	strbuf_add(out, cron_reader_weekday_name(value % 7));
}

static bool has_nth(const struct cron *cron)
{
	for (int weekday = 0; cron->rare && weekday < 7; weekday++)
		if (cron->rare->nth[weekday])
			return true;
	return false;
}

static void add_nth(const struct cron *cron, struct cron_words_list *list)
{
	for (int weekday = 1; cron->rare && weekday <= 7; weekday++) {
		unsigned nth = cron->rare->nth[weekday % 7];

		/* The first to the fifth, then the last. */
		for (int n = 1; n <= 6; n++) {
			if (!(nth >> n % 6 & 1))
				continue;
			cron_words_list_item(list);
			strbuf_printf(list->out, "the %s %s", nth_names[n % 6],
			    cron_reader_weekday_name(weekday % 7));
		}
	}
}

static void add_from_end(struct strbuf *out, int before)
{
	if (before == 0)
		strbuf_add(out, "the last day");
	else
		strbuf_printf(
		    out, "the day %d day%s before the last", before, before == 1 ? "" : "s");
}

static void add_ordinal(struct strbuf *out, int value)
{
	static const char *const suffixes[] = {"th", "st", "nd", "rd"};
	int ones = value / 10 % 10 == 1 ? 0 : value % 10;

	strbuf_printf(out, "%d%s", value, suffixes[ones <= 3 ? ones : 0]);
}

/* The distance between the days if it is the same for all of a long list, else 0. */
static int day_step(uint32_t days)
{
	int first = __builtin_ctz(days), last = 31 - __builtin_clz(days);
	int step;

	if (__builtin_popcount(days) < 4)
		return 0;
	step = __builtin_ctz(days & (days - 1)) - first;
	for (int day = first; day <= last; day++)
		if ((days >> day & 1) != ((day - first) % step == 0))
			return 0;
	return step > 1 ? step : 0;
}

/* "day 1 to 7", "every 2nd day from 1 to 31". */
static void add_plain_days(uint32_t days, struct cron_words_list *list)
{
	int step = day_step(days);

	if (step == 0) {
		strbuf_add(list->out, "day ");
		cron_words_list_set(list, days, add_number);
		return;
	}
	cron_words_list_item(list);
	strbuf_add(list->out, "every ");
	add_ordinal(list->out, step);
	strbuf_printf(
	    list->out, " day from %d to %d", __builtin_ctz(days), 31 - __builtin_clz(days));
}

/* "the last 7 days", "the day 2 days before the last". */
static void add_days_from_end(uint32_t from_end, struct cron_words_list *list)
{
	int last = __builtin_ctz(~from_end); /* so many days up to the last one */

	if (last >= 2) {
		cron_words_list_item(list);
		strbuf_printf(list->out, "the last %d days", last);
		from_end &= from_end + 1;
	}
	for (; from_end; from_end &= from_end - 1) {
		cron_words_list_item(list);
		add_from_end(list->out, __builtin_ctz(from_end));
	}
}

/* "day 1 to 7, the last day and the weekday nearest day 15". */
static void add_days(const struct cron *cron, struct strbuf *out)
{
	const struct cron_rare *rare = cron->rare;
	struct cron_words_list list = {out, 0, 0};

	if (cron->days)
		add_plain_days(cron->days, &list);
	if (rare && rare->from_end)
		add_days_from_end(rare->from_end, &list);
	for (uint32_t left = rare ? rare->near : 0; left; left &= left - 1) {
		cron_words_list_item(&list);
		strbuf_printf(out, "the working day nearest day %d", __builtin_ctz(left));
	}
	for (uint32_t left = rare ? rare->near_end : 0; left; left &= left - 1) {
		cron_words_list_item(&list);
		strbuf_add(out, "the working day nearest ");
		add_from_end(out, __builtin_ctz(left));
	}
	if (cron->flags & CRON_NTH_IN_DAY)
		add_nth(cron, &list);
	cron_words_list_end(&list, "and");
}

static void add_weekdays(const struct cron *cron, struct strbuf *out, const char *word)
{
	struct cron_words_list list = {out, 0, 0};
	/* Sunday moves from bit 0 behind Saturday. */
	unsigned set = cron->weekdays | (cron->weekdays & 1U) << 7;

	cron_words_list_set(&list, set & ~1U, add_weekday);
	if (!(cron->flags & CRON_NTH_IN_DAY))
		add_nth(cron, &list);
	cron_words_list_end(&list, word);
}

static void add_months(const struct cron *cron, struct strbuf *out)
{
	struct cron_words_list list = {out, 0, 0};

	cron_words_list_set(&list, cron->months, add_month);
	cron_words_list_end(&list, "and");
}

/* " of January" or " of the month". Returns whether the months have been told. */
static bool add_of_months(const struct cron *cron, struct strbuf *out, bool alone)
{
	strbuf_add(out, " of ");
	if (!alone || cron->months == CRON_ALL_MONTHS) {
		strbuf_add(out, "the month");
		return false;
	}
	add_months(cron, out);
	return true;
}

/* Days and weekdays. Returns whether the months have been told. */
static bool add_day_rule(const struct cron *cron, struct strbuf *out)
{
	bool days = cron->days != CRON_ALL_DAYS, weekdays = cron->weekdays != CRON_ALL_WEEKDAYS;
	bool either = cron->flags & CRON_EITHER,
	     nth = has_nth(cron) && !(cron->flags & CRON_NTH_IN_DAY);
	bool told = false;

	if ((either && (!days || !weekdays)) || (!days && !weekdays)) {
		if (!cron_words_every_hour(cron))
			strbuf_add(out, " every day");
		return false;
	}
	strbuf_add(out, " on ");
	if (days) {
		add_days(cron, out);
		told = add_of_months(cron, out, !either);
		if (!weekdays)
			return told;
		strbuf_add(out, either ? " or on " : " if it falls on ");
	}
	add_weekdays(cron, out, either || days ? "or" : "and");
	if (nth && !told)
		told = add_of_months(cron, out, !days && cron->weekdays == 0);
	return told;
}

/* "2026", "2024 to 2030", "every 4th year from 2024 to 2096", "2025, 2027 and 2040". */
static void add_years(const struct cron_rare *rare, struct strbuf *out)
{
	struct cron_words_list list = {out, 0, 0};
	int last = rare->year_last - rare->year_first;

	for (int bit = 0; bit <= last; bit++) {
		int end = bit;

		if (!(rare->years[bit / 64] >> bit % 64 & 1))
			continue;
		while (end < last && rare->years[(end + 1) / 64] >> (end + 1) % 64 & 1)
			end++;
		if (end == bit + 1)
			end = bit;
		cron_words_list_item(&list);
		add_number(out, rare->year_first + bit);
		if (end > bit)
			strbuf_printf(out, " to %d", rare->year_first + end);
		bit = end;
	}
	cron_words_list_end(&list, "and");
}

/* The distance between the years if it is the same for all of them, else 0. */
static int year_step(const struct cron_rare *rare)
{
	int last = rare->year_last - rare->year_first, step = 0, before = 0;

	for (int bit = 1; bit <= last; bit++) {
		if (!(rare->years[bit / 64] >> bit % 64 & 1))
			continue;
		if (step != 0 && bit - before != step)
			return 0;
		step = bit - before;
		before = bit;
	}
	return step > 0 && last / step >= 3 ? step : 0;
}

static void add_year_series(const struct cron_rare *rare, struct strbuf *out, int step)
{
	strbuf_add(out, "every ");
	add_ordinal(out, step);
	strbuf_printf(out, " year from %d to %d", rare->year_first, rare->year_last);
}

void cron_words_date(const struct cron *cron, struct strbuf *out)
{
	bool told = add_day_rule(cron, out);

	if (!told && cron->months != CRON_ALL_MONTHS) {
		strbuf_add(out, cron->flags & CRON_EITHER ? ", in " : " in ");
		add_months(cron, out);
	}
	if (cron->rare && cron->rare->weeks != CRON_ALL_WEEKS) {
		struct cron_words_list list = {out, 0, 0};

		strbuf_add(out, " in ISO week ");
		cron_words_list_set(&list, cron->rare->weeks, add_number);
		cron_words_list_end(&list, "and");
	}
	if (cron->rare && cron->rare->some_years) {
		int step = year_step(cron->rare);

		strbuf_add(out, " in ");
		if (step > 1)
			add_year_series(cron->rare, out, step);
		else
			add_years(cron->rare, out);
	}
}
