/* SPDX-License-Identifier: MIT */
/*
 * Who knocks: a connection waits at the door until the system's databases have
 * said who that is. They are asked off the loop, once for all of an account.
 */
#ifndef SCHEDD_SERVER_RPC_RPC_DOOR_H
#define SCHEDD_SERVER_RPC_RPC_DOOR_H

#include "server/rpc/rpc_state.h"
#include "server/users.h"

struct rpc_door;

/* What becomes of a connection: err NULL: caller is who it is; else it is refused. Takes fd. */
typedef void (*rpc_door_fn)(struct rpc *rpc, int fd, uid_t uid, pid_t pid,
    const struct users_caller *caller, const struct schedd_error *err);

/* The uid is as the kernel has told it. call may come within. */
void rpc_door_knock(struct rpc *rpc, int fd, uid_t uid, pid_t pid, rpc_door_fn call);
/* As users_judge(), for who was let in before; waits a moment at most. SCHEDD_EFAILED: nobody has said it yet. */
int rpc_door_judge(struct rpc *rpc, uid_t uid, struct users_caller *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Nobody is let in any more: who waits is sent away. */
void rpc_door_close(struct rpc *rpc);

#endif
