/* SPDX-License-Identifier: MIT */
#include "executor/graveyard.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "executor/child.h"

#define GRAVEYARD_TURNS 50 /* of a millisecond */

struct grave {
	struct grave *next;
	struct graveyard *graveyard;
	struct child *child;
};

struct graveyard {
	struct schedd_loop *loop;
	const struct schedd_clock *clock;
	struct grave *graves;
};

struct graveyard *graveyard_new(struct schedd_loop *loop, const struct schedd_clock *clock)
{
	struct graveyard *graveyard = calloc(1, sizeof(*graveyard));

	if (graveyard)
		*graveyard = (struct graveyard){.loop = loop, .clock = clock};
	return graveyard;
}

static void grave_ended(void *context)
{
	struct grave *grave = context, **at = &grave->graveyard->graves;
	struct child_exit status;

	while (*at != grave)
		at = &(*at)->next;
	*at = grave->next;
	child_reap(grave->child, &status);
	free(grave);
}

void graveyard_take(struct graveyard *graveyard, pid_t pid)
{
	struct grave *grave;
	struct schedd_error err;

	if (pid <= 0 || waitpid(pid, NULL, WNOHANG) != 0)
		return;
	/* Without memory it stays a zombie until this process ends. */
	grave = calloc(1, sizeof(*grave));
	if (!grave)
		return;
	grave->graveyard = graveyard;
	grave->child = child_new(graveyard->loop, graveyard->clock, pid,
	    (int)syscall(SYS_pidfd_open, pid, 0), grave_ended, grave, &err);
	if (!grave->child) {
		free(grave);
		return;
	}
	grave->next = graveyard->graves;
	graveyard->graves = grave;
}

bool graveyard_has(const struct graveyard *graveyard, pid_t pid)
{
	const struct grave *grave = graveyard->graves;

	while (grave && child_pid(grave->child) != pid)
		grave = grave->next;
	return grave != NULL;
}

/* Lets go of those that have ended, or of all. */
static void graveyard_clear(struct graveyard *graveyard, bool all)
{
	struct grave **at = &graveyard->graves, *grave;

	while ((grave = *at)) {
		if (waitpid(child_pid(grave->child), NULL, WNOHANG) == 0 && !all) {
			at = &grave->next;
			continue;
		}
		*at = grave->next;
		child_release(grave->child);
		free(grave);
	}
}

void graveyard_free(struct graveyard *graveyard)
{
	const struct timespec turn = {.tv_nsec = 1000000};

	if (!graveyard)
		return;
	graveyard_clear(graveyard, false);
	for (int i = 0; graveyard->graves && i < GRAVEYARD_TURNS; i++) {
		nanosleep(&turn, NULL);
		graveyard_clear(graveyard, false);
	}
	graveyard_clear(graveyard, true);
	free(graveyard);
}
