/* SPDX-License-Identifier: MIT */
/* One row an assignment that has a meaning here. */
#include "jobfile/systemd_job.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/duration.h"
#include "jobfile/env_file.h"
#include "jobfile/systemd_exec.h"
#include "jobfile/systemd_left.h"
#include "jobfile/systemd_status.h"

/* What becomes of earlier assignments; an empty one takes back all of its kind. */
enum systemd_kind {
	SYSTEMD_ONE,    /* the last one holds */
	SYSTEMD_LIST,   /* all hold */
	SYSTEMD_TIMERS, /* all hold, and an empty one takes back those of all such keys */
};

struct systemd_row;
typedef int (*systemd_row_fn)(struct systemd_job *job, const struct systemd_row *row,
    const struct systemd_assignment *item, struct schedd_error *err);

struct systemd_row {
	const char *section, *key;
	enum systemd_kind kind;
	systemd_row_fn read;
	const char *field; /* of ours, where one takes the value */
};

/* A row's function has no use for the value: it is remarked as left out. */
#define SYSTEMD_UNKNOWN 1

void systemd_job_init(
    struct systemd_job *job, struct import_job *import, const struct systemd_name *name)
{
	const char *dot = strrchr(name->unit, '.');
	size_t length = dot ? (size_t)(dot - name->unit) : strlen(name->unit);
	const char *stem = arena_strndup(import->arena, name->unit, length);

	memset(job, 0, sizeof(*job));
	job->import = import;
	job->timer = *name;
	job->id = stem ? import_job_id(import, stem) : NULL;
	job->service = (struct systemd_name){
	    .unit = arena_printf(import->arena, "%s.service", stem ? stem : ""),
	    .user = name->user};
	job->triggers = value_array();
	job->env = value_map();
	job->rlimits = value_map();
	job->codes = value_array();
	job->fields = value_map();
	job->start_timeout = job->run_timeout = SCHEDD_SPAN_NONE;
}

void systemd_job_clear(struct systemd_job *job)
{
	strbuf_clear(&job->left);
}

static int systemd_put(struct systemd_job *job, const char *field, struct value value)
{
	return value_put(job->import->arena, &job->fields, field, value) ? 0 : SCHEDD_ENOMEM;
}

static void systemd_note(struct systemd_job *job, const struct systemd_assignment *item,
    const char *unit, const char *words)
{
	diagnostics_add(job->import->notes, item->file, item->line, 0, "%s: %s=%.100s%s", unit,
	    item->key, item->value, words);
}

/* ---- Rows ---- */

#define ROW_PARAMS                                                                                 \
	struct systemd_job *job, const struct systemd_row *row,                                    \
	    const struct systemd_assignment *item, struct schedd_error *err

static bool systemd_yes(const char *value)
{
	return strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 ||
	       strcasecmp(value, "y") == 0 || strcasecmp(value, "t") == 0 ||
	       strcasecmp(value, "on") == 0 || strcmp(value, "1") == 0;
}

static int systemd_ignore(ROW_PARAMS)
{
	(void)job;
	(void)row;
	(void)item;
	(void)err;
	return 0;
}

/* Only "no" says nothing. */
static int systemd_ignore_no(ROW_PARAMS)
{
	(void)job;
	(void)row;
	(void)err;
	return systemd_yes(item->value) ? SYSTEMD_UNKNOWN : 0;
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

static int systemd_on_calendar(ROW_PARAMS)
{
	(void)row;
	(void)err;
	return systemd_add_trigger(job, "on_calendar", value_string_ref(item->value));
}

/* OnBootSec, OnStartupSec: the event itself, its delay is only said. */
static int systemd_on_event(ROW_PARAMS)
{
	schedd_span delay;
	int rc = systemd_span(item->value, &delay, err);

	if (rc)
		return rc;
	if (delay > 0)
		systemd_note(job, item, job->timer.unit, ": it runs without that delay");
	return systemd_add_trigger(job, row->field, value_bool(true));
}

static int systemd_on_repeat(ROW_PARAMS)
{
	schedd_span every;
	int rc = systemd_span(item->value, &every, err);

	(void)row;
	if (rc)
		return rc;
	systemd_note(job, item, job->timer.unit, ": counted from now on, not from run to run");
	return systemd_add_trigger(job, "every", duration_to_value(every));
}

static int systemd_delay(ROW_PARAMS)
{
	(void)row;
	return systemd_span(item->value, &job->delay, err);
}

/* How exact timers are has nothing to do with how late a run may be. */
static int systemd_accuracy(ROW_PARAMS)
{
	schedd_span accuracy;

	(void)job;
	(void)row;
	return systemd_span(item->value, &accuracy, err);
}

static int systemd_fixed(ROW_PARAMS)
{
	(void)row;
	(void)err;
	job->fixed_delay = systemd_yes(item->value);
	return 0;
}

static int systemd_persistent(ROW_PARAMS)
{
	(void)row;
	(void)err;
	job->persistent = systemd_yes(item->value);
	return 0;
}

static int systemd_starts(ROW_PARAMS)
{
	const char *dot = strrchr(item->value, '.');

	(void)row;
	if (!dot || strcmp(dot, ".service") != 0 || strchr(item->value, '/'))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "it starts %.60s, which is no service", item->value);
	job->service.unit = item->value;
	return 0;
}

