/* SPDX-License-Identifier: MIT */
/* What a reader of the expression could not know or might get wrong. */
#include "trigger/cron_set.h"

/* Is the field restricted, so that it matters how it is joined with the other one? */
static bool days_restricted(const struct cron *cron)
{
	return cron->days != CRON_ALL_DAYS;
}

static bool weekdays_restricted(const struct cron *cron)
{
	return cron->weekdays != CRON_ALL_WEEKDAYS;
}

static void add_join(const struct cron *cron, struct strbuf *out)
{
	if (!days_restricted(cron) || !weekdays_restricted(cron))
		return;
	strbuf_add(out, "day and weekday are both limited: ");
	if (cron->flags & CRON_EITHER)
		strbuf_add(out, "it runs when either matches\n");
	else if (cron->flags & CRON_PLUS)
		strbuf_add(out, "it runs when both match, because of the '+'\n");
	else if (cron->dialect == CRON_CRONTAB)
		strbuf_add(out, "it runs when both match, as one of them begins with '*'\n");
	else
		strbuf_add(out, "it runs when both match\n");
}

void cron_remarks(const struct cron *cron, struct strbuf *out)
{
	if (cron->rare && cron->rare->notes)
		strbuf_add(out, cron->rare->notes);
	add_join(cron, out);
}
