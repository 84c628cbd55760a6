/* SPDX-License-Identifier: MIT */
/* The job's map, when timer and service are read. */
#include <string.h>
#include "base/duration.h"
#include "jobfile/systemd_exec.h"
#include "jobfile/systemd_job.h"

#define SYSTEMD_GRACE 60 /* seconds that a machine may be busy */
#define SYSTEMD_OWNER_MAX 240

/* One trigger as it is, several under "any"; the delay is the whole's. */
static int systemd_job_make_trigger(
    struct systemd_job *job, struct value *out, struct schedd_error *err)
{
	struct arena *arena = job->import->arena;

	if (job->triggers.array.count == 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "no OnCalendar, OnBootSec or OnUnitActiveSec that could be taken");
	if (job->triggers.array.count == 1) {
		*out = job->triggers.array.items[0];
	} else {
		*out = value_map();
		value_put(arena, out, "any", job->triggers);
	}
	/* Events have no jitter: they do not stand on a clock. */
	if (job->delay > 0 && !value_get(out, "on_boot") && !value_get(out, "on_start"))
		value_put(arena, out, job->fixed_delay ? "splay" : "jitter",
		    duration_to_value(job->delay));
	return 0;
}

/* Commands in the order they run, with room for more. */
struct systemd_execs {
	struct systemd_exec *items; /* in the arena */
	uint32_t count, capacity;
};

/* All commands as one line; the first that fails ends it, unless it may. */
static int systemd_job_make_line(
    struct systemd_job *job, const struct systemd_execs *execs, struct value *out)
{
	struct strbuf line = STRBUF_EMPTY;
	bool splits = false;

	for (uint32_t i = 0; i < execs->count; i++)
		splits |= systemd_exec_splits(&execs->items[i]);
	/* systemd splits what a variable holds into words, but takes none for a pattern. */
	if (splits)
		strbuf_add(&line, "set -f; ");
	for (uint32_t i = 0; i < execs->count; i++) {
		if (i > 0)
			strbuf_add(&line, " && ");
		if (execs->items[i].may_fail)
			strbuf_add(&line, "{ ");
		systemd_exec_shell(&line, &execs->items[i]);
		if (execs->items[i].may_fail)
			strbuf_add(&line, " || true; }");
	}
	*out = value_string_take(job->import->arena, &line);
	return out->type == VALUE_STRING ? 0 : SCHEDD_ENOMEM;
}

static struct systemd_exec *systemd_job_make_room(
    struct systemd_job *job, struct systemd_execs *execs)
{
	uint32_t capacity = execs->capacity ? execs->capacity * 2 : 8;
	struct systemd_exec *items;

	if (execs->count < execs->capacity)
		return &execs->items[execs->count++];
	items = arena_alloc(job->import->arena, capacity * sizeof(*items));
	if (!items)
		return NULL;
	if (execs->count)
		memcpy(items, execs->items, execs->count * sizeof(*items));
	execs->items = items;
	execs->capacity = capacity;
	return &execs->items[execs->count++];
}

/* The commands of one assignment, with ';' between. */
static int systemd_job_make_exec(struct systemd_job *job, const struct systemd_assignment *item,
    struct systemd_execs *execs, struct schedd_error *err)
{
	const char *value = item->value;
	int rc = 0;

	do {
		struct systemd_exec *exec = systemd_job_make_room(job, execs);

		rc = exec ? systemd_exec_read(&value, &job->service, job->import->arena, exec, err)
			  : schedd_error_nomem(err);
		if (!rc && exec->privileged)
			diagnostics_add(job->import->notes, item->file, item->line, 0,
			    "%s: a command has more rights than the others in systemd",
			    job->service.unit);
	} while (!rc && *value);
	return rc;
}

