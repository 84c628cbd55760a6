/* SPDX-License-Identifier: MIT */
/*
 * Each account has ids of its own: alice's backup is "backup" to her and
 * "alice:backup" to those who see the jobs of all. The scheduler knows full ids
 * alone; here they are made of what callers write, and made again what callers
 * read. What is not the caller's becomes an id that nobody has.
 */
#ifndef SCHEDD_SERVER_RPC_RPC_NAMES_H
#define SCHEDD_SERVER_RPC_RPC_NAMES_H

#include <schedd/error.h>
#include "base/value.h"
#include "proto/methods.h"
#include "server/users.h"

struct schedd_scheduler;

/* SCHEDD_EPERM: the method is not for the caller. */
int rpc_names_admit(const struct users_caller *caller, const struct method *method,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Makes full ids of the parameters that the method's rows call ids. SCHEDD_EPERM:
 * the method is not for that job, which is another's.
 */
int rpc_names_in(const struct users_caller *caller, const struct method *method,
    struct schedd_scheduler *scheduler, struct value *params, struct arena *arena,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The value as who sees the jobs of that account alone reads it; view "": as it is. Changes maps
 * and lists in place, texts are made in the arena. */
void rpc_names_out(const char *view, struct value *value, struct arena *arena);
/* The same of a sentence: of size bytes, in place. */
void rpc_names_out_text(const char *view, char *text);
/* Is the job, or run, of that full id one of those that the view shows? */
bool rpc_names_shown(const char *view, const char *id);

#endif
