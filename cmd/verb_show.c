/* SPDX-License-Identifier: MIT */
/*
 * show: the job, its next fire times and its latest runs. The three questions
 * are sent together, so that a job is one round trip. Or a run, which
 * run_view.c knows about.
 */
#include <string.h>

#include "base/json.h"
#include "cmd/columns.h"
#include "cmd/gone.h"
#include "cmd/job_view.h"
#include "cmd/out_json.h"
#include "cmd/run_view.h"
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"
#include "model/run.h"
#include "trigger/when.h"

#define SHOW_FIRES 3
#define SHOW_RUNS 5

static const struct option show_options[] = {
    {.name = "field",
	.value = "FIELD",
	.section = "Options",
	.complete = COMPLETE_FIELD,
	.doc = "only the bare value of a field, or of a part: tags.kind"},
    {0},
};

static const struct option *const show_sets[] = {option_label, option_target, show_options, NULL};

/* ---- Asking ---- */

/* Sends the questions about a job; msgids gets three. */
static int show_ask(
    struct command *command, const char *id, uint32_t *msgids, struct schedd_error *err)
{
	struct value of_job = value_map(), of_next = value_map(), of_runs = value_map();
	struct arena *arena = &command->arena;
	int rc = command_connect(command, err);

	value_put(arena, &of_job, "id", value_string_ref(id));
	value_put(arena, &of_next, "id", value_string_ref(id));
	value_put(arena, &of_next, "n", value_int(SHOW_FIRES));
	value_put(arena, &of_runs, "jobs", value_string_ref(id));
	value_put(arena, &of_runs, "limit", value_int(SHOW_RUNS));
	if (!rc)
		rc = rpc_client_send(command->client, "job.get", &of_job, &msgids[0], err);
	if (!rc)
		rc = rpc_client_send(command->client, "trigger.next", &of_next, &msgids[1], err);
	if (!rc)
		rc = rpc_client_send(command->client, "run.list", &of_runs, &msgids[2], err);
	return rc;
}

/* Instants as texts: to programs in the trigger's own zone. */
static struct value show_fires(struct command *command, const struct value *answer)
{
	const struct value *times = value_get(answer, "fire_times");
	const char *name = value_get_string(answer, "timezone");
	const struct zone *zone = command_zone(command);
	bool bare = args_has(&command->args, "field");
	struct value list = value_array();

	if (name && command->zones && zone_cache_get(command->zones, name, &zone, NULL) != 0)
		zone = zone_utc();
	for (uint32_t i = 0; times && i < times->array.count; i++) {
		struct strbuf text = STRBUF_EMPTY;

		if (bare)
			when_format(&text, times->array.items[i].integer, zone);
		else
			out_fire(command, &text, times->array.items[i].integer, zone);
		value_append(
		    &command->arena, &list, value_string(&command->arena, strbuf_peek(&text)));
		strbuf_clear(&text);
	}
	return list;
}

/*
 * The job with "fire_times", "remarks" and "latest_runs" added. A trigger without a
 * clock has no fire times; a job that is gone is the error of the first answer.
 */
static int show_gather(
    struct command *command, const char *id, struct value *job, struct schedd_error *err)
{
	struct value next = value_nil(), runs = value_nil();
	const struct value *remarks, *list;
	uint32_t msgids[3];
	int rc = show_ask(command, id, msgids, err);

	if (rc)
		return rc;
	rc = rpc_client_receive(command->client, msgids[0], &command->arena, job, err);
	if (rc == SCHEDD_EUNREACHABLE || rc == SCHEDD_ETIMEOUT || !command->client)
		return rc;
	if (rpc_client_receive(command->client, msgids[1], &command->arena, &next, NULL) != 0)
		next = value_nil();
	if (rpc_client_receive(command->client, msgids[2], &command->arena, &runs, NULL) != 0)
		runs = value_nil();
	if (rc)
		return rc;
	remarks = value_get(&next, "remarks");
	list = value_get(&runs, "runs");
	value_put(&command->arena, job, "remarks", remarks ? *remarks : value_array());
	value_put(&command->arena, job, "fire_times", show_fires(command, &next));
	value_put(&command->arena, job, "latest_runs", list ? *list : value_array());
	return arena_failed(&command->arena) ? schedd_error_nomem(err) : 0;
}

/* ---- A bare field ---- */

static bool show_is_time(const char *path)
{
	const struct job_field *field = job_fields_find(path);
	size_t length = strlen(path);

	for (const struct run_field *run = run_fields(); run->name; run++)
		if (run->type == RUN_FIELD_TIME && strcmp(run->name, path) == 0)
			return true;
	return (field && field->type == JOB_FIELD_TIME) ||
	       (length > 3 && strcmp(path + length - 3, "_at") == 0);
}

