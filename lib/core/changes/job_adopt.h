/* SPDX-License-Identifier: MIT */
/* Changes that others made in a store: they take effect here without being written. */
#ifndef SCHEDD_CORE_CHANGES_JOB_ADOPT_H
#define SCHEDD_CORE_CHANGES_JOB_ADOPT_H

#include "core/changes/change.h"

/* A store_watch_fn; context is the store's slot. */
void job_adopt(const struct store_change *change, void *context);

#endif
