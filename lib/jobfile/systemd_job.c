/* SPDX-License-Identifier: MIT */
/* One row an assignment that has a meaning here. */
#include "jobfile/systemd_job.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/duration.h"
#include "jobfile/systemd_exec.h"

/* What a row is called with. */
struct systemd_row;
typedef int (*systemd_row_fn)(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err);

struct systemd_row {
	const char *section, *key;
	systemd_row_fn read;
	const char *field; /* of ours, where one takes the value */
};

void systemd_job_init(struct systemd_job *job, struct import_job *import, const char *timer)
{
	const char *dot = strrchr(timer, '.');
	size_t length = dot ? (size_t)(dot - timer) : strlen(timer);
	const char *stem = arena_strndup(import->arena, timer, length);

	memset(job, 0, sizeof(*job));
	job->import = import;
	job->id = stem ? import_job_id(import, stem) : NULL;
	job->unit = arena_printf(import->arena, "%s.service", stem ? stem : "");
	job->triggers = value_array();
	for (size_t i = 0; i < 3; i++)
		job->commands[i] = value_array();
	job->env = value_map();
	job->rlimits = value_map();
	job->fields = value_map();
	job->accuracy = SCHEDD_MINUTE;
}

static int systemd_put(struct systemd_job *job, const char *field, struct value value)
{
	return value_put(job->import->arena, &job->fields, field, value) ? 0 : SCHEDD_ENOMEM;
}

/* ---- Rows ---- */

static bool systemd_yes(const char *value)
{
	return strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 ||
	       strcasecmp(value, "on") == 0 || strcmp(value, "1") == 0;
}

static int systemd_ignore(struct systemd_job *job, const struct systemd_row *row, const char *value,
    struct schedd_error *err)
{
	(void)job;
	(void)row;
	(void)value;
	(void)err;
	return 0;
}

/* Only "no" says nothing. */
static int systemd_ignore_no(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	(void)job;
	(void)row;
	(void)err;
	return systemd_yes(value) ? SYSTEMD_JOB_UNKNOWN : 0;
}

/* A span; infinity is SCHEDD_SPAN_NONE. */
static int systemd_span(const char *value, schedd_span *out, struct schedd_error *err)
{
	if (strcmp(value, "infinity") == 0) {
		*out = SCHEDD_SPAN_NONE;
		return 0;
	}
	return duration_parse(value, out, err);
}

static int systemd_add_trigger(struct systemd_job *job, const char *key, struct value value)
{
	struct value form = value_map();

	value_put(job->import->arena, &form, key, value);
	return value_append(job->import->arena, &job->triggers, form) ? 0 : SCHEDD_ENOMEM;
}

static int systemd_on_calendar(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	(void)row;
	(void)err;
	if (!*value) {
		job->triggers = value_array();
		return 0;
	}
	return systemd_add_trigger(job, "on_calendar", value_string_ref(value));
}

/* OnBootSec, OnStartupSec: the event itself, its delay is only said. */
static int systemd_on_event(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	schedd_span delay;
	int rc = systemd_span(value, &delay, err);

	if (rc)
		return rc;
	if (delay > 0)
		diagnostics_add(job->import->notes, job->import->file, 0, 0,
		    "%s: %s=%s: it runs without that delay", job->id, row->key, value);
	return systemd_add_trigger(job, row->field, value_bool(true));
}

static int systemd_on_repeat(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	schedd_span every;
	int rc = systemd_span(value, &every, err);

	if (rc)
		return rc;
	diagnostics_add(job->import->notes, job->import->file, 0, 0,
	    "%s: %s=%s: counted from now on, not from run to run", job->id, row->key, value);
	return systemd_add_trigger(job, "every", duration_to_value(every));
}

static int systemd_delay(struct systemd_job *job, const struct systemd_row *row, const char *value,
    struct schedd_error *err)
{
	(void)row;
	return systemd_span(value, &job->delay, err);
}

static int systemd_accuracy(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	(void)row;
	return systemd_span(value, &job->accuracy, err);
}

static int systemd_fixed(struct systemd_job *job, const struct systemd_row *row, const char *value,
    struct schedd_error *err)
{
	(void)row;
	(void)err;
	job->fixed_delay = systemd_yes(value);
	return 0;
}

static int systemd_persistent(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	(void)row;
	(void)err;
	job->persistent = systemd_yes(value);
	return 0;
}