/* Texts as they are, where nobody's terminal is in the way; nothing for nil. */
static int show_field(struct command *command, const struct value *job, const char *path)
{
	const struct value *value = out_path(job, path);
	struct command asked = *command;
	struct strbuf text = STRBUF_EMPTY;
	struct value shown;
	bool written;

	command_zone(command);
	asked.zone = command->zone;
	if (asked.out.time == OUT_TIME_AUTO && !asked.out.terminal)
		asked.out.time = OUT_TIME_ISO;
	if (!value) {
		;
	} else if (value->type == VALUE_STRING && command->out.terminal) {
		out_safe(&text, value->string.text, value->string.length, true);
	} else if (value->type == VALUE_STRING) {
		strbuf_add_n(&text, value->string.text, value->string.length);
	} else if (value->type == VALUE_INT && show_is_time(path)) {
		out_when(&asked, &text, value->integer);
	} else {
		shown = out_json_times(command, &command->arena, NULL, value);
		json_write(&text, &shown);
	}
	strbuf_add_char(&text, '\n');
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	return written ? EXIT_DONE : EXIT_PIPE;
}

/* Is it the name of something a job can have? */
static int show_check_field(const char *path, struct schedd_error *err)
{
	static const char *const more[] = {"trigger_text", "remarks", "fire_times", "runs",
	    "last_run", "last_state", "paused_by", "latest_runs", "node", NULL};
	char name[64] = "";

	strncat(name, path, strcspn(path, ".") < 63 ? strcspn(path, ".") : 63);
	for (const char *const *known = more; *known; known++)
		if (strcmp(name, *known) == 0)
			return 0;
	if (job_fields_find(name))
		return 0;
	job_fields_unknown(name, err);
	return schedd_error_prefix(err, "--field");
}

/* ---- For people ---- */

static void show_fire_times(struct command *command, struct strbuf *out, const struct value *job)
{
	const struct value *times = value_get(job, "fire_times"),
			   *remarks = value_get(job, "remarks");

	strbuf_printf(out, "\n%s%s%s\n", out_color(command, "bold"),
	    value_get_bool(job, "paused", false) ? "Next, were it not paused" : "Next",
	    out_color(command, NULL));
	for (uint32_t i = 0; i < times->array.count; i++)
		strbuf_printf(out, "  %s\n", times->array.items[i].string.text);
	if (times->array.count == 0)
		strbuf_add(out, "  The clock never starts it.\n");
	for (uint32_t i = 0; i < remarks->array.count; i++)
		if (remarks->array.items[i].type == VALUE_STRING) {
			strbuf_add(out, "  (");
			out_safe(out, remarks->array.items[i].string.text,
			    remarks->array.items[i].string.length, false);
			strbuf_add(out, ")\n");
		}
}

static int show_runs(struct command *command, const struct value *job)
{
	const struct value *runs = value_get(job, "latest_runs");
	struct command shown = *command;
	struct schedd_error err = {0};
	struct out_list *list;

	if (runs->array.count == 0)
		return out_write("  It has not run yet.\n", 22) ? EXIT_DONE : EXIT_PIPE;
	shown.out.format = OUT_TABLE;
	shown.out.sort = shown.out.columns = NULL;
	list = out_list_begin(&shown, columns_run, "id", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; i < runs->array.count; i++)
		out_list_row(list, &runs->array.items[i]);
	return out_list_end(list);
}

static int show_text(struct command *command, const struct value *job)
{
	struct strbuf text = STRBUF_EMPTY;
	bool written;

	command_zone(command);
	job_view(command, &text, job);
	show_fire_times(command, &text, job);
	strbuf_printf(
	    &text, "\n%sLatest runs%s\n", out_color(command, "bold"), out_color(command, NULL));
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	return written ? show_runs(command, job) : EXIT_PIPE;
}

/* ---- The verb ---- */

/* Programs get rows; people a page for each job. */
static bool show_rows(const struct command *command)
{
	return out_is_json(command) || command->out.format == OUT_NAME ||
	       command->out.format == OUT_TSV || command->out.columns;
}

/* What was gathered, jobs or runs: each has columns of its own. */
static int show_list(
    struct command *command, const struct value *shown, const struct out_column *columns, bool runs)
{
	struct schedd_error err = {0};
	struct out_list *list = out_list_begin(command, columns, "id", &err);

	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; i < shown->array.count; i++)
		if (!columns->name ||
		    run_view_names(value_get_string(&shown->array.items[i], "id")) == runs)
			out_list_row(list, &shown->array.items[i]);
	return out_list_end(list);
}

/* Of jobs and runs together JSON is one array, and names are one list. */
static int show_mixed(struct command *command, const struct value *shown)
{
	static const struct out_column none[] = {{0}};
	int status;

	if (command->out.format == OUT_NAME || out_is_json(command))
		return show_list(command, shown, none, false);
	status = show_list(command, shown, columns_job, false);
	return status ? status : show_list(command, shown, columns_run, true);
}

