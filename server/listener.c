/* SPDX-License-Identifier: MIT */
/*
 * A live socket is never replaced: a lock beside the path decides between two
 * daemons that start at once, a connection attempt tells a live socket from
 * the leftover of a crash.
 */
#include "server/listener.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "server/paths.h"

#define LISTENER_INHERITED_FD 3 /* SD_LISTEN_FDS_START */

static int listener_address(const char *path, struct sockaddr_un *address, struct schedd_error *err)
{
	size_t length = strlen(path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (length >= sizeof(address->sun_path))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "the socket path '%s' has %zu bytes, a socket's path may have %zu: choose a "
		    "shorter one with --socket",
		    path, length, sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, length + 1);
	return 0;
}

/* The directory of the path: made and checked, or only looked for. */
static int listener_directory(const char *path, bool make, struct schedd_error *err)
{
	char *directory = strdup(path);
	struct stat st;
	int rc = 0;

	if (!directory)
		return schedd_error_nomem(err);
	*strrchr(directory, '/') = '\0';
	if (make) {
		rc = paths_make_private(directory, geteuid(), err);
		if (!rc)
			rc = chmod(directory, 0700) < 0
				 ? schedd_error_set(err, SCHEDD_EPERM,
				       "cannot make '%s' private: %s", directory, strerror(errno))
				 : 0;
	} else if (directory[0] && stat(directory, &st) < 0) {
		rc = schedd_error_set(err, errno == EACCES ? SCHEDD_EPERM : SCHEDD_EFAILED,
		    "the directory '%s' of the socket: %s; schedd makes none for a socket path "
		    "that "
		    "was chosen",
		    directory, strerror(errno));
	}
	free(directory);
	return rc;
}

/*
 * Is the process that listened there still alive? A child that a killed daemon
 * was just starting keeps its socket open until it executes its program.
 */
static bool listener_peer_lives(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid <= 0)
		return true;
	return kill(peer.pid, 0) == 0 || errno != ESRCH;
}

/* What is there at the path? Removes the leftover of a daemon that is gone. */
static int listener_clear_path(const struct sockaddr_un *address, struct schedd_error *err)
{
	const char *path = address->sun_path;
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) < 0)
		return 0; /* bind will say what is wrong, if anything is */
	if (!S_ISSOCK(st.st_mode))
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "'%s' is there and is no socket: remove it or choose another --socket", path);
	if (st.st_uid != geteuid())
		return schedd_error_set(err, SCHEDD_EPERM,
		    "the socket '%s' belongs to uid %ld: choose another --socket", path,
		    (long)st.st_uid);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make a socket: %s", strerror(errno));
	rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	if (rc == 0 ? !listener_peer_lives(fd) : errno == ECONNREFUSED)
		rc = unlink(path) < 0
			 ? schedd_error_set(err, SCHEDD_EPERM,
			       "cannot remove the stale socket '%s': %s", path, strerror(errno))
			 : 0;
	else
		rc = schedd_error_set(err, SCHEDD_EFAILED,
		    "a daemon that is alive listens at '%s'; stop it, or choose another --socket",
		    path);
	close(fd);
	return rc;
}

static int listener_bind(
    struct listener *listener, const struct sockaddr_un *address, struct schedd_error *err)
{
	struct stat st;
	mode_t mask;
	int rc, reason;

	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make a socket: %s", strerror(errno));
	/* Only one thread runs yet, so nobody else's file gets this mask. */
	mask = umask(0177);
	rc = bind(listener->fd, (const struct sockaddr *)address, sizeof(*address));
	reason = errno;
	umask(mask);
	if (rc < 0)
		return schedd_error_set(err, reason == EACCES ? SCHEDD_EPERM : SCHEDD_EFAILED,
		    "cannot listen at '%s': %s", address->sun_path, strerror(reason));
	if (lstat(address->sun_path, &st) < 0 || listen(listener->fd, SOMAXCONN) < 0)
		return schedd_error_set(err, SCHEDD_EFAILED, "cannot listen at '%s': %s",
		    address->sun_path, strerror(errno));
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
	listener->path = strdup(address->sun_path);
	return listener->path ? 0 : schedd_error_nomem(err);
}

