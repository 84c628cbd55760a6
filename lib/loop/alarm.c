/* SPDX-License-Identifier: MIT */
/* One timerfd each: with nothing armed nothing wakes. */
#include "loop/alarm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/timerfd.h>
#include "loop/loop.h"

struct alarm {
	struct schedd_loop *loop;
	struct schedd_watch *watch;
	alarm_fn call;
	void *context;
	int fd;       /* timerfd */
	bool wall;    /* CLOCK_REALTIME, else CLOCK_BOOTTIME */
	bool stepped; /* a step was seen while setting; told at the next wake-up */
};

static int alarm_arm(struct alarm *alarm, int64_t us)
{
	struct itimerspec spec = {0};
	int flags = TFD_TIMER_ABSTIME | (alarm->wall ? TFD_TIMER_CANCEL_ON_SET : 0);

	if (us != INT64_MAX) {
		/* All zero would disarm. */
		spec.it_value.tv_sec = us <= 0 ? 0 : (time_t)(us / SCHEDD_SECOND);
		spec.it_value.tv_nsec = us <= 0 ? 1 : (long)(us % SCHEDD_SECOND * 1000);
	}
	return timerfd_settime(alarm->fd, flags, &spec, NULL) < 0 ? -errno : 0;
}

static int alarm_set(struct alarm *alarm, int64_t us)
{
	int rc = alarm_arm(alarm, alarm->stepped ? 0 : us);

	if (rc == -ECANCELED) {
		/* The clock was set since the last wake-up, and the kernel says so only this once.
		 */
		alarm->stepped = true;
		rc = alarm_arm(alarm, 0);
	}
	return rc < 0 ? SCHEDD_EFAILED : 0;
}

static void alarm_ready(int fd, unsigned ready, void *context)
{
	struct alarm *alarm = context;
	bool stepped = alarm->stepped;
	uint64_t expired;

	(void)ready;
	if (read(fd, &expired, sizeof(expired)) < 0) {
		if (errno != ECANCELED && !stepped)
			return;
		stepped = true;
	}
	alarm->stepped = false;
	if (stepped)
		(void)alarm_arm(alarm, SCHEDD_TIME_MAX);
	alarm->call(stepped, alarm->context);
}

static struct alarm *alarm_new(
    struct schedd_loop *loop, bool wall, alarm_fn call, void *context, struct schedd_error *err)
{
	struct alarm *alarm = calloc(1, sizeof(*alarm));
	int rc;

	if (!alarm) {
		schedd_error_nomem(err);
		return NULL;
	}
	alarm->loop = loop;
	alarm->wall = wall;
	alarm->call = call;
	alarm->context = context;
	alarm->fd =
	    timerfd_create(wall ? CLOCK_REALTIME : CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	rc = alarm->fd < 0 ? -errno : wall ? alarm_arm(alarm, SCHEDD_TIME_MAX) : 0;
	if (rc < 0) {
		schedd_error_set(err, SCHEDD_EFAILED, "cannot make a timer: %s", strerror(-rc));
		goto fail;
	}
	alarm->watch = loop_watch(loop, alarm->fd, SCHEDD_READ, alarm_ready, alarm, err);
	if (!alarm->watch)
		goto fail;
	return alarm;
fail:
	if (alarm->fd >= 0)
		close(alarm->fd);
	free(alarm);
	return NULL;
}

struct alarm *alarm_new_wall(
    struct schedd_loop *loop, alarm_fn call, void *context, struct schedd_error *err)
{
	return alarm_new(loop, true, call, context, err);
}

struct alarm *alarm_new_mono(
    struct schedd_loop *loop, alarm_fn call, void *context, struct schedd_error *err)
{
	return alarm_new(loop, false, call, context, err);
}

void alarm_free(struct alarm *alarm)
{
	if (!alarm)
		return;
	loop_unwatch(alarm->loop, alarm->watch);
	close(alarm->fd);
	free(alarm);
}

int alarm_set_wall(struct alarm *alarm, schedd_time when)
{
	return alarm_set(alarm, when == SCHEDD_TIME_NONE ? SCHEDD_TIME_MAX : when);
}

int alarm_set_mono(struct alarm *alarm, struct schedd_mono when)
{
	return alarm_set(alarm, when.us);
}
