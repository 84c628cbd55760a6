/* SPDX-License-Identifier: MIT */
/*
 * Accounts whose jobs are held, and let go on. The server judges most of it; that PAM
 * refuses an account is known by a start that it did not let happen: that run
 * waits as if it had not been tried, and the account is asked about again, each
 * minute and whenever accounts of the machine have changed.
 */
#ifndef SCHEDD_CORE_RUNS_ACCOUNT_HOLD_H
#define SCHEDD_CORE_RUNS_ACCOUNT_HOLD_H

#include "core/runs/run_live.h"

/* Was the attempt refused for its account? Then the run waits for that, and true is returned. */
bool account_hold_take(struct run_live *live, const struct task_result *result);

#endif
