/* SPDX-License-Identifier: MIT */
/*
 * show: the job, its next fire times and its latest runs. The three questions
 * are sent together, so that a job is one round trip.
 */
#include <string.h>

#include "base/json.h"
#include "cmd/columns.h"
#include "cmd/job_view.h"
#include "cmd/out_json.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"
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

/* Instants as texts in the trigger's own zone. */
static struct value show_fires(struct command *command, const struct value *answer)
{
	const struct value *times = value_get(answer, "fire_times");
	const char *name = value_get_string(answer, "timezone");
	const struct zone *zone = command_zone(command);
	struct value list = value_array();

	if (name && command->zones && zone_cache_get(command->zones, name, &zone, NULL) != 0)
		zone = zone_utc();
	for (uint32_t i = 0; times && i < times->array.count; i++) {
		struct strbuf text = STRBUF_EMPTY;

		when_format(&text, times->array.items[i].integer, zone);
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

	if (!rc)
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

	return (field && field->type == JOB_FIELD_TIME) ||
	       (length > 3 && strcmp(path + length - 3, "_at") == 0);
}

/* Texts as they are, where nobody's terminal is in the way; nothing for nil. */
static int show_field(struct command *command, const struct value *job, const char *path)
{
	const struct value *value = out_path(job, path);
	struct strbuf text = STRBUF_EMPTY;
	struct value shown;
	bool written;

	command_zone(command);
	if (!value) {
		;
	} else if (value->type == VALUE_STRING && command->out.terminal) {
		out_safe(&text, value->string.text, value->string.length, true);
	} else if (value->type == VALUE_STRING) {
		strbuf_add_n(&text, value->string.text, value->string.length);
	} else if (value->type == VALUE_INT && show_is_time(path)) {
		out_when(command, &text, value->integer);
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
	    "last_run", "last_state", "paused_by", "latest_runs", NULL};
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

	strbuf_printf(out, "\n%sNext%s\n", out_color(command, "bold"), out_color(command, NULL));
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
		return command_fail(command, &err);
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

/* The jobs as they were gathered. */
static int show_list(struct command *command, const struct value *jobs, bool one)
{
	struct schedd_error err = {0};
	struct out_list *list;

	if (command->out.format == OUT_JSON && one && !command->out.columns)
		return jobs->array.count ? out_json(command, &jobs->array.items[0]) : EXIT_DONE;
	list = out_list_begin(command, columns_job, "id", &err);
	if (!list)
		return command_fail(command, &err);
	for (uint32_t i = 0; i < jobs->array.count; i++)
		out_list_row(list, &jobs->array.items[i]);
	return out_list_end(list);
}

static int show_each(struct command *command, const struct value *ids, struct value *shown)
{
	const char *field = args_get(&command->args, "field");
	int status = EXIT_DONE;

	for (uint32_t i = 0; i < ids->array.count && status != EXIT_PIPE; i++) {
		struct schedd_error err = {0};
		struct value job;
		int rc = show_gather(command, ids->array.items[i].string.text, &job, &err);

		if (rc) {
			status = command_fail(command, &err);
			if (rc == SCHEDD_EUNREACHABLE || rc == SCHEDD_ETIMEOUT)
				return status;
			status = ids->array.count > 1 ? EXIT_FAILED : status;
		} else if (field) {
			rc = show_field(command, &job, field);
			status = rc ? rc : status;
		} else if (show_rows(command)) {
			value_append(&command->arena, shown, job);
		} else {
			if (i > 0)
				out_write("\n", 1);
			rc = show_text(command, &job);
			status = rc ? rc : status;
		}
	}
	return status;
}

static int show_run(struct command *command)
{
	const char *field = args_get(&command->args, "field");
	struct value ids, shown = value_array();
	struct schedd_error err = {0};
	int status, rc = 0;

	if ((field && show_check_field(field, &err) != 0) ||
	    targets_resolve(command, &ids, &err) != 0)
		return command_fail(command, &err);
	status = show_each(command, &ids, &shown);
	if (ids.array.count == 0 && !out_is_json(command))
		command_say(command, "No job matches.");
	if (!field && show_rows(command))
		rc = show_list(command, &shown, ids.array.count == 1 && !targets_are_bulk(command));
	return rc ? rc : status;
}

const struct verb verb_show = {
    .name = "show",
    .group = "Jobs",
    .summary = "show everything about jobs",
    .usage = "JOB… [--field FIELD]",
    .examples = "schedctl show backup\n"
		"schedctl show backup --field next_run_time\n"
		"schedctl show backup --json | jq .trigger",
    .notes =
	"After the fields (dimmed where they are at their default) come the next three fire "
	"times and the\n"
	"latest five runs. The JSON is the job with fire_times, remarks and latest_runs: an object "
	"for one job, an\n"
	"array for several or for a pattern.",
    .options = show_sets,
    .complete = COMPLETE_JOB,
    .max_words = -1,
    .run = show_run,
};
