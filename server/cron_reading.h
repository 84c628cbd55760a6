/* SPDX-License-Identifier: MIT */
/* Reads the tables that are pending and makes jobs of their lines. For cron_tables.c alone. */
#ifndef SCHEDD_SERVER_CRON_READING_H
#define SCHEDD_SERVER_CRON_READING_H

#include <event2/util.h>
#include "server/cron_state.h"

/* Begins with what is pending, as far as there is room; those who wait are told in the end. */
void cron_reading_next(struct cron_tables *tables);
/* The event's callback: goes on with a table that is long; context is the struct cron_tables. */
void cron_reading_turn(evutil_socket_t fd, short what, void *context);
/* What it holds of a table, if anything. */
void cron_reading_clear(struct cron_reading *reading);
/* It is in no list. */
void cron_tab_free(struct cron_tab *tab);

#endif
