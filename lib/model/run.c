/* SPDX-License-Identifier: MIT */
/* The record of a run: its states by name, deep copies, and its JSON with the rows that describe
 * it. */
#include "model/run.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "model/job_fields.h"
#include "model/job.h"

static const char *const run_states[] = {
    [RUN_QUEUED] = "queued",
    [RUN_RUNNING] = "running",
    [RUN_RETRYING] = "retrying",
    [RUN_SUCCESS] = "success",
    [RUN_FAILED] = "failed",
    [RUN_TIMEOUT] = "timeout",
    [RUN_KILLED] = "killed",
    [RUN_CANCELLED] = "cancelled",
    [RUN_MISSED] = "missed",
    [RUN_SKIPPED] = "skipped",
    [RUN_LOST] = "lost",
};

static const char *const run_triggers[] = {
    [RUN_BY_SCHEDULE] = "schedule",
    [RUN_BY_HAND] = "manual",
    [RUN_BY_RETRY] = "retry",
    [RUN_BY_CATCHUP] = "catchup",
    [RUN_BY_AFTER] = "after",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Copied in a few moves, which takes less than the string instruction that clears so much; no
 * constant, for of that the compiler clears the end so.
 */
static struct run run_nothing = {
    .attempt = 1,
    .scheduled_at = SCHEDD_TIME_NONE,
    .started_at = SCHEDD_TIME_NONE,
    .ended_at = SCHEDD_TIME_NONE,
    .attempt_started = SCHEDD_TIME_NONE,
    .until = SCHEDD_TIME_NONE,
    .count = 1,
    .exit_code = -1,
};

void run_init(struct run *run)
{
	*run = run_nothing;
}

void run_drop(struct run *run)
{
	free(run->job);
	/* Most runs have none of these. */
	if (run->reason || run->attempts || run->actor || run->node || run->result) {
		free(run->reason);
		free(run->attempts);
		free(run->actor);
		free(run->node);
		free(run->result);
	}
}

void run_clear(struct run *run)
{
	run_drop(run);
	run_init(run);
}

static bool run_copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !*to == !from;
}

int run_copy(struct run *to, const struct run *from)
{
	bool job, reason, attempts, actor, node, result;

	*to = *from;
	job = run_copy_text(&to->job, from->job);
	reason = run_copy_text(&to->reason, from->reason);
	attempts = run_copy_text(&to->attempts, from->attempts);
	actor = run_copy_text(&to->actor, from->actor);
	node = run_copy_text(&to->node, from->node);
	result = run_copy_text(&to->result, from->result);
	if (job && reason && attempts && actor && node && result)
		return 0;
	run_clear(to);
	return SCHEDD_ENOMEM;
}

bool run_ended(enum run_state state)
{
	return state >= RUN_SUCCESS;
}

const char *run_state_name(enum run_state state)
{
	return (size_t)state < COUNT(run_states) ? run_states[state] : "unknown";
}

bool run_state_parse(const char *name, enum run_state *out)
{
	for (size_t i = 0; i < COUNT(run_states); i++)
		if (strcmp(name, run_states[i]) == 0) {
			*out = (enum run_state)i;
			return true;
		}
	return false;
}

const char *run_trigger_name(enum run_trigger trigger)
{
	return (size_t)trigger < COUNT(run_triggers) ? run_triggers[trigger] : "unknown";
}

bool run_trigger_parse(const char *name, enum run_trigger *out)
{
	for (size_t i = 0; i < COUNT(run_triggers); i++)
		if (strcmp(name, run_triggers[i]) == 0) {
			*out = (enum run_trigger)i;
			return true;
		}
	return false;
}

static struct value run_time(schedd_time when)
{
	return when == SCHEDD_TIME_NONE ? value_nil() : value_int(when);
}

static struct value run_duration(const struct run *run)
{
	if (run->started_at == SCHEDD_TIME_NONE || run->ended_at == SCHEDD_TIME_NONE)
		return value_nil();
	return value_real((double)(run->ended_at - run->started_at) / (double)SCHEDD_SECOND);
}

