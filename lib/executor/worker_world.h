/* SPDX-License-Identifier: MIT */
/*
 * What worker processes are started with: the program, its environment, its
 * account. The same for all processes of an executor, but for the account
 * where each has its own.
 */
#ifndef SCHEDD_EXECUTOR_WORKER_WORLD_H
#define SCHEDD_EXECUTOR_WORKER_WORLD_H

#include <sys/types.h>
#include "executor/account.h"
#include "executor/executor.h"
#include "executor/spawner_want.h"
#include "executor/worker_config.h"

struct worker_world;

/*
 * executor: what stays, borrowed. given: what the executor is opened with; its worker config and
 * what schedd was started with are copied. To be freed after a failure, too.
 */
int worker_world_new(const struct executor_config *executor, const struct executor_config *given,
    struct worker_world **out, struct schedd_error *err) __attribute__((warn_unused_result));
void worker_world_free(struct worker_world *world);
const struct worker_config *worker_world_config(const struct worker_world *world);
const struct executor_config *worker_world_executor(const struct worker_world *world);
/* Whom its processes run as is looked up there. */
struct account_cache *worker_world_accounts(const struct worker_world *world);
/* Whom a process for that user runs as; NULL: the one of the config, which may be NULL as well. */
const char *worker_world_user(const struct worker_world *world, const char *user);
/*
 * Asks for a process of that account with these descriptors as 3, 1 and 2; they stay
 * the caller's. See spawner_want().
 */
struct spawner_wanted *worker_world_spawn(struct worker_world *world,
    const struct account *account, const int fds[3], spawner_wanted_fn done, void *context, struct schedd_error *err);
/*
 * The folder of schedd_worker.py: beside the program where it runs from its
 * build tree, otherwise where it is installed; SCHEDD_WORKER_DIR beats both.
 * text needs PATH_MAX bytes.
 */
void worker_world_folder(char *text);

#endif
