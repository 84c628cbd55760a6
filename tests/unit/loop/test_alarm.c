/* SPDX-License-Identifier: MIT */
#include "loop/alarm.h"

#include <criterion/criterion.h>

struct rung {
	struct alarm *alarm;
	int calls;
	int again; /* sets itself that many times more */
	bool stepped;
	bool free; /* frees itself */
};

static void rung_call(bool stepped, void *context)
{
	struct rung *rung = context;

	rung->calls++;
	rung->stepped = stepped;
	if (rung->free)
		alarm_free(rung->alarm);
	else if (rung->again-- > 0)
		cr_assert_eq(alarm_set_wall(rung->alarm, 0), 0);
}

Test(alarm, rings_at_once_for_a_past_time)
{
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct rung rung = {.again = 2};

	rung.alarm = alarm_new_wall(loop, rung_call, &rung, NULL);
	cr_assert_not_null(rung.alarm);
	cr_expect_eq(schedd_loop_dispatch(loop, 0), 0, "not set yet");
	cr_assert_eq(alarm_set_wall(rung.alarm, -5), 0);
	for (int i = 1; i <= 3; i++) {
		cr_expect_eq(schedd_loop_dispatch(loop, 10000), 1);
		cr_expect_eq(rung.calls, i);
		cr_expect_not(rung.stepped);
	}
	cr_expect_eq(schedd_loop_dispatch(loop, 0), 0, "rings once");
	alarm_free(rung.alarm);
	schedd_loop_free(loop);
}

Test(alarm, rings_not_before_its_time)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct rung rung = {0};
	schedd_time when = clock->wall(clock->context) + 20000;

	rung.alarm = alarm_new_wall(loop, rung_call, &rung, NULL);
	cr_assert_eq(alarm_set_wall(rung.alarm, when), 0);
	while (rung.calls == 0)
		schedd_loop_dispatch(loop, 10000);
	cr_expect_geq(clock->wall(clock->context), when);
	cr_assert_eq(alarm_set_wall(rung.alarm, when), 0);
	cr_assert_eq(alarm_set_wall(rung.alarm, SCHEDD_TIME_NONE), 0);
	cr_expect_eq(schedd_loop_dispatch(loop, 0), 0, "taken back");
	alarm_free(rung.alarm);
	schedd_loop_free(loop);
}

Test(alarm, counts_on_the_monotonic_clock)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct rung rung = {.free = true};
	struct schedd_mono when = clock->mono(clock->context);

	when.us += 10000;
	rung.alarm = alarm_new_mono(loop, rung_call, &rung, NULL);
	cr_assert_eq(alarm_set_mono(rung.alarm, when), 0);
	while (rung.calls == 0)
		schedd_loop_dispatch(loop, 10000);
	cr_expect_geq(clock->mono(clock->context).us, when.us);
	cr_expect_eq(schedd_loop_dispatch(loop, 0), 0);
	schedd_loop_free(loop);
}

Test(alarm, is_disarmed_by_the_end_of_time)
{
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct rung rung = {0};

	rung.alarm = alarm_new_mono(loop, rung_call, &rung, NULL);
	cr_assert_eq(alarm_set_mono(rung.alarm, (struct schedd_mono){0}), 0);
	cr_assert_eq(alarm_set_mono(rung.alarm, (struct schedd_mono){INT64_MAX}), 0);
	cr_expect_eq(schedd_loop_dispatch(loop, 0), 0);
	alarm_free(rung.alarm);
	schedd_loop_free(loop);
}