void run_put_result(const struct run *run, struct arena *arena, struct value *map)
{
	struct value kept;
	const struct value *repr = NULL, *found = NULL;
	const char *form = "json";

	if (run->result &&
	    json_parse(run->result, strlen(run->result), arena, &kept, NULL) == 0) {
		repr = value_get(&kept, "repr");
		found = repr ? repr : value_get(&kept, "value");
	}
	if (repr)
		form = value_get_bool(&kept, "cut", false) ? "cut" : "repr";
	value_put(arena, map, "result", found ? *found : value_nil());
	value_put(arena, map, "result_form", value_string_ref(found ? form : NULL));
}

struct value run_to_value(const struct run *run, struct arena *arena)
{
	struct value map = value_map();
	/* A program that ran has some memory at least; what never began has none that could be measured. */
	bool measured = run->max_rss > 0 || run->cpu_us > 0 || run->exit_code >= 0 || run->signal;
	const char *id = run->job ? run->job : "";
	struct value full = run_id_value(id, run->number, arena);
	const struct value_member members[] = {
	    {.key = "job", .value = value_string(arena, run->job)},
	    {.key = "run", .value = value_int(run->number)},
	    {.key = "id", .value = full},
	    {.key = "state", .value = value_string_ref(run_state_name(run->state))},
	    {.key = "scheduled_at", .value = run_time(run->scheduled_at)},
	    {.key = "started_at", .value = run_time(run->started_at)},
	    {.key = "ended_at", .value = run_time(run->ended_at)},
	    {.key = "trigger", .value = value_string_ref(run_trigger_name(run->trigger))},
	    {.key = "attempt", .value = value_int(run->attempt)},
	    {.key = "exit_code",
		.value = run->exit_code < 0 ? value_nil() : value_int(run->exit_code)},
	    {.key = "signal", .value = run->signal == 0 ? value_nil() : value_int(run->signal)},
	    {.key = "reason", .value = value_string(arena, run->reason)},
	    {.key = "duration", .value = run_duration(run)},
	    {.key = "max_rss", .value = run->max_rss > 0 ? value_int(run->max_rss) : value_nil()},
	    {.key = "cpu_seconds",
		.value = measured ? value_real((double)run->cpu_us / 1e6) : value_nil()},
	    {.key = "output_bytes", .value = value_int((int64_t)run->output_bytes)},
	    {.key = "output_dropped", .value = value_int((int64_t)run->output_dropped)},
	    {.key = "coalesced", .value = value_int((int64_t)run->coalesced)},
	    {.key = "count", .value = value_int((int64_t)run->count)},
	    {.key = "until", .value = run_time(run->until)},
	    {.key = "pid", .value = run->pid > 0 ? value_int(run->pid) : value_nil()},
	    {.key = "node", .value = value_string(arena, run->node)},
	    {.key = "actor", .value = value_string(arena, run->actor)},
	};

	for (size_t i = 0; i < COUNT(members); i++)
		value_put(arena, &map, members[i].key, members[i].value);
	return map;
}

/* Those that have ended, without one that was the only one. */
static struct value run_attempts_ended(const struct run *run, struct arena *arena)
{
	struct value list = value_array();

	if (run->attempts &&
	    (json_parse(run->attempts, strlen(run->attempts), arena, &list, NULL) ||
		list.type != VALUE_ARRAY))
		return value_array();
	return list;
}

/* What is known of the latest attempt is what is known of the run. */
static struct value run_attempt_latest(
    const struct run *run, schedd_time started, struct arena *arena)
{
	const struct value_member members[] = {
	    {.key = "attempt", .value = value_int(run->attempt)},
	    {.key = "state", .value = value_string_ref(run_state_name(run->state))},
	    {.key = "started_at", .value = run_time(started)},
	    {.key = "ended_at", .value = run_time(run->ended_at)},
	    {.key = "exit_code",
		.value = run->exit_code >= 0 ? value_int(run->exit_code) : value_nil()},
	    {.key = "signal", .value = run->signal ? value_int(run->signal) : value_nil()},
	    {.key = "reason", .value = value_string(arena, run->reason)},
	};
	struct value map = value_map();

	for (size_t i = 0; i < COUNT(members); i++)
		value_put(arena, &map, members[i].key, members[i].value);
	return map;
}

