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
#include "base/duration.h"
#include "base/text_file.h"
#include "jobfile/systemd_job.h"
#include "jobfile/systemd_unit.h"

#define UNIT_MAX ((size_t)1 << 20)

static void systemd_note(
    const struct systemd_job *job, const char *unit, const struct systemd_assignment *item)
{
	diagnostics_add(job->import->notes, job->import->file, item->line, 0,
	    "%s: %s=%.100s is left out", unit, item->key, item->value);
}

/* Lets the rows of a section read the unit; a fault is reported with its line. */
static int systemd_read_unit(
    struct systemd_job *job, const char *unit, const char *text, size_t length)
{
	struct systemd_unit read;
	struct schedd_error err;
	int rc = systemd_unit_read(text, length, job->import->arena, &read, &err);

	for (uint32_t i = 0; i < read.count && !rc; i++) {
		const struct systemd_assignment *item = &read.items[i];

		rc = systemd_job_assign(job, item, &err);
		if (rc == SYSTEMD_JOB_UNKNOWN) {
			systemd_note(job, unit, item);
			rc = 0;
		} else if (rc == SCHEDD_EINVAL) {
			schedd_error_prefix(&err, "line %u: %s", item->line, item->key);
		}
	}
	if (rc == SCHEDD_EINVAL) {
		diagnostics_add(
		    job->import->skipped, job->import->file, 0, 0, "%s: %s", unit, err.message);
		return SCHEDD_EFILE;
	}
	return rc;
}

static int systemd_finish(struct systemd_job *job, const char *name)
{
	uint32_t before = job->import->skipped->count + job->import->skipped->dropped;
	struct schedd_error err;
	struct value map;
	int rc = systemd_job_make(job, &map, &err);

	if (rc == SCHEDD_EINVAL) {
		diagnostics_add(
		    job->import->skipped, job->import->file, 0, 0, "%s: %s", name, err.message);
		return SCHEDD_EFILE;
	}
	if (!rc)
		rc = import_job_add(job->import, 0, name, &map);
	if (rc)
		return rc;
	return job->import->skipped->count + job->import->skipped->dropped > before ? SCHEDD_EFILE
										    : 0;
}

int systemd_timer_read(struct import_job *import, const char *name, const char *timer,
    size_t timer_length, const char *service, size_t service_length)
{
	struct systemd_job job;
	int rc;

	systemd_job_init(&job, import, name);
	rc = systemd_read_unit(&job, name, timer, timer_length);
	if (!rc)
		rc = systemd_read_unit(&job, job.unit, service, service_length);
	if (!rc)
		rc = systemd_finish(&job, name);
	return rc;
}

/* The service of the timer at path: beside it, or where systemd looks. */
static int systemd_load_service(struct import_job *import, const char *path, const char *unit,
    char **text, size_t *length, struct schedd_error *err)
{
	static const char *const directories[] = {"/etc/systemd/system/", "/run/systemd/system/",
	    "/usr/local/lib/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"};
	const char *slash = strrchr(path, '/');
	const char *file =
	    arena_printf(import->arena, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, unit);
	int rc = file ? text_file_read(file, UNIT_MAX, text, length, err) : schedd_error_nomem(err);

	for (size_t i = 0; rc == SCHEDD_EFILE && i < sizeof(directories) / sizeof(directories[0]);
	     i++) {
		file = arena_printf(import->arena, "%s%s", directories[i], unit);
		rc = file ? text_file_read(file, UNIT_MAX, text, length, NULL) : SCHEDD_ENOMEM;
	}
	return rc;
}

/* The name of the unit a timer's text starts, to be looked for. */
static int systemd_find_unit(struct import_job *import, const char *name, const char *text,
    size_t length, const char **unit, struct schedd_error *err)
{
	struct systemd_job job;
	struct systemd_unit read;
	int rc = systemd_unit_read(text, length, import->arena, &read, err);

	systemd_job_init(&job, import, name);
	*unit = job.unit;
	for (uint32_t i = 0; i < read.count && !rc; i++)
		if (strcmp(read.items[i].section, "Timer") == 0 &&
		    strcmp(read.items[i].key, "Unit") == 0 && *read.items[i].value &&
		    !strchr(read.items[i].value, '/'))
			*unit = read.items[i].value;
	return rc;
}

int systemd_timer_load(struct import_job *import, const char *path)
{
	const char *slash = strrchr(path, '/'), *outer = import->file, *unit = NULL;
	const char *name = slash ? slash + 1 : path;
	char *timer = NULL, *service = NULL;
	size_t timer_length, service_length;
	struct schedd_error err;
	int rc = text_file_read(path, UNIT_MAX, &timer, &timer_length, &err);

	import->file = path;
	if (!rc)
		rc = systemd_find_unit(import, name, timer, timer_length, &unit, &err);
	if (!rc)
		rc = systemd_load_service(import, path, unit, &service, &service_length, &err);
	if (rc && rc != SCHEDD_ENOMEM) {
		diagnostics_add(import->skipped, path, 0, 0, "%s", err.message);
		rc = SCHEDD_EFILE;
	} else if (!rc) {
		rc = systemd_timer_read(import, name, timer, timer_length, service, service_length);
	}
	free(timer);
	free(service);
	import->file = outer;
	return rc;
}
