/* SPDX-License-Identifier: MIT */
/*
 * Control groups (v2) that hold one attempt each, where schedd was given a
 * subtree to write to (systemd's Delegate=yes). No process leaves its group,
 * whatever it does with sessions, parents and environment.
 */
#ifndef SCHEDD_EXECUTOR_CGROUP_H
#define SCHEDD_EXECUTOR_CGROUP_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The directory of this process' own group, if it is not the root and groups
 * can be made in it. 0, or SCHEDD_ENOTFOUND.
 */
int cgroup_find(char *path, size_t size) __attribute__((warn_unused_result));
/*
 * Makes the group base/name (or takes it, if it is there). Writes its
 * directory to path and returns the descriptor of its cgroup.procs, to which
 * "0" is written by whoever joins; or -errno.
 */
int cgroup_make(const char *base, const char *name, char *path, size_t size);
/* SIGKILL to all in it at once. 0 or -errno (ENOENT before Linux 5.14). */
int cgroup_kill(const char *path);
/* Its processes; *out is to be freed with free(). How many; 0 if it cannot be read. */
int cgroup_members(const char *path, pid_t **out);
/* 0 or -errno: EBUSY while a process is in it. */
int cgroup_remove(const char *path);
/* Removes the groups in base whose names begin so and in which nobody is left. How many are still
 * there. */
int cgroup_sweep(const char *base, const char *prefix);

#endif
