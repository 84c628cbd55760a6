/* SPDX-License-Identifier: MIT */
/*
 * How other threads hand results to the loop's thread: a lock-free stack that
 * is emptied at once and turned round, and an eventfd that wakes the loop.
 */
#ifndef SCHEDD_LOOP_MAILBOX_H
#define SCHEDD_LOOP_MAILBOX_H

#include <schedd/loop.h>

struct mailbox;

/* Embedded in what is posted, so that posting needs no memory and cannot fail. */
struct mailbox_letter {
	struct mailbox_letter *next; /* the mailbox's */
	void (*open)(
	    struct mailbox_letter *letter); /* called on the loop's thread; owns the letter */
};

/* loop NULL: nothing wakes; the owner calls mailbox_deliver(). */
struct mailbox *mailbox_new(struct schedd_loop *loop, struct schedd_error *err);
/* Undelivered letters are opened first. Threads that post must have ended. NULL is fine. */
void mailbox_free(struct mailbox *box);
/* From any thread. The first letter in an empty box wakes the loop. */
void mailbox_post(struct mailbox *box, struct mailbox_letter *letter);
/* Opens all letters, in the order they were posted. Returns how many. */
int mailbox_deliver(struct mailbox *box);
/*
 * Blocks the loop's thread until a letter arrives, then delivers; for the
 * library's blocking calls. May be called while a letter is being opened: the
 * ones behind it are delivered then.
 */
int mailbox_wait(struct mailbox *box);

#endif
