/* SPDX-License-Identifier: MIT */
/* The end of a compiled schedule and what it knows about itself. */
#include "trigger/cron_set.h"

#include <stdlib.h>

void cron_free(struct cron *cron)
{
	if (!cron)
		return;
	if (cron->rare)
		free(cron->rare->notes);
	free(cron->rare);
	free(cron);
}

enum cron_dialect cron_dialect(const struct cron *cron)
{
	return (enum cron_dialect)cron->dialect;
}

const char *cron_text(const struct cron *cron)
{
	return cron->text;
}

bool cron_has_draw(const struct cron *cron)
{
	return cron->flags & CRON_DRAWN;
}

bool cron_has_hash(const struct cron *cron)
{
	return cron->flags & CRON_HASHED;
}
