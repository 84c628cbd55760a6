/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/out.h"
#include "cmd/verb_rows.h"

static const struct option remove_options[] = {
    {.name = "purge", .section = "Options", .doc = "delete the history too"},
    {.name = "kill", .doc = "end runs that are going on (else they finish)"},
    {0},
};

static const struct option *const remove_sets[] = {
    option_label, option_target, remove_options, option_yes, NULL};

static void remove_done(
    struct command *command, const char *id, const struct value *result, void *context)
{
	int64_t running = value_get_int(result, "running", 0);
	bool kill = args_has(&command->args, "kill");

	(void)context;
	if (out_is_json(command))
		return;
	if (running <= 0)
		say(command, "Removed %s.", id);
	else if (kill)
		say(command, "Removed %s; %" PRId64 " %s being ended.", id, running,
		    running == 1 ? "run is" : "runs are");
	else
		say(command, "Removed %s; %" PRId64 " %s (rm --kill ends such).", id, running,
		    running == 1 ? "run goes on" : "runs go on");
}

static int remove_run(struct command *command)
{
	struct value ids, extra = value_map();
	struct schedd_error err = {0};
	int status;

	if (targets_resolve(command, &ids, &err) != 0)
		return say_error(command, &err);
	if (targets_are_bulk(command) && ids.array.count > 0 &&
	    !say_confirm(command, &status, "remove %u %s", ids.array.count,
		ids.array.count == 1 ? "job" : "jobs"))
		return status;
	if (args_has(&command->args, "purge"))
		value_put(&command->arena, &extra, "purge", value_bool(true));
	if (args_has(&command->args, "kill"))
		value_put(&command->arena, &extra, "kill", value_bool(true));
	return targets_call(command, &ids, "job.remove", &extra, remove_done, NULL);
}

const struct verb verb_remove = {
    .name = "remove",
    .alias = "rm",
    .group = "Jobs",
    .summary = "remove jobs; their history stays",
    .usage = "JOB… | -t TAG | -g GROUP | --state STATE | --all | -",
    .examples = "schedctl remove backup\n"
		"schedctl rm -y 'tmp-*'\n"
		"schedctl ls -o name -t old | schedctl rm -y -",
    .notes =
	"Removing by glob, tag, group, state or from standard input asks first; -y answers yes.\n"
	"Runs that have not begun are cancelled, and no further attempts are made.",
    .options = remove_sets,
    .complete = COMPLETE_JOB,
    .max_words = -1,
    .run = remove_run,
};
