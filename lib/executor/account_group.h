/* SPDX-License-Identifier: MIT */
/* Groups by their names, also those that have tens of thousands of members, as a directory's often do. */
#ifndef SCHEDD_EXECUTOR_ACCOUNT_GROUP_H
#define SCHEDD_EXECUTOR_ACCOUNT_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

/* From any thread; as long as the system's databases take. False: there is no such group, or they do not say. */
bool account_group_find(const char *name, gid_t *gid);

#endif
