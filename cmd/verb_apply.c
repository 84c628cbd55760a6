/* SPDX-License-Identifier: MIT */
/* apply and check: job files to the daemon, or only looked at. */
#include <string.h>

#include "cmd/job_set.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct option apply_options[] = {
    {.name = "dry-run", .section = "Options", .doc = "say what would be done, change nothing"},
    {.name = "owner", .value = "NAME", .doc = "whose jobs these are (default: what the files say)"},
    {.name = "paused", .doc = "jobs that are new begin paused, to be resumed later"},
    {.name = "prune", .doc = "remove the owner's jobs that are not in the files"},
    {.name = "yes", .letter = 'y', .doc = "do not ask"},
    {0},
};

static const struct option *const apply_sets[] = {option_files, apply_options, NULL};

/* Removing all of an owner's jobs may be meant, but is asked for. */
static bool apply_confirm(struct command *command, const struct jobfile *set, int *status)
{
	const char *owner = args_get(&command->args, "owner");

	if (!args_has(&command->args, "prune"))
		return true;
	if (!owner)
		owner = set->owner;
	if (!owner || !owner[0]) {
		*status = say_usage(
		    command, "--prune needs --owner NAME: only that owner's jobs are removed");
		return false;
	}
	if (set->jobs.array.count > 0 || args_has(&command->args, "dry-run"))
		return true;
	return say_confirm(
	    command, status, "remove all jobs of owner '%s', as the files have none", owner);
}

static int apply_run(struct command *command)
{
	bool dry_run = args_has(&command->args, "dry-run");
	struct schedd_error err = {0};
	struct jobfile set;
	struct value result;
	int status = job_set_load(command, &set);

	if (!status && apply_confirm(command, &set, &status)) {
		if (job_set_apply(command, &set, dry_run, &result, &err) != 0) {
			status = say_error(command, &err);
		} else {
			status = job_set_show(command, &result, command->out.verbose);
			say(command, "%u added, %u changed, %u unchanged, %u removed%s.",
			    job_set_count(&result, "added"), job_set_count(&result, "changed"),
			    job_set_count(&result, "unchanged"), job_set_count(&result, "removed"),
			    dry_run ? " (nothing was done: --dry-run)" : "");
		}
	}
	jobfile_clear(&set);
	return status;
}

const struct verb verb_apply = {
    .name = "apply",
    .group = "Files",
    .summary = "make jobs what job files say",
    .usage = "-f FILE|DIR|-… [--dry-run] [--prune --owner NAME]",
    .examples = "schedctl apply -f jobs.yaml\n"
		"schedctl apply -f jobs.d/ --owner web --prune\n"
		"generate-jobs | schedctl apply -f - --dry-run",
    .notes = "All or nothing: one fault, and no job is changed. Jobs that are unchanged keep their "
	     "next run, and\n"
	     "runs go on. The files are described in schedd-jobs(5).",
    .options = apply_sets,
    .complete = COMPLETE_FILE,
    .max_words = -1,
    .run = apply_run,
};

static const struct option *const check_sets[] = {option_files, NULL};

static int check_run(struct command *command)
{
	struct value answer = value_map();
	struct jobfile set;
	int status = job_set_load(command, &set);

	if (!status && out_is_json(command)) {
		value_put(&command->arena, &answer, "files", value_int(set.files));
		value_put(&command->arena, &answer, "jobs", value_int(set.jobs.array.count));
		status = out_json(command, &answer);
	} else if (!status) {
		say(command, "%u job%s in %u file%s: all fine.", set.jobs.array.count,
		    set.jobs.array.count == 1 ? "" : "s", set.files, set.files == 1 ? "" : "s");
	}
	jobfile_clear(&set);
	return status;
}

const struct verb verb_check = {
    .name = "check",
    .group = "Files",
    .summary = "check job files, without a daemon",
    .usage = "FILE|DIR|-…",
    .examples = "schedctl check jobs.yaml\n"
		"schedctl check jobs.d/ --json",
    .notes = "Every fault is shown as FILE:LINE:COLUMN with its reason; the exit status is 7 then.",
    .options = check_sets,
    .complete = COMPLETE_FILE,
    .max_words = -1,
    .run = check_run,
};
