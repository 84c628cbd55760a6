/* SPDX-License-Identifier: MIT */
/* shutdown and reload: one call each, said in words. */
#include <stdlib.h>
#include <string.h>

#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct option shutdown_options[] = {
    {.name = "wait", .section = "Options", .doc = "wait for running jobs, however long they take"},
    {.name = "now", .doc = "end running jobs at once"},
    {0},
};

static const struct option *const shutdown_sets[] = {shutdown_options, NULL};

/* The daemon closes the connection when it has ended. */
static void shutdown_await_end(struct command *command)
{
	const char *method;
	struct value params;

	while (rpc_client_next(
		   command->client, SCHEDD_SPAN_NONE, &command->arena, &method, &params, NULL) > 0)
		arena_clear(&command->arena);
}

static int shutdown_run(struct command *command)
{
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	int64_t running;
	int status = EXIT_DONE;

	if (args_has(&command->args, "wait") && args_has(&command->args, "now"))
		return say_usage(command, "--wait and --now contradict each other");
	if (args_has(&command->args, "wait"))
		value_put(&command->arena, &params, "wait", value_bool(true));
	if (args_has(&command->args, "now"))
		value_put(&command->arena, &params, "now", value_bool(true));
	if (command_call(command, "server.shutdown", &params, &result, &err) != 0)
		return say_error(command, &err);
	running = value_get_int(&result, "running", 0);
	if (running > 0)
		say(command, "Waiting for %lld running %s.", (long long)running,
		    running == 1 ? "job" : "jobs");
	if (out_is_json(command))
		status = out_json(command, &result);
	shutdown_await_end(command);
	say(command, "schedd has ended.");
	return status;
}

const struct verb verb_shutdown = {
    .name = "shutdown",
    .group = "Daemon",
    .summary = "stop schedd",
    .usage = "[--wait|--now]",
    .examples = "schedctl shutdown\nschedctl shutdown --wait",
    .notes = "Without an option running jobs get the time that the config's stop.limit gives them.",
    .options = shutdown_sets,
    .run = shutdown_run,
};

static const struct option reload_options[] = {
    {.name = "exec",
	.section = "Options",
	.doc = "let the installed program take over this process; running jobs go on"},
    {0},
};

static const struct option *const reload_sets[] = {reload_options, NULL};

static void reload_say(struct command *command, const struct value *keys, const char *what)
{
	struct strbuf text = STRBUF_EMPTY;

	if (!keys || keys->type != VALUE_ARRAY || keys->array.count == 0)
		return;
	out_cell(command, &text, OUT_LIST, keys);
	say(command, "%s: %s", what, strbuf_peek(&text));
	strbuf_clear(&text);
}

static int reload_run(struct command *command)
{
	struct value params = value_map(), result;
	struct schedd_error err = {0};

	if (args_has(&command->args, "exec"))
		value_put(&command->arena, &params, "exec", value_bool(true));
	if (command_call(command, "server.reload", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	reload_say(command, value_get(&result, "changed"), "Changed");
	reload_say(command, value_get(&result, "restart"), "Needs a restart");
	say(command, "The config was read again.");
	return EXIT_DONE;
}

const struct verb verb_reload = {
    .name = "reload",
    .group = "Daemon",
    .summary = "read the config again",
    .usage = "[--exec]",
    .examples =
	"schedctl reload\nschedctl reload --exec   # after an upgrade: same process, new program",
    .options = reload_sets,
    .run = reload_run,
};
