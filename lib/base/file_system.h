/* SPDX-License-Identifier: MIT */
/* Where files lie: on this machine, or where others have them at the same time. */
#ifndef SCHEDD_BASE_FILE_SYSTEM_H
#define SCHEDD_BASE_FILE_SYSTEM_H

#include <stdbool.h>

/* Room for the name of a file system. */
#define FILE_SYSTEM_NAME 64

/*
 * Is the path, or the directory where it would be made, on a file system that
 * several machines may have at once? Its name is told then ("NFS"). Locks and
 * maps of such a file do not hold, or are not seen, on the other machines. False
 * also where it cannot be found out.
 */
bool file_system_is_remote(const char *path, char name[FILE_SYSTEM_NAME]);

/*
 * The parts of it, for tests. By the number that statfs(2) gives: its name;
 * NULL: that of a machine's own, or of FUSE, which is anything.
 */
const char *file_system_number(long number);
/* What a FUSE file system of that device is called, in text as that of /proc/self/mountinfo; false: it is not there, or local. */
bool file_system_fuse(const char *mounts, unsigned major, unsigned minor, char name[FILE_SYSTEM_NAME]);

#endif
