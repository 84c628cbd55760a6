/* SPDX-License-Identifier: MIT */
/* Short ways to say what a cron schedule has to do, for Criterion tests. */
#ifndef TESTS_SUPPORT_CRON_CASE_H
#define TESTS_SUPPORT_CRON_CASE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "base/iso8601.h"
#include "trigger/cron.h"

/* The schedule of a text; the test fails where it is refused. */
static inline struct cron *cron_case_parse(enum cron_dialect dialect, const char *text)
{
	struct schedd_error err = {0};
	struct cron *cron;
	char *zone_name;

	cr_assert_eq(
	    cron_parse(dialect, text, NULL, &cron, &zone_name, &err), 0, "%s", err.message);
	free(zone_name);
	return cron;
}

/* Two texts that have to mean the same. */
static inline void cron_case_same(
    enum cron_dialect dialect, const char *text, enum cron_dialect other_dialect, const char *other)
{
	struct cron *a = cron_case_parse(dialect, text), *b = cron_case_parse(other_dialect, other);
	schedd_time at = INT64_C(1767225600) * SCHEDD_SECOND; /* 2026 */

	for (int i = 0; i < 400; i++) {
		schedd_time fire = cron_next(a, zone_utc(), at);

		cr_assert_eq(
		    fire, cron_next(b, zone_utc(), at), "'%s' and '%s' differ", text, other);
		if (fire == SCHEDD_TIME_NONE)
			break;
		/* Steps of growing length reach years ahead as well as the next seconds. */
		at = fire + 1 + (i > 200 ? (i - 200) * SCHEDD_HOUR : 0);
	}
	cron_free(a);
	cron_free(b);
}

/* A text that has to be refused at a byte with a sentence that has some words in it. */
static inline void cron_case_refused(
    enum cron_dialect dialect, const char *text, int offset, const char *words)
{
	struct schedd_error err = {0};
	struct cron *cron;
	char *zone_name;

	cr_assert_eq(cron_parse(dialect, text, NULL, &cron, &zone_name, &err), SCHEDD_EINVAL,
	    "'%s' is taken", text);
	cr_assert_eq(err.offset, offset, "offset %d: %s", err.offset, err.message);
	cr_assert(strstr(err.message, words), "no '%s' in: %s", words, err.message);
	cr_assert_null(cron);
	cr_assert_null(zone_name);
}

/* The instant of an RFC 3339 text. */
static inline schedd_time cron_case_instant(const char *text)
{
	struct iso8601 read;

	cr_assert_eq(iso8601_scan(text, &read), strlen(text), "%s", text);
	return (civil_seconds(&read.civil) - read.offset) * SCHEDD_SECOND + read.civil.micro;
}

#endif
