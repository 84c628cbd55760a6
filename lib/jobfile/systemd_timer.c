/* SPDX-License-Identifier: MIT */
/*
 * Assignments are read one by one by rows into what the job is made of; those
 * that no row knows are remarked, unless they say nothing about the job.
 */
#include "jobfile/systemd_timer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/text_file.h"
#include "jobfile/systemd_find.h"
#include "jobfile/systemd_job.h"
#include "jobfile/systemd_unit.h"

#define UNIT_MAX ((size_t)1 << 20)

/* A fault with the file it is in, and the line if one assignment has it. */
static int systemd_fault(const struct systemd_job *job, const char *file, const char *unit,
    const struct systemd_assignment *at, const struct schedd_error *err)
{
	if (at)
		diagnostics_add(job->import->skipped, at->file, 0, 0, "%s: line %u: %s", unit,
		    at->line, err->message);
	else
		diagnostics_add(job->import->skipped, file, 0, 0, "%s: %s", unit, err->message);
	return SCHEDD_EFILE;
}

/* A unit of files, the first its own. */
struct systemd_source {
	struct systemd_name name;
	struct systemd_unit unit;
	const char *file; /* the first of them, for reports */
};

static int systemd_source_add(struct systemd_job *job, struct systemd_source *source,
    const char *file, const char *text, size_t length)
{
	struct schedd_error err;
	int rc = systemd_unit_add(&source->unit, file, text, length, job->import->arena, &err);

	return rc == SCHEDD_EINVAL ? systemd_fault(job, file, source->name.unit, NULL, &err) : rc;
}

static int systemd_source_read(struct systemd_job *job, struct systemd_source *source)
{
	const struct systemd_assignment *at = NULL;
	struct schedd_error err;
	int rc = systemd_job_read(job, &source->name, &source->unit, &at, &err);

	return rc == SCHEDD_EINVAL ? systemd_fault(job, source->file, source->name.unit, at, &err)
				   : rc;
}

static int systemd_finish(struct systemd_job *job, const struct systemd_source *timer)
{
	uint32_t before = job->import->skipped->count + job->import->skipped->dropped;
	const struct systemd_assignment *at = NULL;
	struct schedd_error err;
	struct value map;
	int rc = systemd_job_make(job, &map, &at, &err);

	if (rc == SCHEDD_EINVAL)
		return systemd_fault(
		    job, timer->file, at ? job->service.unit : timer->name.unit, at, &err);
	if (!rc)
		rc = import_job_add(job->import, 0, timer->name.unit, &map);
	if (rc)
		return rc;
	return job->import->skipped->count + job->import->skipped->dropped > before ? SCHEDD_EFILE
										    : 0;
}

int systemd_timer_read(struct import_job *import, const char *name, const char *timer,
    size_t timer_length, const char *service, size_t service_length)
{
	struct systemd_source sources[2] = {{.name.unit = name, .file = import->file}};
	struct systemd_job job;
	int rc;

	systemd_job_init(&job, import, &sources[0].name);
	rc = systemd_source_add(&job, &sources[0], import->file, timer, timer_length);
	if (!rc)
		rc = systemd_source_read(&job, &sources[0]);
	sources[1] = (struct systemd_source){.name = job.service, .file = import->file};
	if (!rc)
		rc = systemd_source_add(&job, &sources[1], import->file, service, service_length);
	if (!rc)
		rc = systemd_source_read(&job, &sources[1]);
	if (!rc)
		rc = systemd_finish(&job, &sources[0]);
	systemd_job_clear(&job);
	return rc;
}

/* ---- From files ---- */

static int systemd_load_file(
    struct systemd_job *job, struct systemd_source *source, const char *path)
{
	struct schedd_error err;
	size_t length;
	char *text;
	int rc = text_file_read(path, UNIT_MAX, &text, &length, &err);

	if (rc == SCHEDD_ENOMEM)
		return rc;
	if (rc) {
		diagnostics_add(job->import->skipped, "", 0, 0, "%s", err.message);
		return SCHEDD_EFILE;
	}
	rc = systemd_source_add(job, source, path, text, length);
	free(text);
	return rc;
}

/* Own file and drop-ins of a unit, whose names come out. */
static int systemd_load(
    struct systemd_job *job, struct systemd_source *source, const struct systemd_found *found)
{
	int rc;

	source->name = found->name;
	source->file = found->name.path;
	rc = systemd_load_file(job, source, found->name.path);
	for (uint32_t i = 0; i < found->drop_count && !rc; i++)
		rc = systemd_load_file(job, source, found->drops[i]);
	return rc ? rc : systemd_source_read(job, source);
}

static int systemd_load_both(
    struct systemd_job *job, const struct systemd_found *timer, const char *near)
{
	struct systemd_source sources[2] = {0};
	struct systemd_found service;
	struct schedd_error err;
	int rc = systemd_load(job, &sources[0], timer);

	if (rc)
		return rc;
	rc = systemd_find(job->service.unit, near, job->import->arena, &service, &err);
	if (rc == SCHEDD_EFILE) {
		diagnostics_add(job->import->skipped, timer->name.path, 0, 0, "%s", err.message);
		return rc;
	}
	if (!rc) {
		service.name.user = timer->name.user;
		job->service = service.name;
		rc = systemd_load(job, &sources[1], &service);
	}
	return rc ? rc : systemd_finish(job, &sources[0]);
}

int systemd_timer_load(struct import_job *import, const char *path)
{
	const char *outer = import->file, *slash = strrchr(path, '/');
	const char *near =
	    slash ? arena_strndup(import->arena, path, slash == path ? 1 : (size_t)(slash - path))
		  : ".";
	struct systemd_found timer;
	struct schedd_error err;
	struct systemd_job job;
	int rc = systemd_find(path, NULL, import->arena, &timer, &err);

	if (rc == SCHEDD_EFILE)
		diagnostics_add(import->skipped, path, 0, 0, "%s", err.message);
	if (rc)
		return rc;
	import->file = path;
	systemd_job_init(&job, import, &timer.name);
	rc = near ? systemd_load_both(&job, &timer, near) : SCHEDD_ENOMEM;
	systemd_job_clear(&job);
	import->file = outer;
	return rc;
}
