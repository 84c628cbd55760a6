/* SPDX-License-Identifier: MIT */
/*
 * inotify: nothing wakes up while nothing changes. Where the account may have
 * no more of it, all is looked at each minute, as cron does.
 */
#include "server/cron_watch.h"

#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <event2/event.h>
#include "base/log.h"

#define CRON_WATCH_MAX 8
#define CRON_WATCH_MASK                                                                            \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |        \
	    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct cron_watch {
	int fd;                 /* -1: no inotify */
	struct event *readable; /* or each minute */
	struct event *again;    /* once more, soon */
	int descriptors[CRON_WATCH_MAX]; /* by the caller's number; -1: none */
	cron_watch_fn call;
	void *context;
};

static void cron_watch_tell(struct cron_watch *watch, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		watch->call(-1, NULL, watch->context);
		return;
	}
	for (int i = 0; i < CRON_WATCH_MAX; i++) {
		if (watch->descriptors[i] != event->wd)
			continue;
		if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
			watch->descriptors[i] = -1;
			watch->call(i, NULL, watch->context);
		} else if (event->len > 0) {
			watch->call(i, event->name, watch->context);
		}
	}
}

static void cron_watch_read(evutil_socket_t fd, short what, void *context)
{
	_Alignas(struct inotify_event) char buffer[8192];
	struct cron_watch *watch = context;
	ssize_t n;

	(void)what;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		for (char *p = buffer; p < buffer + n;) {
			const struct inotify_event *event = (const void *)p;

			cron_watch_tell(watch, event);
			p += sizeof(*event) + event->len;
		}
}

static void cron_watch_minute(evutil_socket_t fd, short what, void *context)
{
	struct cron_watch *watch = context;

	(void)fd;
	(void)what;
	watch->call(-1, NULL, watch->context);
}

int cron_watch_new(struct event_base *base, const struct schedd_log *log, cron_watch_fn call,
    void *context, struct cron_watch **out, struct schedd_error *err)
{
	static const struct timeval minute = {.tv_sec = 60};
	struct cron_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return schedd_error_nomem(err);
	for (int i = 0; i < CRON_WATCH_MAX; i++)
		watch->descriptors[i] = -1;
	watch->call = call;
	watch->context = context;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0)
		log_warn(log, "cannot watch the tables of cron, they are looked at each minute: %s",
		    strerror(errno));
	watch->readable = watch->fd < 0
			      ? event_new(base, -1, EV_PERSIST, cron_watch_minute, watch)
			      : event_new(base, watch->fd, EV_READ | EV_PERSIST, cron_watch_read, watch);
	watch->again = evtimer_new(base, cron_watch_minute, watch);
	if (!watch->readable || !watch->again || event_add(watch->readable, watch->fd < 0 ? &minute : NULL) < 0) {
		cron_watch_free(watch);
		return schedd_error_nomem(err);
	}
	*out = watch;
	return 0;
}

bool cron_watch_add(struct cron_watch *watch, int directory, const char *path)
{
	/* Without inotify all that there is counts as watched. */
	if (watch->fd < 0)
		return access(path, F_OK) == 0;
	if (watch->descriptors[directory] < 0)
		watch->descriptors[directory] = inotify_add_watch(watch->fd, path, CRON_WATCH_MASK);
	return watch->descriptors[directory] >= 0;
}

void cron_watch_again(struct cron_watch *watch)
{
	static const struct timeval soon = {.tv_usec = 100000};

	evtimer_add(watch->again, &soon);
}

void cron_watch_free(struct cron_watch *watch)
{
	if (!watch)
		return;
	if (watch->again)
		event_free(watch->again);
	if (watch->readable)
		event_free(watch->readable);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
}
