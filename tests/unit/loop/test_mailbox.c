/* SPDX-License-Identifier: MIT */
#include "loop/mailbox.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <schedd/loop.h>

/* A letter that notes when it was opened. */
struct note {
	struct mailbox_letter letter; /* first */
	struct book *book;
	int writer;
	int number;
};

struct book {
	struct mailbox *box;
	int opened;
	int last[4];  /* highest number opened of each writer */
	bool ordered; /* each writer's notes came in order */
	bool nested;  /* a note waits for the next one */
};

static void note_open(struct mailbox_letter *letter)
{
	struct note *note = (struct note *)letter;
	struct book *book = note->book;

	if (note->number != book->last[note->writer] + 1)
		book->ordered = false;
	book->last[note->writer] = note->number;
	book->opened++;
	free(note);
	if (book->nested) {
		book->nested = false;
		cr_expect_geq(mailbox_wait(book->box), 1);
	}
}

static void note_post(struct book *book, int writer, int number)
{
	struct note *note = calloc(1, sizeof(*note));

	note->letter.open = note_open;
	note->book = book;
	note->writer = writer;
	note->number = number;
	mailbox_post(book->box, &note->letter);
}

struct writer {
	struct book *book;
	int index;
};

enum { WRITERS = 4, NOTES = 5000 };

static void *writer_run(void *context)
{
	struct writer *writer = context;

	for (int i = 1; i <= NOTES; i++)
		note_post(writer->book, writer->index, i);
	return NULL;
}

Test(mailbox, delivers_what_threads_post_in_their_order)
{
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct book book = {.ordered = true};
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];

	book.box = mailbox_new(loop, NULL);
	cr_assert_not_null(book.box);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){&book, i};
		cr_assert_eq(pthread_create(&threads[i], NULL, writer_run, &writers[i]), 0);
	}
	while (book.opened < WRITERS * NOTES)
		cr_assert_geq(schedd_loop_dispatch(loop, 10000), 1, "the loop was not woken");
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	cr_expect(book.ordered);
	mailbox_free(book.box);
	schedd_loop_free(loop);
}

Test(mailbox, keeps_the_order_of_a_chain)
{
	struct book book = {.ordered = true};
	struct note *notes[4];

	book.box = mailbox_new(NULL, NULL);
	note_post(&book, 0, 1);
	for (int i = 0; i < 4; i++) {
		notes[i] = calloc(1, sizeof(*notes[i]));
		*notes[i] = (struct note){{i ? &notes[i - 1]->letter : NULL, note_open}, &book, 0, i + 2};
	}
	mailbox_post_chain(book.box, &notes[3]->letter, &notes[0]->letter);
	note_post(&book, 0, 6);
	cr_expect_eq(mailbox_deliver(book.box), 6);
	cr_expect(book.ordered);
	mailbox_free(book.box);
}

Test(mailbox, opens_what_is_left_when_freed)
{
	struct book book = {.ordered = true};

	book.box = mailbox_new(NULL, NULL);
	note_post(&book, 0, 1);
	note_post(&book, 0, 2);
	mailbox_free(book.box);
	cr_expect_eq(book.opened, 2);
	cr_expect(book.ordered);
}

Test(mailbox, delivers_the_rest_to_a_letter_that_waits)
{
	struct book book = {.ordered = true, .nested = true};

	book.box = mailbox_new(NULL, NULL);
	note_post(&book, 0, 1);
	note_post(&book, 0, 2);
	cr_expect_eq(mailbox_wait(book.box), 1);
	cr_expect_eq(book.opened, 2);
	cr_expect(book.ordered);
	mailbox_free(book.box);
}

/* ---- Letters of the loop's own thread ---- */

static void note_put(struct book *book, int writer, int number)
{
	struct note *note = calloc(1, sizeof(*note));

	note->letter.open = note_open;
	note->book = book;
	note->writer = writer;
	note->number = number;
	mailbox_put(book->box, &note->letter);
}

