/* SPDX-License-Identifier: MIT */
/* The readers of the four dialects, as cron_parse() calls them. */
#ifndef SCHEDD_TRIGGER_CRON_PARSE_H
#define SCHEDD_TRIGGER_CRON_PARSE_H

#include "trigger/cron_draft.h"
#include "trigger/cron_reader.h"

/*
 * Each reads the text the reader was opened with into a draft that was just
 * initialised, and writes the canonical text into canonical, which has room
 * for CRON_CANONICAL_MAX bytes with the final NUL. SCHEDD_EINVAL.
 */
#define CRON_CANONICAL_MAX (2 * CRON_TEXT_MAX)

int cron_crontab_parse(struct cron_reader *reader, struct cron_draft *draft, char *canonical)
    __attribute__((warn_unused_result));
/* The trigger that a crontab's "@reboot" or "@every 5m" is here; *rest is what follows that word. NULL: it is neither. */
const char *cron_crontab_other(const char *text, const char **rest);
int cron_fields_parse(struct cron_reader *reader, struct cron_draft *draft, char *canonical)
    __attribute__((warn_unused_result));
int cron_quartz_parse(struct cron_reader *reader, struct cron_draft *draft, char *canonical)
    __attribute__((warn_unused_result));
/* *zone is the zone name at the end of the text; an empty slice: there is none. */
int cron_oncalendar_parse(struct cron_reader *reader, struct cron_draft *draft, char *canonical,
    struct cron_slice *zone) __attribute__((warn_unused_result));

#endif
