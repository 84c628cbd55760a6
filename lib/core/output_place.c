/* SPDX-License-Identifier: MIT */
/* Files of output: their names, their making, and what is deleted when there are too many. */
#include "core/output_place.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* What is kept of a run's output while the disk is nearly full: in memory only. */
#define OUTPUT_PLACE_LOW_DISK 4096

bool output_place_path(const struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    char *path, size_t size)
{
	int length;

	if (!scheduler->state_dir)
		return false;
	length = snprintf(path, size, "%s/output/%s/%u", scheduler->state_dir, job, number);
	return length > 0 && (size_t)length < size;
}

static bool output_place_directory(const struct schedd_scheduler *scheduler, const char *job)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/output/%s", scheduler->state_dir, job);
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	snprintf(path, sizeof(path), "%s/output", scheduler->state_dir);
	if (mkdir(path, 0700) && errno != EEXIST)
		return false;
	snprintf(path, sizeof(path), "%s/output/%s", scheduler->state_dir, job);
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool output_place_low_disk(const struct schedd_scheduler *scheduler)
{
	struct statvfs disk;

	if (scheduler->settings.low_disk <= 0 || statvfs(scheduler->state_dir, &disk))
		return false;
	return (int64_t)(disk.f_bavail * disk.f_frsize) < scheduler->settings.low_disk;
}

struct output *output_place_open(const struct run_live *live)
{
	const struct schedd_scheduler *scheduler = live->scheduler;
	const struct job_details *details = job_details(live->job);
	int64_t limit =
	    details->output_max >= 0 ? details->output_max : scheduler->settings.output_max;
	char path[4096];

	if (details->capture == JOB_CAPTURE_NONE)
		return NULL;
	if (!output_place_path(scheduler, live->job->id, live->run.number, path, sizeof(path)))
		return output_new(NULL, (size_t)limit);
	if (output_place_low_disk(scheduler)) {
		log_warn(scheduler->log, "run %s: the disk is nearly full, its output is not kept",
		    live->id);
		return output_new(NULL, OUTPUT_PLACE_LOW_DISK);
	}
	if (!output_place_directory(scheduler, live->job->id))
		log_warn(scheduler->log, "run %s: no directory for its output: %s", live->id,
		    strerror(errno));
	return output_new(path, (size_t)limit);
}

/* Deletes the files in one job's directory, then the directory. */
static void output_place_empty(const char *directory)
{
	DIR *files = opendir(directory);
	struct dirent *file;

	if (!files)
		return;
	while ((file = readdir(files)))
		if (file->d_name[0] != '.')
			unlinkat(dirfd(files), file->d_name, 0);
	closedir(files);
	rmdir(directory);
}

void output_place_remove(const struct schedd_scheduler *scheduler, const char *job, uint32_t number)
{
	char path[4096];

	if (!scheduler->state_dir)
		return;
	if (job && number) {
		if (output_place_path(scheduler, job, number, path, sizeof(path)))
			unlink(path);
		return;
	}
	if (job) {
		snprintf(path, sizeof(path), "%s/output/%s", scheduler->state_dir, job);
		output_place_empty(path);
		return;
	}
	snprintf(path, sizeof(path), "%s/output", scheduler->state_dir);
	for (DIR *jobs = opendir(path); jobs; closedir(jobs), jobs = NULL) {
		struct dirent *entry;

		while ((entry = readdir(jobs)))
			if (entry->d_name[0] != '.')
				output_place_remove(scheduler, entry->d_name, 0);
	}
}

void output_place_rename(const struct schedd_scheduler *scheduler, const char *from, const char *to)
{
	char old[4096], new[4096];

	if (!scheduler->state_dir)
		return;
	snprintf(old, sizeof(old), "%s/output/%s", scheduler->state_dir, from);
	snprintf(new, sizeof(new), "%s/output/%s", scheduler->state_dir, to);
	if (rename(old, new) && errno != ENOENT)
		log_warn(scheduler->log, "output of job %s cannot be renamed: %s", from,
		    strerror(errno));
}

/* A kept file, for the search of the oldest. */
struct output_place_file {
	char *path;
	int64_t size;
	int64_t written_at; /* mtime, ns */
};

struct output_place_files {
	struct output_place_file *items;
	size_t count, capacity;
	int64_t total;
};

static void output_place_files_add(
    struct output_place_files *files, const char *path, const struct stat *info)
{
	if (files->count == files->capacity) {
		size_t capacity = files->capacity ? files->capacity * 2 : 64;
		struct output_place_file *items =
		    realloc(files->items, capacity * sizeof(items[0]));

		if (!items)
			return;
		files->items = items;
		files->capacity = capacity;
	}
	files->items[files->count] = (struct output_place_file){strdup(path), info->st_size,
	    info->st_mtim.tv_sec * INT64_C(1000000000) + info->st_mtim.tv_nsec};
	if (files->items[files->count].path)
		files->count++;
	files->total += info->st_size;
}

static void output_place_files_read(
    struct output_place_files *files, const char *directory, int depth)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries))) {
		char path[4352];
		struct stat info;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (lstat(path, &info))
			continue;
		if (S_ISDIR(info.st_mode) && depth == 0)
			output_place_files_read(files, path, 1);
		else if (S_ISREG(info.st_mode))
			output_place_files_add(files, path, &info);
	}
	closedir(entries);
}

static int output_place_files_older(const void *a, const void *b)
{
	const struct output_place_file *left = a, *right = b;

	return (left->written_at > right->written_at) - (left->written_at < right->written_at);
}

void output_place_tidy(struct schedd_scheduler *scheduler)
{
	int64_t limit = scheduler->settings.output_total_max;
	struct output_place_files files = {0};
	char path[4096];

	if (!scheduler->state_dir || limit < 0)
		return;
	snprintf(path, sizeof(path), "%s/output", scheduler->state_dir);
	output_place_files_read(&files, path, 0);
	if (files.total > limit)
		qsort(files.items, files.count, sizeof(files.items[0]), output_place_files_older);
	for (size_t i = 0; i < files.count; i++) {
		if (files.total > limit && unlink(files.items[i].path) == 0)
			files.total -= files.items[i].size;
		free(files.items[i].path);
	}
	free(files.items);
}
