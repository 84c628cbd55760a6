/* SPDX-License-Identifier: MIT */
/*
 * The library reaps its own children within a turn of the loop. So a zombie
 * that is still there at a second look, a while later, is nobody's: only such
 * are taken, and never by waiting for just any child.
 *
 * A signal for each child that ends would cost a busy daemon more than its end:
 * the first is heard, the rest when it has been looked at.
 */
#include "server/orphans.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <event2/event.h>
#include "executor/process_tree.h"

#define ORPHANS_MAX 1024 /* remembered from one look to the next; the rest has its turn later */

/* Between two looks a busy daemon may come by a pid again. */
struct orphan {
	pid_t pid;
	uint64_t start;
};

struct orphans {
	struct event *died; /* SIGCHLD; heard while look is not pending */
	struct event *look; /* pending while there may be some */
	struct orphan seen[ORPHANS_MAX]; /* dead at the last look */
	unsigned seen_count;
	struct orphan fresh[ORPHANS_MAX]; /* dead at this look for the first time */
	unsigned fresh_count;
};

static const struct timeval orphans_pause = {.tv_sec = 5};

/* Leave it alone? Yes when it is seen dead for the first time. */
static bool orphans_is_fresh(pid_t pid, uint64_t start, void *context)
{
	struct orphans *orphans = context;

	for (unsigned i = 0; i < orphans->seen_count; i++) {
		if (orphans->seen[i].pid == pid && orphans->seen[i].start == start)
			return false;
	}
	if (orphans->fresh_count < ORPHANS_MAX)
		orphans->fresh[orphans->fresh_count++] = (struct orphan){pid, start};
	return true;
}

static void orphans_look_later(struct orphans *orphans)
{
	/* Without a look to come the signal is all there is. */
	if (event_add(orphans->look, &orphans_pause) == 0)
		event_del(orphans->died);
}

static void orphans_look(evutil_socket_t fd, short what, void *context)
{
	struct orphans *orphans = context;

	(void)fd;
	(void)what;
	/* Whoever dies from here on is heard of. */
	if (event_add(orphans->died, NULL) < 0)
		event_add(orphans->look, &orphans_pause);
	orphans->fresh_count = 0;
	process_tree_reap_orphans(orphans_is_fresh, orphans);
	memcpy(orphans->seen, orphans->fresh, orphans->fresh_count * sizeof(orphans->fresh[0]));
	orphans->seen_count = orphans->fresh_count;
	if (orphans->seen_count)
		orphans_look_later(orphans);
}

static void orphans_child_ended(evutil_socket_t signo, short what, void *context)
{
	(void)signo;
	(void)what;
	orphans_look_later(context);
}

int orphans_new(struct event_base *base, struct orphans **out, struct schedd_error *err)
{
	struct orphans *orphans = calloc(1, sizeof(*orphans));

	if (!orphans)
		return schedd_error_nomem(err);
	orphans->look = event_new(base, -1, 0, orphans_look, orphans);
	orphans->died = evsignal_new(base, SIGCHLD, orphans_child_ended, orphans);
	if (!orphans->look || !orphans->died || event_add(orphans->died, NULL) < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0) {
		orphans_free(orphans);
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot become a subreaper: %s", strerror(errno));
	}
	*out = orphans;
	return 0;
}

void orphans_free(struct orphans *orphans)
{
	if (!orphans)
		return;
	if (orphans->look)
		event_free(orphans->look);
	if (orphans->died)
		event_free(orphans->died);
	free(orphans);
}
