/* SPDX-License-Identifier: MIT */
/*
 * One timer on a timerfd. On the wall clock it is absolute and notices when
 * the clock is set (TFD_TIMER_CANCEL_ON_SET); on CLOCK_BOOTTIME it is not
 * disturbed by that and counts suspended time.
 */
#ifndef SCHEDD_LOOP_ALARM_H
#define SCHEDD_LOOP_ALARM_H

#include <stdbool.h>
#include <schedd/clock.h>
#include <schedd/loop.h>

struct alarm;

/*
 * Called once for each time the alarm was set. stepped: the wall clock was set
 * (or the machine slept); the alarm is disarmed then and must be set again.
 * The alarm may be set or freed inside.
 */
typedef void (*alarm_fn)(bool stepped, void *context);

/* Armed for clock steps only. NULL and *err on failure. */
struct alarm *alarm_new_wall(
    struct schedd_loop *loop, alarm_fn call, void *context, struct schedd_error *err);
/* Not armed. NULL and *err on failure. */
struct alarm *alarm_new_mono(
    struct schedd_loop *loop, alarm_fn call, void *context, struct schedd_error *err);
/* NULL is fine. */
void alarm_free(struct alarm *alarm);
/* Wall: absolute; SCHEDD_TIME_NONE keeps it armed for clock steps only. A past time fires at once.
 */
int alarm_set_wall(struct alarm *alarm, schedd_time when) __attribute__((warn_unused_result));
/* Mono: absolute; us INT64_MAX disarms. A past time fires at once. */
int alarm_set_mono(struct alarm *alarm, struct schedd_mono when)
    __attribute__((warn_unused_result));

#endif
