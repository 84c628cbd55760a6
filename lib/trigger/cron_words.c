/* SPDX-License-Identifier: MIT */
/*
 * A schedule in English. Told from the sets and not from the text, so that the
 * words hold whatever way the sets were written.
 */
#include "trigger/cron_wall.h"
#include "trigger/cron_words_part.h"

void cron_words(const struct cron *cron, struct strbuf *out)
{
	cron_words_time(cron, out);
	cron_words_date(cron, out);
	if (cron_wall_next(cron, 0) == CRON_WALL_NEVER)
		strbuf_add(out, " (never: there is no such date)");
}