static int systemd_unit(struct systemd_job *job, const struct systemd_row *row, const char *value,
    struct schedd_error *err)
{
	const char *dot = strrchr(value, '.');

	(void)row;
	if (!dot || strcmp(dot, ".service") != 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "it starts %.60s, which is no service", value);
	job->unit = value;
	return 0;
}

static int systemd_type(struct systemd_job *job, const struct systemd_row *row, const char *value,
    struct schedd_error *err)
{
	(void)row;
	(void)err;
	job->oneshot = strcmp(value, "oneshot") == 0;
	return strcmp(value, "forking") == 0 || strcmp(value, "dbus") == 0 ? SYSTEMD_JOB_UNKNOWN
									   : 0;
}

/* An empty one takes back what stood before it, of its own kind. */
static int systemd_command(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	size_t kind = strcmp(row->key, "ExecStartPre") == 0 ? 0
		      : strcmp(row->key, "ExecStart") == 0  ? 1
							    : 2;

	(void)err;
	if (!*value) {
		job->commands[kind] = value_array();
		return 0;
	}
	return value_append(job->import->arena, &job->commands[kind], value_string_ref(value))
		   ? 0
		   : SCHEDD_ENOMEM;
}

static int systemd_environment(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	struct arena *arena = job->import->arena;
	struct value words;
	int rc;

	(void)row;
	if (!*value) {
		job->env = value_map();
		return 0;
	}
	rc = systemd_exec_words(value, job->unit, arena, &words, err);
	for (uint32_t i = 0; !rc && i < words.array.count; i++) {
		const char *text = words.array.items[i].string.text;
		const char *equal = strchr(text, '=');
		const char *name =
		    equal ? arena_strndup(arena, text, (size_t)(equal - text)) : NULL;
		struct value_member *old;

		if (!name)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "'%.60s' is not of the form NAME=VALUE", text);
		/* The list is ours: a later assignment replaces an earlier one. */
		old = (struct value_member *)(uintptr_t)value_find(&job->env, name);
		if (old)
			old->value = value_string(arena, equal + 1);
		else
			value_put(arena, &job->env, name, value_string(arena, equal + 1));
	}
	return rc;
}

static int systemd_user(struct systemd_job *job, const struct systemd_row *row, const char *value,
    struct schedd_error *err)
{
	(void)err;
	if (strcmp(row->key, "User") == 0)
		job->user = *value ? value : NULL;
	else
		job->group = *value ? value : NULL;
	return 0;
}

static int systemd_text(struct systemd_job *job, const struct systemd_row *row, const char *value,
    struct schedd_error *err)
{
	(void)err;
	return systemd_put(job, row->field, value_string_ref(value));
}

static int systemd_number(struct systemd_job *job, const struct systemd_row *row, const char *value,
    struct schedd_error *err)
{
	char *end;
	long number = strtol(value, &end, 10);

	if (end == value || *end)
		return schedd_error_set(err, SCHEDD_EINVAL, "'%.40s' is not a number", value);
	return systemd_put(job, row->field, value_int(number));
}

static int systemd_directory(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	(void)err;
	value += *value == '-';
	/* '~' is the home of its user, where jobs start anyway. */
	return *value == '/' ? systemd_put(job, row->field, value_string_ref(value)) : 0;
}

static int systemd_duration(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	schedd_span span;
	int rc = systemd_span(value, &span, err);

	if (rc || span == SCHEDD_SPAN_NONE || span == 0)
		return rc;
	return systemd_put(job, row->field, duration_to_value(span));
}

/* Of a one-shot service the start is all there is. */
static int systemd_start_timeout(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	return job->oneshot ? systemd_duration(job, row, value, err) : 0;
}

static int systemd_limit(struct systemd_job *job, const struct systemd_row *row, const char *value,
    struct schedd_error *err)
{
	struct arena *arena = job->import->arena;
	char *limit = arena_strdup(arena, value);

	(void)err;
	if (!limit)
		return SCHEDD_ENOMEM;
	if (strcmp(limit, "infinity") == 0)
		limit = arena_strdup(arena, "unlimited");
	return value_put(arena, &job->rlimits, row->field, value_string_ref(limit)) ? 0
										    : SCHEDD_ENOMEM;
}

