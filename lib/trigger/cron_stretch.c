/* SPDX-License-Identifier: MIT */
#include "trigger/cron_stretch.h"

void cron_stretch_at(const struct zone *zone, int64_t second, struct cron_stretch *out)
{
	struct zone_span span;

	zone_span_at(zone, second, &span);
	*out = (struct cron_stretch){
	    .begin = span.begin,
	    .end = span.end,
	    .offset = span.offset,
	    .repeats = span.begin,
	};
}

void cron_stretch_opening(
    const struct cron *cron, const struct zone *zone, struct cron_stretch *stretch)
{
	int32_t shift;

	if (cron->flags & CRON_WILDCARD)
		return;
	shift = stretch->offset - zone_offset(zone, stretch->begin - 1);
	if (shift > 0)
		stretch->gap = shift;
	else
		stretch->repeats = stretch->begin - shift;
}
