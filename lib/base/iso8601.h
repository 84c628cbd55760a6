/* SPDX-License-Identifier: MIT */
/* RFC 3339 instants: the one form in which times are shown to programs. */
#ifndef SCHEDD_BASE_ISO8601_H
#define SCHEDD_BASE_ISO8601_H

#include <stdbool.h>
#include <schedd/clock.h>
#include "base/civil.h"
#include "base/strbuf.h"

/* What a date-and-time text said. */
struct iso8601 {
	struct civil civil;
	bool has_time;	 /* false: a date alone */
	bool has_offset; /* Z or +hh:mm[:ss] stood behind it */
	int32_t offset;	 /* seconds east of UTC */
};

/*
 * Reads YYYY-MM-DD[(T| )H:MM[:SS[.f…]][Z|±HH:MM[:SS]]] from the start of text.
 * Returns the bytes read, 0 if no such text stands there or a field is out of
 * its range. Fractions beyond microseconds are cut off.
 */
size_t iso8601_scan(const char *text, struct iso8601 *out);
/* Appends 2026-12-01T09:30:00+01:00; six decimals only where microseconds are not 0; Z for offset 0 when utc_z. */
void iso8601_format(struct strbuf *out, schedd_time when, int32_t offset, bool utc_z);

#endif
