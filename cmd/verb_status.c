/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct out_column status_columns[] = {
    {"state", "state", OUT_STATE, true, true, false},
    {"node", "node", OUT_TEXT, false, true, false},
    {"nodes", "nodes_words", OUT_TEXT, false, true, false},
    {"version", "version", OUT_TEXT, true, true, false},
    {"pid", "pid", OUT_INT, true, true, false},
    {"since", "started_at", OUT_WHEN, true, true, false},
    {"socket", "socket", OUT_TEXT, true, true, false},
    {"state_dir", "state_dir", OUT_TEXT, true, true, false},
    {"config", "config", OUT_LIST, false, true, false},
    {"zone", "zone.name", OUT_TEXT, true, true, false},
    {"zone_origin", "zone.origin", OUT_TEXT, true, true, false},
    {"zone_conflict", "zone.conflict", OUT_TEXT, false, true, false},
    {"jobs", "scheduler.jobs", OUT_INT, true, true, false},
    {"paused", "scheduler.paused_jobs", OUT_INT, false, true, false},
    {"running", "scheduler.running", OUT_INT, true, true, false},
    {"queued", "scheduler.queued", OUT_INT, true, true, false},
    {"next_run", "scheduler.next_run_time", OUT_WHEN, true, true, false},
    {"held", "held_words", OUT_LINES, false, true, false},
    {"store_error", "scheduler.store_error", OUT_TEXT, false, true, false},
    {"cron", "cron_words", OUT_TEXT, false, true, false},
    {"cron_instead", "cron_taken_over", OUT_LINES, false, true, false},
    {"cron_fault", "cron_faults", OUT_LINES, false, true, false},
    {"clients", "clients", OUT_INT, true, true, false},
    {"memory", "rss", OUT_BYTES, true, true, false},
    {0},
};

/* "312 jobs of 14 tables", or why none is run; nothing where nobody asked for them. */
static void status_cron(struct command *command, struct value *result)
{
	const struct value *cron = value_get(result, "cron");
	const char *beside = value_get_string(cron, "beside");
	const struct value *faults = value_get(cron, "faults");
	const struct value *taken = value_get(cron, "taken_over");
	struct value list = value_array();

	if (!cron || cron->type != VALUE_MAP)
		return;
	value_put(&command->arena, result, "cron_words",
	    value_string_ref(value_get_bool(cron, "tables", false)
				 ? arena_printf(&command->arena, "%lld jobs of %lld tables%s%s%s",
				       (long long)value_get_int(cron, "jobs", 0),
				       (long long)value_get_int(cron, "files", 0),
				       beside ? " (" : "", beside ? beside : "", beside ? ")" : "")
				 : arena_printf(&command->arena, "no table is run%s%s",
				       beside ? ": " : "", beside ? beside : "")));
	for (uint32_t i = 0; faults && i < faults->array.count; i++) {
		const struct value *fault = &faults->array.items[i];
		int64_t line = value_get_int(fault, "line", 0);
		const char *file = value_get_string(fault, "file");
		const char *message = value_get_string(fault, "message");

		value_append(&command->arena, &list,
		    value_string_ref(line
					 ? arena_printf(&command->arena, "%s:%lld: %s", file,
					       (long long)line, message)
					 : arena_printf(&command->arena, "%s: %s", file, message)));
	}
	if (list.array.count > 0)
		value_put(&command->arena, result, "cron_faults", list);
	list = value_array();
	for (uint32_t i = 0; taken && i < taken->array.count; i++)
		value_append(&command->arena, &list,
		    value_string_ref(arena_printf(&command->arena, "%s:%lld",
			value_get_string(&taken->array.items[i], "file"),
			(long long)value_get_int(&taken->array.items[i], "line", 0))));
	if (list.array.count > 0)
		value_put(&command->arena, result, "cron_taken_over", list);
}

/* "2 live, web3 draining, web4 dead"; that none is known is said, too. */
static void status_nodes(struct command *command, struct value *result)
{
	const struct value *nodes = value_get(result, "nodes");
	struct strbuf words = STRBUF_EMPTY;
	int live = 0;

	if (!nodes || nodes->type != VALUE_ARRAY)
		return;
	for (uint32_t i = 0; i < nodes->array.count; i++)
		live += value_is_text(value_get(&nodes->array.items[i], "state"), "live");
	strbuf_printf(&words, "%d live", live);
	for (uint32_t i = 0; i < nodes->array.count; i++) {
		const char *name = value_get_string(&nodes->array.items[i], "name");
		const char *state = value_get_string(&nodes->array.items[i], "state");

		if (name && state && strcmp(state, "live") != 0)
			strbuf_printf(&words, ", %s %s", name, state);
	}
	if (nodes->array.count == 0) {
		strbuf_reset(&words);
		strbuf_add(&words, "none is known yet: schedctl nodes says why");
	}
	value_put(&command->arena, result, "nodes_words", value_string_take(&command->arena, &words));
}

/* Accounts whose jobs do not run, and why. */
static void status_held(struct command *command, struct value *result)
{
	const struct value *held = value_get(value_get(result, "scheduler"), "held");
	struct value list = value_array();

	for (uint32_t i = 0; held && held->type == VALUE_ARRAY && i < held->array.count; i++)
		value_append(&command->arena, &list,
		    value_string_ref(arena_printf(&command->arena, "jobs of %s: %s",
			value_get_string(&held->array.items[i], "account"),
			value_get_string(&held->array.items[i], "why"))));
	if (list.array.count > 0)
		value_put(&command->arena, result, "held_words", list);
}

static const struct option status_options[] = {
    {.name = "node",
	.value = "NODE",
	.section = "Options",
	.complete = COMPLETE_NODE,
	.doc = "of another node of a shared store, see nodes"},
    {0},
};

static const struct option *const status_sets[] = {status_options, NULL};

static int status_run(struct command *command)
{
	const char *node = args_get(&command->args, "node");
	struct value params = value_map(), result;
	struct schedd_error err = {0};

	if (node)
		value_put(&command->arena, &params, "node", value_string_ref(node));
	if (command_call(command, "server.status", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (!out_is_json(command)) {
		status_cron(command, &result);
		status_nodes(command, &result);
		status_held(command, &result);
	}
	return out_object(command, status_columns, &result);
}

const struct verb verb_status = {
    .name = "status",
    .group = "Daemon",
    .summary = "show how schedd is doing",
    .usage = "",
    .examples = "schedctl status\nschedctl status --json",
    .options = status_sets,
    .columns = status_columns,
    .run = status_run,
};
