/* SPDX-License-Identifier: MIT */
/* stats: figures of runs by job, with small bars on a terminal, or for Prometheus. */
#include <fnmatch.h>
#include <string.h>

#include "base/duration.h"
#include "cmd/gone.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/stats_prometheus.h"
#include "cmd/verb_rows.h"
#include "trigger/when.h"

#define STATS_BAR 20 /* columns */

static const struct option stats_options[] = {
    {.name = "last",
	.value = "DUR",
	.section = "Options",
	.complete = COMPLETE_DURATION,
	.doc = "count the runs of the last 7d, 12h, … (default 24h)"},
    {.name = "since", .value = "TIME", .complete = COMPLETE_TIME, .doc = "count runs from then on"},
    {.name = "node",
	.value = "NODE",
	.complete = COMPLETE_NODE,
	.doc = "of the jobs that this node of a shared store has now, see nodes"},
    {0},
};

static const struct option *const stats_sets[] = {stats_options, NULL};

static int stats_params(struct command *command, struct value *params, struct schedd_error *err)
{
	const char *node = args_get(&command->args, "node");
	const char *last = args_get(&command->args, "last"),
		   *since = args_get(&command->args, "since");
	const struct when_context context = command_times(command);
	schedd_time when = command->now;
	schedd_span span;

	*params = value_map();
	if (node)
		value_put(&command->arena, params, "node", value_string_ref(node));
	if (last && since)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--last and --since contradict each other");
	if (last && duration_parse(last, &span, err) != 0)
		return schedd_error_prefix(err, "--last");
	if (since && when_parse(since, &context, &when, err) != 0)
		return schedd_error_prefix(err, "--since");
	if (last)
		when -= span;
	if (last || since)
		value_put(&command->arena, params, "since", value_int(when));
	return 0;
}

/* ---- Bars ---- */

static double stats_number(const struct value *row, const char *key)
{
	const struct value *value = value_get(row, key);
	double number = 0;

	if (value)
		value_number(value, &number);
	return number;
}

/* In eighths of a column, so that small differences show. */
static void stats_bar(struct strbuf *out, double part)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	int count = (int)(part * STATS_BAR * 8 + 0.5);

	for (; count >= 8; count -= 8)
		strbuf_add(out, "█");
	strbuf_add(out, eighths[count]);
}

/* Each row gets "chart": its longest usual duration beside that of the others. */
static void stats_charts(struct command *command, struct value *jobs)
{
	double most = 0;

	for (uint32_t i = 0; i < jobs->array.count; i++) {
		double p95 = stats_number(&jobs->array.items[i], "duration_p95");

		most = p95 > most ? p95 : most;
	}
	for (uint32_t i = 0; i < jobs->array.count && most > 0; i++) {
		struct value *row = &jobs->array.items[i];
		struct strbuf bar = STRBUF_EMPTY;

		stats_bar(&bar, stats_number(row, "duration_p95") / most);
		value_put(&command->arena, row, "chart",
		    value_string(&command->arena, strbuf_peek(&bar)));
		strbuf_clear(&bar);
	}
}

/* ---- The verb ---- */

/* The jobs that the words choose: ids or globs. */
static struct value stats_chosen(struct command *command, const struct value *jobs)
{
	const struct args *args = &command->args;
	struct value chosen = value_array();

	for (uint32_t i = 0; jobs && i < jobs->array.count; i++) {
		const char *id = value_get_string(&jobs->array.items[i], "job");
		bool wanted = args->word_count == 0;

		for (int w = 0; id && w < args->word_count; w++)
			wanted |= fnmatch(args->words[w], id, 0) == 0;
		if (wanted)
			value_append(&command->arena, &chosen, jobs->array.items[i]);
	}
	return chosen;
}

