/* SPDX-License-Identifier: MIT */
/* The order of files is by their last change, whatever job they are of. */
#include "core/runs/output_tidy.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "core/frame/janitor.h"

struct output_tidy {
	struct janitor_task task;
	struct schedd_scheduler *scheduler;
	char *directory; /* that holds the jobs' directories; owned */
	int64_t limit;   /* -1: none */
};

/* A kept file, for the search of the oldest. */
struct tidy_file {
	char *path;
	int64_t size;
	int64_t written_at; /* mtime, ns */
};

struct tidy_files {
	struct janitor *janitor;
	struct tidy_file *items;
	size_t count, capacity;
	int64_t total;
};

static void tidy_files_add(struct tidy_files *files, const char *path, const struct stat *info)
{
	struct tidy_file *file;

	if (files->count == files->capacity) {
		size_t capacity = files->capacity ? files->capacity * 2 : 64;
		struct tidy_file *items = realloc(files->items, capacity * sizeof(items[0]));

		if (!items)
			return;
		files->items = items;
		files->capacity = capacity;
	}
	file = &files->items[files->count];
	*file = (struct tidy_file){strdup(path), info->st_size,
	    info->st_mtim.tv_sec * INT64_C(1000000000) + info->st_mtim.tv_nsec};
	if (file->path)
		files->count++;
	files->total += info->st_size;
}

/* What lies in a directory and in those in it. */
static void tidy_files_read(struct tidy_files *files, const char *directory, int depth)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)) && !janitor_stopping(files->janitor)) {
		char path[4352];
		struct stat info;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (lstat(path, &info))
			continue;
		if (S_ISDIR(info.st_mode) && depth == 0)
			tidy_files_read(files, path, 1);
		else if (S_ISREG(info.st_mode))
			tidy_files_add(files, path, &info);
	}
	closedir(entries);
}

static int tidy_files_older(const void *a, const void *b)
{
	const struct tidy_file *left = a, *right = b;

	return (left->written_at > right->written_at) - (left->written_at < right->written_at);
}

static void tidy_limit(const struct output_tidy *tidy)
{
	struct tidy_files files = {.janitor = tidy->task.janitor};

	tidy_files_read(&files, tidy->directory, 0);
	if (files.total > tidy->limit)
		qsort(files.items, files.count, sizeof(files.items[0]), tidy_files_older);
	for (size_t i = 0; i < files.count; i++) {
		if (files.total > tidy->limit && !janitor_stopping(files.janitor) &&
		    unlink(files.items[i].path) == 0)
			files.total -= files.items[i].size;
		free(files.items[i].path);
	}
	free(files.items);
}

/* Deletes what is in it, then itself; below it directories of jobs may lie. */
static void tidy_empty(struct janitor *janitor, const char *directory, int depth)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)) && !janitor_stopping(janitor)) {
		char path[4352];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(entries), entry->d_name, 0) == 0 || depth > 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		tidy_empty(janitor, path, depth + 1);
	}
	closedir(entries);
	rmdir(directory);
}

/* All that is on its way out, also from an earlier life. */
static void tidy_gone(const struct output_tidy *tidy)
{
	DIR *entries = opendir(tidy->directory);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)) && !janitor_stopping(tidy->task.janitor)) {
		char path[4352];

		if (strncmp(entry->d_name, OUTPUT_TIDY_GONE, strlen(OUTPUT_TIDY_GONE)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", tidy->directory, entry->d_name);
		tidy_empty(tidy->task.janitor, path, 0);
	}
	closedir(entries);
}

static void tidy_work(struct janitor_task *task)
{
	struct output_tidy *tidy = (struct output_tidy *)task;

	tidy_gone(tidy);
	if (tidy->limit >= 0)
		tidy_limit(tidy);
}

static void tidy_done(struct janitor_task *task)
{
	struct output_tidy *tidy = (struct output_tidy *)task;
	struct schedd_scheduler *scheduler = tidy->scheduler;
	bool again = --scheduler->runs.tidying == 0 && scheduler->runs.tidy_again;

	free(tidy->directory);
	free(tidy);
	if (again && !janitor_stopping(scheduler->janitor))
		output_tidy_begin(scheduler);
}

static void tidy_start(struct schedd_scheduler *scheduler, int64_t limit)
{
	struct output_tidy *tidy = calloc(1, sizeof(*tidy));
	size_t size = strlen(scheduler->state_dir) + sizeof("/output");

	if (tidy)
		tidy->directory = malloc(size);
	if (!tidy || !tidy->directory) {
		free(tidy);
		log_warn(scheduler->log, "no memory to tidy up the output");
		return;
	}
	snprintf(tidy->directory, size, "%s/output", scheduler->state_dir);
	tidy->scheduler = scheduler;
	tidy->limit = limit;
	tidy->task.work = tidy_work;
	tidy->task.done = tidy_done;
	scheduler->runs.tidying++;
	janitor_do(scheduler->janitor, &tidy->task);
}

/* What is under way may be past what has changed since. */
void output_tidy_begin(struct schedd_scheduler *scheduler)
{
	scheduler->runs.tidy_again = scheduler->runs.tidying > 0;
	if (scheduler->state_dir && !scheduler->runs.tidying)
		tidy_start(scheduler, scheduler->settings.output_total_max);
}

void output_tidy_gone(struct schedd_scheduler *scheduler)
{
	tidy_start(scheduler, -1);
}

/* The directory of all jobs cannot be moved into itself, but into its successor. */
static int tidy_move_all(const char *from, const char *to, const char *aside)
{
	if (rename(from, aside))
		return -1;
	return mkdir(from, 0700) || rename(aside, to) ? -1 : 0;
}

bool output_tidy_take(struct schedd_scheduler *scheduler, const char *job, char *gone, size_t size)
{
	unsigned long long name = scheduler_random(scheduler);
	char from[4096], aside[4096];
	int rc;

	snprintf(from, sizeof(from), "%s/output%s%s", scheduler->state_dir, job ? "/" : "",
	    job ? job : "");
	snprintf(gone, size, "%s/output/" OUTPUT_TIDY_GONE "%016llx", scheduler->state_dir, name);
	snprintf(
	    aside, sizeof(aside), "%s/" OUTPUT_TIDY_GONE "%016llx", scheduler->state_dir, name);
	rc = job ? rename(from, gone) : tidy_move_all(from, gone, aside);
	if (rc && errno != ENOENT)
		log_warn(
		    scheduler->log, "output in %s cannot be deleted: %s", from, strerror(errno));
	return rc == 0;
}