static int systemd_type(ROW_PARAMS)
{
	(void)row;
	(void)err;
	job->oneshot = strcmp(item->value, "oneshot") == 0;
	return strcmp(item->value, "forking") == 0 || strcmp(item->value, "dbus") == 0
		   ? SYSTEMD_UNKNOWN
		   : 0;
}

static int systemd_command(ROW_PARAMS)
{
	size_t kind = strcmp(row->key, "ExecStartPre") == 0 ? 0
		      : strcmp(row->key, "ExecStart") == 0  ? 1
							    : 2;
	struct systemd_commands *list = &job->commands[kind];

	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? list->capacity * 2 : 8;
		const struct systemd_assignment **items =
		    arena_alloc(job->import->arena, capacity * sizeof(const void *));

		if (!items)
			return schedd_error_nomem(err);
		if (list->count)
			memcpy(items, list->items, list->count * sizeof(const void *));
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = item;
	return 0;
}

static int systemd_environment(ROW_PARAMS)
{
	struct arena *arena = job->import->arena;
	struct value words;
	int rc = systemd_exec_words(item->value, &job->service, arena, &words, err);

	(void)row;
	for (uint32_t i = 0; !rc && i < words.array.count; i++) {
		const char *text = words.array.items[i].string.text;
		const char *equal = strchr(text, '=');
		const char *name =
		    equal ? arena_strndup(arena, text, (size_t)(equal - text)) : NULL;

		if (!name)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "'%.60s' is not of the form NAME=VALUE", text);
		rc = env_file_set(arena, &job->env, name, equal + 1);
	}
	return rc;
}

static int systemd_user(ROW_PARAMS)
{
	(void)err;
	*(strcmp(row->key, "User") == 0 ? &job->user : &job->group) = item->value;
	return 0;
}

static int systemd_text(ROW_PARAMS)
{
	(void)err;
	return systemd_put(job, row->field, value_string_ref(item->value));
}

static int systemd_number(ROW_PARAMS)
{
	char *end;
	long number = strtol(item->value, &end, 10);

	if (end == item->value || *end)
		return schedd_error_set(err, SCHEDD_EINVAL, "'%.40s' is not a number", item->value);
	return systemd_put(job, row->field, value_int(number));
}

static int systemd_directory(ROW_PARAMS)
{
	const char *value = item->value;

	if (*value == '-') {
		systemd_note(
		    job, item, job->service.unit, ": a run fails where that directory is missing");
		value++;
	}
	job->home = strcmp(value, "~") == 0;
	if (!job->home && *value != '/')
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.100s' is neither absolute nor '~'", value);
	return job->home ? 0 : systemd_put(job, row->field, value_string_ref(value));
}

static int systemd_duration(ROW_PARAMS)
{
	schedd_span span;
	int rc = systemd_span(item->value, &span, err);

	if (rc || span == SCHEDD_SPAN_NONE || span == 0)
		return rc;
	return systemd_put(job, row->field, duration_to_value(span));
}

static int systemd_start_timeout(ROW_PARAMS)
{
	(void)row;
	return systemd_span(item->value, &job->start_timeout, err);
}

static int systemd_both_timeouts(ROW_PARAMS)
{
	int rc = systemd_start_timeout(job, row, item, err);

	return rc ? rc : systemd_duration(job, row, item, err);
}

static int systemd_run_timeout(ROW_PARAMS)
{
	(void)row;
	return systemd_span(item->value, &job->run_timeout, err);
}

static int systemd_limit(ROW_PARAMS)
{
	bool infinity = strcmp(item->value, "infinity") == 0;

	(void)err;
	return value_put(job->import->arena, &job->rlimits, row->field,
		   value_string_ref(infinity ? "unlimited" : item->value))
		   ? 0
		   : SCHEDD_ENOMEM;
}

