/* SPDX-License-Identifier: MIT */
/*
 * inotify on directories, as package managers replace files by renaming. An
 * update touches hundreds of files: the callback waits until it has been quiet
 * for a while.
 */
#include "server/zone_watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <event2/event.h>
#include "base/log.h"

#define ZONE_WATCH_MASK (IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_ONLYDIR)
#define ZONE_WATCH_DEPTH 2 /* America/Argentina */

struct zone_watch {
	int fd;  /* inotify; -1: there is no more of it */
	int etc; /* descriptor of the watch on /etc; -1: none */
	struct event *readable;
	struct event *quiet;          /* fires when a burst is over */
	const struct schedd_log *log; /* borrowed */
	zone_watch_fn call;
	void *context;
};

static const struct timeval zone_watch_pause = {.tv_sec = 1};

static void zone_watch_tree(struct zone_watch *watch, const char *path, unsigned depth)
{
	struct dirent *entry;
	DIR *directory;

	if (inotify_add_watch(watch->fd, path, ZONE_WATCH_MASK) < 0) {
		if (errno != ENOENT)
			log_warn(watch->log, "changes in %s will not be noticed: %s", path,
			    strerror(errno));
		return;
	}
	directory = depth ? opendir(path) : NULL;
	while (directory && (entry = readdir(directory))) {
		char below[PATH_MAX];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) <
		    sizeof(below))
			zone_watch_tree(watch, below, depth - 1);
	}
	if (directory)
		closedir(directory);
}

/* In /etc only two names matter. */
static bool zone_watch_matters(const struct zone_watch *watch, const struct inotify_event *event)
{
	if (event->wd != watch->etc)
		return true;
	return event->len &&
	       (strcmp(event->name, "localtime") == 0 || strcmp(event->name, "timezone") == 0);
}

static void zone_watch_read(evutil_socket_t fd, short what, void *context)
{
	struct zone_watch *watch = context;
	_Alignas(struct inotify_event) char buffer[8192];
	bool matters = false;
	ssize_t n;

	(void)what;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		for (char *p = buffer; p < buffer + n;) {
			const struct inotify_event *event = (const void *)p;

			matters |= zone_watch_matters(watch, event);
			p += sizeof(*event) + event->len;
		}
	}
	if (matters)
		event_add(watch->quiet, &zone_watch_pause);
}

static void zone_watch_quiet(evutil_socket_t fd, short what, void *context)
{
	struct zone_watch *watch = context;

	(void)fd;
	(void)what;
	watch->call(watch->context);
}

int zone_watch_new(struct event_base *base, const char *directory, const char *root,
    const struct schedd_log *log, zone_watch_fn call, void *context, struct zone_watch **out,
    struct schedd_error *err)
{
	struct zone_watch *watch = calloc(1, sizeof(*watch));
	char etc[PATH_MAX];

	if (!watch)
		return schedd_error_nomem(err);
	watch->log = log;
	watch->call = call;
	watch->context = context;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0) {
		log_warn(log, "changes of the time zones will not be noticed, only at a reload: %s",
		    strerror(errno));
		*out = watch;
		return 0;
	}
	watch->readable = event_new(base, watch->fd, EV_READ | EV_PERSIST, zone_watch_read, watch);
	watch->quiet = event_new(base, -1, 0, zone_watch_quiet, watch);
	if (!watch->readable || !watch->quiet || event_add(watch->readable, NULL) < 0) {
		schedd_error_nomem(err);
		goto fail;
	}
	snprintf(etc, sizeof(etc), "%s/etc", root);
	watch->etc = inotify_add_watch(watch->fd, etc, ZONE_WATCH_MASK);
	zone_watch_tree(watch, directory, ZONE_WATCH_DEPTH);
	*out = watch;
	return 0;
fail:
	zone_watch_free(watch);
	return err ? err->code : SCHEDD_EFAILED;
}

void zone_watch_free(struct zone_watch *watch)
{
	if (!watch)
		return;
	if (watch->readable)
		event_free(watch->readable);
	if (watch->quiet)
		event_free(watch->quiet);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
}
