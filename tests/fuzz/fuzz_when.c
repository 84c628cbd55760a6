/* SPDX-License-Identifier: MIT */
/* Whatever is read as a time lies in its range, and is written and read back as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trigger/when.h"

#define NOW (INT64_C(1784103630) * SCHEDD_SECOND + 500000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_phrase(const char *text, const struct when_context *context)
{
	struct schedd_error err = {.offset = -1};
	struct strbuf canonical = STRBUF_EMPTY;
	schedd_time when, again;

	if (when_parse(text, context, &when, &err) < 0) {
		if (!err.message[0] || err.offset < 0 || (size_t)err.offset > strlen(text))
			abort();
		return;
	}
	when_format(&canonical, when, context->zone);
	if (when < SCHEDD_TIME_MIN || when > SCHEDD_TIME_MAX ||
	    when_parse(strbuf_peek(&canonical), context, &again, NULL) < 0 || again != when)
		abort();
	strbuf_clear(&canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zone_cache *zones;
	struct when_context context = {.now = NOW};
	char *text = strndup((const char *)data, size);

	/* Without a database no time is spent in directories; POSIX strings are zones enough. */
	if (!zones)
		zones = zone_cache_new("/nonexistent");
	if (text && zones &&
	    zone_cache_get(zones, "CET-1CEST,M3.5.0,M10.5.0/3", &context.zone, NULL) == 0) {
		context.zones = zones;
		check_phrase(text, &context);
		context.strict = true;
		context.date_is_end = true;
		check_phrase(text, &context);
	}
	free(text);
	return 0;
}