struct value run_attempts(const struct run *run, struct arena *arena)
{
	struct value list = run_attempts_ended(run, arena);
	uint32_t count = list.array.count;
	schedd_time started = run->attempt > 1 ? run->attempt_started : run->started_at;

	if (count > 0 &&
	    value_get_int(&list.array.items[count - 1], "attempt", 0) >= (int64_t)run->attempt)
		return list;
	/* Nobody noted when a later attempt began that schedd died with. */
	if (started != SCHEDD_TIME_NONE ||
	    (run->state == RUN_LOST && run->started_at != SCHEDD_TIME_NONE))
		value_append(arena, &list, run_attempt_latest(run, started, arena));
	return list;
}

struct value run_id_value(const char *job, uint32_t number, struct arena *arena)
{
	const char *node = job_id_node(job);

	if (!node)
		return value_string_ref(arena_printf(arena, "%s/%u", job, number));
	return value_string_ref(
	    arena_printf(arena, "%.*s/%u@%s", (int)(node - 1 - job), job, number, node));
}

bool run_parse_id(const char *text, char *id, uint32_t *number)
{
	const char *slash = strchr(text, '/'), *c;
	uint64_t value = 0;

	if (!slash || slash - text > JOB_ID_MAX || slash[1] < '1' || slash[1] > '9')
		return false;
	for (c = slash + 1; *c && *c != '@'; c++) {
		if (*c < '0' || *c > '9')
			return false;
		value = value * 10 + (uint64_t)(*c - '0');
		if (value > UINT32_MAX)
			return false;
	}
	/* "JOB/N@NODE" is that of "JOB@NODE". */
	if ((size_t)(slash - text) + strlen(c) > JOB_ID_MAX)
		return false;
	memcpy(id, text, (size_t)(slash - text));
	memcpy(id + (slash - text), c, strlen(c) + 1);
	*number = (uint32_t)value;
	return job_id_known(id);
}

const struct run_field *run_fields(void)
{
	static const struct run_field rows[] = {
	    {"job", RUN_FIELD_TEXT, "id of the job"},
	    {"run", RUN_FIELD_INT, "number of the run, counted up per job and never reused"},
	    {"id", RUN_FIELD_TEXT, "JOB/N"},
	    {"state", RUN_FIELD_TEXT,
		"queued, running, retrying, success, failed, timeout, killed, cancelled, missed, "
		"skipped or lost"},
	    {"scheduled_at", RUN_FIELD_TIME, "the fire time it stands for; of several, the first"},
	    {"started_at", RUN_FIELD_TIME, "when its first attempt began"},
	    {"ended_at", RUN_FIELD_TIME, "when it ended"},
	    {"trigger", RUN_FIELD_TEXT,
		"why it came to be: schedule, manual, retry, catchup or after"},
	    {"attempt", RUN_FIELD_INT, "1, and one more with each retry"},
	    {"exit_code", RUN_FIELD_INT, "of the command; null where it never exited"},
	    {"signal", RUN_FIELD_INT, "the signal that ended it"},
	    {"reason", RUN_FIELD_TEXT, "in words, why it ended so"},
	    {"duration", RUN_FIELD_SPAN, "from start to end"},
	    {"max_rss", RUN_FIELD_SIZE,
		"the most memory its process had resident (or schedd itself, where that is more)"},
	    {"cpu_seconds", RUN_FIELD_SPAN, "user and system time"},
	    {"output_bytes", RUN_FIELD_SIZE, "what it wrote"},
	    {"output_dropped", RUN_FIELD_SIZE, "of that, what was not kept"},
	    {"coalesced", RUN_FIELD_INT, "further fire times this run stands for"},
	    {"count", RUN_FIELD_INT, "fire times a missed or skipped row stands for"},
	    {"until", RUN_FIELD_TIME, "the last of them"},
	    {"pid", RUN_FIELD_INT, "its main process"},
	    {"node", RUN_FIELD_TEXT, "the node it ran on, where a store is shared"},
	    {"actor", RUN_FIELD_TEXT, "who asked for it, where it was asked for"},
		    {NULL, RUN_FIELD_TEXT, NULL},
	};

	return rows;
}