static int systemd_job_make_action(struct systemd_job *job, struct value *map,
    const struct systemd_assignment **at, struct schedd_error *err)
{
	struct arena *arena = job->import->arena;
	struct systemd_execs execs = {0};
	struct value line;
	int rc = 0;

	*at = NULL;
	if (job->commands[1].count == 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s has no ExecStart", job->service.unit);
	for (size_t kind = 0; kind < 3; kind++)
		for (uint32_t i = 0; i < job->commands[kind].count && !rc; i++) {
			*at = job->commands[kind].items[i];
			rc = systemd_job_make_exec(job, *at, &execs, err);
			if (rc == SCHEDD_EINVAL)
				schedd_error_prefix(err, "%s", (*at)->key);
		}
	if (rc)
		return rc;
	*at = NULL;
	if (execs.count == 1 && !execs.items[0].variables && !execs.items[0].may_fail) {
		value_put(arena, map, "command", execs.items[0].argv);
		return 0;
	}
	if (systemd_job_make_line(job, &execs, &line))
		return schedd_error_nomem(err);
	value_put(arena, map, "shell", line);
	return 0;
}

static void systemd_job_make_user(struct systemd_job *job, struct value *map)
{
	struct arena *arena = job->import->arena;

	if (job->user && job->group)
		value_put(arena, map, "user",
		    value_string_ref(arena_printf(arena, "%s:%s", job->user, job->group)));
	else if (job->user)
		value_put(arena, map, "user", value_string_ref(job->user));
	else if (job->group)
		value_put(arena, map, "user",
		    value_string_ref(arena_printf(arena, "root:%s", job->group)));
}

/* The last value of a field that was assigned twice (a description, in both units) holds. */
static void systemd_job_make_fields(struct systemd_job *job, struct value *map)
{
	for (uint32_t i = 0; i < job->fields.map.count; i++) {
		const struct value_member *member = &job->fields.map.members[i];
		bool later = false;

		for (uint32_t k = i + 1; k < job->fields.map.count; k++)
			later |= strcmp(job->fields.map.members[k].key, member->key) == 0;
		if (!later &&
		    (member->value.type != VALUE_STRING || member->value.string.length > 0))
			value_put(job->import->arena, map, member->key, member->value);
	}
}

/* What systemd's manager gives its services: nothing of a login, nor of cron. */
static void systemd_job_make_world(struct systemd_job *job, struct value *map)
{
	struct arena *arena = job->import->arena;

	if (!value_get(&job->env, "PATH"))
		value_put(arena, &job->env, "PATH",
		    value_string_ref("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"));
	value_put(arena, map, "env", job->env);
	if (!value_get(map, "cwd") && !job->home && !job->timer.user)
		value_put(arena, map, "cwd", value_string_ref("/"));
}

/* Of a one-shot service the start is all there is, and RuntimeMaxSec means nothing. */
static void systemd_job_make_timeout(struct systemd_job *job, struct value *map)
{
	schedd_span timeout = job->oneshot ? job->start_timeout : job->run_timeout;

	if (timeout != SCHEDD_SPAN_NONE && timeout > 0)
		value_put(job->import->arena, map, "timeout", duration_to_value(timeout));
}

static void systemd_job_make_codes(struct systemd_job *job, struct value *map)
{
	struct arena *arena = job->import->arena;
	struct value codes = value_array();

	if (job->codes.array.count == 0)
		return;
	value_append(arena, &codes, value_int(0));
	for (uint32_t i = 0; i < job->codes.array.count; i++)
		value_append(arena, &codes, job->codes.array.items[i]);
	value_put(arena, map, "success_codes", codes);
}

/* Whose it is: the id alone does not tell foo@bar.timer from foo-bar.timer. */
static void systemd_job_make_owner(struct systemd_job *job, struct value *map)
{
	struct strbuf text = STRBUF_EMPTY;

	strbuf_add(&text, "systemd:");
	for (const char *c = job->timer.unit; *c && text.length < SYSTEMD_OWNER_MAX; c++)
		if (*c > ' ' && *c < 0x7f && *c != '%')
			strbuf_add_char(&text, *c);
		else
			strbuf_printf(&text, "%%%02X", (unsigned char)*c);
	value_put(job->import->arena, map, "owner",
	    value_string(job->import->arena, strbuf_failed(&text) ? NULL : strbuf_peek(&text)));
	job->left.failed |= strbuf_failed(&text);
	strbuf_clear(&text);
}

int systemd_job_make(struct systemd_job *job, struct value *out,
    const struct systemd_assignment **at, struct schedd_error *err)
{
	struct arena *arena = job->import->arena;
	struct value trigger;
	int rc;

	*out = value_map();
	value_put(arena, out, "id", value_string_ref(job->id));
	rc = systemd_job_make_action(job, out, at, err);
	if (!rc)
		rc = systemd_job_make_trigger(job, &trigger, err);
	if (rc)
		return rc;
	value_put(arena, out, "trigger", trigger);
	systemd_job_make_fields(job, out);
	systemd_job_make_timeout(job, out);
	systemd_job_make_codes(job, out);
	systemd_job_make_user(job, out);
	systemd_job_make_world(job, out);
	if (job->rlimits.map.count > 0)
		value_put(arena, out, "rlimits", job->rlimits);
	/* Without Persistent= what fell due while the machine was off is not made up for. */
	if (!job->persistent)
		value_put(arena, out, "misfire_grace_time", value_int(SYSTEMD_GRACE));
	if (job->left.length > 0) {
		value_put(arena, out, "paused", value_bool(true));
		value_put(arena, out, "paused_reason",
		    value_string_ref(
			arena_printf(arena, "imported without %.400s", strbuf_peek(&job->left))));
	}
	systemd_job_make_owner(job, out);
	return arena_failed(arena) || strbuf_failed(&job->left) ? schedd_error_nomem(err) : 0;
}
