/* SPDX-License-Identifier: MIT */
/* POSIX TZ strings, "CET-1CEST,M3.5.0,M10.5.0/3": the footer of TZif files and a form of TZ. */
#ifndef SCHEDD_TRIGGER_ZONE_POSIX_H
#define SCHEDD_TRIGGER_ZONE_POSIX_H

#include <stddef.h>
#include <schedd/error.h>
#include "base/strbuf.h"
#include "trigger/zone_table.h"

/*
 * Reads exactly length bytes. Times of change may be -167..167 hours (TZif
 * version 3). Daylight saving without rules follows those of the USA, as in
 * other C libraries. SCHEDD_EINVAL with err->offset at the fault.
 */
int zone_posix_parse(const char *text, size_t length, struct zone_rule *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Appends the canonical string: rules written out, abbreviations quoted where
 * they need to be, and where there are no rules ("<UTC>2"), which no IANA name is.
 */
void zone_posix_format(const struct zone_rule *rule, struct strbuf *out);

#endif
