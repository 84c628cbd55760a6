/* SPDX-License-Identifier: MIT */
/* Lengths of time as people write them: 90, 90s, 1h30m, 0.5s, 250ms, PT1H30M. */
#ifndef SCHEDD_BASE_DURATION_H
#define SCHEDD_BASE_DURATION_H

#include <schedd/clock.h>
#include <schedd/error.h>
#include "base/strbuf.h"
#include "base/value.h"

/*
 * Reads the whole text. Units w d h m s ms us, largest first and each once, a
 * bare number is seconds; ISO 8601 durations of weeks, days and time. Never
 * negative. SCHEDD_EINVAL with err->offset at the fault.
 */
int duration_parse(const char *text, schedd_span *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Seconds as a number, or any text duration_parse takes. */
int duration_from_value(const struct value *value, schedd_span *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Seconds: an integer where they are whole, else a real. SCHEDD_SPAN_NONE becomes nil. */
struct value duration_to_value(schedd_span span);
/* The canonical text, "1h30m", "0.5s", "0s"; duration_parse reads it back exactly. */
void duration_format(struct strbuf *out, schedd_span span);

#endif
