/* SPDX-License-Identifier: MIT */
/* What accounts may give their jobs: what the config opens to them, within their limits. */
#ifndef SCHEDD_SERVER_USERS_GUARD_H
#define SCHEDD_SERVER_USERS_GUARD_H

#include <stdbool.h>
#include <schedd/error.h>
#include "core/scheduler.h"
#include "server/config.h"

/* Is the store, executor or group of that name open to users? `default` is unless the config says
 * otherwise. */
bool users_store_open(const struct config *config, const char *name);
bool users_executor_open(const struct config *config, const char *name);
bool users_group_open(const struct config *config, const char *name);

/* A scheduler_account_fn; context is the struct daemon in force. */
void users_judge_account(const char *account, struct scheduler_account *out, void *context);
/* A scheduler_guard_fn; context is the struct daemon. */
int users_guard(const struct schedd_job *job, const struct schedd_job *old, const char *account,
    void *context, struct schedd_error *err);

#endif
