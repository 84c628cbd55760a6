/* SPDX-License-Identifier: MIT */
/* Exit statuses by number or name, as in SuccessExitStatus= of systemd.service(5). */
#ifndef SCHEDD_JOBFILE_SYSTEMD_STATUS_H
#define SCHEDD_JOBFILE_SYSTEMD_STATUS_H

#include <stddef.h>

/* The status that this word of so many bytes names; -1: none, a signal's name too. */
int systemd_status(const char *word, size_t length);

#endif
