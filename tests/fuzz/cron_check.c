/* SPDX-License-Identifier: MIT */
/*
 * Whatever is read: its text reads back to the same schedule, its fire times
 * ascend, looking back and counting agree with them, and it can be put in words.
 * Whatever is refused: the place of the fault lies in the text.
 */
#include "fuzz/cron_check.h"

#include <stdlib.h>
#include <string.h>

#define STEPS 20

static const struct cron_draw draw = {.job_id = "backup", .seed = 42};

/* A zone with daylight saving, where there is a database. It lives as long as the program. */
static const struct zone *some_zone(void)
{
	static struct zone_cache *cache;
	const struct zone *zone;

	if (!cache)
		cache = zone_cache_new(NULL);
	if (!cache || zone_cache_get(cache, "Australia/Lord_Howe", &zone, NULL) != 0)
		return zone_utc();
	return zone;
}

static void check_fires(
    const struct cron *cron, const struct cron *again, const struct zone *zone, schedd_time from)
{
	schedd_time at = from, last = SCHEDD_TIME_NONE;
	uint64_t count = 0;

	while (count < STEPS) {
		schedd_time fire = cron_next(cron, zone, at);

		if (fire != cron_next(again, zone, at))
			abort();
		if (fire == SCHEDD_TIME_NONE)
			break;
		if (fire < at || fire > SCHEDD_TIME_MAX || fire % SCHEDD_SECOND != 0)
			abort();
		last = fire;
		at = fire + 1;
		count++;
	}
	if (count > 0 && cron_latest(cron, zone, from, at - 1) != last)
		abort();
	if (cron_count(cron, zone, from, count > 0 ? at - 1 : from, UINT64_MAX) != count)
		abort();
}

static void check_words(const struct cron *cron)
{
	struct strbuf words = STRBUF_EMPTY;

	cron_words(cron, &words);
	if (words.length == 0)
		abort();
	cron_remarks(cron, &words);
	strbuf_clear(&words);
}

int cron_check(enum cron_dialect dialect, const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *zone_name = NULL;
	struct cron *cron = NULL, *again = NULL;
	struct schedd_error err = {.offset = -1};

	if (!text)
		return 0;
	if (cron_parse(dialect, text, &draw, &cron, &zone_name, &err) == 0) {
		if (cron_parse(dialect, cron_text(cron), &draw, &again, NULL, &err) != 0 ||
		    strcmp(cron_text(cron), cron_text(again)) != 0)
			abort();
		check_fires(cron, again, zone_utc(), 0);
		check_fires(cron, again, some_zone(), INT64_C(1790000000) * SCHEDD_SECOND);
		check_fires(cron, again, zone_utc(), SCHEDD_TIME_MAX - SCHEDD_DAY);
		check_words(cron);
	} else if (cron || err.offset < 0 || (size_t)err.offset > strlen(text)) {
		abort();
	}
	cron_free(cron);
	cron_free(again);
	free(zone_name);
	free(text);
	return 0;
}
