/* SPDX-License-Identifier: MIT */
/*
 * The canonical text: one line, the words of the command line without dashes.
 *
 *   cron '30 2 * * *' tz Europe/Berlin end 2027-01-01T00:00:00+01:00
 *   every 15m tz UTC start 2026-12-01T09:45:00+00:00
 *   any (at 2026-12-01T09:30:00+00:00 tz UTC, on-start) jitter 30s
 *
 * What holds blanks, quotes, parentheses or commas stands in ' or ".
 */
#ifndef SCHEDD_TRIGGER_TRIGGER_TEXT_H
#define SCHEDD_TRIGGER_TRIGGER_TEXT_H

#include <schedd/error.h>
#include "base/strbuf.h"
#include "base/value.h"

/* Reads a text into a map of short form, for trigger_from_value. err->offset is in text. */
int trigger_text_read(const char *text, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Writes a map of canonical form. */
void trigger_text_write(const struct value *map, struct strbuf *out);
/* A "fields" map as the text of --fields: "hour=5 day='2nd fri'". */
void trigger_text_fields(const struct value *fields, struct strbuf *out);

#endif
