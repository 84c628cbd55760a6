/* SPDX-License-Identifier: MIT */
/*
 * A thread for work on directories of any size, which would stall the loop. It
 * is there only while there is work, one piece after the other.
 */
#ifndef SCHEDD_CORE_FRAME_JANITOR_H
#define SCHEDD_CORE_FRAME_JANITOR_H

#include <stdbool.h>
#include "loop/mailbox.h"

struct janitor;

/* Embedded in what is to be done, which the janitor owns until done() is called. */
struct janitor_task {
	/* On the janitor's thread; must touch nothing of the scheduler. */
	void (*work)(struct janitor_task *task);
	/* On the loop's thread; owns the task. Also called, without work, when the janitor is
	 * freed. */
	void (*done)(struct janitor_task *task);
	struct janitor *janitor;
	struct janitor_task *next;    /* the janitor's */
	struct mailbox_letter letter; /* likewise */
};

/* NULL: no memory. */
struct janitor *janitor_new(struct mailbox *mailbox);
/* Waits until the task under way has seen that it is to stop; the rest is only called done. */
void janitor_free(struct janitor *janitor);
/* Queues it. Without a thread to be had it is done at once, on this one. */
void janitor_do(struct janitor *janitor, struct janitor_task *task);
/* For work(), from time to time: is it to come to an end? */
bool janitor_stopping(struct janitor *janitor);

#endif
