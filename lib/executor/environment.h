/* SPDX-License-Identifier: MIT */
/*
 * The environment of a command: a small clean one, as cron's, then what the
 * job and the request add, then what schedd says about the run.
 */
#ifndef SCHEDD_EXECUTOR_ENVIRONMENT_H
#define SCHEDD_EXECUTOR_ENVIRONMENT_H

#include "base/arena.h"
#include "executor/account.h"
#include "executor/executor.h"

#define ENVIRONMENT_PATH "/usr/local/bin:/usr/bin:/bin"

/*
 * files: NAME and path of each secret, which becomes NAME_FILE. Returns a
 * NULL-terminated list of "NAME=text" in the arena (pointers into the job
 * included, so it lives no longer than request); NULL: no memory.
 *
 * A request without run_id is none of a run: nothing is said about one. No name occurs twice. Of two that say different things: schedd's own
 * SCHEDD_* win over secrets, those over request->extra_env, that over the
 * job's env, that over the defaults.
 */
const char *const *environment_build(const struct task_request *request,
    const struct account *account, const struct job_pairs *files, struct arena *arena);

#endif
