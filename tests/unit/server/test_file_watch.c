/* SPDX-License-Identifier: MIT */
/* What is changed is told once a burst; other names of the same directory are nobody's business. */
#include "server/file_watch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <event2/event.h>

static char folder[] = "/tmp/test_file_watch.XXXXXX";
static char logged[1024];
static struct event_base *base;
static struct file_watch *watch;
static int told;

static void on_change(void *context)
{
	(void)context;
	told++;
}

static void on_log(void *context, enum schedd_log_level level, const char *line)
{
	(void)level;
	(void)context;
	snprintf(logged, sizeof(logged), "%s", line);
}

static const struct schedd_log test_log = {.write = on_log, .level = SCHEDD_LOG_DEBUG};

static void open_watch(void)
{
	const struct file_watch_config config = {.log = &test_log,
	    .unnoticed = "nobody will see",
	    .pause = 20000,
	    .call = on_change};
	struct file_watch_config own = config;
	char below[64];

	cr_assert_not_null(mkdtemp(folder));
	snprintf(below, sizeof(below), "%s/below", folder);
	cr_assert_eq(mkdir(below, 0700), 0);
	strcat(below, "/deep");
	cr_assert_eq(mkdir(below, 0700), 0);
	base = event_base_new();
	own.base = base;
	cr_assert_eq(file_watch_new(&own, &watch, NULL), 0);
}

static void close_watch(void)
{
	char line[128];

	file_watch_free(watch);
	event_base_free(base);
	snprintf(line, sizeof(line), "rm -r %s", folder);
	cr_assert_eq(system(line), 0);
}

TestSuite(file_watch, .init = open_watch, .fini = close_watch);

static void put(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
}

/* Until what was changed before has surely been told: the last of it is told, and it is quiet. */
static void settle(void)
{
	const struct timeval pause = {.tv_usec = 100000};

	event_base_loopexit(base, &pause);
	event_base_dispatch(base);
}

static void await(int count)
{
	for (int i = 0; told < count && i < 100; i++)
		settle();
	cr_assert_eq(told, count);
}

Test(file_watch, burst_is_told_once)
{
	file_watch_add(watch, folder, NULL, 0);
	for (int i = 0; i < 50; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		put(name);
	}
	await(1);
	put("again");
	await(2);
}

Test(file_watch, chosen_names_alone)
{
	static const char *const names[] = {"passwd", "group", NULL};

	file_watch_add(watch, folder, names, 0);
	put("other");
	put("passwd-");
	put("passw");
	settle();
	cr_assert_eq(told, 0);
	put("group");
	await(1);
}

Test(file_watch, chosen_names_and_all_of_a_tree)
{
	static const char *const names[] = {"passwd", NULL};
	char below[64];

	snprintf(below, sizeof(below), "%s/below", folder);
	file_watch_add(watch, folder, names, 0);
	file_watch_add(watch, below, NULL, 1);
	put("other");
	settle();
	cr_assert_eq(told, 0);
	put("below/any");
	await(1);
	put("below/deep/any");
	await(2);
	put("passwd");
	await(3);
}

Test(file_watch, as_deep_as_is_said)
{
	file_watch_add(watch, folder, NULL, 1);
	put("below/deep/any");
	settle();
	cr_assert_eq(told, 0);
	put("below/any");
	await(1);
}

Test(file_watch, what_cannot_be_watched_is_logged)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/absent", folder);
	file_watch_add(watch, path, NULL, 0);
	cr_assert_str_empty(logged, "what is not there is no fault");
	put("file");
	snprintf(path, sizeof(path), "%s/file", folder);
	file_watch_add(watch, path, NULL, 0);
	cr_assert(strstr(logged, "nobody will see: ") && strstr(logged, "/file: Not a directory"), "%s", logged);
}