/* A signal's name has no counterpart here; what else the line names counts all the same. */
static int systemd_success(ROW_PARAMS)
{
	struct strbuf other = STRBUF_EMPTY;

	(void)row;
	(void)err;
	for (const char *at = item->value; *at; at += strspn(at, " \t")) {
		size_t length = strcspn(at, " \t");
		int status = systemd_status(at, length);

		if (status >= 0)
			value_append(job->import->arena, &job->codes, value_int(status));
		else
			strbuf_printf(&other, " %.*s", (int)(length < 40 ? length : 40), at);
		at += length;
	}
	if (other.length)
		diagnostics_add(job->import->notes, item->file, item->line, 0, "%s: %s:%s is left out",
		    job->service.unit, item->key, strbuf_peek(&other));
	strbuf_clear(&other);
	return 0;
}

static const struct systemd_row systemd_rows[] = {
    {"Timer", "OnCalendar", SYSTEMD_TIMERS, systemd_on_calendar, NULL},
    {"Timer", "OnBootSec", SYSTEMD_TIMERS, systemd_on_event, "on_boot"},
    {"Timer", "OnStartupSec", SYSTEMD_TIMERS, systemd_on_event, "on_start"},
    {"Timer", "OnUnitActiveSec", SYSTEMD_TIMERS, systemd_on_repeat, NULL},
    {"Timer", "OnUnitInactiveSec", SYSTEMD_TIMERS, systemd_on_repeat, NULL},
    {"Timer", "RandomizedDelaySec", SYSTEMD_ONE, systemd_delay, NULL},
    {"Timer", "FixedRandomDelay", SYSTEMD_ONE, systemd_fixed, NULL},
    {"Timer", "AccuracySec", SYSTEMD_ONE, systemd_accuracy, NULL},
    {"Timer", "Persistent", SYSTEMD_ONE, systemd_persistent, NULL},
    {"Timer", "RemainAfterElapse", SYSTEMD_ONE, systemd_ignore, NULL},
    {"Timer", "WakeSystem", SYSTEMD_ONE, systemd_ignore_no, NULL},
    {"Timer", "Unit", SYSTEMD_ONE, systemd_starts, NULL},
    {"Unit", "Description", SYSTEMD_ONE, systemd_text, "description"},
    {"Unit", "Documentation", SYSTEMD_LIST, systemd_ignore, NULL},
    {"Unit", "After", SYSTEMD_LIST, systemd_ignore, NULL},
    {"Unit", "Before", SYSTEMD_LIST, systemd_ignore, NULL},
    {"Unit", "Wants", SYSTEMD_LIST, systemd_ignore, NULL},
    {"Unit", "DefaultDependencies", SYSTEMD_ONE, systemd_ignore, NULL},
    {"Install", NULL, SYSTEMD_LIST, systemd_ignore, NULL},
    {"Service", "Type", SYSTEMD_ONE, systemd_type, NULL},
    {"Service", "ExecStart", SYSTEMD_LIST, systemd_command, NULL},
    {"Service", "ExecStartPre", SYSTEMD_LIST, systemd_command, NULL},
    {"Service", "ExecStartPost", SYSTEMD_LIST, systemd_command, NULL},
    {"Service", "Environment", SYSTEMD_LIST, systemd_environment, NULL},
    {"Service", "User", SYSTEMD_ONE, systemd_user, NULL},
    {"Service", "Group", SYSTEMD_ONE, systemd_user, NULL},
    {"Service", "WorkingDirectory", SYSTEMD_ONE, systemd_directory, "cwd"},
    {"Service", "UMask", SYSTEMD_ONE, systemd_text, "umask"},
    {"Service", "Nice", SYSTEMD_ONE, systemd_number, "nice"},
    {"Service", "RuntimeMaxSec", SYSTEMD_ONE, systemd_run_timeout, NULL},
    {"Service", "TimeoutStartSec", SYSTEMD_ONE, systemd_start_timeout, NULL},
    {"Service", "TimeoutSec", SYSTEMD_ONE, systemd_both_timeouts, "kill_after"},
    {"Service", "TimeoutStopSec", SYSTEMD_ONE, systemd_duration, "kill_after"},
    {"Service", "KillSignal", SYSTEMD_ONE, systemd_text, "kill_signal"},
    {"Service", "KillMode", SYSTEMD_ONE, systemd_ignore, NULL},
    {"Service", "SuccessExitStatus", SYSTEMD_LIST, systemd_success, "success_codes"},
    {"Service", "SyslogIdentifier", SYSTEMD_ONE, systemd_ignore, NULL},
    {"Service", "IgnoreSIGPIPE", SYSTEMD_ONE, systemd_ignore, NULL},
    {"Service", "RemainAfterExit", SYSTEMD_ONE, systemd_ignore_no, NULL},
    {"Service", "LimitAS", SYSTEMD_ONE, systemd_limit, "as"},
    {"Service", "LimitCORE", SYSTEMD_ONE, systemd_limit, "core"},
    {"Service", "LimitCPU", SYSTEMD_ONE, systemd_limit, "cpu"},
    {"Service", "LimitDATA", SYSTEMD_ONE, systemd_limit, "data"},
    {"Service", "LimitFSIZE", SYSTEMD_ONE, systemd_limit, "fsize"},
    {"Service", "LimitMEMLOCK", SYSTEMD_ONE, systemd_limit, "memlock"},
    {"Service", "LimitNOFILE", SYSTEMD_ONE, systemd_limit, "nofile"},
    {"Service", "LimitNPROC", SYSTEMD_ONE, systemd_limit, "nproc"},
    {"Service", "LimitSTACK", SYSTEMD_ONE, systemd_limit, "stack"},
};

