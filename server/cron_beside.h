/* SPDX-License-Identifier: MIT */
/* Is another cron at work on this machine, which would run every table a second time? */
#ifndef SCHEDD_SERVER_CRON_BESIDE_H
#define SCHEDD_SERVER_CRON_BESIDE_H

#include <stdbool.h>
#include <stddef.h>

/* root: where /run and /etc are, "" for the machine's own. Says who it is. */
bool cron_beside_find(const char *root, char *words, size_t size);

#endif
