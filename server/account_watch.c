/* SPDX-License-Identifier: MIT */
/* Files of /etc say who there is, and the day who has expired. */
#include "server/account_watch.h"

#include <stdlib.h>
#include <time.h>
#include <event2/event.h>
#include "server/file_watch.h"

#define ACCOUNT_WATCH_DAY 86400
#define ACCOUNT_WATCH_PAUSE (200 * (schedd_span)1000)

struct account_watch {
	struct file_watch *files;
	struct event *day; /* fires when the next day begins */
	account_watch_fn call;
	void *context;
};

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
	static const char *const names[] = {
	    "passwd", "shadow", "group", "nsswitch.conf", "cron.allow", "cron.deny", NULL};
	const struct file_watch_config config = {.base = base,
	    .log = log,
	    .unnoticed = "changes of accounts will be noticed once a day alone",
	    .pause = ACCOUNT_WATCH_PAUSE,
	    .call = call,
	    .context = context};
	struct account_watch *watch = calloc(1, sizeof(*watch));
	int rc;

	if (!watch)
		return schedd_error_nomem(err);
	watch->call = call;
	watch->context = context;
	rc = file_watch_new(&config, &watch->files, err);
	watch->day = rc ? NULL : event_new(base, -1, 0, account_watch_day, watch);
	if (!rc && (!watch->day || account_watch_tomorrow(watch) < 0))
		rc = schedd_error_nomem(err);
	if (rc) {
		account_watch_free(watch);
		return rc;
	}
	file_watch_add(watch->files, "/etc", names, 0);
	*out = watch;
	return 0;
}

void account_watch_free(struct account_watch *watch)
{
	if (!watch)
		return;
	file_watch_free(watch->files);
	if (watch->day)
		event_free(watch->day);
	free(watch);
}
