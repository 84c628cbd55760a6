/* SPDX-License-Identifier: MIT */
/*
 * Instants as people write them (schedd-time(7), "Times"): RFC 3339, dates,
 * "tomorrow 9am", "in 5 minutes", "+90s", "@1764576000", with a zone behind.
 */
#ifndef SCHEDD_TRIGGER_WHEN_H
#define SCHEDD_TRIGGER_WHEN_H

#include <stdbool.h>
#include "base/strbuf.h"
#include "base/value.h"
#include "trigger/zone.h"

struct when_context {
	struct zone_cache *zones; /* for zones named in the text */
	const struct zone *zone;  /* for readings without a zone */
	schedd_time now;          /* what "tomorrow" and "in 5m" start from */
	bool strict;      /* a gap or fold is an error that names both choices (typed by a person);
			     otherwise the rules of daylight saving decide */
	bool date_is_end; /* a date alone means its last microsecond (an inclusive end) */
};

/* Reads the whole text. SCHEDD_EINVAL with a sentence and err->offset. Never outside 1970..9999. */
int when_parse(const char *text, const struct when_context *context, schedd_time *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* An integer is microseconds since the epoch, a string goes to when_parse. */
int when_from_value(const struct value *value, const struct when_context *context, schedd_time *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* RFC 3339 with the zone's offset at that instant. */
void when_format(struct strbuf *out, schedd_time when, const struct zone *zone);

#endif
