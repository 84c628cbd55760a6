/* SPDX-License-Identifier: MIT */
/* Reads the tables that are pending and makes jobs of their lines. For cron_tables.c alone. */
#ifndef SCHEDD_SERVER_CRON_READING_H
#define SCHEDD_SERVER_CRON_READING_H

#include "server/cron_state.h"

/* Begins with what is pending, as far as there is room; those who wait are told in the end. */
void cron_reading_next(struct cron_tables *tables);
/* It is in no list. */
void cron_tab_free(struct cron_tab *tab);

#endif
