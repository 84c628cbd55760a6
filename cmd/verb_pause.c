/* SPDX-License-Identifier: MIT */
/* pause and resume: of jobs, or of the whole scheduler. */
#include "base/duration.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"
#include "trigger/when.h"

static const struct option pause_options[] = {
    {.name = "for",
	.value = "DUR",
	.section = "Options",
	.complete = COMPLETE_DURATION,
	.doc = "resume by itself after so long"},
    {.name = "until",
	.value = "TIME",
	.complete = COMPLETE_TIME,
	.doc = "resume by itself at that time"},
    {.name = "reason", .value = "TEXT", .doc = "shown by show, history and why"},
    {.name = "scheduler", .doc = "pause everything: nothing new starts, runs go on"},
    {0},
};

static const struct option *const pause_sets[] = {option_label, option_target, pause_options, NULL};

static int pause_scheduler(struct command *command, const char *method, const char *said)
{
	struct schedd_error err = {0};
	struct value result;

	static const char *const of_jobs[] = {"for", "until", "reason", "run-missed"};

	if (command->args.word_count > 0 || targets_are_bulk(command))
		return say_usage(command, "--scheduler takes no jobs");
	for (size_t i = 0; i < sizeof(of_jobs) / sizeof(of_jobs[0]); i++)
		if (args_has(&command->args, of_jobs[i]))
			return say_usage(command,
			    "--%s is for jobs; with --scheduler write schedctl pause --all --%s …",
			    of_jobs[i], of_jobs[i]);
	if (command_call(command, method, NULL, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	say(command, "%s", said);
	return EXIT_DONE;
}

static int pause_until(struct command *command, struct value *extra, struct schedd_error *err)
{
	const char *text = args_get(&command->args, "until"),
		   *span = args_get(&command->args, "for");
	struct when_context context = {.zone = command_zone(command),
	    .zones = command->zones,
	    .now = command->now,
	    .strict = true};
	schedd_time when;
	schedd_span length;

	if (text && span)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--for and --until contradict each other");
	if (span) {
		if (duration_parse(span, &length, err) != 0)
			return schedd_error_prefix(err, "--for");
		value_put(&command->arena, extra, "for", duration_to_value(length));
	}
	if (text) {
		if (when_parse(text, &context, &when, err) != 0)
			return schedd_error_prefix(err, "--until");
		if (when <= command->now)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "--until: '%s' is over already", text);
		value_put(&command->arena, extra, "until", value_int(when));
	}
	return 0;
}

/* context: what was done, in a word. */
static void pause_done(
    struct command *command, const char *id, const struct value *result, void *context)
{
	schedd_time until = value_get_int(result, "paused_until", SCHEDD_TIME_NONE);
	struct strbuf text = STRBUF_EMPTY;
	struct command shown = *command;

	if (out_is_json(command))
		return;
	if (until != SCHEDD_TIME_NONE) {
		strbuf_add(&text, " until ");
		shown.out.time = OUT_TIME_LOCAL;
		out_when(&shown, &text, until);
	}
	say(command, "%s %s%s.", (char *)context, id, strbuf_peek(&text));
	strbuf_clear(&text);
}

static int pause_run(struct command *command)
{
	char paused[] = "Paused";
	struct value ids, extra = value_map();
	struct schedd_error err = {0};

	if (args_has(&command->args, "scheduler"))
		return pause_scheduler(command, "scheduler.pause",
		    "The scheduler is paused; schedctl resume --scheduler goes on.");
	if (pause_until(command, &extra, &err) != 0 || targets_resolve(command, &ids, &err) != 0)
		return say_error(command, &err);
	if (args_get(&command->args, "reason"))
		value_put(&command->arena, &extra, "reason",
		    value_string_ref(args_get(&command->args, "reason")));
	return targets_call(command, &ids, "job.pause", &extra, pause_done, paused);
}

const struct verb verb_pause = {
    .name = "pause",
    .group = "Jobs",
    .summary = "keep jobs from starting; runs that are going on finish",
    .usage = "JOB… | -t TAG | -g GROUP | --state STATE | --all | - | --scheduler",
    .examples = "schedctl pause backup --for 1h --reason 'disk swap'\n"
		"schedctl pause -t db --until 'tomorrow 6am'\n"
		"schedctl pause --scheduler",
    .options = pause_sets,
    .complete = COMPLETE_JOB_ACTIVE,
    .max_words = -1,
    .run = pause_run,
};

static const struct option resume_options[] = {
    {.name = "run-missed",
	.section = "Options",
	.doc = "treat what fell due meanwhile as after a downtime, instead of leaving it out"},
    {.name = "scheduler", .doc = "resume the whole scheduler"},
    {0},
};

static const struct option *const resume_sets[] = {
    option_label, option_target, resume_options, NULL};

static int resume_run(struct command *command)
{
	char resumed[] = "Resumed";
	struct value ids, extra = value_map();
	struct schedd_error err = {0};

	if (args_has(&command->args, "scheduler"))
		return pause_scheduler(command, "scheduler.resume", "The scheduler goes on.");
	if (targets_resolve(command, &ids, &err) != 0)
		return say_error(command, &err);
	if (args_has(&command->args, "run-missed"))
		value_put(&command->arena, &extra, "run_missed", value_bool(true));
	return targets_call(command, &ids, "job.resume", &extra, pause_done, resumed);
}

const struct verb verb_resume = {
    .name = "resume",
    .group = "Jobs",
    .summary = "let paused jobs run again",
    .usage = "JOB… | -t TAG | -g GROUP | --state STATE | --all | - | --scheduler",
    .examples = "schedctl resume backup\nschedctl resume --all --run-missed",
    .options = resume_sets,
    .complete = COMPLETE_JOB_PAUSED,
    .max_words = -1,
    .run = resume_run,
};
