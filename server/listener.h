/* SPDX-License-Identifier: MIT */
/* The socket schedd listens on: its own, or one that systemd hands over. */
#ifndef SCHEDD_SERVER_LISTENER_H
#define SCHEDD_SERVER_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>
#include <schedd/error.h>
#include "server/lock.h"

struct listener {
	int fd;       /* -1: closed; non-blocking */
	char *path;   /* owned; NULL: not ours to remove */
	dev_t device; /* of the socket file, so that only ours is removed */
	ino_t inode;
	struct lock lock; /* of the path, against a second daemon starting at the same moment */
};

/*
 * Listens at path with mode 0600. make_directory: the default place, whose
 * directory is made and checked; otherwise it must exist and is not judged. A
 * stale socket is replaced; SCHEDD_EFAILED for a live one, for a file that is no
 * socket, a missing directory; SCHEDD_EINVAL for a path that is too long.
 */
int listener_open(struct listener *listener, const char *path, bool make_directory,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Was a socket passed to this process (LISTEN_PID, LISTEN_FDS)? Takes it: 1. 0:
 * none. own: the path, if it was made by this very process before it ran anew,
 * so that its file is to be removed at the end; NULL: it stays.
 */
int listener_inherit(struct listener *listener, const char *own, struct schedd_error *err);
/* Removes the socket file if it is still ours. */
void listener_close(struct listener *listener);
/* The file stays for whoever goes on with the descriptor. */
void listener_leave(struct listener *listener);

/* Raises the soft limit of descriptors so that count clients and their jobs fit. Best effort. */
void listener_raise_limit(unsigned count);

/*
 * Lets everybody connect, or nobody but the daemon's user and root: the socket of
 * that path 0666 or 0600, and where directory is set its directory 0755 or 0700.
 * Who may go on is decided when a client is accepted.
 */
int listener_admit(const char *path, bool everybody, bool directory, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