int listener_open(
    struct listener *listener, const char *path, bool make_directory, struct schedd_error *err)
{
	struct sockaddr_un address;
	char *lock_path = NULL, *what = NULL;
	int rc;

	memset(listener, 0, sizeof(*listener));
	listener->fd = listener->lock.fd = listener->lock.folder = -1;
	rc = listener_address(path, &address, err);
	if (!rc)
		rc = listener_directory(path, make_directory, err);
	if (rc)
		return rc;
	if (asprintf(&lock_path, "%s.lock", path) < 0 || asprintf(&what, "socket '%s'", path) < 0)
		rc = schedd_error_nomem(err);
	if (!rc)
		rc = lock_take(&listener->lock, lock_path, what, err);
	if (!rc)
		rc = listener_clear_path(&address, err);
	if (!rc)
		rc = listener_bind(listener, &address, err);
	free(lock_path);
	free(what);
	if (rc)
		listener_close(listener);
	return rc;
}

/* The file of the path is ours again. Were it not, losing the right to remove it is no harm. */
static int listener_adopt(struct listener *listener, const char *path, struct schedd_error *err)
{
	char *lock_path = NULL;
	struct stat st;
	int rc = 1;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return rc;
	if (asprintf(&lock_path, "%s.lock", path) < 0)
		return schedd_error_nomem(err);
	if (lock_take(&listener->lock, lock_path, "socket", NULL) == 0) {
		listener->device = st.st_dev;
		listener->inode = st.st_ino;
		listener->path = strdup(path);
	}
	free(lock_path);
	return rc;
}

int listener_inherit(struct listener *listener, const char *own, struct schedd_error *err)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int listening = 0, fd = LISTENER_INHERITED_FD;
	socklen_t size = sizeof(listening);

	memset(listener, 0, sizeof(*listener));
	listener->fd = listener->lock.fd = listener->lock.folder = -1;
	if (!pid || !count || strtol(pid, NULL, 10) != getpid())
		return 0;
	if (strcmp(count, "1") != 0)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "LISTEN_FDS is %s: schedd takes exactly one socket; look at schedd.socket",
		    count);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0 || !listening)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "the descriptor that was passed by LISTEN_FDS is no listening socket");
	/* Jobs and a program that takes over later must not believe it is theirs. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	listener->fd = fd;
	return own ? listener_adopt(listener, own, err) : 1;
}

int listener_admit(const char *path, bool everybody, bool directory, struct schedd_error *err)
{
	char *folder = strdup(path);
	struct stat st;
	int rc = 0;

	if (!folder)
		return schedd_error_nomem(err);
	*strrchr(folder, '/') = '\0';
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    chmod(path, everybody ? 0666 : 0600) < 0)
		rc = schedd_error_set(err, SCHEDD_EPERM, "cannot set the mode of '%s': %s", path,
		    strerror(errno));
	if (!rc && directory && chmod(folder, everybody ? 0755 : 0700) < 0)
		rc = schedd_error_set(err, SCHEDD_EPERM, "cannot set the mode of '%s': %s", folder,
		    strerror(errno));
	free(folder);
	return rc;
}

void listener_leave(struct listener *listener)
{
	free(listener->path);
	listener->path = NULL;
}

void listener_close(struct listener *listener)
{
	struct stat st;

	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	if (listener->path && lstat(listener->path, &st) == 0 && st.st_dev == listener->device &&
	    st.st_ino == listener->inode)
		unlink(listener->path);
	free(listener->path);
	listener->path = NULL;
	lock_release(&listener->lock);
}

void listener_raise_limit(unsigned count)
{
	/* A running job takes up to four descriptors of ours: pidfd, two pipes, output file. */
	rlim_t wanted = (rlim_t)count + 16384;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	setrlimit(RLIMIT_NOFILE, &limit);
}
