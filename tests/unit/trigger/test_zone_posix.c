/* SPDX-License-Identifier: MIT */
#include "trigger/zone_posix.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trigger/zone_rule.h"

static int parse(const char *text, struct zone_rule *out, struct schedd_error *err)
{
	return zone_posix_parse(text, strlen(text), out, err);
}

Test(zone_posix, writes_the_canonical_string)
{
	static const char *const cases[][2] = {
	    {"UTC0", "<UTC>0"},
	    {"UTC+2", "<UTC>2"},
	    {"<-03>3", "<-03>3"},
	    {"NPT-5:45", "<NPT>-5:45"},
	    {"LMT-0:53:28", "<LMT>-0:53:28"},
	    {"CET-1CEST,M3.5.0/2:00:00,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"},
	    {"EST+5EDT", "EST5EDT,M3.2.0,M11.1.0"},
	    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"},
	    {"IST-1GMT0,M10.5.0,M3.5.0/1", "IST-1GMT0,M10.5.0,M3.5.0/1"},
	    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"},
	    {"AAA3BBB,J60/-167:59:59,300/167", "AAA3BBB,J60/-167:59:59,300/167"},
	    {"XXX3EDT4,0/0,J365/23", "<EDT>4"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf text = STRBUF_EMPTY;
		struct schedd_error err = {.message = ""};
		struct zone_rule rule, again;

		cr_assert_eq(parse(cases[i][0], &rule, &err), 0, "%s", err.message);
		zone_posix_format(&rule, &text);
		cr_expect_str_eq(strbuf_peek(&text), cases[i][1]);
		rule.standard.dst = false; /* an offset for ever is written without it */
		cr_assert_eq(parse(strbuf_peek(&text), &again, &err), 0, "%s", err.message);
		cr_expect_eq(memcmp(&rule, &again, sizeof(rule)), 0, "%s", cases[i][0]);
		strbuf_clear(&text);
	}
}

Test(zone_posix, points_at_what_is_wrong)
{
	static const struct {
		const char *text;
		int offset;
	} cases[] = {
	    {"", 0},
	    {"CE", 2},
	    {"CET", 3},
	    {"CET-", 4},
	    {"CET-25", 4},
	    {"CET-1:60", 6},
	    {"CET-1CE", 7},
	    {"<+01", 4},
	    {"<+01>", 5},
	    {"CET-1CEST,", 10},
	    {"CET-1CEST,M3.5.0", 16},
	    {"CET-1CEST,M0.5.0,M10.5.0", 11},
	    {"CET-1CEST,M3.6.0,M10.5.0", 13},
	    {"CET-1CEST,M3.5.7,M10.5.0", 15},
	    {"CET-1CEST,J0,J100", 11},
	    {"CET-1CEST,J366,J100", 11},
	    {"CET-1CEST,366,100", 10},
	    {"CET-1CEST,M3.5.0/168,M10.5.0", 17},
	    {"CET-1CEST,M3.5.0,M10.5.0x", 24},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct schedd_error err = {.offset = -1};
		struct zone_rule rule;

		cr_expect_eq(parse(cases[i].text, &rule, &err), SCHEDD_EINVAL, "%s", cases[i].text);
		cr_expect_eq(err.offset, cases[i].offset, "'%s': %d", cases[i].text, err.offset);
	}
}

static int below(unsigned *seed, int limit)
{
	return rand_r(seed) % limit;
}

/*
 * A day from February to May, or in the later half from August to November.
 * Around New Year the C library itself is not sure, and days that come close to
 * each other would change places from year to year.
 */
static void add_day(struct strbuf *out, bool later, unsigned *seed)
{
	switch (below(seed, 3)) {
	case 0:
		strbuf_printf(out, ",J%d", (later ? 215 : 40) + below(seed, 110));
		break;
	case 1:
		strbuf_printf(out, ",%d", (later ? 215 : 40) + below(seed, 110));
		break;
	default:
		strbuf_printf(out, ",M%d.%d.%d", (later ? 8 : 2) + below(seed, 4),
		    1 + below(seed, 5), below(seed, 7));
	}
	if (below(seed, 2))
		strbuf_printf(out, "/%d:%02d", below(seed, 25), below(seed, 60));
}

Test(zone_posix, agrees_with_the_c_library_on_random_rules)
{
	unsigned seed = 9;

	for (int round = 0; round < 400; round++) {
		struct strbuf text = STRBUF_EMPTY;
		struct schedd_error err = {.message = ""};
		struct zone_rule rule;

		strbuf_printf(&text, "AAA%d:%02dBBB", below(&seed, 24) - 12, below(&seed, 60));
		if (below(&seed, 2))
			strbuf_printf(&text, "%d", below(&seed, 24) - 12);
		add_day(&text, round % 2 == 0, &seed);
		add_day(&text, round % 2 != 0, &seed);
		cr_assert_eq(parse(strbuf_peek(&text), &rule, &err), 0, "%s", err.message);
		setenv("TZ", strbuf_peek(&text), 1);
		tzset();
		for (int i = 0; i < 500; i++) {
			time_t when = (time_t)(((uint64_t)rand_r(&seed) << 31 ^ rand_r(&seed)) %
					       UINT64_C(253370764800));
			struct zone_span span;
			struct tm tm;

			localtime_r(&when, &tm);
			zone_rule_span(&rule, when, &span);
			cr_assert(
			    span.offset == tm.tm_gmtoff && span.begin <= when && when < span.end,
			    "%s at %ld: %d, the C library: %ld", strbuf_peek(&text), when,
			    span.offset, tm.tm_gmtoff);
		}
		strbuf_clear(&text);
	}
}
