/* SPDX-License-Identifier: MIT */
/*
 * A wall clock that can be set without being root: preloaded, it adds an
 * offset to CLOCK_REALTIME, for whoever asks for the time and for timers alike.
 * The offset (microseconds, a native int64_t) is in the file CLOCK_OFFSET,
 * which is mapped; a thread looks for changes, since timers that asked for it
 * (TFD_TIMER_CANCEL_ON_SET) are to be told at once.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#define CLOCK_TIMERS 1024 /* descriptors below this may be timers */
#define CLOCK_LOOK_NS (5 * 1000 * 1000)
#define CLOCK_NS 1000000000

struct clock_timer {
	bool real;    /* of CLOCK_REALTIME */
	bool watched; /* TFD_TIMER_CANCEL_ON_SET, and armed */
	bool absolute;
	bool cancelled;         /* the clock was set: not told yet */
	int64_t offset;         /* the clock's when it was armed, us */
	struct itimerspec spec; /* as it was asked for */
};

static pthread_mutex_t clock_lock = PTHREAD_MUTEX_INITIALIZER;
static struct clock_timer clock_timers[CLOCK_TIMERS];
static _Atomic int64_t *clock_shared;
static pthread_once_t clock_begun = PTHREAD_ONCE_INIT;
static pthread_once_t clock_watched = PTHREAD_ONCE_INIT;

static void clock_begin(void)
{
	const char *path = getenv("CLOCK_OFFSET");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (map != MAP_FAILED)
		clock_shared = map;
}

static int64_t clock_offset(void)
{
	pthread_once(&clock_begun, clock_begin);
	return clock_shared ? atomic_load(clock_shared) : 0;
}

static void clock_add(struct timespec *time, int64_t us)
{
	int64_t ns = time->tv_nsec + us % 1000000 * 1000;

	time->tv_sec += us / 1000000 + (ns < 0 ? -1 : ns / CLOCK_NS);
	time->tv_nsec = ns < 0 ? ns + CLOCK_NS : ns % CLOCK_NS;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, time);

	if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		clock_add(time, clock_offset());
	return rc;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	time->tv_sec = now.tv_sec;
	time->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

/* ---- Timers ---- */

static int clock_arm(int fd, int flags, struct clock_timer *timer)
{
	struct itimerspec spec = timer->spec;

	timer->offset = clock_offset();
	if (timer->absolute && (spec.it_value.tv_sec || spec.it_value.tv_nsec)) {
		clock_add(&spec.it_value, -timer->offset);
		if (spec.it_value.tv_sec < 0)
			spec.it_value = (struct timespec){.tv_nsec = 1};
	}
	return (int)syscall(SYS_timerfd_settime, fd, flags & ~TFD_TIMER_CANCEL_ON_SET, &spec, NULL);
}

/*
 * Each timer is held against the offset it was armed under, since the clock may
 * have been set to and fro between two looks and the timer been armed meanwhile.
 */
static void clock_look(void)
{
	static const struct itimerspec at_once = {.it_value = {.tv_nsec = 1}};

	pthread_mutex_lock(&clock_lock);
	for (int fd = 0; fd < CLOCK_TIMERS; fd++) {
		struct clock_timer *timer = &clock_timers[fd];

		if (!timer->real || !timer->absolute || timer->offset == clock_offset())
			continue;
		if (timer->watched) {
			timer->offset = clock_offset();
			timer->cancelled = true;
			syscall(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, &at_once, NULL);
		} else {
			clock_arm(fd, TFD_TIMER_ABSTIME, timer);
		}
	}
	pthread_mutex_unlock(&clock_lock);
}

static void *clock_watch(void *unused)
{
	const struct timespec pause = {.tv_nsec = CLOCK_LOOK_NS};

	(void)unused;
	for (;;) {
		clock_look();
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void clock_start_watching(void)
{
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, clock_watch, NULL) == 0)
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int timerfd_create(int clock, int flags)
{
	int fd = (int)syscall(SYS_timerfd_create, clock, flags);

	if (fd < 0 || fd >= CLOCK_TIMERS)
		return fd;
	pthread_mutex_lock(&clock_lock);
	clock_timers[fd] = (struct clock_timer){.real = clock == CLOCK_REALTIME};
	pthread_mutex_unlock(&clock_lock);
	if (clock == CLOCK_REALTIME)
		pthread_once(&clock_watched, clock_start_watching);
	return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *spec, struct itimerspec *old)
{
	struct clock_timer *timer = fd >= 0 && fd < CLOCK_TIMERS ? &clock_timers[fd] : NULL;
	bool cancelled;
	int rc;

	if (!timer || !timer->real)
		return (int)syscall(SYS_timerfd_settime, fd, flags, spec, old);
	pthread_mutex_lock(&clock_lock);
	cancelled = timer->cancelled || (timer->watched && timer->offset != clock_offset());
	timer->spec = *spec;
	timer->absolute = flags & TFD_TIMER_ABSTIME;
	timer->watched = timer->absolute && flags & TFD_TIMER_CANCEL_ON_SET;
	timer->cancelled = false;
	rc = clock_arm(fd, flags, timer);
	pthread_mutex_unlock(&clock_lock);
	if (rc == 0 && cancelled && timer->watched) {
		errno = ECANCELED;
		return -1;
	}
	return rc;
}

static bool clock_take_cancelled(int fd)
{
	bool cancelled;

	pthread_mutex_lock(&clock_lock);
	cancelled = clock_timers[fd].cancelled;
	clock_timers[fd].cancelled = false;
	pthread_mutex_unlock(&clock_lock);
	return cancelled;
}

ssize_t read(int fd, void *bytes, size_t size)
{
	ssize_t got = syscall(SYS_read, fd, bytes, size);

	if (fd < 0 || fd >= CLOCK_TIMERS || !clock_timers[fd].real || !clock_take_cancelled(fd))
		return got;
	errno = ECANCELED;
	return -1;
}

/* The number may become another file's. */
int close(int fd)
{
	if (fd >= 0 && fd < CLOCK_TIMERS && clock_timers[fd].real) {
		pthread_mutex_lock(&clock_lock);
		clock_timers[fd] = (struct clock_timer){0};
		pthread_mutex_unlock(&clock_lock);
	}
	return (int)syscall(SYS_close, fd);
}