Test(mailbox, settles_what_was_put_while_it_was_held)
{
	struct book book = {.ordered = true};

	book.box = mailbox_new(NULL, NULL);
	mailbox_hold(book.box);
	note_put(&book, 0, 1);
	mailbox_hold(book.box);
	note_put(&book, 0, 2);
	mailbox_release(book.box);
	cr_expect_eq(book.opened, 0);
	cr_expect(mailbox_settle(book.box));
	cr_expect_eq(book.opened, 2);
	cr_expect_not(mailbox_settle(book.box));
	mailbox_release(book.box);
	cr_expect(book.ordered);
	mailbox_free(book.box);
}

Test(mailbox, rings_for_what_was_put_and_not_settled)
{
	struct book book = {.ordered = true};

	book.box = mailbox_new(NULL, NULL);
	note_put(&book, 0, 1);
	cr_expect_eq(mailbox_wait(book.box), 1);
	mailbox_hold(book.box);
	note_put(&book, 0, 2);
	mailbox_release(book.box);
	cr_expect_eq(mailbox_wait_for(book.box, SCHEDD_SECOND), 1);
	cr_expect_eq(book.opened, 2);
	cr_expect_eq(mailbox_wait_for(book.box, 1000), 0);
	mailbox_free(book.box);
}

struct errand {
	struct mailbox_errand errand; /* first */
	int runs;
};

static void errand_run(struct mailbox_errand *errand)
{
	((struct errand *)errand)->runs++;
}

Test(mailbox, runs_what_was_put_off_when_it_is_held_no_more)
{
	struct book book = {.ordered = true};
	struct errand a = {{.run = errand_run}, 0}, b = a, never = a;

	book.box = mailbox_new(NULL, NULL);
	cr_expect_not(mailbox_put_off(book.box, &a.errand));
	mailbox_hold(book.box);
	mailbox_hold(book.box);
	cr_expect(mailbox_put_off(book.box, &a.errand));
	cr_expect(mailbox_put_off(book.box, &never.errand));
	cr_expect(mailbox_put_off(book.box, &b.errand));
	cr_expect(mailbox_put_off(book.box, &a.errand));
	mailbox_call_off(book.box, &never.errand);
	mailbox_call_off(book.box, &never.errand);
	mailbox_release(book.box);
	cr_expect_eq(a.runs + b.runs, 0);
	mailbox_release(book.box);
	cr_expect_eq(a.runs, 1);
	cr_expect_eq(b.runs, 1);
	cr_expect_eq(never.runs, 0);
	/* Whoever waits may wait for it. */
	mailbox_hold(book.box);
	cr_expect(mailbox_put_off(book.box, &a.errand));
	cr_expect_eq(mailbox_wait_for(book.box, 0), 0);
	cr_expect_eq(a.runs, 2);
	mailbox_release(book.box);
	cr_expect_eq(a.runs, 2);
	mailbox_free(book.box);
}

static void slow_open(struct mailbox_letter *letter)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = clock->mono(clock->context).us + 3000;

	while (clock->mono(clock->context).us < end)
		continue;
	note_open(letter);
}

Test(mailbox, lets_the_loop_turn_between_long_letters)
{
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct book book = {.ordered = true};
	int turns = 0;

	book.box = mailbox_new(loop, NULL);
	for (int i = 1; i <= 30; i++) {
		struct note *note = calloc(1, sizeof(*note));

		note->letter.open = slow_open;
		note->book = &book;
		note->number = i;
		mailbox_post(book.box, &note->letter);
	}
	while (book.opened < 30) {
		int before = book.opened;

		cr_assert_geq(schedd_loop_dispatch(loop, 1000), 0);
		cr_expect_leq(book.opened - before, 3);
		cr_assert_gt(book.opened, before, "what is left is not forgotten");
		turns++;
	}
	cr_expect_geq(turns, 10);
	cr_expect(book.ordered);
	mailbox_free(book.box);
	schedd_loop_free(loop);
}
