/* SPDX-License-Identifier: MIT */
/* simulate: the schedule played forward without running anything. */
#include <stdlib.h>
#include <string.h>

#include "cmd/job_set.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/simulation.h"
#include "cmd/verb_rows.h"
#include "trigger/when.h"

static const struct option simulate_options[] = {
    {.name = "from",
	.value = "TIME",
	.section = "Options",
	.complete = COMPLETE_TIME,
	.doc = "begin there (default now)"},
    {.name = "until",
	.value = "TIME",
	.complete = COMPLETE_TIME,
	.doc = "end there (default a day after --from)"},
    {.name = "duration",
	.value = "DUR",
	.complete = COMPLETE_DURATION,
	.doc = "how long runs of jobs without history take (default 1s)"},
    {.name = "node",
	.value = "NODE",
	.complete = COMPLETE_NODE,
	.doc = "only the jobs that this node of a shared store has now, see nodes"},
    {0},
};

static const struct option *const simulate_sets[] = {option_files, simulate_options, NULL};

static int simulate_bound(
    struct command *command, const char *option, schedd_time *out, struct schedd_error *err)
{
	const char *text = args_get(&command->args, option);
	const struct when_context context = command_times(command);

	if (text && when_parse(text, &context, out, err) != 0)
		return schedd_error_prefix(err, "--%s", option);
	return 0;
}

/* ---- Showing ---- */

static void simulate_bar(struct strbuf *out, uint64_t count, uint64_t most)
{
	for (uint64_t i = 0; most > 0 && i < (count * 40 + most - 1) / most; i++)
		strbuf_add(out, "█");
}

static void simulate_hours(
    struct command *command, struct strbuf *out, const struct simulation *simulation)
{
	uint64_t most = 0;

	for (size_t i = 0; i < simulation->hour_count; i++)
		most = simulation->hours[i] > most ? simulation->hours[i] : most;
	strbuf_printf(
	    out, "\n%sRuns by hour%s\n", out_color(command, "bold"), out_color(command, NULL));
	for (size_t i = 0; i < simulation->hour_count; i++) {
		if (simulation->hours[i] == 0)
			continue;
		strbuf_add(out, "  ");
		out_when(command, out, simulation->first_hour + (schedd_time)i * SCHEDD_HOUR);
		strbuf_printf(out, "  %6llu  ", (unsigned long long)simulation->hours[i]);
		simulate_bar(out, simulation->hours[i], most);
		strbuf_add_char(out, '\n');
	}
}

static void simulate_jobs(
    struct command *command, struct strbuf *out, const struct simulation *simulation)
{
	strbuf_printf(out, "\n%sJobs%s\n", out_color(command, "bold"), out_color(command, NULL));
	for (size_t i = 0; i < simulation->job_count; i++) {
		const struct simulation_job *job = &simulation->jobs[i];

		strbuf_printf(
		    out, "  %-24s %8llu runs, each ", job->id, (unsigned long long)job->runs);
		out_span(out, job->duration);
		if (job->overlaps > 0)
			strbuf_printf(out, ", %s%llu begin before the last one has ended%s",
			    out_color(command, "warn"), (unsigned long long)job->overlaps,
			    out_color(command, NULL));
		if (job->moved > 0)
			strbuf_printf(out, ", %llu moved out of a gap of the clock",
			    (unsigned long long)job->moved);
		if (job->doubled > 0)
			strbuf_printf(out, ", %llu at a wall time that comes twice",
			    (unsigned long long)job->doubled);
		strbuf_add_char(out, '\n');
	}
}

static int simulate_text(struct command *command, const struct simulation *simulation)
{
	struct strbuf out = STRBUF_EMPTY;
	bool written;

	strbuf_printf(&out, "%llu runs of %zu jobs from ", (unsigned long long)simulation->runs,
	    simulation->job_count);
	out_when(command, &out, simulation->from);
	strbuf_add(&out, " until ");
	out_when(command, &out, simulation->until);
	strbuf_printf(&out, "; at most %llu at one time%s", (unsigned long long)simulation->peak,
	    simulation->peak ? ", first at " : "");
	if (simulation->peak)
		out_when(command, &out, simulation->peak_at);
	strbuf_add(&out, ".\n");
	if (simulation->cut)
		strbuf_printf(&out, "There are more; only the first %d of each job count.\n",
		    SIMULATION_RUNS_MAX);
	for (size_t i = 0; i < simulation->change_count; i++) {
		strbuf_add(&out, "The clock changes at ");
		out_when(command, &out, simulation->changes[i].at);
		strbuf_printf(&out, " in %s.\n", simulation->changes[i].zone);
	}
	simulate_jobs(command, &out, simulation);
	simulate_hours(command, &out, simulation);
	written = out_write(strbuf_peek(&out), out.length);
	strbuf_clear(&out);
	return written ? EXIT_DONE : EXIT_PIPE;
}

/* ---- The verb ---- */

/* Jobs of the files, or of the daemon with their usual durations. */
static int simulate_fill(struct command *command, struct simulation *simulation)
{
	bool files = args_has(&command->args, "file") || command->args.word_count > 0;
	struct schedd_error err = {0};
	struct jobfile set;
	int status = EXIT_DONE, rc = 0;

	if (files && args_has(&command->args, "node"))
		return say_usage(command, "--node is about the daemon's jobs: leave the files out");
	if (!files) {
		rc = simulation_add_daemon(simulation, &err);
		return rc ? say_error(command, &err) : EXIT_DONE;
	}
	status = job_set_load(command, &set);
	for (uint32_t i = 0; !status && !rc && i < set.jobs.array.count; i++)
		rc = simulation_add(simulation, &set.jobs.array.items[i], &err);
	jobfile_clear(&set);
	return rc ? say_error(command, &err) : status;
}

static int simulate_run(struct command *command)
{
	struct simulation simulation = {.command = command, .from = command->now};
	struct schedd_error err = {0};
	int status;

	if (simulate_bound(command, "from", &simulation.from, &err) != 0)
		return say_error(command, &err);
	simulation.until = simulation.from + SCHEDD_DAY;
	if (simulate_bound(command, "until", &simulation.until, &err) != 0 ||
	    simulation_begin(&simulation, args_get(&command->args, "duration"), &err) != 0) {
		status = say_error(command, &err);
	} else {
		status = simulate_fill(command, &simulation);
		if (!status && simulation_end(&simulation, &err) != 0)
			status = say_error(command, &err);
		else if (!status && out_is_json(command)) {
			struct value answer = simulation_value(&simulation);

			status = out_json(command, &answer);
		} else if (!status) {
			status = simulate_text(command, &simulation);
		}
	}
	simulation_clear(&simulation);
	return status;
}

const struct verb verb_simulate = {
    .name = "simulate",
    .group = "Runs",
    .summary = "play the schedule forward without running anything",
    .usage = "[--from TIME] [--until TIME] [-f FILE | --node NODE]",
    .examples = "schedctl simulate --until 'next monday'\n"
		"schedctl simulate --from 2027-03-28 --until 2027-03-29 -f jobs.yaml",
    .notes = "Shows the load by the hour, runs that would overlap by the jobs' usual durations "
	     "(p95 of the last 30\n"
	     "days), and what a change of the clock does. With -f no daemon is needed. Of jobs on all nodes "
	     "each\n"
	     "node's part counts.",
    .options = simulate_sets,
    .complete = COMPLETE_FILE,
    .max_words = -1,
    .run = simulate_run,
};
