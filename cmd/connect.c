/* SPDX-License-Identifier: MIT */
/* The search order and the default places are those of schedctl(1); the server's paths.c is the
 * other half.
 */
#include "cmd/connect.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_SYSTEM_SOCKET "/run/schedd/schedd.sock"

/* A directory under the temp directory is believed only if it is ours alone. */
static bool connect_private(const char *directory)
{
	struct stat st;

	return lstat(directory, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 077) == 0;
}

/* The socket of the caller's own daemon; NULL: there is no safe place for one. */
static const char *connect_user_socket(struct arena *arena)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *temp = getenv("TMPDIR");
	const char *directory;

	if (runtime && runtime[0] == '/')
		return arena_printf(arena, "%s/schedd/schedd.sock", runtime);
	directory = arena_printf(
	    arena, "%s/schedd-%ld", temp && temp[0] == '/' ? temp : "/tmp", (long)geteuid());
	if (!directory || !connect_private(directory))
		return NULL;
	return arena_printf(arena, "%s/schedd.sock", directory);
}

/* A daemon of somebody else's would be told what we want, and could tell us anything. */
static int connect_trust(struct rpc_client **client, const char *path, struct schedd_error *err)
{
	struct ucred peer = {.uid = geteuid()};
	socklen_t length = sizeof(peer);

	if (getsockopt(rpc_client_fd(*client), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	    (peer.uid == geteuid() || peer.uid == 0))
		return 0;
	rpc_client_close(*client);
	*client = NULL;
	return schedd_error_set(err, SCHEDD_EPERM,
	    "%s belongs to uid %ld, neither to you nor to root, and is not trusted; act as that "
	    "user, or name the socket of your own daemon",
	    path, (long)peer.uid);
}

static int connect_socket(
    const char *path, schedd_span timeout, struct rpc_client **out, struct schedd_error *err)
{
	int rc = rpc_client_connect(path, timeout, out, err);

	return rc ? rc : connect_trust(out, path, err);
}

int connect_daemon(struct arena *arena, const char *socket, schedd_span timeout,
    struct rpc_client **out, const char **reached, struct schedd_error *err)
{
	const char *named = socket ? socket : getenv("SCHEDD_SOCKET");
	const char *user;
	int rc;

	if (named && named[0]) {
		*reached = named;
		return connect_socket(named, timeout, out, err);
	}
	user = geteuid() == 0 ? NULL : connect_user_socket(arena);
	if (user) {
		*reached = user;
		rc = connect_socket(user, timeout, out, err);
		if (rc != SCHEDD_EUNREACHABLE)
			return rc;
	}
	*reached = CONNECT_SYSTEM_SOCKET;
	rc = connect_socket(CONNECT_SYSTEM_SOCKET, timeout, out, err);
	if (rc == SCHEDD_EUNREACHABLE)
		return schedd_error_set(err, rc,
		    "schedd is not reachable: nothing listens at %s%s" CONNECT_SYSTEM_SOCKET
		    "; start it with: schedd &",
		    user ? user : "", user ? " or " : "");
	return rc;
}
