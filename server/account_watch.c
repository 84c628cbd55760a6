/* SPDX-License-Identifier: MIT */
/* inotify on the directory: the tools replace these files by renaming. */
#include "server/account_watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/inotify.h>
#include <event2/event.h>
#include "base/log.h"

#define ACCOUNT_WATCH_MASK (IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_ONLYDIR)
#define ACCOUNT_WATCH_DAY 86400

struct account_watch {
	int fd; /* inotify; -1: nothing is watched */
	struct event *readable;
	struct event *quiet; /* fires when a burst is over */
	struct event *day;   /* fires when the next day begins */
	account_watch_fn call;
	void *context;
};

static const struct timeval account_watch_pause = {.tv_usec = 200000};

static bool account_watch_matters(const struct inotify_event *event)
{
	static const char *const names[] = {
	    "passwd", "shadow", "group", "nsswitch.conf", "cron.allow", "cron.deny"};

	for (size_t i = 0; event->len && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(event->name, names[i]) == 0)
			return true;
	return false;
}

static void account_watch_read(evutil_socket_t fd, short what, void *context)
{
	struct account_watch *watch = context;
	_Alignas(struct inotify_event) char buffer[8192];
	bool matters = false;
	ssize_t n;

	(void)what;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		for (char *p = buffer; p < buffer + n;) {
			const struct inotify_event *event = (const void *)p;

			matters |= account_watch_matters(event);
			p += sizeof(*event) + event->len;
		}
	}
	if (matters)
		event_add(watch->quiet, &account_watch_pause);
}

static void account_watch_quiet(evutil_socket_t fd, short what, void *context)
{
	struct account_watch *watch = context;

	(void)fd;
	(void)what;
	watch->call(watch->context);
}

static int account_watch_tomorrow(struct account_watch *watch)
{
	struct timeval until = {.tv_sec = ACCOUNT_WATCH_DAY - time(NULL) % ACCOUNT_WATCH_DAY + 1};

	return event_add(watch->day, &until);
}

static void account_watch_day(evutil_socket_t fd, short what, void *context)
{
	struct account_watch *watch = context;

	(void)fd;
	(void)what;
	watch->call(watch->context);
	if (account_watch_tomorrow(watch) < 0)
		return; /* without memory the next change of a file has to be enough */
}

int account_watch_new(struct event_base *base, const struct schedd_log *log, account_watch_fn call,
    void *context, struct account_watch **out, struct schedd_error *err)
{
	struct account_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return schedd_error_nomem(err);
	watch->call = call;
	watch->context = context;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0 || inotify_add_watch(watch->fd, "/etc", ACCOUNT_WATCH_MASK) < 0)
		log_warn(log, "changes of accounts will be noticed once a day alone: %s",
		    strerror(errno));
	watch->quiet = event_new(base, -1, 0, account_watch_quiet, watch);
	watch->day = event_new(base, -1, 0, account_watch_day, watch);
	if (watch->fd >= 0)
		watch->readable =
		    event_new(base, watch->fd, EV_READ | EV_PERSIST, account_watch_read, watch);
	if (!watch->quiet || !watch->day || account_watch_tomorrow(watch) < 0 ||
	    (watch->fd >= 0 && (!watch->readable || event_add(watch->readable, NULL) < 0))) {
		account_watch_free(watch);
		return schedd_error_nomem(err);
	}
	*out = watch;
	return 0;
}

void account_watch_free(struct account_watch *watch)
{
	if (!watch)
		return;
	if (watch->readable)
		event_free(watch->readable);
	if (watch->quiet)
		event_free(watch->quiet);
	if (watch->day)
		event_free(watch->day);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
}
