/* SPDX-License-Identifier: MIT */
/* list: page by page, so that a hundred thousand jobs stream; --watch draws again and again. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/duration.h"
#include "cmd/columns.h"
#include "cmd/gone.h"
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"

#define LIST_PAGE 10000 /* of the members that a table shows */
#define LIST_PAGE_WHOLE 3000
#define LIST_CHECKED 20 /* ids that are looked for one by one */

static const struct option list_options[] = {
    {.name = "store",
	.value = "NAME",
	.section = "Which jobs",
	.complete = COMPLETE_STORE,
	.doc = "jobs in that store"},
    {.name = "owner", .value = "NAME", .doc = "jobs that apply --owner NAME made"},
    {.name = "due",
	.value = "DUR",
	.complete = COMPLETE_DURATION,
	.doc = "jobs whose next run is within that time"},
    {.name = "failed", .doc = "jobs whose last run ended without success"},
    {.name = "node",
	.value = "NODE",
	.complete = COMPLETE_NODE,
	.doc = "jobs that this node of a shared store has now, see nodes"},
    {.name = "watch", .section = "Options", .doc = "draw again every second until Ctrl-C"},
    {0},
};

static const struct option *const list_sets[] = {option_label, option_target, list_options, NULL};

static int list_params(struct command *command, struct value *params, struct schedd_error *err)
{
	const struct args *args = &command->args;
	schedd_span due;

	*params = value_map();
	targets_filters(command, params);
	if (args_get(args, "store"))
		value_put(
		    &command->arena, params, "store", value_string_ref(args_get(args, "store")));
	if (args_get(args, "owner"))
		value_put(
		    &command->arena, params, "owner", value_string_ref(args_get(args, "owner")));
	if (args_get(args, "node"))
		value_put(
		    &command->arena, params, "node", value_string_ref(args_get(args, "node")));
	if (args_has(args, "failed"))
		value_put(&command->arena, params, "failed", value_bool(true));
	if (args_get(args, "due")) {
		if (duration_parse(args_get(args, "due"), &due, err) != 0)
			return schedd_error_prefix(err, "--due");
		value_put(&command->arena, params, "due_before", value_int(command->now + due));
	}
	return 0;
}

/* A request for pages of the jobs that the filters choose; returns its cursor, NULL: no memory. */
static struct value *list_request(struct command *command, const struct value *filters,
    const struct out_list *list, struct value *request, struct arena *arena)
{
	struct value fields = out_list_fields(list, arena);

	*request = value_copy(arena, filters);
	if (fields.array.count)
		value_put(arena, request, "fields", fields);
	/* The daemon sorts by next run, so that nothing need be gathered here. */
	if (!command->out.sort)
		value_put(arena, request, "order", value_string_ref("next"));
	value_put(
	    arena, request, "limit", value_int(fields.array.count ? LIST_PAGE : LIST_PAGE_WHOLE));
	return value_put(arena, request, "after", value_nil());
}

/* All pages into the list. */
static int list_pages(struct command *command, const struct value *filters, struct out_list *list,
    uint64_t *count, struct schedd_error *err)
{
	struct arena own, page;
	struct value request, *after;
	uint32_t msgid;
	bool more;
	int rc;

	arena_init(&own);
	arena_init(&page);
	after = list_request(command, filters, list, &request, &own);
	rc = after ? command_connect(command, err) : schedd_error_nomem(err);
	if (!rc)
		rc = rpc_client_send(command->client, "job.list", &request, &msgid, err);
	for (more = true; !rc && more;) {
		const struct value *jobs;
		struct value result;

		arena_clear(&page);
		rc = rpc_client_receive(command->client, msgid, &page, &result, err);
		if (rc)
			break;
		/* The daemon makes the next page while this one is shown. */
		*after = value_string_ref(value_get_string(&result, "next"));
		more = after->type == VALUE_STRING;
		if (more)
			rc = rpc_client_send(command->client, "job.list", &request, &msgid, err);
		jobs = value_get(&result, "jobs");
		for (uint32_t i = 0; jobs && i < jobs->array.count; i++)
			out_list_row(list, &jobs->array.items[i]);
		*count += jobs ? jobs->array.count : 0;
	}
	if (rc == SCHEDD_EUNREACHABLE && args_get(&command->args, "host"))
		schedd_error_prefix(err, "over ssh to %s", args_get(&command->args, "host"));
	arena_clear(&own);
	arena_clear(&page);
	return rc;
}

/* Is each id that was typed out a job's? Says of which it is not so. */
static bool list_check_words(struct command *command)
{
	bool all = true;

	for (int i = 0; i < command->args.word_count && i < LIST_CHECKED; i++)
		if (!strpbrk(command->args.words[i], "*?["))
			all = gone_check(command, command->args.words[i]) && all;
	return all;
}

static int list_once(struct command *command, const struct value *params)
{
	struct schedd_error err = {0};
	struct out_list *list;
	uint64_t count = 0;
	int status, rc;

	list = out_list_begin(command, columns_job, "id", &err);
	if (!list)
		return say_error(command, &err);
	rc = list_pages(command, params, list, &count, &err);
	if (rc) {
		out_list_drop(list);
		return say_error(command, &err);
	}
	status = out_list_end(list);
	if (!status && !list_check_words(command))
		return status;
	if (!status && count == 0 && command->out.terminal && !out_is_json(command))
		say(command, params->map.count > 0
				 ? "No job matches."
				 : "There are no jobs yet; see schedctl help add.");
	return status;
}

static int list_watch(struct command *command, const struct value *params)
{
	const struct timespec second = {1, 0};
	int status = EXIT_DONE;

	if (!command->out.terminal)
		return say_usage(command, "--watch needs a terminal");
	while (status == EXIT_DONE) {
		fputs("\033[H\033[2J", stdout);
		command->now = schedd_clock_system()->wall(NULL);
		status = list_once(command, params);
		if (fflush(stdout) != 0)
			status = EXIT_PIPE;
		nanosleep(&second, NULL);
	}
	return status;
}

static int list_run(struct command *command)
{
	struct schedd_error err = {0};
	struct value params;

	if (list_params(command, &params, &err) != 0)
		return say_error(command, &err);
	if (args_has(&command->args, "watch"))
		return list_watch(command, &params);
	return list_once(command, &params);
}

const struct verb verb_list = {
    .name = "list",
    .alias = "ls",
    .group = "Jobs",
    .summary = "list jobs by their next run",
    .usage = "[PATTERN…] [OPTIONS]",
    .examples = "schedctl list\n"
		"schedctl ls 'db-*' --state paused\n"
		"schedctl list --due 1h -o wide\n"
		"schedctl ls -t kind=report -o name | schedctl pause -",
    .notes =
	"PATTERN is an id or a quoted glob. Paused jobs and those without a next run come last.",
    .options = list_sets,
    .complete = COMPLETE_JOB,
    .columns = columns_job,
    .max_words = -1,
    .from_input = true,
    .run = list_run,
};
