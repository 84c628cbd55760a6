/* SPDX-License-Identifier: MIT */
/* One item of a list in a crontab field. */
#ifndef SCHEDD_TRIGGER_CRON_CRONTAB_ITEM_H
#define SCHEDD_TRIGGER_CRON_CRONTAB_ITEM_H

#include "trigger/cron_draft.h"
#include "trigger/cron_reader.h"

/* Where the item is read from and what it goes into. */
struct crontab_item {
	struct cron_reader *reader; /* at the item's first byte; afterwards behind its last */
	struct cron_draft *draft;
	enum cron_field field;
	const char *start; /* for the reader's own use */
};

/* Reads up to what cannot belong to the item. SCHEDD_EINVAL. */
int cron_crontab_item_parse(struct crontab_item *item) __attribute__((warn_unused_result));

#endif
