/* SPDX-License-Identifier: MIT */
/* Two changes a year for ever: the arithmetic behind a POSIX TZ string. */
#ifndef SCHEDD_TRIGGER_ZONE_RULE_H
#define SCHEDD_TRIGGER_ZONE_RULE_H

#include "trigger/zone_table.h"

/* The stretch that holds second. Its end is always after second. */
void zone_rule_span(const struct zone_rule *rule, int64_t second, struct zone_span *out);
/*
 * Finds out whether the changes really leave both standard and daylight time;
 * a rule of everlasting daylight saving ("XXX3EDT4,0/0,J365/23") becomes one
 * without changes. To be called once, before the rule is used.
 */
void zone_rule_settle(struct zone_rule *rule);

#endif
