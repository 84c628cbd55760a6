/* SPDX-License-Identifier: MIT */
/* The only place that reads the machine's clocks. */
#include <schedd/clock.h>

#include <time.h>

static int64_t clock_read(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * SCHEDD_SECOND + now.tv_nsec / 1000;
}

static schedd_time clock_wall(void *context)
{
	(void)context;
	return clock_read(CLOCK_REALTIME);
}

static struct schedd_mono clock_mono(void *context)
{
	(void)context;
	return (struct schedd_mono){clock_read(CLOCK_BOOTTIME)};
}

const struct schedd_clock *schedd_clock_system(void)
{
	static const struct schedd_clock system_clock = {clock_wall, clock_mono, NULL};

	return &system_clock;
}
