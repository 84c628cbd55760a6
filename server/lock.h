/* SPDX-License-Identifier: MIT */
/* A file that one process holds: one daemon a state directory, one a socket. */
#ifndef SCHEDD_SERVER_LOCK_H
#define SCHEDD_SERVER_LOCK_H

#include <schedd/error.h>

struct lock {
	int fd;     /* -1: not held */
	int folder; /* the directory; -1: not held */
	char *path; /* owned */
};

/*
 * Takes the file (created with mode 0600) and writes the pid into it. what:
 * "state directory '/var/lib/schedd'", for the sentence of SCHEDD_EFAILED that
 * names the pid of the holder. SCHEDD_EPERM: the file cannot be written.
 */
int lock_take(struct lock *lock, const char *path, const char *what, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * Holds the directory itself too, which nobody can remove and make anew while
 * it is in use; released with it.
 */
int lock_take_directory(struct lock *lock, const char *directory, const char *what,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Removes the file and lets go. Not held is fine. */
void lock_release(struct lock *lock);

#endif
