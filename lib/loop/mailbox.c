/* SPDX-License-Identifier: MIT */
/* Letters are pushed by compare-and-swap; whoever finds the box empty rings the eventfd. */
#include "loop/mailbox.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include "loop/loop.h"

/* Letters opened in one settle. */
#define MAILBOX_SETTLE_MAX 256
/* Letters are opened for so many microseconds in one turn of the loop. */
#define MAILBOX_TURN 8000

struct mailbox {
	struct schedd_loop *loop;
	struct schedd_watch *watch;             /* of bell; NULL without a loop */
	_Atomic(struct mailbox_letter *) inbox; /* newest first */
	struct mailbox_letter *opening;         /* oldest first; the loop's thread only */
	struct mailbox_letter *own;             /* put by that thread, oldest first; likewise */
	struct mailbox_letter **own_end;        /* where the next is linked */
	unsigned held;                          /* holds not settled yet */
	struct mailbox_errand *errands;         /* put off until none is held, newest first */
	int bell;                               /* eventfd */
};

static void mailbox_ring(struct mailbox *box)
{
	const uint64_t one = 1;

	while (write(box->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void mailbox_post_chain(
    struct mailbox *box, struct mailbox_letter *newest, struct mailbox_letter *oldest)
{
	struct mailbox_letter *head = atomic_load_explicit(&box->inbox, memory_order_relaxed);

	do
		oldest->next = head;
	while (!atomic_compare_exchange_weak_explicit(
	    &box->inbox, &head, newest, memory_order_release, memory_order_relaxed));
	/* The counter cannot overflow: it is rung once for each emptying. */
	if (!head)
		mailbox_ring(box);
}

void mailbox_post(struct mailbox *box, struct mailbox_letter *letter)
{
	mailbox_post_chain(box, letter, letter);
}

/* Moves what was posted behind what is still to be opened, oldest first. */
static void mailbox_collect(struct mailbox *box)
{
	struct mailbox_letter *letter =
	    atomic_exchange_explicit(&box->inbox, NULL, memory_order_acquire);
	struct mailbox_letter *turned = NULL, **tail = &box->opening;

	while (letter) {
		struct mailbox_letter *next = letter->next;

		letter->next = turned;
		turned = letter;
		letter = next;
	}
	while (*tail)
		tail = &(*tail)->next;
	*tail = turned;
	while (*tail)
		tail = &(*tail)->next;
	*tail = box->own;
	box->own = NULL;
	box->own_end = &box->own;
}

static void mailbox_open_one(struct mailbox *box)
{
	struct mailbox_letter *letter = box->opening;

	box->opening = letter->next;
	letter->open(letter);
}

/* Silences the bell before emptying the box: a letter posted in between rings again. */
static void mailbox_fetch(struct mailbox *box)
{
	uint64_t rung;

	while (read(box->bell, &rung, sizeof(rung)) < 0 && errno == EINTR)
		;
	mailbox_collect(box);
}

static void mailbox_run_errands(struct mailbox *box)
{
	while (box->errands) {
		struct mailbox_errand *errand = box->errands;

		box->errands = errand->next;
		errand->noted = false;
		errand->run(errand);
	}
}

int mailbox_deliver(struct mailbox *box)
{
	int count = 0;

	/* What is waited for may be what was put off. */
	mailbox_run_errands(box);
	mailbox_fetch(box);
	for (; box->opening; count++)
		mailbox_open_one(box);
	return count;
}

/* Long answers of many are not all opened at once. */
static void mailbox_ready(int fd, unsigned ready, void *context)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = clock->mono(clock->context).us + MAILBOX_TURN;
	struct mailbox *box = context;

	(void)fd;
	(void)ready;
	mailbox_fetch(box);
	while (box->opening && clock->mono(clock->context).us < end)
		mailbox_open_one(box);
	if (box->opening)
		mailbox_ring(box);
}

struct mailbox *mailbox_new(struct schedd_loop *loop, struct schedd_error *err)
{
	struct mailbox *box = calloc(1, sizeof(*box));

	if (!box) {
		schedd_error_nomem(err);
		return NULL;
	}
	box->loop = loop;
	box->own_end = &box->own;
	atomic_init(&box->inbox, NULL);
	box->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (box->bell < 0) {
		schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make an eventfd: %s", strerror(errno));
		goto fail;
	}
	if (loop) {
		box->watch = loop_watch(loop, box->bell, SCHEDD_READ, mailbox_ready, box, err);
		if (!box->watch)
			goto fail;
	}
	return box;
fail:
	if (box->bell >= 0)
		close(box->bell);
	free(box);
	return NULL;
}

void mailbox_free(struct mailbox *box)
{
	if (!box)
		return;
	while (mailbox_deliver(box) > 0)
		;
	loop_unwatch(box->loop, box->watch);
	close(box->bell);
	free(box);
}

int mailbox_wait(struct mailbox *box)
{
	return mailbox_wait_for(box, SCHEDD_SPAN_NONE);
}

int mailbox_wait_for(struct mailbox *box, schedd_span limit)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = limit == SCHEDD_SPAN_NONE ? 0 : clock->mono(clock->context).us + limit;
	struct pollfd bell = {.fd = box->bell, .events = POLLIN};
	int count = mailbox_deliver(box);

	while (count == 0) {
		int64_t left = -1;

		if (limit != SCHEDD_SPAN_NONE) {
			left = (end - clock->mono(clock->context).us + 999) / 1000;
			if (left <= 0)
				return 0;
		}
		if (poll(&bell, 1, left < INT_MAX ? (int)left : INT_MAX) < 0 && errno != EINTR)
			return SCHEDD_EFAILED;
		count = mailbox_deliver(box);
	}
	return count;
}

void mailbox_put(struct mailbox *box, struct mailbox_letter *letter)
{
	if (!box->held) {
		mailbox_post(box, letter);
		return;
	}
	letter->next = NULL;
	*box->own_end = letter;
	box->own_end = &letter->next;
}

void mailbox_hold(struct mailbox *box)
{
	box->held++;
}

bool mailbox_settle(struct mailbox *box)
{
	int count = 0;

	/* Letters that bring forth letters for ever must let the loop turn. */
	while (box->own && count < MAILBOX_SETTLE_MAX) {
		struct mailbox_letter *letter = box->own;

		box->own = letter->next;
		if (!box->own)
			box->own_end = &box->own;
		letter->open(letter);
		count++;
	}
	return count > 0;
}

void mailbox_release(struct mailbox *box)
{
	if (--box->held > 0)
		return;
	mailbox_run_errands(box);
	if (box->own)
		mailbox_ring(box);
}

bool mailbox_put_off(struct mailbox *box, struct mailbox_errand *errand)
{
	if (!box->held)
		return false;
	if (!errand->noted) {
		errand->noted = true;
		errand->next = box->errands;
		box->errands = errand;
	}
	return true;
}

void mailbox_call_off(struct mailbox *box, struct mailbox_errand *errand)
{
	struct mailbox_errand **at = &box->errands;

	if (!errand->noted)
		return;
	while (*at != errand)
		at = &(*at)->next;
	*at = errand->next;
	errand->noted = false;
}