static int systemd_success(struct systemd_job *job, const struct systemd_row *row,
    const char *value, struct schedd_error *err)
{
	struct value codes = value_array();

	(void)err;
	value_append(job->import->arena, &codes, value_int(0));
	for (const char *at = value; *at;) {
		char *end;
		long code = strtol(at, &end, 10);

		if (end == at || (*end && *end != ' ') || code < 0 || code > 255)
			return SYSTEMD_JOB_UNKNOWN;
		value_append(job->import->arena, &codes, value_int(code));
		at = end + strspn(end, " ");
	}
	return systemd_put(job, row->field, codes);
}

static const struct systemd_row systemd_rows[] = {
    {"Timer", "OnCalendar", systemd_on_calendar, NULL},
    {"Timer", "OnBootSec", systemd_on_event, "on_boot"},
    {"Timer", "OnStartupSec", systemd_on_event, "on_start"},
    {"Timer", "OnUnitActiveSec", systemd_on_repeat, NULL},
    {"Timer", "OnUnitInactiveSec", systemd_on_repeat, NULL},
    {"Timer", "RandomizedDelaySec", systemd_delay, NULL},
    {"Timer", "FixedRandomDelay", systemd_fixed, NULL},
    {"Timer", "AccuracySec", systemd_accuracy, NULL},
    {"Timer", "Persistent", systemd_persistent, NULL},
    {"Timer", "RemainAfterElapse", systemd_ignore, NULL},
    {"Timer", "WakeSystem", systemd_ignore_no, NULL},
    {"Timer", "Unit", systemd_unit, NULL},
    {"Unit", "Description", systemd_text, "description"},
    {"Unit", "Documentation", systemd_ignore, NULL},
    {"Unit", "After", systemd_ignore, NULL},
    {"Unit", "Before", systemd_ignore, NULL},
    {"Unit", "Wants", systemd_ignore, NULL},
    {"Unit", "DefaultDependencies", systemd_ignore, NULL},
    {"Install", NULL, systemd_ignore, NULL},
    {"Service", "Type", systemd_type, NULL},
    {"Service", "ExecStart", systemd_command, NULL},
    {"Service", "ExecStartPre", systemd_command, NULL},
    {"Service", "ExecStartPost", systemd_command, NULL},
    {"Service", "Environment", systemd_environment, NULL},
    {"Service", "User", systemd_user, NULL},
    {"Service", "Group", systemd_user, NULL},
    {"Service", "WorkingDirectory", systemd_directory, "cwd"},
    {"Service", "UMask", systemd_text, "umask"},
    {"Service", "Nice", systemd_number, "nice"},
    {"Service", "RuntimeMaxSec", systemd_duration, "timeout"},
    {"Service", "TimeoutStartSec", systemd_start_timeout, "timeout"},
    {"Service", "TimeoutStopSec", systemd_duration, "kill_after"},
    {"Service", "KillSignal", systemd_text, "kill_signal"},
    {"Service", "KillMode", systemd_ignore, NULL},
    {"Service", "SuccessExitStatus", systemd_success, "success_codes"},
    {"Service", "SyslogIdentifier", systemd_ignore, NULL},
    {"Service", "IgnoreSIGPIPE", systemd_ignore, NULL},
    {"Service", "RemainAfterExit", systemd_ignore_no, NULL},
    {"Service", "LimitAS", systemd_limit, "as"},
    {"Service", "LimitCORE", systemd_limit, "core"},
    {"Service", "LimitCPU", systemd_limit, "cpu"},
    {"Service", "LimitDATA", systemd_limit, "data"},
    {"Service", "LimitFSIZE", systemd_limit, "fsize"},
    {"Service", "LimitMEMLOCK", systemd_limit, "memlock"},
    {"Service", "LimitNOFILE", systemd_limit, "nofile"},
    {"Service", "LimitNPROC", systemd_limit, "nproc"},
    {"Service", "LimitSTACK", systemd_limit, "stack"},
};

int systemd_job_assign(
    struct systemd_job *job, const struct systemd_assignment *item, struct schedd_error *err)
{
	for (size_t i = 0; i < sizeof(systemd_rows) / sizeof(systemd_rows[0]); i++) {
		const struct systemd_row *row = &systemd_rows[i];

		if (strcmp(row->section, item->section) == 0 &&
		    (!row->key || strcmp(row->key, item->key) == 0))
			return row->read(job, row, item->value, err);
	}
	return SYSTEMD_JOB_UNKNOWN;
}
