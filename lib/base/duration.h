/* SPDX-License-Identifier: MIT */
/* Lengths of time as people write them: 90, 90s, 1h30m, 0.5s, 250ms, PT1H30M. */
#ifndef SCHEDD_BASE_DURATION_H
#define SCHEDD_BASE_DURATION_H

#include <schedd/clock.h>
#include <schedd/error.h>
#include "base/strbuf.h"
#include "base/value.h"

/* The longest duration that is read: 8000 years of 365.25 days. */
#define DURATION_MAX ((schedd_span)2922000 * SCHEDD_DAY)

/*
 * Reads the whole text. Units w d h m s ms us or in words ("5 minutes"),
 * largest first and each once, blanks between them; the last number may have a
 * fraction; a bare number is seconds. ISO 8601 durations of weeks, days and
 * time. Never negative, never finer than a microsecond. SCHEDD_EINVAL with
 * err->offset at the fault.
 */
int duration_parse(const char *text, schedd_span *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * As duration_parse, but reads only as far as a duration goes; *length is that
 * many bytes. Messages name the whole text.
 */
int duration_scan(const char *text, schedd_span *out, size_t *length, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Seconds as a number, or any text duration_parse takes. */
int duration_from_value(const struct value *value, schedd_span *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Seconds: an integer where they are whole, else a real. SCHEDD_SPAN_NONE becomes nil. */
struct value duration_to_value(schedd_span span);
/*
 * Appends the canonical text, "1h30m", "0.5s", "2w" (whole weeks only), "0s";
 * duration_parse reads it back exactly. SCHEDD_SPAN_NONE is "none", and what is
 * negative has a "-" before it, which it does not read.
 */
void duration_format(struct strbuf *out, schedd_span span);

#endif
