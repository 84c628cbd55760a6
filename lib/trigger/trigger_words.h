/* SPDX-License-Identifier: MIT */
/* Pieces of plain English that the kinds of trigger put together. */
#ifndef SCHEDD_TRIGGER_TRIGGER_WORDS_H
#define SCHEDD_TRIGGER_TRIGGER_WORDS_H

#include <stdbool.h>
#include "base/strbuf.h"
#include "trigger/zone.h"

/* So many of a unit. */
struct trigger_words_part {
	int64_t count;    /* 0: not mentioned */
	const char *unit; /* singular */
};

/* "2 years, 1 month and 3 days". each: a lone 1 is left out, for after "Every": "month". */
void trigger_words_parts(
    struct strbuf *out, const struct trigger_words_part *parts, size_t count, bool each);
/* "15 minutes", "1 hour and 30 minutes", "0.5 seconds"; days only as so many times 24 hours. */
void trigger_words_span(struct strbuf *out, schedd_span span, bool each);
/* "2026-12-01 09:30", seconds where they count, the zone's abbreviation where the reading comes
 * twice. */
void trigger_words_time(struct strbuf *out, schedd_time when, const struct zone *zone);
/* ", Europe/Berlin" */
void trigger_words_zone(struct strbuf *out, const struct zone *zone);

#endif
