/* SPDX-License-Identifier: MIT */
/* RFC 3339 instants: the one form in which times are shown to programs. */
#ifndef SCHEDD_BASE_ISO8601_H
#define SCHEDD_BASE_ISO8601_H

#include <stdbool.h>
#include <stddef.h>
#include <schedd/clock.h>
#include "base/civil.h"
#include "base/strbuf.h"

/* What a date-and-time text said. */
struct iso8601 {
	struct civil civil;
	bool has_time;   /* false: a date alone */
	bool has_offset; /* Z or +hh:mm[:ss] stood behind it */
	int32_t offset;  /* seconds east of UTC */
};

/*
 * Reads YYYY-MM-DD[(T| )H:MM[:SS[.f…]][Z|±HH[[:]MM[:SS]]]] from the start of
 * text. Returns the bytes read, 0 if no such text stands there or a field is out
 * of its range. Fractions beyond microseconds are cut off. What follows a date
 * and a blank and is no time is not read.
 */
size_t iso8601_scan(const char *text, struct iso8601 *out);
/*
 * Reads H:MM[:SS[.f…]] into the time fields of out, as above. Returns the bytes
 * read, 0 if no such text stands there or a field is out of its range.
 */
size_t iso8601_scan_time(const char *text, struct civil *out);
/* Reads HHMM[SS], likewise. */
size_t iso8601_scan_basic_time(const char *text, struct civil *out);
/* Reads Z or ±HH[[:]MM[:SS]], seconds east of UTC, likewise. */
size_t iso8601_scan_offset(const char *text, int32_t *out);
/*
 * Appends 2026-12-01T09:30:00+01:00; six decimals only where microseconds are
 * not 0; Z for offset 0 when utc_z. Where the offset would lead out of the years
 * 0 to 9999, the time is given in UTC.
 */
void iso8601_format(struct strbuf *out, schedd_time when, int32_t offset, bool utc_z);

#endif