/* How many of them are runs? */
static uint32_t show_count_runs(const struct value *ids)
{
	uint32_t runs = 0;

	for (uint32_t i = 0; i < ids->array.count; i++)
		runs += run_view_names(ids->array.items[i].string.text);
	return runs;
}

static int show_gathered(
    struct command *command, const struct value *ids, const struct value *shown)
{
	uint32_t runs = show_count_runs(ids), count = ids->array.count;

	if (command->out.format == OUT_JSON && count == 1 && !targets_are_bulk(command) &&
	    !command->out.columns)
		return shown->array.count ? out_json(command, &shown->array.items[0]) : EXIT_DONE;
	if (runs > 0 && runs < count)
		return show_mixed(command, shown);
	return show_list(command, shown, runs ? columns_run : columns_job, runs > 0);
}

/* One job or run for people (apart from what is above), as a bare field, or put by for rows. */
static int show_one(struct command *command, const char *id, bool apart, struct value *shown,
    struct schedd_error *err)
{
	const char *field = args_get(&command->args, "field");
	bool run = run_view_names(id);
	struct value found;

	if (run ? run_view_get(command, id, &found, err) : show_gather(command, id, &found, err)) {
		int status = say_error(command, err);

		if (err->code == SCHEDD_ENOTFOUND && !run)
			gone_say(command, id);
		return status;
	}
	if (field)
		return show_field(command, &found, field);
	if (show_rows(command)) {
		value_append(&command->arena, shown, found);
		return EXIT_DONE;
	}
	if (apart && !out_write("\n", 1))
		return EXIT_PIPE;
	return run ? run_view(command, &found) : show_text(command, &found);
}

static int show_each(struct command *command, const struct value *ids, struct value *shown)
{
	int status = EXIT_DONE;

	for (uint32_t i = 0; i < ids->array.count && status != EXIT_PIPE; i++) {
		struct schedd_error err = {0};
		int one = show_one(command, ids->array.items[i].string.text, i > 0, shown, &err);

		if (err.code == SCHEDD_EUNREACHABLE || err.code == SCHEDD_ETIMEOUT)
			return one;
		if (one)
			status = err.code && ids->array.count > 1 ? EXIT_FAILED : one;
	}
	return status;
}

/* Columns and fields are those of jobs, or those of runs. */
static int show_check(struct command *command, const struct value *ids, struct schedd_error *err)
{
	const char *field = args_get(&command->args, "field");
	uint32_t runs = show_count_runs(ids), count = ids->array.count;
	int rc = 0;

	if (command->out.columns && runs > 0 && runs < count)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--columns: jobs and runs have different ones, show them apart");
	if (field && runs > 0)
		rc = run_view_check_field(field, err);
	if (field && !rc && (runs < count || count == 0))
		rc = show_check_field(field, err);
	return rc;
}

/* A run is one: filters choose among jobs. */
static int show_check_words(struct command *command, struct schedd_error *err)
{
	for (int i = 0; i < command->args.word_count; i++)
		if (run_view_names(command->args.words[i]) &&
		    (args_has(&command->args, "tag") || args_has(&command->args, "group") ||
			args_has(&command->args, "state")))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "'%s' is a run; -t, -g and --state choose jobs",
			    command->args.words[i]);
	return 0;
}

static int show_run(struct command *command)
{
	struct value ids, shown = value_array();
	struct schedd_error err = {0};
	int status, rc = 0;

	if (show_check_words(command, &err) != 0 || targets_resolve(command, &ids, &err) != 0 ||
	    show_check(command, &ids, &err) != 0)
		return say_error(command, &err);
	status = show_each(command, &ids, &shown);
	if (ids.array.count == 0 && !out_is_json(command))
		say(command, "No job matches.");
	if (!args_has(&command->args, "field") && show_rows(command))
		rc = show_gathered(command, &ids, &shown);
	return rc ? rc : status;
}

const struct verb verb_show = {
    .name = "show",
    .group = "Jobs",
    .summary = "show everything about jobs or runs",
    .usage = "JOB|JOB/N… [--field FIELD]",
    .examples = "schedctl show backup\n"
		"schedctl show backup/42\n"
		"schedctl show backup --field next_run_time\n"
		"schedctl show backup --json | jq .trigger",
    .notes =
	"After a job's fields (dimmed where they are at their default) come the next three fire "
	"times and the\n"
	"latest five runs; after a run's fields each of its attempts. The JSON is the job with "
	"fire_times,\n"
	"remarks and latest_runs, or the run with attempts: an object for one, an array for "
	"several or\n"
	"for a pattern.",
    .options = show_sets,
    .complete = COMPLETE_JOB_OR_RUN,
    .max_words = -1,
    .columns = columns_job,
    .run = show_run,
};