static const struct systemd_row *systemd_find(const struct systemd_assignment *item)
{
	for (size_t i = 0; i < sizeof(systemd_rows) / sizeof(systemd_rows[0]); i++) {
		const struct systemd_row *row = &systemd_rows[i];

		if (strcmp(row->section, item->section) == 0 &&
		    (!row->key || strcmp(row->key, item->key) == 0))
			return row;
	}
	return NULL;
}

/* ---- The whole unit ---- */

/* Does an empty later take back an earlier? */
static bool systemd_takes_back(
    const struct systemd_assignment *later, const struct systemd_assignment *earlier)
{
	const struct systemd_row *row = systemd_find(later), *other = systemd_find(earlier);

	if (strcmp(later->section, earlier->section) != 0)
		return false;
	if (strcmp(later->key, earlier->key) == 0)
		return true;
	if (row && other && row->kind == SYSTEMD_TIMERS && other->kind == SYSTEMD_TIMERS)
		return true;
	return !row && !other && systemd_left_is_group(later->key, earlier->key);
}

/* Marks what later assignments replace or take back: only what then is left means anything. */
static void systemd_settle(struct systemd_unit *unit)
{
	for (uint32_t i = 0; i < unit->count; i++) {
		struct systemd_assignment *later = &unit->items[i];
		const struct systemd_row *row = systemd_find(later);
		bool one = row && row->kind == SYSTEMD_ONE;

		later->dead = !*later->value;
		for (uint32_t k = 0; k < i; k++) {
			struct systemd_assignment *earlier = &unit->items[k];

			if (earlier->dead)
				continue;
			if (later->dead)
				earlier->dead = systemd_takes_back(later, earlier);
			else if (one && systemd_find(earlier) == row)
				earlier->dead = true;
		}
	}
}

/* Words are resolved one by one, so that what comes out of a specifier does not split them. */
static bool systemd_is_words(const struct systemd_row *row)
{
	return row->read == systemd_command || row->read == systemd_environment;
}

static int systemd_assign(struct systemd_job *job, const struct systemd_name *name,
    struct systemd_assignment *item, struct schedd_error *err)
{
	const struct systemd_row *row = systemd_find(item);
	int rc = 0;

	if (row && row->read != systemd_ignore && !systemd_is_words(row))
		rc = systemd_specifier_text(
		    item->value, name, job->import->arena, &item->value, err);
	if (!rc)
		rc = row ? row->read(job, row, item, err) : SYSTEMD_UNKNOWN;
	if (rc != SYSTEMD_UNKNOWN)
		return rc;
	if (systemd_left_is_remark(item->section, item->key))
		return 0;
	systemd_note(job, item, name->unit, " is left out");
	if (systemd_left_changes(item->key))
		strbuf_printf(&job->left, "%s%s=%.100s", job->left.length ? ", " : "", item->key,
		    item->value);
	return 0;
}

int systemd_job_read(struct systemd_job *job, const struct systemd_name *name,
    struct systemd_unit *unit, const struct systemd_assignment **at, struct schedd_error *err)
{
	int rc = 0;

	systemd_settle(unit);
	for (uint32_t i = 0; i < unit->count && !rc; i++) {
		*at = &unit->items[i];
		if (!unit->items[i].dead)
			rc = systemd_assign(job, name, &unit->items[i], err);
		if (rc == SCHEDD_EINVAL)
			schedd_error_prefix(err, "%s", unit->items[i].key);
	}
	return rc;
}