static const struct out_column stats_columns[] = {
    {"job", "job", OUT_TEXT, true, true, false},
    {"runs", "runs", OUT_INT, true, true, false},
    {"skips", "skips", OUT_INT, true, true, false},
    {"failures", "failures", OUT_INT, true, true, false},
    {"duration_p50", "duration_p50", OUT_SPAN, true, true, false},
    {"duration_p95", "duration_p95", OUT_SPAN, true, true, false},
    {"delay_p50", "delay_p50", OUT_SPAN, true, true, false},
    {"delay_p95", "delay_p95", OUT_SPAN, true, true, false},
    {"states", "states", OUT_TEXT, false, true, false},
    {0},
};

static int stats_show(struct command *command, struct value *jobs)
{
	struct out_column shown[sizeof(stats_columns) / sizeof(stats_columns[0]) + 1];
	const size_t count = sizeof(stats_columns) / sizeof(stats_columns[0]) - 1;
	struct schedd_error err = {0};
	struct out_list *list;

	memcpy(shown, stats_columns, sizeof(stats_columns));
	memset(&shown[count + 1], 0, sizeof(shown[0]));
	if (command->out.terminal && !out_is_json(command)) {
		stats_charts(command, jobs);
		shown[count] = (struct out_column){"chart", "chart", OUT_TEXT, true, true, false};
	}
	list = out_list_begin(command, shown, "job", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; i < jobs->array.count; i++)
		out_list_row(list, &jobs->array.items[i]);
	return out_list_end(list);
}

/* A job of which there are no figures may be mistyped. */
static void stats_check_words(struct command *command, const struct value *jobs)
{
	for (int i = 0; i < command->args.word_count; i++) {
		const char *word = command->args.words[i];
		bool found = strpbrk(word, "*?[") != NULL;

		for (uint32_t j = 0; j < jobs->array.count && !found; j++)
			found = value_is_text(value_get(&jobs->array.items[j], "job"), word);
		if (!found)
			(void)gone_check(command, word);
	}
}

static int stats_run(struct command *command)
{
	struct value params, result, jobs, answer = value_map();
	struct schedd_error err = {0};
	const struct value *counters, *missing;

	if (stats_params(command, &params, &err) != 0 ||
	    command_call(command, "server.stats", &params, &result, &err) != 0)
		return say_error(command, &err);
	jobs = stats_chosen(command, value_get(&result, "jobs"));
	stats_check_words(command, &jobs);
	missing = value_get(&result, "missing");
	for (uint32_t i = 0; missing && i < missing->array.count; i++)
		say(command, "Runs in store %s are left out: it cannot be asked now.",
		    missing->array.items[i].string.text);
	counters = value_get(&result, "counters");
	if (command->out.format == OUT_PROMETHEUS)
		return stats_prometheus(counters, &jobs);
	if (command->out.format != OUT_JSON)
		return stats_show(command, &jobs);
	for (uint32_t i = 0; i < result.map.count; i++)
		value_put(&command->arena, &answer, result.map.members[i].key,
		    strcmp(result.map.members[i].key, "jobs") == 0 ? jobs
								   : result.map.members[i].value);
	return out_json(command, &answer);
}

const struct verb verb_stats = {
    .name = "stats",
    .group = "Runs",
    .summary = "show figures of runs: counts, durations, delays",
    .usage = "[JOB…] [--last DUR | --since TIME] [-o prometheus]",
    .examples = "schedctl stats\n"
		"schedctl stats 'db-*' --last 7d --sort -duration_p95\n"
		"schedctl stats -o prometheus > /var/lib/node_exporter/schedd.prom",
    .notes =
	"p50 and p95 are what half and 95 of 100 runs did not exceed; a delay is the time "
	"from when a run was\n"
	"due to its start. skips are fire times that were missed or skipped, and runs cancelled "
	"before they began.",
    .options = stats_sets,
    .complete = COMPLETE_JOB,
    .max_words = -1,
    .from_input = true,
    .columns = stats_columns,
    .run = stats_run,
};
