/* SPDX-License-Identifier: MIT */
/* stores, executors and groups: what the daemon has, as lists. What stores does is in store_acts.c. */
#include <string.h>

#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/store_acts.h"
#include "cmd/verb_rows.h"

/* Asks a method that answers a list and shows it. */
static int stores_list(
    struct command *command, const char *method, const struct out_column *columns)
{
	struct schedd_error err = {0};
	struct out_list *list;
	struct value result;

	if (command_call(command, method, NULL, &result, &err) != 0)
		return say_error(command, &err);
	list = out_list_begin(command, columns, "name", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; result.type == VALUE_ARRAY && i < result.array.count; i++)
		out_list_row(list, &result.array.items[i]);
	return out_list_end(list);
}

static const struct out_column store_columns[] = {
    {"name", "name", OUT_TEXT, true, true, false},
    {"type", "type", OUT_TEXT, true, true, false},
    {"state", "state", OUT_SINCE, true, true, false},
    {"jobs", "jobs", OUT_INT, true, true, false},
    {"runs", "runs", OUT_INT, true, true, false},
    {"size", "bytes", OUT_BYTES, true, true, false},
    {"errors", "errors", OUT_INT, true, true, false},
    {"round_trip", "round_trip", OUT_SPAN, true, true, false},
    {"lag", "lag", OUT_SPAN, true, true, false},
    {"kept", "kept", OUT_INT, false, true, false},
    {"dropped", "dropped", OUT_INT, false, true, false},
    {"since", "since", OUT_WHEN, false, true, false},
    {"last_error", "last_error", OUT_TEXT, false, true, true},
    {"durability", "durability", OUT_TEXT, false, true, true},
    {"history", "history", OUT_TEXT, false, true, false},
    {"waiting", "history_waiting", OUT_INT, false, true, false},
    {"address", "address", OUT_TEXT, true, true, true},
    {"path", "path", OUT_TEXT, true, true, true},
    {"why", "why", OUT_TEXT, true, true, true},
    {0},
};

static const struct option *const store_sets[] = {
    store_act_options, option_label, option_target, NULL};

static int stores_run(struct command *command)
{
	int status = store_acts_run(command);

	return status == STORE_ACTS_NONE ? stores_list(command, "store.list", store_columns)
					 : status;
}

const struct verb verb_stores = {
    .name = "stores",
    .group = "Daemon",
    .summary = "show the job stores, check one, move jobs between them",
    .usage = "[add NAME URL | remove NAME | check NAME|URL | move JOB... | copy]",
    .examples = "schedctl stores\n"
		"schedctl stores check postgresql://schedd@db1/ops --option password_file=/etc/schedd/pw\n"
		"schedctl stores add shared postgresql://schedd@db1/ops --option password_file=/etc/schedd/pw\n"
		"schedctl stores add fast memory\n"
		"schedctl stores move backup 'db-*' --to memory --wait\n"
		"schedctl stores copy --from memory --to default --history",
    .notes = "URL is where a server is, an absolute path is a database of sqlite, memory is a store "
	     "that\n"
	     "dies with schedd. A password belongs into a file (--option password_file=FILE, mode 0600), "
	     "not into\n"
	     "the URL, which other users see in the list of processes. A store that is away holds "
	     "up its own\n"
	     "jobs alone; STATE says how it is: ok, connecting, away, read-only, held, refused,\n"
	     "and since when.\n"
	     "A store on a server may hold jobs of schedd's own account, and of those that run_as "
	     "names.\n"
	     "\n"
	     "add opens a store until schedd ends, remove closes one without jobs. check writes to a "
	     "store,\n"
	     "reads it back, removes it, says how long each took and what the server promises; a "
	     "server that is\n"
	     "not configured is reached for it, and gets schedd's tables or keys if it has none.\n"
	     "\n"
	     "move has jobs live in another store, copy all jobs of a store: with their numbers of "
	     "runs, draws,\n"
	     "pauses, and what waits in their queues. Runs that ended stay where they are and are "
	     "shown as before;\n"
	     "--history takes them along. Each job is whole in the one store or the other at any "
	     "moment; after a\n"
	     "kill or when a server went away, do it again for what is left. The store of new jobs "
	     "is theirs to say.",
    .complete = COMPLETE_STORE_ACT,
    .max_words = -1,
    .options = store_sets,
    .columns = store_columns,
    .run = stores_run,
};

