/* SPDX-License-Identifier: MIT */
/*
 * One store over two: jobs and claims in the one that is configured, runs and
 * changes in another (`history: NAME`).
 *
 * A batch goes to the job store, whole, and is answered when that has it. There
 * each run is a row "on hand" and each change a note until the history has it,
 * so that a restart finds in the job store alone what goes on, and finishes what
 * was on its way. Open runs stay on hand and never stand in the history: of a
 * run that another store's restart could take for its own there is none.
 */
#ifndef SCHEDD_STORE_STORE_SPLIT_H
#define SCHEDD_STORE_STORE_SPLIT_H

#include "store/store_ops.h"

/* ops: of the job store that config names; config->history outlives it. */
int store_split_open(const struct store_ops *ops, const struct store_config *config,
    struct store **out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
