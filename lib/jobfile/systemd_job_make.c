/* SPDX-License-Identifier: MIT */
/* The job's map, when timer and service are read. */
#include <string.h>
#include "base/duration.h"
#include "jobfile/systemd_exec.h"
#include "jobfile/systemd_job.h"

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

/* All commands as one line; the first that fails ends it, unless it may. */
static int systemd_job_make_line(struct systemd_job *job, const struct systemd_exec *execs,
    uint32_t count, struct value *out, struct schedd_error *err)
{
	struct strbuf line = STRBUF_EMPTY;

	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			strbuf_add(&line, " && ");
		if (execs[i].may_fail)
			strbuf_add(&line, "{ ");
		systemd_exec_shell(&line, &execs[i]);
		if (execs[i].may_fail)
			strbuf_add(&line, " || true; }");
	}
	*out = value_string(job->import->arena, strbuf_peek(&line));
	strbuf_clear(&line);
	return out->type == VALUE_STRING ? 0 : schedd_error_nomem(err);
}

/* Before, start, after, in this order; execs has room for all. */
static int systemd_job_make_execs(
    struct systemd_job *job, struct systemd_exec *execs, uint32_t *count, struct schedd_error *err)
{
	*count = 0;
	for (size_t kind = 0; kind < 3; kind++)
		for (uint32_t i = 0; i < job->commands[kind].array.count; i++) {
			struct systemd_exec *exec = &execs[(*count)++];
			int rc = systemd_exec_read(job->commands[kind].array.items[i].string.text,
			    job->unit, job->import->arena, exec, err);

			if (rc)
				return rc;
			if (exec->privileged)
				diagnostics_add(job->import->notes, job->import->file, 0, 0,
				    "%s: a command has more rights than the others in systemd",
				    job->id);
		}
	return 0;
}

static int systemd_job_make_action(
    struct systemd_job *job, struct value *map, struct schedd_error *err)
{
	struct arena *arena = job->import->arena;
	struct systemd_exec *execs;
	uint32_t count = 0;
	struct value line;
	int rc;

	for (size_t kind = 0; kind < 3; kind++)
		count += job->commands[kind].array.count;
	execs = arena_alloc(arena, (count + 1) * sizeof(*execs));
	if (!execs)
		return schedd_error_nomem(err);
	if (job->commands[1].array.count == 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s has no ExecStart", job->unit);
	rc = systemd_job_make_execs(job, execs, &count, err);
	if (rc)
		return rc;
	if (count == 1 && !execs[0].variables && !execs[0].may_fail) {
		value_put(arena, map, "command", execs[0].argv);
		return 0;
	}
	rc = systemd_job_make_line(job, execs, count, &line, err);
	if (!rc)
		value_put(arena, map, "shell", line);
	return rc;
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

int systemd_job_make(struct systemd_job *job, struct value *out, struct schedd_error *err)
{
	struct arena *arena = job->import->arena;
	struct value trigger;
	int rc;

	*out = value_map();
	value_put(arena, out, "id", value_string_ref(job->id));
	rc = systemd_job_make_action(job, out, err);
	if (!rc)
		rc = systemd_job_make_trigger(job, &trigger, err);
	if (rc)
		return rc;
	value_put(arena, out, "trigger", trigger);
	systemd_job_make_fields(job, out);
	systemd_job_make_user(job, out);
	if (job->env.map.count > 0)
		value_put(arena, out, "env", job->env);
	if (job->rlimits.map.count > 0)
		value_put(arena, out, "rlimits", job->rlimits);
	/* Without Persistent= what fell due while the machine was off is not made up for. */
	if (!job->persistent && job->accuracy > 0)
		value_put(arena, out, "misfire_grace_time", duration_to_value(job->accuracy));
	return arena_failed(arena) ? schedd_error_nomem(err) : 0;
}
