/* SPDX-License-Identifier: MIT */
/*
 * The library reaps its own children within a turn of the loop. So a zombie
 * that is still there at a second look, a while later, is nobody's: only such
 * are taken, and never by waiting for just any child.
 */
#include "server/orphans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <event2/event.h>
#include "executor/process_tree.h"

#define ORPHANS_MAX 1024 /* remembered from one look to the next; the rest has its turn later */

struct orphans {
	struct event *look;      /* pending while there may be some */
	pid_t seen[ORPHANS_MAX]; /* dead at the last look */
	unsigned seen_count;
	pid_t fresh[ORPHANS_MAX]; /* dead at this look for the first time */
	unsigned fresh_count;
};

static const struct timeval orphans_pause = {.tv_sec = 5};

/* Leave it alone? Yes when it is seen dead for the first time. */
static bool orphans_is_fresh(pid_t pid, void *context)
{
	struct orphans *orphans = context;

	for (unsigned i = 0; i < orphans->seen_count; i++) {
		if (orphans->seen[i] == pid)
			return false;
	}
	if (orphans->fresh_count < ORPHANS_MAX)
		orphans->fresh[orphans->fresh_count++] = pid;
	return true;
}

static void orphans_look(evutil_socket_t fd, short what, void *context)
{
	struct orphans *orphans = context;

	(void)fd;
	(void)what;
	orphans->fresh_count = 0;
	process_tree_reap_orphans(orphans_is_fresh, orphans);
	memcpy(orphans->seen, orphans->fresh, orphans->fresh_count * sizeof(pid_t));
	orphans->seen_count = orphans->fresh_count;
	if (orphans->seen_count)
		event_add(orphans->look, &orphans_pause);
}

int orphans_new(struct event_base *base, struct orphans **out, struct schedd_error *err)
{
	struct orphans *orphans = calloc(1, sizeof(*orphans));

	if (!orphans)
		return schedd_error_nomem(err);
	orphans->look = event_new(base, -1, 0, orphans_look, orphans);
	if (!orphans->look || prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0) {
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
	free(orphans);
}

void orphans_child_ended(struct orphans *orphans)
{
	/* Not put off by further ones, or a busy daemon would never look. */
	if (!event_pending(orphans->look, EV_TIMEOUT, NULL))
		event_add(orphans->look, &orphans_pause);
}
