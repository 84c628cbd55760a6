/* SPDX-License-Identifier: MIT */
/*
 * How other threads hand results to the loop's thread: a lock-free stack that
 * is emptied at once and turned round, and an eventfd that wakes the loop.
 */
#ifndef SCHEDD_LOOP_MAILBOX_H
#define SCHEDD_LOOP_MAILBOX_H

#include <stdbool.h>
#include <schedd/clock.h>
#include <schedd/loop.h>

struct mailbox;

/* Embedded in what is posted, so that posting needs no memory and cannot fail. */
struct mailbox_letter {
	struct mailbox_letter *next; /* the mailbox's */
	void (*open)(
	    struct mailbox_letter *letter); /* called on the loop's thread; owns the letter */
};

/* Embedded in what puts something off while the mailbox is held. */
struct mailbox_errand {
	struct mailbox_errand *next; /* the mailbox's */
	bool noted;                  /* likewise; false at first */
	void (*run)(struct mailbox_errand *errand);
};

/* loop NULL: nothing wakes; the owner calls mailbox_deliver(). */
struct mailbox *mailbox_new(struct schedd_loop *loop, struct schedd_error *err);
/* Undelivered letters are opened first. Threads that post must have ended. NULL is fine. */
void mailbox_free(struct mailbox *box);
/* From any thread. The first letter in an empty box wakes the loop. */
void mailbox_post(struct mailbox *box, struct mailbox_letter *letter);
/* Several at once, linked by next from the newest to the oldest: the loop wakes once for all. */
void mailbox_post_chain(
    struct mailbox *box, struct mailbox_letter *newest, struct mailbox_letter *oldest);
/* Opens all letters, in the order they were posted. Returns how many. */
int mailbox_deliver(struct mailbox *box);
/*
 * Blocks the loop's thread until a letter arrives, then delivers; for the
 * library's blocking calls. May be called while a letter is being opened: the
 * ones behind it are delivered then.
 */
int mailbox_wait(struct mailbox *box);
/* The same for at most limit (SCHEDD_SPAN_NONE: no limit). 0: nothing came. */
int mailbox_wait_for(struct mailbox *box, schedd_span limit);
/*
 * For letters that the loop's own thread posts to itself: between hold and
 * release (which may be nested) they wait in the box without its bell, and are
 * opened by settle, or by the loop's next turn.
 */
void mailbox_put(struct mailbox *box, struct mailbox_letter *letter);
void mailbox_hold(struct mailbox *box);
/* Opens some of what was put, in its order, and what that brings forth. True: there was something. */
bool mailbox_settle(struct mailbox *box);
void mailbox_release(struct mailbox *box);
/*
 * On the loop's thread: the errand is run once, when the last hold is released or somebody waits
 * for letters before. False: nothing is held, run it yourself. Noting it again changes nothing.
 */
bool mailbox_put_off(struct mailbox *box, struct mailbox_errand *errand);
/* It is not run, if it still was to be. */
void mailbox_call_off(struct mailbox *box, struct mailbox_errand *errand);

#endif
