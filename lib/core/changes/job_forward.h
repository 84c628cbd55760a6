/* SPDX-License-Identifier: MIT */
/* Jobs of a server that lacks what the one before it had answered; see store_behind(). */
#ifndef SCHEDD_CORE_CHANGES_JOB_FORWARD_H
#define SCHEDD_CORE_CHANGES_JOB_FORWARD_H

#include "core/changes/change.h"

/* More runs than a node begins of a job while a standby lags. */
#define JOB_FORWARD_GAP 100000

/* Is the job that was read known here as it was later? Then that is written instead, and what was read is taken. */
bool job_forward(struct change *change, const struct entry *entry);
/* The job is there no more: says so, if that server lacks it. */
void job_forward_gone(const struct change *change, const struct entry *entry);
/* Nobody knows how far that node had come with it: it is paused, and its numbers go on far behind. */
void job_hold(struct entry *entry, const char *node);

#endif
