/* SPDX-License-Identifier: MIT */
/* The two halves of a schedule in words. */
#ifndef SCHEDD_TRIGGER_CRON_WORDS_PART_H
#define SCHEDD_TRIGGER_CRON_WORDS_PART_H

#include "trigger/cron_set.h"

/* "Every 15 minutes from 09:00 to 17:45", "At 02:30". */
void cron_words_time(const struct cron *cron, struct strbuf *out);
/* " on Monday to Friday in January", " every day" where only the time is limited, or nothing. */
void cron_words_date(const struct cron *cron, struct strbuf *out);

/* Every hour there is, also those that come twice; all 24 by number are fixed times. */
static inline bool cron_words_every_hour(const struct cron *cron)
{
	return cron->hours == CRON_ALL_HOURS && (cron->flags & CRON_WILDCARD);
}

#endif