static const struct out_column executor_columns[] = {
    {"name", "name", OUT_TEXT, true, true, false},
    {"type", "type", OUT_TEXT, true, true, false},
    {"running", "running", OUT_INT, true, true, false},
    {"queued", "queued", OUT_INT, true, true, false},
    {"max_workers", "max_workers", OUT_LIMIT, true, true, false},
    {"processes", "processes", OUT_INT, true, true, false},
    {"failing", "failing", OUT_TEXT, true, true, false},
    {"calls", "calls", OUT_INT, false, true, false},
    {"starts", "starts", OUT_INT, false, true, false},
    {"reason", "reason", OUT_TEXT, true, true, true},
    {0},
};

static int executors_restart(struct command *command, const char *name)
{
	struct value params = value_map(), result;
	struct schedd_error err = {0};

	value_put(&command->arena, &params, "name", value_string_ref(name));
	if (command_call(command, "executor.restart", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	say(command, "The workers of executor %s are replaced when their calls have ended.", name);
	return EXIT_DONE;
}

static int executors_run(struct command *command)
{
	const struct args *args = &command->args;

	if (args->word_count == 0)
		return stores_list(command, "executor.list", executor_columns);
	if (args->word_count != 2 || strcmp(args->words[0], "restart") != 0)
		return say_usage(
		    command, "usage: schedctl executors, or schedctl executors restart NAME");
	return executors_restart(command, args->words[1]);
}

const struct verb verb_executors = {
    .name = "executors",
    .group = "Daemon",
    .summary = "show the executors, or replace the workers of one",
    .usage = "[restart NAME]",
    .examples = "schedctl executors\nschedctl executors restart python",
    .notes = "restart is for new code: the workers of an executor of type worker end with their "
	     "calls, and\n"
	     "the next calls have new ones. One that failed is tried again at once. A reload does "
	     "the same\n"
	     "for all executors.",
    .complete = COMPLETE_EXECUTOR,
    .max_words = 2,
    .columns = executor_columns,
    .run = executors_run,
};

static const struct out_column group_columns[] = {
    {"name", "name", OUT_TEXT, true, true, false},
    {"parallel", "parallel", OUT_INT, true, true, false},
    {"running", "running", OUT_INT, true, true, false},
    {"queued", "queued", OUT_INT, true, true, false},
    {0},
};

static const struct option group_options[] = {
    {.name = "parallel",
	.value = "N",
	.section = "Options",
	.doc = "with set: how many runs of the group go on at one time"},
    {0},
};

static const struct option *const group_sets[] = {group_options, NULL};

/* 1 to 1000000; 0: no such number. */
static int64_t groups_number(const char *text)
{
	int64_t number = 0;

	for (; *text >= '0' && *text <= '9' && number <= 1000000; text++)
		number = number * 10 + (*text - '0');
	return *text || number > 1000000 ? 0 : number;
}

static int groups_set(struct command *command, const char *name)
{
	const char *parallel = args_get(&command->args, "parallel");
	struct value params = value_map(), result;
	struct schedd_error err = {0};

	if (!parallel)
		return say_usage(command, "groups set needs --parallel N");
	if (groups_number(parallel) == 0)
		return say_usage(command,
		    "--parallel: '%s' is not a number from 1 to 1000000; pause the jobs of the "
		    "group "
		    "to stop them all",
		    parallel);
	value_put(&command->arena, &params, "name", value_string_ref(name));
	value_put(&command->arena, &params, "parallel", value_int(groups_number(parallel)));
	if (command_call(command, "group.set", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	say(command, strcmp(parallel, "1") == 0 ? "At most %s run of group %s goes on at one time."
						: "At most %s runs of group %s go on at one time.", parallel, name);
	return EXIT_DONE;
}

static int groups_run(struct command *command)
{
	const struct args *args = &command->args;

	if (args->word_count == 0 && !args_has(args, "parallel"))
		return stores_list(command, "group.list", group_columns);
	if (args->word_count != 2 || strcmp(args->words[0], "set") != 0)
		return say_usage(
		    command, "usage: schedctl groups, or schedctl groups set NAME --parallel N");
	return groups_set(command, args->words[1]);
}

const struct verb verb_groups = {
    .name = "groups",
    .group = "Daemon",
    .summary = "show groups, or set how many runs of one go on at a time",
    .usage = "[set NAME --parallel N]",
    .examples = "schedctl groups\nschedctl groups set io --parallel 2",
    .options = group_sets,
    .complete = COMPLETE_GROUP,
    .max_words = 2,
    .columns = group_columns,
    .run = groups_run,
};
