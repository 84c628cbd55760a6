/* SPDX-License-Identifier: MIT */
#include "cmd/simulation.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "trigger/trigger.h"
#include "trigger/zone.h"

#define SIMULATION_SPAN_MAX (3 * 366 * SCHEDD_DAY)
#define SIMULATION_HISTORY (30 * SCHEDD_DAY)
#define SIMULATION_PAGE 1000

int simulation_begin(struct simulation *simulation, const char *duration, struct schedd_error *err)
{
	schedd_span usual = SCHEDD_SECOND;

	if (simulation->until < simulation->from ||
	    simulation->until - simulation->from > SIMULATION_SPAN_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--until has to lie behind --from, by three years at most");
	if (duration && duration_parse(duration, &usual, err) != 0)
		return schedd_error_prefix(err, "--duration");
	simulation->usual = (double)usual / (double)SCHEDD_SECOND;
	simulation->durations = value_map();
	/* Hours are those of the clock. */
	simulation->first_hour = simulation->from - simulation->from % SCHEDD_HOUR;
	simulation->hour_count =
	    (size_t)((simulation->until - simulation->first_hour) / SCHEDD_HOUR) + 1;
	simulation->hours = calloc(simulation->hour_count, sizeof(simulation->hours[0]));
	return simulation->hours ? 0 : schedd_error_nomem(err);
}

void simulation_clear(struct simulation *simulation)
{
	free(simulation->hours);
	free(simulation->jobs);
	free(simulation->edges);
}

/* ---- One job ---- */

static int simulation_edge(struct simulation *simulation, schedd_time at, int step)
{
	if (simulation->edge_count == simulation->edge_capacity) {
		size_t capacity = simulation->edge_capacity ? simulation->edge_capacity * 2 : 1024;
		struct simulation_edge *edges =
		    realloc(simulation->edges, capacity * sizeof(edges[0]));

		if (!edges)
			return SCHEDD_ENOMEM;
		simulation->edges = edges;
		simulation->edge_capacity = capacity;
	}
	simulation->edges[simulation->edge_count++] = (struct simulation_edge){at, step};
	return 0;
}

/* Changes of the offset within the window, each zone and change once. */
static void simulation_changes(struct simulation *simulation, const struct zone *zone)
{
	int64_t second = simulation->from / SCHEDD_SECOND;
	int64_t last = simulation->until / SCHEDD_SECOND;
	struct zone_span span;

	for (size_t i = 0; i < simulation->change_count; i++)
		if (strcmp(simulation->changes[i].zone, zone_name(zone)) == 0)
			return;
	zone_span_at(zone, second, &span);
	while (span.end <= last && simulation->change_count < SIMULATION_CHANGES_MAX) {
		int32_t offset = span.offset;
		int64_t change = span.end;

		zone_span_at(zone, change, &span);
		if (span.offset != offset)
			simulation->changes[simulation->change_count++] =
			    (struct simulation_change){change * SCHEDD_SECOND, zone_name(zone)};
	}
}

static struct simulation_job *simulation_job(struct simulation *simulation, const char *id)
{
	struct simulation_job *job;
	const struct value *known = value_get(&simulation->durations, id);

	if (simulation->job_count == simulation->job_capacity) {
		size_t capacity = simulation->job_capacity ? simulation->job_capacity * 2 : 64;
		struct simulation_job *jobs = realloc(simulation->jobs, capacity * sizeof(jobs[0]));

		if (!jobs)
			return NULL;
		simulation->jobs = jobs;
		simulation->job_capacity = capacity;
	}
	job = &simulation->jobs[simulation->job_count++];
	*job = (struct simulation_job){
	    .id = arena_strdup(&simulation->command->arena, id), .duration = simulation->usual};
	if (known)
		value_number(known, &job->duration);
	return job->id ? job : NULL;
}

static int simulation_play(
    struct simulation *simulation, struct simulation_job *job, const struct schedd_trigger *trigger)
{
	const schedd_span span = (schedd_span)(job->duration * (double)SCHEDD_SECOND);
	schedd_time time = trigger_next(trigger, simulation->from), last_end = SCHEDD_TIME_NONE;
	int rc = 0;

	for (; !rc && time != SCHEDD_TIME_NONE && time <= simulation->until;
	     time = trigger_next(trigger, time + 1)) {
		enum trigger_note note = trigger_note_at(trigger, time);

		if (job->runs == SIMULATION_RUNS_MAX) {
			simulation->cut = true;
			break;
		}
		job->runs++;
		job->moved += note == TRIGGER_NOTE_MOVED;
		job->doubled += note == TRIGGER_NOTE_FOLD_FIRST || note == TRIGGER_NOTE_FOLD_SECOND;
		job->overlaps += last_end != SCHEDD_TIME_NONE && time < last_end;
		last_end = time + span;
		simulation->hours[(time - simulation->first_hour) / SCHEDD_HOUR]++;
		rc = simulation_edge(simulation, time, 1);
		if (!rc)
			rc = simulation_edge(simulation, last_end, -1);
	}
	simulation->runs += job->runs;
	return rc;
}

int simulation_add(struct simulation *simulation, const struct value *map, struct schedd_error *err)
{
	struct command *command = simulation->command;
	const char *id = value_get_string(map, "id");
	struct trigger_context context = command_triggers(command);
	const struct value *value = value_get(map, "trigger");
	struct schedd_trigger *trigger;
	struct simulation_job *job;
	int rc;

	if (!id || !value)
		return 0;
	context.now = simulation->from;
	context.job_id = id;
	rc = trigger_from_value(value, &context, &trigger, err);
	if (rc)
		return schedd_error_prefix(err, "%s", id);
	simulation_changes(simulation, trigger_zone(trigger));
	job = simulation_job(simulation, id);
	rc = job ? simulation_play(simulation, job, trigger) : SCHEDD_ENOMEM;
	trigger_unref(trigger);
	return rc ? schedd_error_nomem(err) : 0;
}

/* ---- The daemon's jobs ---- */

/* How long each job's runs usually take, at most. */
static int simulation_durations(struct simulation *simulation, struct schedd_error *err)
{
	struct command *command = simulation->command;
	struct value params = value_map(), result;
	const struct value *jobs;
	int rc;

	value_put(&command->arena, &params, "since", value_int(command->now - SIMULATION_HISTORY));
	rc = command_call(command, "server.stats", &params, &result, err);
	if (rc)
		return rc;
	jobs = value_get(&result, "jobs");
	for (uint32_t i = 0; jobs && i < jobs->array.count; i++) {
		const char *id = value_get_string(&jobs->array.items[i], "job");
		const struct value *p95 = value_get(&jobs->array.items[i], "duration_p95");

		if (id && p95 && p95->type != VALUE_NIL)
			value_put(&command->arena, &simulation->durations, id, *p95);
	}
	return 0;
}

static struct value simulation_request(struct command *command, const char *pattern)
{
	static const char *const wanted[] = {"id", "trigger", "paused", "nodes"};
	const char *node = args_get(&command->args, "node");
	struct value params = value_map(), fields = value_array(), patterns = value_array();

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		value_append(&command->arena, &fields, value_string_ref(wanted[i]));
	value_put(&command->arena, &params, "fields", fields);
	value_put(&command->arena, &params, "limit", value_int(SIMULATION_PAGE));
	if (node)
		value_put(&command->arena, &params, "node", value_string_ref(node));
	if (pattern) {
		value_append(&command->arena, &patterns, value_string_ref(pattern));
		value_put(&command->arena, &params, "patterns", patterns);
	}
	return params;
}

/* One page after the other. Those on all nodes are left to their parts, which are seen where they are meant. */
static int simulation_pages(
    struct simulation *simulation, const char *pattern, bool *on_all, struct schedd_error *err)
{
	struct command *command = simulation->command;
	struct value params = simulation_request(command, pattern);
	struct value *after = value_put(&command->arena, &params, "after", value_nil());
	const char *next;
	int rc;

	if (!after)
		return schedd_error_nomem(err);
	do {
		const struct value *jobs;
		struct value result;

		rc = command_call(command, "job.list", &params, &result, err);
		if (rc)
			return rc;
		jobs = value_get(&result, "jobs");
		for (uint32_t i = 0; jobs && i < jobs->array.count && !rc; i++) {
			const struct value *job = &jobs->array.items[i];

			if (value_is_text(value_get(job, "nodes"), "all"))
				*on_all = true;
			else if (!value_get_bool(job, "paused", false))
				rc = simulation_add(simulation, job, err);
		}
		next = value_get_string(&result, "next");
		*after = value_string_ref(next);
	} while (!rc && next);
	return rc;
}

int simulation_add_daemon(struct simulation *simulation, struct schedd_error *err)
{
	bool on_all = false;
	int rc = simulation_durations(simulation, err);

	if (!rc)
		rc = simulation_pages(simulation, NULL, &on_all, err);
	if (!rc && on_all)
		rc = simulation_pages(simulation, "*@*", &on_all, err);
	return rc;
}

/* ---- Summing up ---- */

/* What ends at an instant has ended when the next begins. */
static int simulation_compare(const void *a, const void *b)
{
	const struct simulation_edge *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->step - y->step;
}

int simulation_end(struct simulation *simulation, struct schedd_error *err)
{
	int64_t going = 0;

	(void)err;
	if (simulation->edge_count > 0)
		qsort(simulation->edges, simulation->edge_count, sizeof(simulation->edges[0]),
		    simulation_compare);
	for (size_t i = 0; i < simulation->edge_count; i++) {
		going += simulation->edges[i].step;
		if (going > (int64_t)simulation->peak) {
			simulation->peak = (uint64_t)going;
			simulation->peak_at = simulation->edges[i].at;
		}
	}
	return 0;
}

static struct value simulation_job_value(struct arena *arena, const struct simulation_job *job)
{
	struct value map = value_map();

	value_put(arena, &map, "id", value_string_ref(job->id));
	value_put(arena, &map, "runs", value_int((int64_t)job->runs));
	value_put(arena, &map, "duration", value_real(job->duration));
	value_put(arena, &map, "overlaps", value_int((int64_t)job->overlaps));
	value_put(arena, &map, "moved", value_int((int64_t)job->moved));
	value_put(arena, &map, "doubled", value_int((int64_t)job->doubled));
	return map;
}

struct value simulation_value(const struct simulation *simulation)
{
	struct arena *arena = &simulation->command->arena;
	struct value map = value_map(), jobs = value_array(), hours = value_array();
	struct value changes = value_array();

	for (size_t i = 0; i < simulation->job_count; i++)
		value_append(arena, &jobs, simulation_job_value(arena, &simulation->jobs[i]));
	for (size_t i = 0; i < simulation->hour_count; i++)
		value_append(arena, &hours, value_int((int64_t)simulation->hours[i]));
	for (size_t i = 0; i < simulation->change_count; i++) {
		struct value change = value_map();

		value_put(arena, &change, "at", value_int(simulation->changes[i].at));
		value_put(
		    arena, &change, "timezone", value_string_ref(simulation->changes[i].zone));
		value_append(arena, &changes, change);
	}
	value_put(arena, &map, "from", value_int(simulation->from));
	value_put(arena, &map, "until", value_int(simulation->until));
	value_put(arena, &map, "runs", value_int((int64_t)simulation->runs));
	value_put(arena, &map, "peak", value_int((int64_t)simulation->peak));
	value_put(arena, &map, "peak_at",
	    simulation->peak ? value_int(simulation->peak_at) : value_nil());
	value_put(arena, &map, "jobs", jobs);
	value_put(arena, &map, "first_hour_at", value_int(simulation->first_hour));
	value_put(arena, &map, "hours", hours);
	value_put(arena, &map, "clock_changes", changes);
	return map;
}
