/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a connection, judged anew whenever config or accounts have changed. */
#ifndef SCHEDD_SERVER_RPC_PEER_H
#define SCHEDD_SERVER_RPC_PEER_H

#include "server/rpc/rpc_state.h"
#include "server/users.h"

struct peer {
	struct users_caller caller;         /* by the kernel's word and the config's */
	char narrowed[JOB_ACCOUNT_MAX + 1]; /* what it asked to see; "": nothing */
	unsigned generation;                /* see rpc_generation(), when it was judged */
	bool vouched;                       /* another part of this process says who it is */
	bool forwarded;                     /* another node asks for it: not to be asked further */
	pid_t pid;                          /* from the kernel */
};

void peer_init(
    struct peer *peer, const struct rpc *rpc, const struct users_caller *caller, pid_t pid);
/*
 * Who asks, as the config in force has it. SCHEDD_EPERM: nobody who may, any more. *less: it may see less
 * than before; NULL: of no interest.
 */
int peer_judge(struct peer *peer, struct rpc *rpc, bool *less, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* It sees the jobs of that account alone from now on, as users_narrow(). */
int peer_narrow(struct peer *peer, const char *account, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
