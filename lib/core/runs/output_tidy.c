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
#include "core/jobs/accounts.h"

/* What an account's output may take, and takes. */
struct tidy_account {
	char name[JOB_ACCOUNT_MAX + 1];
	int64_t limit;
	int64_t total;
};

struct output_tidy {
	struct janitor_task task;
	struct schedd_scheduler *scheduler;
	char *directory; /* that holds the jobs' directories; owned */
	int64_t limit;   /* -1: none */
	struct tidy_account *accounts; /* those that have a limit, by name; owned */
	size_t account_count;
};

/* A kept file, for the search of the oldest. */
struct tidy_file {
	char *path;
	int64_t size;
	int64_t written_at; /* mtime, ns */
	struct tidy_account *account; /* NULL: none, or one without a limit */
};

struct tidy_files {
	struct janitor *janitor;
	const struct output_tidy *tidy;
	struct tidy_file *items;
	size_t count, capacity;
	int64_t total;
};

static int tidy_account_compare(const void *a, const void *b)
{
	return strcmp(((const struct tidy_account *)a)->name, ((const struct tidy_account *)b)->name);
}

/* Whose limit it counts for, by the name of a job's directory. */
static struct tidy_account *tidy_account_of(const struct output_tidy *tidy, const char *job)
{
	size_t length = job_id_account(job);
	struct tidy_account key;

	if (length == 0 || length > JOB_ACCOUNT_MAX || !tidy->account_count)
		return NULL;
	memcpy(key.name, job, length);
	key.name[length] = '\0';
	return bsearch(&key, tidy->accounts, tidy->account_count, sizeof(key), tidy_account_compare);
}

static void tidy_files_add(struct tidy_files *files, const char *path, const struct stat *info,
    struct tidy_account *account)
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
	    info->st_mtim.tv_sec * INT64_C(1000000000) + info->st_mtim.tv_nsec, account};
	if (file->path)
		files->count++;
	files->total += info->st_size;
	if (account)
		account->total += info->st_size;
}

/* What lies in a directory and in those in it. */
static void tidy_files_read(
    struct tidy_files *files, const char *directory, int depth, struct tidy_account *account)
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
			tidy_files_read(files, path, 1, tidy_account_of(files->tidy, entry->d_name));
		else if (S_ISREG(info.st_mode))
			tidy_files_add(files, path, &info, account);
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
	struct tidy_files files = {.janitor = tidy->task.janitor, .tidy = tidy};

	tidy_files_read(&files, tidy->directory, 0, NULL);
	if (files.count)
		qsort(files.items, files.count, sizeof(files.items[0]), tidy_files_older);
	for (size_t i = 0; i < files.count; i++) {
		struct tidy_file *file = &files.items[i];
		struct tidy_account *account = file->account;

		if (((tidy->limit >= 0 && files.total > tidy->limit) ||
			(account && account->total > account->limit)) &&
		    !janitor_stopping(files.janitor) && unlink(file->path) == 0) {
			files.total -= file->size;
			if (account)
				account->total -= file->size;
		}
		free(file->path);
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
	if (tidy->limit >= 0 || tidy->account_count)
		tidy_limit(tidy);
}

static void tidy_done(struct janitor_task *task)
{
	struct output_tidy *tidy = (struct output_tidy *)task;
	struct schedd_scheduler *scheduler = tidy->scheduler;
	bool again = --scheduler->runs.tidying == 0 && scheduler->runs.tidy_again;

	for (size_t i = 0; i < tidy->account_count; i++) {
		const struct tidy_account *account = &tidy->accounts[i];
		struct account_slot *slot = accounts_named(scheduler, account->name);

		if (slot)
			slot->output_room = account->limit > account->total
						? (uint64_t)(account->limit - account->total)
						: 0;
	}
	free(tidy->accounts);
	free(tidy->directory);
	free(tidy);
	if (again && !janitor_stopping(scheduler->janitor))
		output_tidy_begin(scheduler);
}

/* Of those alone whose output has grown beyond the room that was left. Without memory it is looked
 * at again with the next pass. */
static void tidy_take_accounts(struct schedd_scheduler *scheduler, struct output_tidy *tidy)
{
	uint32_t position = 0;
	struct account_slot *slot;
	bool due = false;

	while ((slot = accounts_walk(scheduler, &position)))
		due |= slot->output_new > slot->output_room || slot->output_room == 0;
	tidy->accounts = due ? calloc(accounts_count(scheduler), sizeof(tidy->accounts[0])) : NULL;
	position = 0;
	while (tidy->accounts && (slot = accounts_walk(scheduler, &position))) {
		struct tidy_account *account = &tidy->accounts[tidy->account_count];

		if (slot->may.output == INT64_MAX)
			continue;
		snprintf(account->name, sizeof(account->name), "%s", slot->name);
		account->limit = slot->may.output;
		slot->output_new = 0;
		tidy->account_count++;
	}
	if (tidy->account_count)
		qsort(tidy->accounts, tidy->account_count, sizeof(tidy->accounts[0]), tidy_account_compare);
}

static void tidy_start(struct schedd_scheduler *scheduler, int64_t limit, bool accounts)
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
	if (accounts)
		tidy_take_accounts(scheduler, tidy);
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
		tidy_start(scheduler, scheduler->settings.output_total_max, true);
}

void output_tidy_gone(struct schedd_scheduler *scheduler)
{
	tidy_start(scheduler, -1, false);
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
