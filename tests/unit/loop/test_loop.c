/* SPDX-License-Identifier: MIT */
/* Both loops behave alike behind the ops. */
#include "loop/loop.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <unistd.h>
#include <event2/event.h>

/* One loop of either kind and the way to turn it. */
struct any_loop {
	struct schedd_loop *loop;
	struct event_base *base; /* NULL: the descriptor loop */
};

static void any_loop_open(struct any_loop *any, bool libevent)
{
	*any = (struct any_loop){0};
	if (libevent)
		any->base = event_base_new();
	any->loop = libevent ? schedd_loop_new_libevent(any->base, NULL) : schedd_loop_new_fd(NULL);
	cr_assert_not_null(any->loop);
}

static void any_loop_turn(struct any_loop *any)
{
	if (any->base)
		event_base_loop(any->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	else
		cr_assert_geq(schedd_loop_dispatch(any->loop, 0), 0);
}

static void any_loop_close(struct any_loop *any)
{
	schedd_loop_free(any->loop);
	if (any->base)
		event_base_free(any->base);
}

struct seen {
	struct schedd_loop *loop;
	struct schedd_watch *unwatch[2]; /* taken down by the first call */
	unsigned ready;
	int calls;
};

static void seen_ready(int fd, unsigned ready, void *context)
{
	struct seen *seen = context;

	(void)fd;
	seen->ready = ready;
	seen->calls++;
	for (int i = 0; i < 2; i++) {
		loop_unwatch(seen->loop, seen->unwatch[i]);
		seen->unwatch[i] = NULL;
	}
}

ParameterizedTestParameters(loop, reports_what_is_asked_for)
{
	static bool kinds[] = {false, true};

	return cr_make_param_array(bool, kinds, 2);
}

ParameterizedTest(bool *libevent, loop, reports_what_is_asked_for)
{
	struct any_loop any;
	struct seen seen = {0};
	struct schedd_watch *watch;
	int ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	any_loop_open(&any, *libevent);
	watch = loop_watch(any.loop, ends[1], 0, seen_ready, &seen, NULL);
	cr_assert_not_null(watch);
	any_loop_turn(&any);
	cr_expect_eq(seen.calls, 0, "nothing was asked for");
	cr_assert_eq(loop_rewatch(any.loop, watch, SCHEDD_WRITE), 0);
	any_loop_turn(&any);
	any_loop_turn(&any);
	cr_expect_eq(seen.calls, 2, "level-triggered, got %d", seen.calls);
	cr_expect_eq(seen.ready, (unsigned)SCHEDD_WRITE);
	cr_assert_eq(loop_rewatch(any.loop, watch, 0), 0);
	close(ends[0]);
	any_loop_turn(&any);
	cr_expect_eq(seen.calls, 2, "a hang-up is silent while nothing is asked for");
	cr_assert_eq(loop_rewatch(any.loop, watch, SCHEDD_WRITE), 0);
	any_loop_turn(&any);
	cr_expect_eq(seen.calls, 3);
	loop_unwatch(any.loop, watch);
	any_loop_turn(&any);
	cr_expect_eq(seen.calls, 3);
	close(ends[1]);
	any_loop_close(&any);
}

ParameterizedTestParameters(loop, ends_watches_inside_a_callback)
{
	static bool kinds[] = {false, true};

	return cr_make_param_array(bool, kinds, 2);
}

ParameterizedTest(bool *libevent, loop, ends_watches_inside_a_callback)
{
	struct any_loop any;
	struct seen seen = {0};
	int a[2], b[2];

	cr_assert_eq(pipe2(a, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(b, O_CLOEXEC), 0);
	any_loop_open(&any, *libevent);
	seen.loop = any.loop;
	seen.unwatch[0] = loop_watch(any.loop, a[0], SCHEDD_READ, seen_ready, &seen, NULL);
	seen.unwatch[1] = loop_watch(any.loop, b[0], SCHEDD_READ, seen_ready, &seen, NULL);
	cr_assert_eq(write(a[1], "x", 1), 1);
	cr_assert_eq(write(b[1], "x", 1), 1);
	any_loop_turn(&any);
	any_loop_turn(&any);
	cr_expect_eq(seen.calls, 1, "the first call took both watches down, got %d", seen.calls);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
	any_loop_close(&any);
}

Test(loop, says_why_a_descriptor_cannot_be_watched)
{
	struct schedd_error err = {0};
	struct schedd_loop *loop = schedd_loop_new_fd(&err);

	cr_assert_not_null(loop);
	cr_expect_null(loop_watch(loop, 9999, SCHEDD_READ, seen_ready, NULL, &err));
	cr_expect_str_eq(err.message, "cannot watch file descriptor 9999: Bad file descriptor");
	schedd_loop_free(loop);
}

Test(loop, is_one_descriptor_another_loop_can_watch)
{
	struct schedd_loop *outer = schedd_loop_new_fd(NULL), *inner = schedd_loop_new_fd(NULL);
	struct seen in = {0}, out = {0};
	struct schedd_watch *watch, *nested;
	int ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	watch = loop_watch(inner, ends[0], SCHEDD_READ, seen_ready, &in, NULL);
	nested = loop_watch(outer, schedd_loop_fd(inner), SCHEDD_READ, seen_ready, &out, NULL);
	cr_expect_eq(schedd_loop_dispatch(outer, 0), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	cr_expect_eq(schedd_loop_dispatch(outer, 1000), 1);
	cr_expect_eq(schedd_loop_dispatch(inner, 0), 1);
	cr_expect_eq(in.calls, 1);
	loop_unwatch(inner, watch);
	loop_unwatch(outer, nested);
	close(ends[0]);
	close(ends[1]);
	schedd_loop_free(inner);
	schedd_loop_free(outer);
}
