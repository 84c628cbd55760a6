/* SPDX-License-Identifier: MIT */
#include "loop/offloop.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Where calls come to, until they are let go. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open;
	int done;
	_Atomic int dropped;
};

struct visit {
	struct offloop_work work; /* first */
	struct gate *gate;
};

static void visit_run(struct offloop_work *work)
{
	struct gate *gate = ((struct visit *)work)->gate;

	pthread_mutex_lock(&gate->lock);
	while (!gate->open)
		pthread_cond_wait(&gate->opened, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void visit_done(struct offloop_work *work)
{
	((struct visit *)work)->gate->done++;
}

static void visit_drop(struct offloop_work *work)
{
	((struct visit *)work)->gate->dropped++;
	free(work);
}

static const struct offloop_ops visit_ops = {visit_run, visit_done, visit_drop};

static struct offloop_work *visit(struct gate *gate)
{
	struct visit *one = calloc(1, sizeof(*one));

	one->work.ops = &visit_ops;
	one->gate = gate;
	return &one->work;
}

static void open_gate(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = true;
	pthread_cond_broadcast(&gate->opened);
	pthread_mutex_unlock(&gate->lock);
}

static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, 0};

Test(offloop, tells_the_loop_when_a_call_has_returned)
{
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct offloop *offloop = offloop_new(loop, 2, NULL);
	struct offloop_work *third = visit(&gate);

	cr_assert(offloop_start(offloop, visit(&gate)));
	cr_assert(offloop_start(offloop, visit(&gate)));
	cr_expect_not(offloop_start(offloop, third), "two are enough");
	visit_drop(third);
	schedd_loop_dispatch(loop, 20);
	cr_expect_eq(gate.done, 0);
	open_gate(&gate);
	for (int i = 0; i < 1000 && gate.done < 2; i++)
		schedd_loop_dispatch(loop, 20);
	cr_expect_eq(gate.done, 2);
	cr_expect_eq(gate.dropped, 3);
	offloop_free(offloop);
	schedd_loop_free(loop);
}

Test(offloop, waits_as_long_as_it_is_told_and_goes_on_without)
{
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct offloop *offloop = offloop_new(loop, 4, NULL);
	struct offloop_work *slow = visit(&gate), *other = visit(&gate), *left = visit(&gate);

	cr_assert(offloop_start(offloop, slow));
	cr_expect_not(offloop_wait(slow, 5000));
	cr_assert(offloop_start(offloop, other));
	cr_assert(offloop_start(offloop, left));
	offloop_leave(left);
	open_gate(&gate);
	cr_expect(offloop_wait(slow, 20 * SCHEDD_SECOND));
	cr_expect_geq(gate.done, 1);
	for (int i = 0; i < 1000 && (gate.done < 2 || gate.dropped < 3); i++)
		schedd_loop_dispatch(loop, 20);
	cr_expect_eq(gate.done, 2, "all but the one that was left");
	cr_expect_eq(gate.dropped, 3);
	offloop_free(offloop);
	schedd_loop_free(loop);
}

Test(offloop, leaves_behind_what_does_not_come_back)
{
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct offloop *offloop = offloop_new(loop, 4, NULL);

	cr_assert(offloop_start(offloop, visit(&gate)));
	offloop_free(offloop);
	schedd_loop_free(loop);
	open_gate(&gate);
	for (int i = 0; i < 1000 && !gate.dropped; i++)
		usleep(10000);
	cr_expect_eq(gate.dropped, 1);
	cr_expect_eq(gate.done, 0);
}
