/* SPDX-License-Identifier: MIT */
/* Files of output: their names, their making and their end. */
#include "core/runs/output_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "core/jobs/accounts.h"
#include "core/runs/output_tidy.h"
#include "core/runs/run_live_state.h"
#include "executor/output_source.h"

/* What nodes that share a store keep there of it, for when its node is gone. */
#define OUTPUT_PLACE_SHARED 65536
/* What is kept of a run's output while the disk is nearly full: in memory only. */
#define OUTPUT_PLACE_LOW_DISK 4096
/* A run may take less time than asking for what is free: that is not done for each. */
#define OUTPUT_PLACE_LOOK (SCHEDD_SECOND / 10)

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

static bool output_place_low_disk(struct schedd_scheduler *scheduler)
{
	struct runs_room *runs = &scheduler->runs;
	struct schedd_mono now;
	struct statvfs disk;

	if (scheduler->settings.low_disk <= 0)
		return false;
	now = scheduler_mono(scheduler);
	if (runs->disk_looked.us == 0 || now.us - runs->disk_looked.us >= OUTPUT_PLACE_LOOK) {
		if (statvfs(scheduler->state_dir, &disk))
			return false;
		runs->disk_looked = now;
		runs->disk_free = (int64_t)(disk.f_bavail * disk.f_frsize);
	}
	return runs->disk_free < scheduler->settings.low_disk;
}

/* Each run has one, so it is put together without printf: its id is "JOB/N". */
static bool output_place_of(const struct run_live *live, char *path, size_t size)
{
	const char *folder = live->scheduler->state_dir;
	size_t outer = folder ? strlen(folder) : 0, id = strlen(live->id);

	if (!folder || outer + strlen("/output/") + id >= size)
		return false;
	memcpy(path, folder, outer);
	memcpy(path + outer, "/output/", strlen("/output/"));
	memcpy(path + outer + strlen("/output/"), live->id, id + 1);
	return true;
}

struct output *output_place_open(const struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	const struct job_details *details = job_details(live->job);
	const struct account_slot *account = live->owner;
	int64_t limit =
	    details->output_max >= 0 ? details->output_max : scheduler->settings.output_max;
	char path[4096];

	if (account && limit > account->may.output)
		limit = account->may.output;
	if (details->capture == JOB_CAPTURE_NONE)
		return NULL;
	if (!output_place_of(live, path, sizeof(path)))
		return output_new(NULL, (size_t)limit);
	if (output_place_low_disk(scheduler)) {
		log_warn(scheduler->log, "run %s: the disk is nearly full, its output is not kept",
		    live->id);
		return output_new(NULL, OUTPUT_PLACE_LOW_DISK);
	}
	return output_new(path, (size_t)limit);
}

void output_place_last(const struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    const struct output *output, struct strbuf *out)
{
	struct output_source source = {.live = output};
	struct schedd_error err;
	char path[4096];

	if (!output && !output_place_path(scheduler, job, number, path, sizeof(path)))
		return;
	source.path = output ? NULL : path;
	if (output_source_last(&source, OUTPUT_PLACE_SHARED, out, &err)) {
		log_warn(scheduler->log, "run %s/%u: the store does not keep its output: %s", job,
		    (unsigned)number, err.message);
		strbuf_reset(out);
	}
}

/* Runs that go on keep what they write. */
static void output_place_keep(
    const struct schedd_scheduler *scheduler, const struct run_live *live, const char *gone)
{
	char from[4352], to[4096];
	int length = snprintf(from, sizeof(from), "%s/%u", gone, live->run.number);

	if (length >= (int)sizeof(from) || !output_place_directory(scheduler, live->job->id) ||
	    !output_place_path(scheduler, live->job->id, live->run.number, to, sizeof(to)))
		return;
	if (rename(from, to) && errno != ENOENT)
		log_warn(
		    scheduler->log, "run %s: its output is lost: %s", live->id, strerror(errno));
}

/* job NULL: of all jobs. */
static void output_place_drop(struct schedd_scheduler *scheduler, const char *job)
{
	char gone[4096], path[4352];

	if (!output_tidy_take(scheduler, job, gone, sizeof(gone)))
		return;
	for (const struct run_live *live = scheduler->runs.live; live; live = live->next) {
		if (!live->output || (job && strcmp(live->job->id, job) != 0))
			continue;
		snprintf(path, sizeof(path), "%s/%s", gone, job ? "." : live->job->id);
		output_place_keep(scheduler, live, path);
	}
	output_tidy_gone(scheduler);
}

void output_place_remove(struct schedd_scheduler *scheduler, const char *job, uint32_t number)
{
	char path[4096];

	if (!scheduler->state_dir)
		return;
	if (!job || !number)
		output_place_drop(scheduler, job);
	else if (output_place_path(scheduler, job, number, path, sizeof(path)))
		unlink(path);
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
