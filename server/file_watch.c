/* SPDX-License-Identifier: MIT */
/*
 * inotify on directories, as tools and package managers replace files by
 * renaming. An update touches hundreds of files: the callback waits until it
 * has been quiet for a while.
 */
#include "server/file_watch.h"

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

#define FILE_WATCH_MASK (IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_ONLYDIR)
#define FILE_WATCH_CHOSEN 4 /* directories of which some names alone matter */

struct file_watch_chosen {
	int descriptor;
	const char *const *names;
};

struct file_watch {
	struct file_watch_config config;
	int fd;                 /* inotify; -1: there is no more of it */
	struct event *readable; /* NULL: without fd */
	struct event *quiet;    /* fires when a burst is over */
	struct file_watch_chosen chosen[FILE_WATCH_CHOSEN];
	unsigned chosen_count;
};

static bool file_watch_matters(const struct file_watch *watch, const struct inotify_event *event)
{
	const char *const *name = NULL;

	for (unsigned i = 0; i < watch->chosen_count; i++)
		if (watch->chosen[i].descriptor == event->wd)
			name = watch->chosen[i].names;
	/* What was lost may have been of any name. */
	if (!name || event->mask & IN_Q_OVERFLOW)
		return true;
	while (*name && (!event->len || strcmp(event->name, *name) != 0))
		name++;
	return *name != NULL;
}

static void file_watch_read(evutil_socket_t fd, short what, void *context)
{
	struct file_watch *watch = context;
	struct timeval pause = {.tv_sec = watch->config.pause / SCHEDD_SECOND,
	    .tv_usec = watch->config.pause % SCHEDD_SECOND};
	_Alignas(struct inotify_event) char buffer[8192];
	bool matters = false;
	ssize_t n;

	(void)what;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		for (char *p = buffer; p < buffer + n;) {
			const struct inotify_event *event = (const void *)p;

			matters |= file_watch_matters(watch, event);
			p += sizeof(*event) + event->len;
		}
	}
	if (matters)
		event_add(watch->quiet, &pause);
}

static void file_watch_quiet(evutil_socket_t fd, short what, void *context)
{
	struct file_watch *watch = context;

	(void)fd;
	(void)what;
	watch->config.call(watch->config.context);
}

static void file_watch_unnoticed(const struct file_watch *watch, const char *path)
{
	log_warn(watch->config.log, "%s: %s%s%s", watch->config.unnoticed, path, *path ? ": " : "",
	    strerror(errno));
}

int file_watch_new(
    const struct file_watch_config *config, struct file_watch **out, struct schedd_error *err)
{
	struct file_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return schedd_error_nomem(err);
	watch->config = *config;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0)
		file_watch_unnoticed(watch, "");
	else
		watch->readable = event_new(
		    config->base, watch->fd, EV_READ | EV_PERSIST, file_watch_read, watch);
	watch->quiet = event_new(config->base, -1, 0, file_watch_quiet, watch);
	if (!watch->quiet || (watch->fd >= 0 && (!watch->readable || event_add(watch->readable, NULL) < 0))) {
		file_watch_free(watch);
		return schedd_error_nomem(err);
	}
	*out = watch;
	return 0;
}

static int file_watch_directory(struct file_watch *watch, const char *path, unsigned depth)
{
	int descriptor = inotify_add_watch(watch->fd, path, FILE_WATCH_MASK);
	struct dirent *entry;
	DIR *directory;

	if (descriptor < 0) {
		if (errno != ENOENT)
			file_watch_unnoticed(watch, path);
		return -1;
	}
	directory = depth ? opendir(path) : NULL;
	while (directory && (entry = readdir(directory))) {
		char below[PATH_MAX];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) <
		    sizeof(below))
			(void)file_watch_directory(watch, below, depth - 1);
	}
	if (directory)
		closedir(directory);
	return descriptor;
}

void file_watch_add(
    struct file_watch *watch, const char *directory, const char *const *names, unsigned depth)
{
	int descriptor = watch->fd >= 0 ? file_watch_directory(watch, directory, depth) : -1;

	if (descriptor >= 0 && names && watch->chosen_count < FILE_WATCH_CHOSEN)
		watch->chosen[watch->chosen_count++] =
		    (struct file_watch_chosen){descriptor, names};
}

void file_watch_free(struct file_watch *watch)
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
